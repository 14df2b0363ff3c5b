"""Entry of an exported file: the function that answers, found in its syntax tree without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from errors import PluginError

USUAL_ENTRY = "run_workflow"
_RUNS = ("run", "run_streamed", "run_sync")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_entry(tree: ast.Module, functions: dict[str, Function], path: Path, name: str, wanted: str | None) -> str:
    """Return the name of the function that answers.

    It is `run_workflow`, or else the one function that comes to a run and is not needed by another that does.

    Args:
        tree: The file.
        functions: The functions at its top.
        path: The path of the file, for errors.
        name: The use case that it belongs to, for errors.
        wanted: The function that the person who imports it names; None to find it.

    Raises:
        PluginError: When there is none, or several; the text says what to do.
    """
    if wanted is not None:
        if wanted not in functions:
            raise PluginError(name, f"{path} has no function '{wanted}'; it has {', '.join(functions) or 'none'}")
        return _fit(functions[wanted], path, name)
    parts = _parts(tree, functions)
    needs = {each: _named(node) & parts.keys() - {each} for each, node in parts.items()}
    runners = _runners(tree)
    coming = {each for each, node in parts.items() if _runs_agents(node, runners)}
    while more := {each for each, needed in needs.items() if each not in coming and needed & coming}:
        coming |= more
    running = {each for each in coming if each in functions and not _is_of_an_agent(functions[each])}
    _check_top(tree, coming & functions.keys(), runners, path, name)
    if not running:
        raise PluginError(
            name,
            f"{path} is no exported workflow: no function at its top comes to Runner.run; "
            "in Agent Builder choose Code, Agents SDK, Python, and save what it shows",
        )
    if USUAL_ENTRY in running:
        return _fit(functions[USUAL_ENTRY], path, name)
    first = [each for each in running if not any(each in needs[other] for other in coming - {each})]
    with_input = [each for each in first if _takes_input(functions[each])]
    chosen = first if len(first) == 1 else with_input
    if len(chosen) != 1:
        listed = ", ".join(sorted(first or running))
        raise PluginError(name, f"{path}: several functions may be the workflow ({listed}); choose one with --entry")
    return _fit(functions[chosen[0]], path, name)


def _fit(function: Function, path: Path, name: str) -> str:
    """Return the name of a function that can be called with one input.

    Raises:
        PluginError: When it takes none, or more than one, or yields.
    """
    where = f"{path}, line {function.lineno}: the function '{function.name}'"
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = positional[: len(positional) - len(arguments.defaults)]
    named = [a.arg for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    if not positional:
        raise PluginError(name, f"{where} takes no input; let it take a WorkflowInput")
    if len(needed) > 1 or named:
        others = ", ".join([*(each.arg for each in needed[1:]), *named])
        raise PluginError(name, f"{where} needs more than its input; give {others} a default")
    if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in _own_nodes(function)):
        raise PluginError(name, f"{where} is a generator; let it return its output")
    return function.name


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """Return the nodes of a function without those of functions within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _takes_input(function: Function) -> bool:
    first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
    return first is not None and first.annotation is not None and ast.unparse(first.annotation).endswith("Input")


def _parts(tree: ast.Module, functions: dict[str, Function]) -> dict[str, ast.AST]:
    """Return what a file has at its top by names: functions, classes, and objects of those classes."""
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


def _named(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _is_of_an_agent(function: Function) -> bool:
    """Say whether a function is a tool or a guardrail, which an agent calls."""
    decorators = {ast.unparse(each).partition("(")[0].rpartition(".")[2] for each in function.decorator_list}
    return any(each.endswith(("_tool", "_guardrail")) for each in decorators)


def _runs_agents(node: ast.AST, runners: set[str]) -> bool:
    return any(
        isinstance(each, ast.Attribute) and each.attr in _RUNS and ast.unparse(each.value).rpartition(".")[2] in runners
        for each in ast.walk(node)
    )


def _runners(tree: ast.Module) -> set[str]:
    """Return the names under which a file knows the SDK's runner."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    aliases = {alias.asname for node in imports for alias in node.names if alias.name == "Runner" and alias.asname}
    return {"Runner", *aliases}


def _check_top(tree: ast.Module, running: set[str], runners: set[str], path: Path, name: str) -> None:
    """Refuse a file that runs its workflow when it is loaded.

    Raises:
        PluginError: The text names the line.
    """
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) or (
            isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        ):
            continue
        called = {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
        if called & (running | {"asyncio.run"}) or _runs_agents(node, runners):
            raise PluginError(
                name,
                f"{path}, line {node.lineno}: this runs the workflow when the file is loaded; "
                'put it below: if __name__ == "__main__":',
            )
