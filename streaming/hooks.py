"""The hooks of a server that the platform calls while it answers; `BaseChatKitServer` documents them.

The results of `texts` and `limit_message` are used far from the call, so their types are checked here.
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


class SupportsRespond(Protocol):
    """Interface of what answers a message, a form, a client tool's output or an action."""

    def respond(self, turn: Turn) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Yield the events of the answer."""
        ...


class MessageHooks(Protocol):
    """The methods of a server that are called by requests without an answer."""

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: RequestContext
    ) -> None:
        """Store the person's feedback on some items."""
        ...

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Turn speech into text."""
        ...


class Hooks(MessageHooks, Protocol):
    """The methods of a server that a use case may override, and the chat client that it may replace.

    The parts of a server use nothing else of it.
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
        """Return the sentence for an answer that has reached its limit of steps."""
        ...


def texts_of(hooks: Hooks, turn: Turn) -> AnswerTexts:
    """Return the result of a server's hook `texts`, which is used throughout the answer.

    Raises:
        AgentError: When the result is not an `AnswerTexts`; raised before anything is shown.
    """
    texts: object = hooks.texts(turn)
    if not isinstance(texts, AnswerTexts):
        raise _wrong_type_error(turn, "texts", texts, "an AnswerTexts")
    return texts


def limit_message_of(hooks: Hooks, turn: Turn) -> str:
    """Return the result of a server's hook `limit_message`.

    Raises:
        AgentError: When the result is not a string.
    """
    message: object = hooks.limit_message(turn)
    if not isinstance(message, str):
        raise _wrong_type_error(turn, "limit_message", message, "a str")
    return message


def _wrong_type_error(turn: Turn, hook: str, returned: object, wanted: str) -> AgentError:
    reason = f"use case '{turn.context.use_case}': {hook} returned a {type(returned).__name__}; return {wanted}"
    return AgentError("This assistant cannot answer at the moment.", reason)
