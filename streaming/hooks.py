"""The hooks of a server that the platform calls while it answers; `BaseChatKitServer` says what each is for.

Whose result is used far from where it was asked for is looked at here first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol

from chatkit.types import (
    AudioInput,
    FeedbackKind,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
)

from context import Turn
from errors import AgentError
from turns.answer_texts import AnswerTexts
from turns.request_context import RequestContext


class Answers(Protocol):
    """Answers a message, a form, a client tool's output or an action."""

    def respond(self, turn: Turn) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Return the events of the answer."""
        ...


class MessageHooks(Protocol):
    """The methods that requests without an answer ask of a server."""

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: RequestContext
    ) -> None:
        """Keep what the person thinks of some items."""
        ...

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Turn speech into text."""
        ...


class Hooks(MessageHooks, Protocol):
    """The methods that a use case may override, and the client of the model that it may exchange.

    The parts of a server know it by these names and by no others.
    """

    chat_client: Any

    def get_agent(self, turn: Turn) -> Any:
        """Return the agent that answers, or an awaitable of it."""
        ...

    def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> Any:
        """Show closing widgets: a coroutine, or an asynchronous generator of events."""
        ...

    def texts(self, turn: Turn) -> AnswerTexts:
        """Return the sentences that the platform itself says in this answer."""
        ...

    def limit_message(self, turn: Turn) -> str:
        """Return the sentence for an answer that has taken as many steps as it may."""
        ...


def texts_of(hooks: Hooks, turn: Turn) -> AnswerTexts:
    """Return the result of a server's hook `texts`, which is used all over the answer.

    Raises:
        AgentError: When it is no `AnswerTexts`; raised before anything is shown that would have to be taken back.
    """
    texts: object = hooks.texts(turn)
    if not isinstance(texts, AnswerTexts):
        raise _wrong(turn, "texts", texts, "an AnswerTexts")
    return texts


def limit_message_of(hooks: Hooks, turn: Turn) -> str:
    """Return the result of a server's hook `limit_message`.

    Raises:
        AgentError: When that is no text.
    """
    message: object = hooks.limit_message(turn)
    if not isinstance(message, str):
        raise _wrong(turn, "limit_message", message, "a str")
    return message


def _wrong(turn: Turn, hook: str, returned: object, wanted: str) -> AgentError:
    reason = f"use case '{turn.context.use_case}': {hook} returned a {type(returned).__name__}; return {wanted}"
    return AgentError("This assistant cannot answer at the moment.", reason)
