"""An async generator function as an agent: it yields text, ChatKit events and widgets, and no framework is needed."""

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

_EVENTS: tuple[type, ...] = get_args(get_args(ThreadStreamEvent)[0])


class GeneratorAgent:
    """Runs an async generator function instead of an agent.

    Args:
        function: Called with the thread's messages and the turn.
        turn: The answer that it gives.
    """

    def __init__(self, function: Callable[[list[Message], Turn], AsyncGenerator[Any, None]], turn: Turn) -> None:
        self._function = function
        self._turn = turn

    def run(
        self, messages: Sequence[Message], *, stream: bool, options: object = None
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Return the answer as updates.

        Args:
            messages: The thread, as an agent gets to see it.
            stream: True; there is no other way.
            options: The person's choices in the composer, which the function finds in `turn.user_message`.
        """
        return ResponseStream(self._updates(list(messages)))

    async def _updates(self, messages: list[Message]) -> AsyncGenerator[AgentResponseUpdate, None]:
        with ExitGuard(f"use case '{self._turn.context.use_case}': the generator"):
            async with aclosing(self._function(messages, self._turn)) as pieces:
                async for piece in pieces:
                    if piece is None or isinstance(piece, str):
                        # The last piece of many clients' streams has no text: None, or an empty one.
                        contents = [build_text_piece(piece)] if piece else []
                        yield AgentResponseUpdate(contents=contents, role="assistant")
                        continue
                    self._show(piece)
                    # Whoever reads updates waits for room among what is to be sent, before more is asked for.
                    yield AgentResponseUpdate(contents=[], role="assistant")

    def _show(self, piece: Any) -> None:
        if isinstance(piece, _EVENTS):
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
