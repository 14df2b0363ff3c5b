"""Makes calls that a person has approved, by the agent that has the tool, without its model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import Content, Message
from agents import Agent, RunContextWrapper, Runner

from agents_sdk.agent_copies import AgentCopies, copy_for_approved_calls
from agents_sdk.agent_graph import has_function, reachable_agents
from agents_sdk.inner_runs import RunDefaults, run_defaults
from agents_sdk.input_items import read_result, write_input
from agents_sdk.platform_model import Paused
from agents_sdk.replay_model import ReplayModel
from turns.approval_request import PendingApproval


async def make_call(
    owner: Agent[Any],
    call: PendingApproval,
    messages: Sequence[Message],
    context: Any,
    defaults: RunDefaults,
) -> AsyncGenerator[Content, None]:
    """Make a call and yield its result.

    Args:
        owner: A copy of the agent that has the tool.
        call: The call.
        messages: The messages of the thread.
        context: The `ctx.context` of the tool.
        defaults: The defaults of the run, and of runs that start within it.
    """
    agent = copy_for_approved_calls(owner)
    agent.model = ReplayModel([call])
    with run_defaults(defaults):
        result = Runner.run_streamed(agent, write_input(messages), context=context)
    async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
        try:
            async for event in events:
                if event.type == "raw_response_event" and isinstance(event.data, Paused):
                    break
                if event.type == "run_item_stream_event" and event.name == "tool_output":
                    yield read_result(_raw_item(event.item))
        finally:
            result.cancel()


async def find_owner(agent: Agent[Any], tool_name: str, copies: AgentCopies, context: Any) -> Agent[Any] | None:
    """Return a copy of the agent that has a tool, the nearest to `agent`; None if no agent has it any more.

    Args:
        agent: The agent to begin with; the agents that it can reach are searched after it.
        tool_name: The name of the tool.
        copies: Makes the copies.
        context: The `ctx.context` of the tools.
    """
    candidates = list(reachable_agents(agent))
    for candidate in candidates:
        if has_function(candidate, tool_name):
            return copies.copy_of(candidate)
    for candidate in (candidate for candidate in candidates if candidate.mcp_servers):
        copied = copies.copy_of(candidate)
        if any(tool.name == tool_name for tool in await copied.get_mcp_tools(RunContextWrapper(context))):
            return copied
    return None


def _raw_item(item: Any) -> dict[str, Any]:
    raw: Any = item.raw_item
    return raw if isinstance(raw, dict) else raw.model_dump()
