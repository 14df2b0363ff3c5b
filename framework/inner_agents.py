"""Inner agents: those that work in a workflow, and the tools of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_framework import Workflow


def workflow_of(agent: Any) -> Workflow | None:
    """Return the workflow that answers as `agent`; None when it is no workflow."""
    workflow = getattr(agent, "workflow", None)
    return workflow if isinstance(workflow, Workflow) else None


def agents_within(agent: Any) -> Iterator[Any]:
    """Return `agent`, and those that work in it where it is a workflow, however deep.

    An agent that is another's tool is not among them: nothing leads from the tool to it.
    """
    waiting, seen = [agent], set[int]()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if (workflow := workflow_of(each)) is None:
            yield each
            continue
        if each is agent:
            yield agent
        for executor in workflow.get_executors_list():
            # One holds an agent, another a workflow, a third is a function.
            waiting.append(executor if workflow_of(executor) is not None else getattr(executor, "agent", None))


def tools_within(agent: Any) -> Iterator[Any]:
    """Return the tools that the author gave to `agent` and to those within it."""
    for each in agents_within(agent):
        yield from own_tools(each)


def own_tools(agent: Any) -> Iterator[Any]:
    """Return the tools of `agent` alone, with those of the MCP servers that it is connected to."""
    options = getattr(agent, "default_options", None)
    yield from (options.get("tools") if isinstance(options, Mapping) else None) or ()
    for server in getattr(agent, "mcp_tools", None) or ():
        yield from getattr(server, "functions", None) or ()
