"""Approvals: the buttons of the approval card, and the running of approved calls without the model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from agent_framework import AgentResponseUpdate, Content
from chatkit.types import ThreadStreamEvent

from context import ActionTurn, Services, Turn
from framework.mcp_servers import with_servers
from streaming.actions.declared_actions import action
from streaming.answers.agent_runs import AgentRuns
from streaming.answers.tool_guard import ToolGuard
from streaming.approvals.approved_calls import make_calls
from streaming.approvals.call_replay import replay_calls
from streaming.approvals.card import APPROVE, REJECT
from streaming.approvals.decisions import Decision, decide, settle_calls
from streaming.hooks import Hooks, texts_of
from turns.approval_request import ApprovalRequest, PendingApproval
from turns.replaying_agent import ReplayingAgent


class Approvals:
    """Handles the buttons of approval cards, and runs the calls that were approved.

    Args:
        services: The platform's services.
        hooks: The server, which provides the texts of the card.
        agent_runs: Returns the agent that runs the calls, and the messages that it would be given.
    """

    def __init__(self, services: Services, hooks: Hooks, agent_runs: AgentRuns) -> None:
        self._services = services
        self._hooks = hooks
        self._agent_runs = agent_runs

    @action(APPROVE)
    async def handle_approve(self, payload: Decision, turn: ActionTurn) -> None:
        """Approve one call."""
        turn.context.answer.use_texts(texts_of(self._hooks, turn))
        await decide(turn, payload, is_allowed=True)

    @action(REJECT)
    async def handle_reject(self, payload: Decision, turn: ActionTurn) -> None:
        """Reject one call."""
        turn.context.answer.use_texts(texts_of(self._hooks, turn))
        await decide(turn, payload, is_allowed=False)

    def make_calls(self, turn: Turn, request: ApprovalRequest) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Make the calls that were allowed, and yield the events that they show."""
        return make_calls(turn, request, partial(self._run_calls, turn, is_allowed=True))

    def settle_calls(self, turn: Turn) -> AsyncGenerator[AgentResponseUpdate, None] | None:
        """Run those calls of a batch that need no approval; the framework runs none if one call needs it."""
        calls = turn.context.answer.approvals
        return settle_calls(calls, partial(self._run_calls, turn, is_allowed=False)) if calls else None

    async def _run_calls(
        self, turn: Turn, calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        guard = ToolGuard(self._services.settings.tool_timeout_s)
        agent, messages = await self._agent_runs.choose(turn), await self._agent_runs.messages(turn)
        agent, _ = await with_servers(agent)
        if isinstance(agent, ReplayingAgent):  # of the Agents SDK
            replay = agent.replay_calls(messages, calls, is_allowed=is_allowed)
        else:
            replay = replay_calls(agent, messages, calls, turn, guard, is_allowed=is_allowed)
        async with aclosing(replay) as contents:
            async for content in contents:
                yield content
