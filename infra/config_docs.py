"""Tables of settings in the documents, generated from the settings classes: `python -m infra.config_docs`."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parent.parent

DOCUMENTS = ("README.md", "docs/configuration.md", ".env.example")

# The line before a table names the class and the form: `begin settings config:Settings table`.
_BLOCK = re.compile(
    r"^(?P<begin>[^\n]*\bbegin settings (?P<module>[\w.]+):(?P<cls>\w+) (?P<form>\w+)\b[^\n]*\n)"
    r"(?P<body>.*?)"
    r"(?P<end>^[^\n]*\bend settings\b[^\n]*$)",
    re.MULTILINE | re.DOTALL,
)
_GROUP_COMMENT = re.compile(r"    # (?P<title>.+)")
_FIELD = re.compile(r"    (?P<name>[a-z]\w*): ")

Group = tuple[str, Sequence[tuple[str, FieldInfo]]]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables, or with ``--check`` list the documents whose tables are stale; return the exit code."""
    is_check = list(sys.argv[1:] if argv is None else argv) == ["--check"]
    stale = 0
    for path in (ROOT / name for name in DOCUMENTS):
        document = path.read_text("utf-8")
        fresh = render_document(document)
        if fresh == document:
            continue
        stale += 1
        if not is_check:
            path.write_text(fresh, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: {'stale' if is_check else 'written'}\n")
    return 1 if stale and is_check else 0


def render_document(document: str) -> str:
    """Return `document` with every block between `begin settings …` and `end settings` regenerated.

    Raises:
        KeyError: When a block asks for a form that does not exist.
        ValueError: When a block is not closed.
    """
    if document.count("begin settings ") != len(_BLOCK.findall(document)):
        raise ValueError("a block of settings is malformed: 'begin settings MODULE:CLASS FORM' … 'end settings'")

    def draw(match: re.Match[str]) -> str:
        cls = getattr(importlib.import_module(match["module"]), match["cls"])
        return f"{match['begin']}{_FORMS[match['form']](cls)}{match['end']}"

    return _BLOCK.sub(draw, document)


def variable_of(cls: type[BaseSettings], name: str) -> str:
    """Return the environment variable of a field; the first if it has several."""
    alias = cls.model_fields[name].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0]).upper()
    return f"{cls.model_config.get('env_prefix', '')}{name}".upper()


def _group_fields(cls: type[BaseSettings]) -> list[Group]:
    """Return the fields grouped by the heading comments in the source; the first group may have no title."""
    groups: list[tuple[str, list[tuple[str, FieldInfo]]]] = [("", [])]
    for line in inspect.getsource(cls).splitlines():
        if comment := _GROUP_COMMENT.fullmatch(line):
            groups.append((comment["title"], []))
        elif (field := _FIELD.match(line)) and field["name"] in cls.model_fields:
            groups[-1][1].append((field["name"], cls.model_fields[field["name"]]))
    missing = set(cls.model_fields) - {name for _, fields in groups for name, _ in fields}
    if missing:
        raise ValueError(f"{cls.__name__}: {', '.join(sorted(missing))} not found in its source")
    return [group for group in groups if group[1]]


def _format_table(cls: type[BaseSettings]) -> str:
    """Return one table of all fields: variable, default, meaning."""
    lines = ["", "| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for title, fields in _group_fields(cls):
        if title:
            lines.append(f"| **{title}** | | |")
        lines += [
            f"| `{variable_of(cls, name)}` | {_format_default(field)} | {_format_description(field)} |"
            for name, field in fields
        ]
    return "\n".join(lines) + "\n\n"


def _format_sections(cls: type[BaseSettings]) -> str:
    """Return a heading and a table per group, with the accepted values."""
    lines = [""]
    for title, fields in _group_fields(cls):
        lines += [f"### {title}", ""] if title else []
        lines += ["| Variable | Values | Default | Meaning |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{variable_of(cls, name)}` | {_format_values(field)} | {_format_default(field)} "
            f"| {_format_description(field)} |"
            for name, field in fields
        ]
        lines.append("")
    return "\n".join(lines) + "\n"


def _format_env_file(cls: type[BaseSettings]) -> str:
    """Return the contents of an `.env` file in which every line is commented out."""
    lines: list[str] = []
    for title, fields in _group_fields(cls):
        lines += ["", f"## {title}"] if title else [""]
        for name, field in fields:
            lines += [f"# {field.description}", f"#{variable_of(cls, name)}={_default_text(field)}"]
    return "\n".join(lines).lstrip("\n") + "\n"


_FORMS: Mapping[str, Callable[[type[BaseSettings]], str]] = {
    "table": _format_table,
    "sections": _format_sections,
    "env": _format_env_file,
}


def _default_text(field: FieldInfo) -> str:
    default = field.default
    if default is None:
        return ""
    if isinstance(default, tuple):
        return (":" if any(isinstance(each, Path) for each in default) else ",").join(map(str, default))
    return str(default)


def _format_default(field: FieldInfo) -> str:
    text = _default_text(field)
    return f"`{_escape_pipes(text)}`" if text else "–"


def _format_description(field: FieldInfo) -> str:
    return _escape_pipes(field.description or "")


def _escape_pipes(text: str) -> str:
    return text.replace("|", "\\|")


def _format_values(field: FieldInfo) -> str:
    kind: Any = field.annotation
    options = [option for option in get_args(kind) if option is not type(None)]
    if get_origin(kind) is Literal:
        return ", ".join(f"`{option}`" for option in options)
    if get_origin(kind) is not tuple and len(options) == 1:
        kind = options[0]  # of `X | None`
    bounds = {name: value for each in field.metadata for name, value in _bounds_of(each)}
    if kind is int or kind is float:
        return f"{'whole number' if kind is int else 'number'}{_format_range(bounds)}"
    if get_origin(kind) is tuple:
        return "list"
    shortest, longest = bounds.get("min_length"), bounds.get("max_length")
    size = f", {shortest or 0} to {longest} characters" if longest else f", {shortest} characters or more"
    return {Path: "folder", SecretStr: "secret"}.get(kind, "text") + (size if shortest or longest else "")


def _bounds_of(constraint: Any) -> list[tuple[str, Any]]:
    names = ("gt", "ge", "le", "min_length", "max_length")
    return [(name, getattr(constraint, name)) for name in names if getattr(constraint, name, None) is not None]


def _format_range(bounds: Mapping[str, Any]) -> str:
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le")
    if low is None:
        return ""
    if "gt" in bounds:
        return f", over {low:,}" + (f", at most {high:,}" if high is not None else "")
    return f", {low:,} to {high:,}" if high is not None else f", {low:,} or more"


if __name__ == "__main__":
    sys.exit(main())
