"""Reads the source of an exported workflow, without running it: its entry function, its approvals and its needs."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agents_sdk.workflows.entry import Function, find_entry
from agents_sdk.workflows.guardrail_checks import find_obstacle
from agents_sdk.workflows.imports import GUARDRAILS, find_imports, is_installed
from agents_sdk.workflows.openai_services import HOSTED_GUARDRAILS, Need, find_needs, read_guardrail
from errors import PluginError

MAX_SOURCE_BYTES = 2_000_000
"""Size of the largest file that is read; exported files have some ten thousand bytes."""

_APPROVAL = re.compile(r"approval_request_?\d*")
_JAVASCRIPT_SUFFIXES = (".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs")
_JAVASCRIPT = re.compile(r"@openai/agents|^\s*(import .* from ['\"]|export (const|default)|const \w+ = )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WorkflowSource:
    """The parts of an exported file that can be found without running it.

    Attributes:
        path: The file.
        text: The whole text of the file.
        digest: A hash of the text, which shows if the file was changed between a question and its answer.
        entry: The name of the function that is called for an answer.
        title: The name of the workflow in the file's trace, or None.
        approvals: The names of the functions that ask for a person's approval.
        needs: The services of OpenAI that parts of the workflow need.
        unmet_guardrails: Reasons why guardrails cannot run, if the package `openai-guardrails` is missing.
    """

    path: Path
    text: str
    digest: str
    entry: str
    title: str | None
    approvals: tuple[str, ...]
    needs: tuple[Need, ...]
    unmet_guardrails: tuple[str, ...]


def read_source(path: Path, name: str, entry: str | None = None) -> WorkflowSource:
    """Read an exported file without running it.

    Args:
        path: The file.
        name: The use case that the file belongs to, for errors.
        entry: The function to call for an answer; None to find it.

    Raises:
        PluginError: When the file is no workflow that can run; the text names the culprit and the remedy.
    """
    text = _read_text(path, name)
    try:
        return _analyse_source(text, path, name, entry)
    except SyntaxError as exc:
        if _JAVASCRIPT.search(text):
            raise _javascript_error(path, name) from exc
        raise PluginError(name, f"{path}, line {exc.lineno}: this is not valid Python: {exc.msg}") from exc
    except (ValueError, RecursionError, MemoryError) as exc:
        raise PluginError(name, f"{path} cannot be parsed as Python: {exc}") from exc


def _read_text(path: Path, name: str) -> str:
    if path.suffix.lower() in _JAVASCRIPT_SUFFIXES:
        raise _javascript_error(path, name)
    try:
        if path.is_file() and path.stat().st_size > MAX_SOURCE_BYTES:
            raise PluginError(name, f"{path} has more than {MAX_SOURCE_BYTES:,} bytes, so it is no exported workflow")
        data = path.read_bytes()
    except FileNotFoundError:
        raise PluginError(name, f"there is no file {path}") from None
    except IsADirectoryError:
        raise PluginError(name, f"{path} is a folder; name the exported Python file") from None
    except OSError as exc:
        raise PluginError(name, f"{path} cannot be read: {exc.strerror}") from exc
    try:
        return importlib.util.decode_source(data)
    except (SyntaxError, UnicodeDecodeError) as exc:
        raise PluginError(name, f"{path} is not a text file of Python: {exc}") from exc


def _javascript_error(path: Path, name: str) -> PluginError:
    return PluginError(name, f"{path} is TypeScript or JavaScript; export the workflow as Python and import that")


def _analyse_source(text: str, path: Path, name: str, entry: str | None) -> WorkflowSource:
    tree = ast.parse(text, str(path))
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    return WorkflowSource(
        path=path,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        entry=find_entry(tree, functions, path, name, entry),
        title=_find_title(tree),
        approvals=tuple(function_name for function_name, node in functions.items() if _is_approval(node)),
        needs=tuple(find_needs(tree)),
        unmet_guardrails=tuple(_find_unmet_guardrails(tree)),
    )


def _find_title(tree: ast.Module) -> str | None:
    """Return the workflow's name from a call such as ``trace("Support")``; None if it is not a literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "trace":
            names = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "workflow_name")]
            if names and isinstance(names[0], ast.Constant) and isinstance(names[0].value, str):
                return names[0].value.strip() or None
    return None


def _is_approval(function: Function) -> bool:
    """Return whether a function asks for a person's approval: by its name, or because it only returns True."""
    if _APPROVAL.fullmatch(function.name):
        return True
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    arguments = function.args
    return (
        "approv" in function.name
        and len(body) == 1
        and len(arguments.posonlyargs + arguments.args) == 1
        and isinstance(body[0], ast.Return)
        and isinstance(body[0].value, ast.Constant)
        and body[0].value.value is True
    )


def _find_unmet_guardrails(tree: ast.Module) -> Iterator[str]:
    """Yield the reason, with its line, for each guardrail that cannot run without the package `openai-guardrails`."""
    if is_installed(GUARDRAILS) or GUARDRAILS not in {module for module, _ in find_imports(tree)}:
        return
    for node in ast.walk(tree):
        guardrail = read_guardrail(node) if isinstance(node, ast.Dict) else None
        if guardrail is None:
            continue
        name, settings = guardrail
        if name not in HOSTED_GUARDRAILS and (reason := find_obstacle(name, settings)):
            yield f"{reason} (line {getattr(node, 'lineno', 0)})"
