"""Walks all objects that a use case's server holds: agents, their tools, workflows and their parts, at any depth."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType
from typing import Any

from agent_framework import FunctionTool, Workflow
from chatkit.server import ChatKitServer

MAX_THINGS = 5_000
"""How many things are looked at; a cache of a use case may be without end."""

MAKERS = ("get_agent", "respond", "action", "sync_action")
"""The methods of a server in which agents are made or taken from its module."""

_PLAIN = (str, bytes, bytearray, int, float, complex, type(None), type)


def things_held_by(holder: Any) -> Iterator[Any]:
    """Yield all objects that `holder` reaches through attributes, collections, agents, tools and workflows.

    Of a stranger's classes only those of Agent Framework and of the Agents SDK are looked into, and those beside a
    server of ChatKit. What is made anew for each answer is not there to be found, but what the methods that make it
    take from their modules is.
    """
    homes = {_package(type(holder))}
    waiting, seen = deque([holder]), dict[int, Any]()
    while waiting and len(seen) < MAX_THINGS:
        thing = waiting.popleft()
        if isinstance(thing, _PLAIN) or id(thing) in seen:
            continue
        seen[id(thing)] = thing  # kept: the id of what is gone may be another's
        yield thing
        if isinstance(thing, ChatKitServer):
            homes.add(_package(type(thing)))
        waiting.extend(_parts(thing, homes))


def member_of(kind: type, name: str) -> Any:
    """Return the member of a class or of its bases without running descriptors; None when there is no such member."""
    for base in kind.__mro__:
        if name in vars(base):
            found = vars(base)[name]
            return getattr(found, "__func__", found)
    return None


def _parts(thing: Any, homes: set[str]) -> Iterable[Any]:
    if isinstance(thing, dict):
        return [*thing.values()]
    if isinstance(thing, list | tuple | set | frozenset | deque):
        return [*thing]
    if isinstance(thing, FunctionTool):
        return [thing.func]  # of an agent that is a tool, a function around that agent
    if isinstance(thing, Workflow):
        return thing.get_executors_list()
    if isinstance(thing, FunctionType):
        return _parts_of_function(thing, homes)
    if isinstance(thing, MethodType):
        return [thing.__func__, thing.__self__]
    if _package(type(thing)) in (*homes, "agent_framework", "agents"):
        makers = [member_of(type(thing), name) for name in MAKERS]
        return [*getattr(thing, "__dict__", {}).values(), *makers]
    return ()


def _parts_of_function(function: FunctionType, homes: set[str]) -> list[Any]:
    parts: list[Any] = []
    for cell in function.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:
            continue  # not filled yet
    if function.__module__.partition(".")[0] in homes:
        parts += [function.__globals__.get(name) for name in function.__code__.co_names]
    return parts


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
