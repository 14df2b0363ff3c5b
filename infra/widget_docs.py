"""Reference of all widget components in docs/widgets.md, generated from the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from infra.client_build import ROOT
from widgets.samples import load_samples

DOCUMENT = ROOT / "docs" / "widgets.md"
BEGIN = "<!-- begin components; written by: ./parlor widget-catalogue -->\n"
END = "<!-- end components -->\n"

LINE_WIDTH = 110

_WORDS = {
    "string": "text",
    "number": "number",
    "boolean": "true, false",
    "icon": "[icon](#icons)",
    "any": "any JSON",
    "Record": "object of texts",
    "Record[]": "list of rows: texts and numbers by name",
    "Component": "one component",
    "Component[]": "components",
}
_FORMATS = {
    "length": "or CSS length",
    "spacing": "or CSS length",
    "flex": "or CSS flex",
    "ratio": "or `16 / 9`",
    "date": "ISO date",
    "pattern": "regular expression",
    "image": "address",
}
_SHARED = ("key", "id")


def render_components(catalogue: Mapping[str, Any]) -> str:
    """Return a heading and a table for each component and each object, and the list of icons."""
    lines: list[str] = []
    for name, props in catalogue["components"].items():
        lines += [
            f"### {name}",
            "",
            *_sample_lines(name),
            *_placement_lines(name, catalogue),
            *_table_lines(props, catalogue),
        ]
    lines += ["## Objects within props", ""]
    for name, props in catalogue["objects"].items():
        lines += [f"### {name}", "", *_table_lines(props, catalogue)]
    schemes = " or ".join(f"`{scheme}`" for scheme in catalogue["icons"]["schemes"])
    lines += ["## Icons", "", f"Any name that begins with {schemes}, and these:", ""]
    lines += [", ".join(f"`{name}`" for name in catalogue["icons"]["names"]) + ".", ""]
    return "\n".join(lines) + "\n"


def render_document(document: str, catalogue: Mapping[str, Any]) -> str:
    """Return the document with its generated part replaced.

    Raises:
        ValueError: When one of the lines around that part is missing.
    """
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/widgets.md has lost its lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{head}{begin}\n{render_components(catalogue)}{end}{tail}"


def _sample_lines(name: str) -> list[str]:
    """Return the picture of a component's sample, and the sample as Python and as JSON."""
    widget = load_samples().get(name)
    if widget is None:
        return []
    return [
        f"![{name} in the chat](widgets/{name.lower()}.png)",
        "",
        "```python",
        f"{name.lower().replace('.', '_')} = {format_python(widget)}",
        "```",
        "",
        "<details><summary>JSON</summary>",
        "",
        "```json",
        format_json(widget),
        "```",
        "",
        "</details>",
        "",
    ]


def format_json(value: Any) -> str:
    """Return JSON in which only values that do not fit on one line are broken."""
    return _format_value(value, 0, indent="  ", end="", format_inline=lambda part: json.dumps(part, ensure_ascii=False))


def format_python(value: Any) -> str:
    """Return Python in which only values that do not fit on one line are broken, with double quotes as in JSON."""
    names = {True: "True", False: "False", None: "None"}

    def format_inline(part: Any) -> str:
        if part is None or isinstance(part, bool):
            return names[part]
        if isinstance(part, Mapping):
            return "{" + ", ".join(f"{json.dumps(key)}: {format_inline(inner)}" for key, inner in part.items()) + "}"
        if isinstance(part, list):
            return "[" + ", ".join(map(format_inline, part)) + "]"
        return json.dumps(part, ensure_ascii=False)

    return _format_value(value, 0, indent="    ", end=",", format_inline=format_inline)


def _format_value(value: Any, depth: int, *, indent: str, end: str, format_inline: Callable[[Any], str]) -> str:
    line = format_inline(value)
    if len(line) + len(indent) * depth <= LINE_WIDTH or not isinstance(value, Mapping | list):
        return line
    format_inner = partial(_format_value, depth=depth + 1, indent=indent, end=end, format_inline=format_inline)
    pad = indent * (depth + 1)
    if isinstance(value, Mapping):
        inner = [f"{pad}{json.dumps(key)}: {format_inner(member)}" for key, member in value.items()]
    else:
        inner = [pad + format_inner(element) for element in value]
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    return f"{opening}\n" + ",\n".join(inner) + f"{end}\n{indent * depth}{closing}"


def _placement_lines(name: str, catalogue: Mapping[str, Any]) -> list[str]:
    homes = [parent for parent, rule in catalogue["children"].items() if name in rule["of"]]
    words = ["a root"] if name in catalogue["roots"] else []
    words += [f"stands in {', '.join(homes)}"] if 0 < len(homes) < 4 else []
    return [f"Is {'; '.join(words)}." if name in catalogue["roots"] else f"Only {words[0]}.", ""] if words else []


def _table_lines(props: Mapping[str, Any], catalogue: Mapping[str, Any]) -> list[str]:
    lines = ["| Prop | Values | Default |", "| --- | --- | --- |"]
    for name, prop in props.items():
        if name not in _SHARED:
            mark = "" if not prop.get("required") else " (required)"
            lines.append(f"| `{name}`{mark} | {_format_values(prop, catalogue)} | {_format_default(prop)} |")
    return [*lines, ""] if len(lines) > 2 else ["No props of its own.", ""]


def _format_values(prop: Mapping[str, Any], catalogue: Mapping[str, Any]) -> str:
    words = [f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in prop.get("values", ())]
    types = prop.get("types", ())
    fixed = prop.get("format")
    if fixed == "color":
        tokens = catalogue["colors"]["tokens"].get(prop.get("tokens", ""), [])
        words += [f"`{token}`" for token in tokens] + ["[colour](#colours)"]
        types = [name for name in types if name != "string"]
    elif fixed in ("date", "pattern", "image"):
        words.append(_FORMATS[fixed])
        types = [name for name in types if name != "string"]
    for name in types:
        if fixed in ("length", "spacing", "flex", "ratio") and name == "string":
            words.append(_FORMATS[fixed])
        else:
            words.append(_WORDS.get(name, _link_type(name)))
    if "min" in prop or "above" in prop:
        bound = f"{prop['min']:g} or more" if "min" in prop else f"more than {prop['above']:g}"
        words.append(f"{bound}, whole" if prop.get("integer") else bound)
    if prop.get("nullable"):
        words.append("null")
    return ", ".join(words)


def _link_type(kind: str) -> str:
    name = kind.removesuffix("[]")
    return f"{'list of ' if kind.endswith('[]') else ''}[{name}](#{name.lower()})"


def _format_default(prop: Mapping[str, Any]) -> str:
    default = prop.get("default")
    return "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
