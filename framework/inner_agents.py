"""Inner agents: those of a workflow's executors, and their tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from agent_framework import Workflow, WorkflowAgent, WorkflowExecutor

# The original agents by the stand-ins that replace them in executors.
_originals: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def workflow_of(agent: Any) -> Workflow | None:
    """Return the workflow behind `agent`; None when it is not a workflow."""
    # Checked by type: an author's own agent may have an unrelated attribute `workflow`.
    return agent.workflow if isinstance(agent, WorkflowAgent | WorkflowExecutor) else None


def agents_within(agent: Any) -> Iterator[Any]:
    """Yield `agent` and, if it is a workflow, the agents within it at any depth.

    Agents that are tools of others are not included.
    """
    inner = {id(each): each for _, each in agent_executors_within(agent)}
    yield from (agent, *inner.values())


def agent_executors_within(agent: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the executors of a workflow that hold an agent, with that agent, at any depth; none for other agents."""
    waiting, seen = [agent], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen or (workflow := workflow_of(each)) is None:
            continue
        seen.add(id(each))
        for executor in workflow.get_executors_list():
            # An executor may hold an agent or a workflow, or be a function.
            inner = executor if workflow_of(executor) is not None else getattr(executor, "agent", None)
            if inner is None or id(inner) in seen:
                continue
            if workflow_of(inner) is not None:
                waiting.append(inner)
                continue
            yield executor, inner


def original_agent_of(agent: Any) -> Any:
    """Return the agent that `agent` replaces in an executor, or `agent` itself."""
    return _originals.get(agent, agent)


def replace_executor_agent(executor: Any, original: Any, stand_in: Any) -> None:
    """Replace the agent of an executor by `stand_in`."""
    if stand_in is not original:
        _originals[stand_in] = original
    for name in ("_agent", "agent"):
        if vars(executor).get(name) is not None:
            setattr(executor, name, stand_in)


def tools_within(agent: Any) -> Iterator[Any]:
    """Yield the tools of `agent` and of the agents within it."""
    for each in agents_within(agent):
        yield from own_tools(each)


def own_tools(agent: Any) -> Iterator[Any]:
    """Yield the tools of `agent` alone, including those of its connected MCP servers."""
    yield from configured_tools(agent)
    for server in mcp_servers_of(agent):
        yield from getattr(server, "functions", None) or ()


def configured_tools(agent: Any) -> Iterable[Any]:
    """Return the tools in the options of `agent`, without those of MCP servers; empty for other objects."""
    options = getattr(agent, "default_options", None)
    return (options.get("tools") if isinstance(options, Mapping) else None) or ()


def mcp_servers_of(agent: Any) -> Iterable[Any]:
    """Return the MCP servers of `agent`; empty if an author's class uses the attribute for something else."""
    servers = getattr(agent, "mcp_tools", None)
    return servers if isinstance(servers, list | tuple) else ()
