"""The context of an Agents SDK run: ChatKit's `AgentContext`, whose events go through the turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from chatkit.agents import AgentContext
from chatkit.types import ThreadStreamEvent
from chatkit.widgets import WidgetRoot
from pydantic import PrivateAttr

from context import Turn
from turns.request_context import RequestContext


class TurnContext(AgentContext[RequestContext]):
    """The `ctx.context` of an agent's tools.

    All of `AgentContext` works: `stream`, `stream_widget`, workflows, `generate_id`, `client_tool_call`. Attributes
    that tools set, with an underscore before the name, are available in `post_respond_hook`.
    """

    _turn: Turn = PrivateAttr()

    @classmethod
    def for_turn(cls, turn: Turn) -> TurnContext:
        """Return the context of a turn."""
        context = cls(thread=turn.thread, store=turn.services.store, request_context=turn.context)
        context._turn = turn
        return context

    @property
    def turn(self) -> Turn:
        """The answer in the making, with all that `Turn` can do."""
        return self._turn

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Put an event into the answer."""
        self._turn.emit(event)

    async def stream_widget(
        self, widget: WidgetRoot | AsyncGenerator[WidgetRoot, None], copy_text: str | None = None
    ) -> None:
        """Show a widget, or one that grows: each frame is the whole widget so far."""
        if isinstance(widget, AsyncGenerator):
            frames: Any = widget
            await self._turn.stream_widget(frames, copy_text=copy_text)
        else:
            self._turn.widget(widget, copy_text=copy_text)
