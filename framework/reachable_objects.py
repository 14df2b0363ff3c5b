"""Walks the objects that a use case's server references: agents, their tools, workflows and their parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType
from typing import Any

from agent_framework import FunctionTool, Workflow
from chatkit.server import ChatKitServer

MAX_OBJECTS = 5_000
"""How many objects are visited at most; a cache of a use case may be huge."""

AGENT_METHODS = ("get_agent", "respond", "action", "sync_action")
"""The methods of a server that create agents, or take them from the server's module."""

_LEAF_TYPES = (str, bytes, bytearray, int, float, complex, type(None), type)


def iterate_reachable(holder: Any) -> Iterator[Any]:
    """Yield all objects that `holder` references through attributes, collections, agents, tools and workflows.

    Attributes are followed only for classes of the holder's package, of the packages of ChatKit servers, of Agent
    Framework and of the Agents SDK. Agents that are created anew for each answer cannot be found, but the globals that
    `AGENT_METHODS` use can.
    """
    packages = {_top_package(type(holder))}
    waiting, seen = deque([holder]), dict[int, Any]()
    while waiting and len(seen) < MAX_OBJECTS:
        current = waiting.popleft()
        if isinstance(current, _LEAF_TYPES) or id(current) in seen:
            continue
        seen[id(current)] = current  # referenced, so that its id is not reused
        yield current
        if isinstance(current, ChatKitServer):
            packages.add(_top_package(type(current)))
        waiting.extend(_children(current, packages))


def find_class_member(kind: type, name: str) -> Any:
    """Return the member of a class or of its bases without running descriptors; None when there is no such member."""
    for base in kind.__mro__:
        if name in vars(base):
            member = vars(base)[name]
            return getattr(member, "__func__", member)
    return None


def _children(parent: Any, packages: set[str]) -> Iterable[Any]:
    if isinstance(parent, dict):
        return [*parent.values()]
    if isinstance(parent, list | tuple | set | frozenset | deque):
        return [*parent]
    if isinstance(parent, FunctionTool):
        return [parent.func]  # for an agent as a tool, a closure around that agent
    if isinstance(parent, Workflow):
        return parent.get_executors_list()
    if isinstance(parent, FunctionType):
        return _children_of_function(parent, packages)
    if isinstance(parent, MethodType):
        return [parent.__func__, parent.__self__]
    if _top_package(type(parent)) in (*packages, "agent_framework", "agents"):
        methods = [find_class_member(type(parent), name) for name in AGENT_METHODS]
        return [*getattr(parent, "__dict__", {}).values(), *methods]
    return ()


def _children_of_function(function: FunctionType, packages: set[str]) -> list[Any]:
    children: list[Any] = []
    for cell in function.__closure__ or ():
        try:
            children.append(cell.cell_contents)
        except ValueError:
            continue  # not filled yet
    if function.__module__.partition(".")[0] in packages:
        children += [function.__globals__.get(name) for name in function.__code__.co_names]
    return children


def _top_package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
