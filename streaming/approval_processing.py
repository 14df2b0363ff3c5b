"""The clicks of the card that asks for permission, and the running of calls without the model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from agent_framework import AgentResponseUpdate, Content, Message
from chatkit.types import ThreadStreamEvent

from context import ActionTurn, AnswerTexts, Services, Turn
from streaming.allowed_calls import make_calls
from streaming.approval_card import APPROVE, REJECT
from streaming.approval_requests import ApprovalRequest, PendingApproval
from streaming.approvals import Decision, decide, settle_calls
from streaming.call_replay import replay_calls
from streaming.declared_actions import action
from streaming.mcp_servers import with_servers
from streaming.tool_guard import ToolGuard


class ApprovalProcessing:
    """The part of `BaseChatKitServer` that deals with tools which need a person's word."""

    services: Services

    if TYPE_CHECKING:  # what the whole server brings

        def texts(self, turn: Turn) -> AnswerTexts: ...  # noqa: D102 - it is described there

        async def _chosen_agent(self, turn: Turn) -> Any: ...

        async def _thread_messages(self, turn: Turn) -> list[Message]: ...

    @action(APPROVE)
    async def _handle_approve(self, payload: Decision, turn: ActionTurn) -> None:
        turn.texts = self.texts(turn)
        await decide(turn, payload, is_allowed=True)

    @action(REJECT)
    async def _handle_reject(self, payload: Decision, turn: ActionTurn) -> None:
        turn.texts = self.texts(turn)
        await decide(turn, payload, is_allowed=False)

    def _make_calls(self, turn: Turn, request: ApprovalRequest) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Make the calls that were allowed, and return what they show."""
        return make_calls(turn, request, partial(self._run_calls, turn, is_allowed=True))

    def _settle_calls(self, turn: Turn) -> AsyncGenerator[AgentResponseUpdate, None] | None:
        """Return what comes of calls that need no word, of a batch that the framework has not run for one that does."""
        if not turn.approvals:
            return None
        return settle_calls(turn.approvals, partial(self._run_calls, turn, is_allowed=False))

    async def _run_calls(
        self, turn: Turn, calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        guard = ToolGuard(self.services.settings.tool_timeout_s)
        agent, messages = await self._chosen_agent(turn), await self._thread_messages(turn)
        agent, _ = await with_servers(agent)
        async with aclosing(replay_calls(agent, messages, calls, turn, guard, is_allowed=is_allowed)) as contents:
            async for content in contents:
                yield content
