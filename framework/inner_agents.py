"""Inner agents: those that work in a workflow, and the tools of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from agent_framework import Workflow, WorkflowAgent, WorkflowExecutor

# Agents that stand in an executor for others, and those others.
_stand_ins: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def workflow_of(agent: Any) -> Workflow | None:
    """Return the workflow that answers as `agent`; None when it is no workflow."""
    # By its kind: an author's own agent may keep something under the name `workflow` that does not answer for it.
    return agent.workflow if isinstance(agent, WorkflowAgent | WorkflowExecutor) else None


def agents_within(agent: Any) -> Iterator[Any]:
    """Return `agent`, and those that work in it where it is a workflow, however deep.

    An agent that is another's tool is not among them: it is asked like a tool.
    """
    inner = {id(each): each for _, each in agent_executors_within(agent)}
    yield from (agent, *inner.values())


def agent_executors_within(agent: Any) -> Iterator[tuple[Any, Any]]:
    """Return the executors of a workflow that hold an agent, with that agent, however deep; none of another agent."""
    waiting, seen = [agent], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen or (workflow := workflow_of(each)) is None:
            continue
        seen.add(id(each))
        for executor in workflow.get_executors_list():
            # One holds an agent, another a workflow, a third is a function.
            inner = executor if workflow_of(executor) is not None else getattr(executor, "agent", None)
            if inner is None or id(inner) in seen:
                continue
            if workflow_of(inner) is not None:
                waiting.append(inner)
                continue
            yield executor, inner


def original_of(agent: Any) -> Any:
    """Return the agent for which `agent` stands in an executor, which may be itself."""
    return _stand_ins.get(agent, agent)


def put_agent(executor: Any, original: Any, stand_in: Any) -> None:
    """Let `stand_in` work in an executor from now on, instead of the agent that it was made with."""
    if stand_in is not original:
        _stand_ins[stand_in] = original
    for name in ("_agent", "agent"):
        if vars(executor).get(name) is not None:
            setattr(executor, name, stand_in)


def tools_within(agent: Any) -> Iterator[Any]:
    """Return the tools that the author gave to `agent` and to those within it."""
    for each in agents_within(agent):
        yield from own_tools(each)


def own_tools(agent: Any) -> Iterator[Any]:
    """Return the tools of `agent` alone, with those of the MCP servers that it is connected to."""
    yield from given_tools(agent)
    for server in mcp_servers_of(agent):
        yield from getattr(server, "functions", None) or ()


def given_tools(agent: Any) -> Iterable[Any]:
    """Return the tools that `agent` was made with, without those of MCP servers; none of what is no agent."""
    options = getattr(agent, "default_options", None)
    return (options.get("tools") if isinstance(options, Mapping) else None) or ()


def mcp_servers_of(agent: Any) -> Iterable[Any]:
    """Return the MCP servers whose tools `agent` has; none where a class of an author's means something else by it."""
    servers = getattr(agent, "mcp_tools", None)
    return servers if isinstance(servers, list | tuple) else ()
