"""Compiles an exported file with a rewritten syntax tree that uses the platform; the file itself is not modified.

A few names are rebound after their import, and four values pass through the answer: the conversation that begins with
the person's message, the state, the results of guardrails, and OpenAI's key from the environment. Line numbers are
kept, so that a traceback fits the file.
"""

from __future__ import annotations

import ast
import importlib.util
from types import CodeType
from typing import TypeVar

from agents_sdk.workflows.imports import GUARDRAILS, find_siblings
from agents_sdk.workflows.source import WorkflowSource

PLATFORM = "__parlor__"
"""The global name under which a compiled file finds the platform."""

STATE = "state"
"""The variable in which exported files keep the state of a workflow."""

_REBOUND_NAMES = {
    ("openai", "AsyncOpenAI"),
    ("openai", "OpenAI"),
    ("agents", "trace"),
    ("agents.tracing", "trace"),
    ("agents", "set_default_openai_client"),
    ("agents", "set_default_openai_key"),
    ("agents", "set_default_openai_api"),
}
_KEY_VARIABLE = "OPENAI_API_KEY"
_ENVIRONMENT_READERS = ("getenv", "environ.get")
_GUARDRAIL_RUNS = "run_guardrails"
_GUARDRAIL_HELPER = "guardrail"
_RESULT_ATTRIBUTES = ("info", "tripwire_triggered")

_Node = TypeVar("_Node", bound=ast.AST)


def compile_source(source: WorkflowSource) -> CodeType:
    """Return the compiled code of an exported file, as it runs in an answer."""
    tree = ast.parse(source.text, str(source.path))
    siblings = find_siblings(source.path.parent) - {source.path.stem}
    has_guardrails = importlib.util.find_spec(GUARDRAILS) is not None
    changed = _Rewriter(source.entry, siblings, has_guardrails=has_guardrails).visit(tree)
    return compile(ast.fix_missing_locations(changed), str(source.path), "exec", dont_inherit=True)


