"""Replay of tool calls that the model requested earlier, by the agent's own tool loop, without the model.

The framework does not run a batch of calls in which one needs a person's approval; it would continue it only in a
session object of its own. Here the agent is run with another chat client, which requests exactly these calls and then
ends its answer. So they run like any other call, with the agent's function middleware, its context providers and its
MCP servers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from agent_framework import Agent, Content, FunctionMiddleware, Message

from context import TURN_KWARG, Turn
from errors import UnavailableError
from framework.agent_stand_in import build_stand_in
from framework.inner_agents import agents_within, own_tools
from streaming.answers.tool_guard import is_guarded
from turns.approval_request import PendingApproval


async def replay_calls(
    agent: Any,
    messages: Sequence[Message],
    calls: Sequence[PendingApproval],
    turn: Turn,
    guard: FunctionMiddleware,
    *,
    is_allowed: bool,
) -> AsyncGenerator[Content, None]:
    """Run calls and yield the result of each as a ``function_result`` content, in no particular order.

    Args:
        agent: The agent that requested the calls; in a workflow, each call is run by an agent that has the tool.
        messages: The history that the agent would be given now.
        calls: The calls to run.
        turn: The turn that is passed to the tools.
        guard: A guard around each tool, inside the agent's own middleware.
        is_allowed: Whether a person has allowed the calls; if not, those that need approval are left out.

    Raises:
        UnavailableError: When no agent of Agent Framework has the tool of a call.
    """
    owners: dict[int, tuple[Agent[Any], list[PendingApproval]]] = {}
    for call in calls:
        owner = _find_owner(agent, call.name)
        owners.setdefault(id(owner), (owner, []))[1].append(call)
    for owner, own_calls in owners.values():
        async for content in _replay_on(owner, messages, own_calls, turn, guard, is_allowed=is_allowed):
            yield content


def _find_owner(agent: Any, tool_name: str) -> Agent[Any]:
    """Return the agent that runs a tool: `agent` itself, or in a workflow the first agent that has the tool."""
    if isinstance(agent, Agent):
        return agent
    for each in agents_within(agent):
        if isinstance(each, Agent) and any(getattr(tool, "name", None) == tool_name for tool in own_tools(each)):
            return each
    raise UnavailableError(
        "Permission was wanted by an agent that cannot wait for it.", code="approval.unsupported", allow_retry=False
    )


async def _replay_on(
    agent: Agent[Any],
    messages: Sequence[Message],
    calls: Sequence[PendingApproval],
    turn: Turn,
    guard: FunctionMiddleware,
    *,
    is_allowed: bool,
) -> AsyncGenerator[Content, None]:
    contents = [Content.from_function_call(call.call_id, call.name, arguments=call.arguments) for call in calls]
    stand_in = build_stand_in(agent, contents, is_allowed=is_allowed)
    middleware = [] if is_guarded(agent.client) else [guard]
    stream = stand_in.run(
        list(messages), stream=True, middleware=middleware, function_invocation_kwargs={TURN_KWARG: turn}
    )
    async with stream:
        async for update in stream:
            for content in update.contents:
                if content.type == "function_result":
                    yield content
