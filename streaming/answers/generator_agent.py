"""An async generator function as an agent, which yields text, ChatKit events and widgets without any framework."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, cast, get_args

from agent_framework import AgentResponse, AgentResponseUpdate, Message, ResponseStream
from chatkit.types import ThreadStreamEvent
from pydantic import BaseModel

from context import Turn
from errors import AgentError, ExitGuard
from framework.text_updates import build_text_piece
from widgets.documents import WIDGET_ROOTS

_EVENT_TYPES: tuple[type, ...] = get_args(get_args(ThreadStreamEvent)[0])


class GeneratorAgent:
    """Agent that runs an async generator function.

    Args:
        function: Called with the thread's messages and the turn.
        turn: The turn that the function answers.
    """

    def __init__(self, function: Callable[[list[Message], Turn], AsyncGenerator[Any, None]], turn: Turn) -> None:
        self._function = function
        self._turn = turn

    def run(
        self, messages: Sequence[Message], *, stream: bool, options: object = None
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Return the answer as a stream of updates.

        Args:
            messages: The thread's messages.
            stream: True; nothing else is supported.
            options: Ignored: the function finds the person's choices in the composer in `turn.user_message`.
        """
        return ResponseStream(self._updates(list(messages)))

    async def _updates(self, messages: list[Message]) -> AsyncGenerator[AgentResponseUpdate, None]:
        with ExitGuard(f"use case '{self._turn.context.use_case}': the generator"):
            async with aclosing(self._function(messages, self._turn)) as pieces:
                async for piece in pieces:
                    if piece is None or isinstance(piece, str):
                        # The last piece of many clients' streams has no text: it is None or empty.
                        contents = [build_text_piece(piece)] if piece else []
                        yield AgentResponseUpdate(contents=contents, role="assistant")
                        continue
                    self._show(piece)
                    # An empty update: its reader waits while the inbox is full before it asks for the next piece.
                    yield AgentResponseUpdate(contents=[], role="assistant")

    def _show(self, piece: Any) -> None:
        if isinstance(piece, _EVENT_TYPES):
            self._turn.emit(cast("ThreadStreamEvent", piece))
        elif _is_widget(piece):
            self._turn.widget(piece)
        else:
            raise AgentError(
                "This assistant cannot answer at the moment.",
                f"use case '{self._turn.context.use_case}': the generator yielded a {type(piece).__qualname__}; yield "
                f"text, a ChatKit event, or a widget whose root is one of {', '.join(WIDGET_ROOTS)}",
            )


def _is_widget(piece: Any) -> bool:
    root = piece.get("type") if isinstance(piece, Mapping) else getattr(piece, "type", None)
    return isinstance(piece, Mapping | BaseModel) and root in WIDGET_ROOTS