class _Rewriter(ast.NodeTransformer):
    def __init__(self, entry: str, siblings: frozenset[str], *, has_guardrails: bool) -> None:
        self._entry = entry
        self._siblings = siblings
        self._has_guardrails = has_guardrails
        self._modules: dict[str, str] = {}
        self._is_in_entry = False
        self._is_in_guardrail = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        before = self._is_in_entry, self._is_in_guardrail
        self._is_in_entry |= node.name == self._entry
        self._is_in_guardrail |= _GUARDRAIL_HELPER in node.name
        self.generic_visit(node)
        self._is_in_entry, self._is_in_guardrail = before
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.AST]:
        for alias in node.names:
            if alias.name in ("openai", "agents"):
                self._modules[alias.asname or alias.name] = alias.name
        beside = [alias for alias in node.names if alias.name.partition(".")[0] in self._siblings]
        if not beside:
            return node
        others = [alias for alias in node.names if alias not in beside]
        rewritten: list[ast.AST] = [_with_location_of(node, ast.Import(others))] if others else []
        return [*rewritten, *(statement for alias in beside for statement in _import_sibling(node, alias))]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:
        module = node.module or ""
        if node.level == 0 and module.partition(".")[0] in self._siblings:
            return _with_location_of(node, ast.ImportFrom(node.module, node.names, 1))
        if node.level == 0 and module.partition(".")[0] == GUARDRAILS and not self._has_guardrails:
            return [_rebind(node, alias.asname or alias.name, f"guardrails_{alias.name}") for alias in node.names]
        added: list[ast.AST] = []
        for alias in node.names:
            bound = alias.asname or alias.name
            if bound == "*":
                names = sorted(name for known, name in _REBOUND_NAMES if known == module)
                added.extend(_rebind(node, name, f"own_{name}", name) for name in names)
            elif (module, alias.name) in _REBOUND_NAMES:
                added.append(_rebind(node, bound, f"own_{alias.name}", bound))
            elif module.partition(".")[0] == GUARDRAILS and alias.name == _GUARDRAIL_RUNS:
                added.append(_rebind(node, bound, "own_run_guardrails", bound))
        return [node, *added]

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            module = self._modules.get(node.value.id)
            if module is not None and (module, node.attr) in _REBOUND_NAMES:
                return _with_location_of(node, _call_platform(f"own_{node.attr}", node))
            if self._is_in_guardrail and node.attr in _RESULT_ATTRIBUTES:
                # Agent Builder writes helpers that read the results of all existing guardrails, without checking
                # whether the workflow has them.
                is_there = ast.Compare(node.value, [ast.IsNot()], [ast.Constant(None)])
                return _with_location_of(node, ast.IfExp(is_there, node, ast.Constant(None)))
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        is_key = isinstance(node.slice, ast.Constant) and node.slice.value == _KEY_VARIABLE
        if is_key and isinstance(node.ctx, ast.Load) and _strip_os(node.value) == "environ":
            return _with_location_of(node, _call_platform("openai_key", _build_lambda(node)))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        first = node.args[0] if node.args else None
        is_key = isinstance(first, ast.Constant) and first.value == _KEY_VARIABLE
        if is_key and _strip_os(node.func) in _ENVIRONMENT_READERS:
            return _with_location_of(node, _call_platform("openai_key", _build_lambda(node)))
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if len(node.targets) == 1:
            node.value = self._rewrite_value(node.targets[0], node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if node.value is not None:
            node.value = self._rewrite_value(node.target, node.value)
        return node

    def _rewrite_value(self, target: ast.expr, value: ast.expr) -> ast.expr:
        if not isinstance(target, ast.Name):
            return value
        if self._is_in_entry and target.id == STATE and isinstance(value, ast.Dict):
            return _with_location_of(value, _call_platform("state", value))
        if isinstance(value, ast.List) and len(value.elts) == 1 and _is_persons_message(value.elts[0]):
            return _with_location_of(value, _call_platform("conversation", value))
        return value


def _is_persons_message(node: ast.expr) -> bool:
    if not isinstance(node, ast.Dict) or not _mentions_input(node):
        return False
    fields = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
    role = fields.get("role")
    return isinstance(role, ast.Constant) and role.value == "user"


def _mentions_input(node: ast.AST) -> bool:
    """Return whether an expression uses the text of the person's message, under its name in exported files."""
    return any(
        (isinstance(part, ast.Constant) and part.value == "input_as_text")
        or (isinstance(part, ast.Attribute) and part.attr == "input_as_text")
        or (isinstance(part, ast.Name) and part.id == "input_as_text")
        for part in ast.walk(node)
    )


def _call_platform(method: str, *arguments: ast.expr) -> ast.Call:
    function = ast.Attribute(ast.Name(PLATFORM, ast.Load()), method, ast.Load())
    return ast.Call(function, list(arguments), [])


def _strip_os(node: ast.expr) -> str:
    return ast.unparse(node).removeprefix("os.")


def _build_lambda(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def _rebind(place: ast.stmt, name: str, method: str, *arguments: str) -> ast.Assign:
    value: ast.expr = ast.Attribute(ast.Name(PLATFORM, ast.Load()), method, ast.Load())
    if arguments:
        value = ast.Call(value, [ast.Name(argument, ast.Load()) for argument in arguments], [])
    return _with_location_of(place, ast.Assign([ast.Name(name, ast.Store())], value))


def _import_sibling(place: ast.stmt, alias: ast.alias) -> list[ast.AST]:
    """Return statements that import a module from the file's folder, under the name that ``import`` would bind."""
    package, _, module = alias.name.rpartition(".")
    if alias.asname is not None or not package:
        return [_with_location_of(place, ast.ImportFrom(package or None, [ast.alias(module, alias.asname)], 1))]
    loaded = ast.ImportFrom(package, [ast.alias(module, f"{PLATFORM}{module}")], 1)
    top = ast.ImportFrom(None, [ast.alias(alias.name.partition(".")[0])], 1)
    return [_with_location_of(place, loaded), _with_location_of(place, top)]


def _with_location_of(place: ast.AST, node: _Node) -> _Node:
    return ast.fix_missing_locations(ast.copy_location(node, place))
