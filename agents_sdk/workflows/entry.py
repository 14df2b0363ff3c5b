"""Finds the entry of an exported file, the function to call for an answer, in its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from errors import PluginError

USUAL_ENTRY = "run_workflow"
_RUN_METHODS = ("run", "run_streamed", "run_sync")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_entry(tree: ast.Module, functions: dict[str, Function], path: Path, name: str, entry: str | None) -> str:
    """Return the name of the function to call for an answer.

    This is `run_workflow`, or else the one function that runs agents, directly or through others, and that no other
    such function uses.

    Args:
        tree: The syntax tree of the file.
        functions: The top-level functions of the file, by name.
        path: The path of the file, for errors.
        name: The use case that the file belongs to, for errors.
        entry: The function that the person who imports the file has chosen; None to find one.

    Raises:
        PluginError: When no function or more than one fits; the text says what to do.
    """
    if entry is not None:
        if entry not in functions:
            raise PluginError(name, f"{path} has no function '{entry}'; it has {', '.join(functions) or 'none'}")
        return _check_signature(functions[entry], path, name)
    definitions = _find_definitions(tree, functions)
    uses = {caller: _find_names(node) & definitions.keys() - {caller} for caller, node in definitions.items()}
    runners = _runner_names(tree)
    run_agents = {caller for caller, node in definitions.items() if _calls_runner(node, runners)}
    while callers := {caller for caller, used in uses.items() if caller not in run_agents and used & run_agents}:
        run_agents |= callers
    _check_nothing_runs_on_import(tree, run_agents & functions.keys(), runners, path, name)
    candidates = {
        candidate
        for candidate in run_agents
        if candidate in functions and not _is_called_by_agent(functions[candidate])
    }
    if not candidates:
        raise PluginError(
            name,
            f"{path} is no exported workflow: no function at its top comes to Runner.run; "
            "in Agent Builder choose Code, Agents SDK, Python, and save what it shows",
        )
    if USUAL_ENTRY in candidates:
        return _check_signature(functions[USUAL_ENTRY], path, name)
    unused = [
        candidate for candidate in candidates if not any(candidate in uses[other] for other in run_agents - {candidate})
    ]
    chosen = (
        unused
        if len(unused) == 1
        else [candidate for candidate in unused if _takes_workflow_input(functions[candidate])]
    )
    if len(chosen) != 1:
        listed = ", ".join(sorted(unused or candidates))
        raise PluginError(name, f"{path}: several functions may be the workflow ({listed}); choose one with --entry")
    return _check_signature(functions[chosen[0]], path, name)


def _check_signature(function: Function, path: Path, name: str) -> str:
    """Return the name of a function that can be called with the input as its only argument.

    Raises:
        PluginError: When it takes no input, needs other arguments, or is a generator.
    """
    where = f"{path}, line {function.lineno}: the function '{function.name}'"
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = positional[: len(positional) - len(arguments.defaults)]
    named = [a.arg for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    if not positional:
        raise PluginError(name, f"{where} takes no input; let it take a WorkflowInput")
    if len(needed) > 1 or named:
        others = ", ".join([*(argument.arg for argument in needed[1:]), *named])
        raise PluginError(name, f"{where} needs more than its input; give {others} a default")
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)):
        raise PluginError(name, f"{where} is a generator; let it return its output")
    return function.name


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function, except those of functions and classes within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _takes_workflow_input(function: Function) -> bool:
    first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
    return first is not None and first.annotation is not None and ast.unparse(first.annotation).endswith("Input")


def _find_definitions(tree: ast.Module, functions: dict[str, Function]) -> dict[str, ast.AST]:
    """Return the top-level functions and classes of a file, and objects made of those classes, by their names."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    objects = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func) in classes
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {**functions, **classes, **objects}


def _find_names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _is_called_by_agent(function: Function) -> bool:
    """Return whether a function is a tool or a guardrail, by its decorator."""
    decorators = {ast.unparse(decorator).partition("(")[0].rpartition(".")[2] for decorator in function.decorator_list}
    return any(decorator.endswith(("_tool", "_guardrail")) for decorator in decorators)


def _calls_runner(node: ast.AST, runners: set[str]) -> bool:
    return any(
        isinstance(child, ast.Attribute)
        and child.attr in _RUN_METHODS
        and ast.unparse(child.value).rpartition(".")[2] in runners
        for child in ast.walk(node)
    )


def _runner_names(tree: ast.Module) -> set[str]:
    """Return the names under which a file imports the SDK's `Runner`."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    aliases = {alias.asname for node in imports for alias in node.names if alias.name == "Runner" and alias.asname}
    return {"Runner", *aliases}


def _check_nothing_runs_on_import(
    tree: ast.Module, run_agents: set[str], runners: set[str], path: Path, name: str
) -> None:
    """Refuse a file that runs its workflow as soon as it is imported.

    Raises:
        PluginError: When a top-level statement does so; the text names the line.
    """
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) or (
            isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        ):
            continue
        called = {ast.unparse(child.func) for child in ast.walk(node) if isinstance(child, ast.Call)}
        if called & (run_agents | {"asyncio.run"}) or _calls_runner(node, runners):
            raise PluginError(
                name,
                f"{path}, line {node.lineno}: this runs the workflow when the file is loaded; "
                'put it below: if __name__ == "__main__":',
            )
