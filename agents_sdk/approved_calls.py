"""Calls that a person has allowed, made by the agent that has the tool, without its model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import Content, Message
from agents import Agent, RunContextWrapper, Runner

from agents_sdk.agent_copies import AgentCopies, for_approved_calls
from agents_sdk.agent_graph import agents_of, has_function
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
    """Make a call and return what came of it.

    Args:
        owner: A copy of the agent that has the tool.
        call: The call.
        messages: The thread.
        context: What the tool finds in `ctx.context`.
        defaults: The defaults of the run, and of runs that start within it.
    """
    agent = for_approved_calls(owner)
    agent.model = ReplayModel([call])
    with run_defaults(defaults):
        result = Runner.run_streamed(agent, write_input(messages), context=context)
    async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
        try:
            async for event in events:
                if event.type == "raw_response_event" and isinstance(event.data, Paused):
                    break
                if event.type == "run_item_stream_event" and event.name == "tool_output":
                    yield read_result(_raw(event.item))
        finally:
            result.cancel()


async def find_owner(agent: Agent[Any], tool_name: str, copies: AgentCopies, context: Any) -> Agent[Any] | None:
    """Return a copy of the agent that has a tool, the nearest to `agent`; None when none has it any more.

    Args:
        agent: The agent in charge; those that it hands over to, and those that are its tools, are asked after it.
        tool_name: The tool.
        copies: Makes the copies.
        context: What tools find in `ctx.context`.
    """
    everyone = list(agents_of(agent))
    for each in everyone:
        if has_function(each, tool_name):
            return copies.copy_of(each)
    for each in (each for each in everyone if each.mcp_servers):
        made = copies.copy_of(each)
        if any(tool.name == tool_name for tool in await made.get_mcp_tools(RunContextWrapper(context))):
            return made
    return None


def _raw(item: Any) -> dict[str, Any]:
    raw: Any = item.raw_item
    return raw if isinstance(raw, dict) else raw.model_dump()
