"""BaseChatKitServer(ChatKitServer): the hooks of a use case, in front of the parts that answer for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from agent_framework import Agent
from chatkit.actions import Action
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.types import (
    AudioInput,
    FeedbackKind,
    StreamOptions,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
    WidgetItem,
)

from context import Services, Turn
from errors import ActionError, PluginError
from plugins import UseCase
from runs.viewer import Viewer
from streaming.actions.declared_actions import action, collect_actions
from streaming.answers.authors_runs import route_author_runs
from streaming.author_classes import check_attribute, check_class, overrides, reserved_name_error
from streaming.requests.delivery import STREAM_OPTIONS
from streaming.requests.dictation import transcribe_audio
from streaming.requests.handling import handle_body
from streaming.server_parts import ServerParts, build_server_parts, check_action_names
from turns.answer_texts import AnswerTexts
from turns.request_context import RequestContext

if TYPE_CHECKING:
    from plugins import OfflinePhrase

__all__ = ["BaseChatKitServer", "action"]

HOOKS = frozenset(
    {"get_agent", "post_respond_hook", "texts", "limit_message", "open", "close", "add_feedback", "transcribe"}
    | {"action"}
)
"""The methods that a use case may override; docs/hooks.md describes them."""

_STATE_KEY = "the platform's state"
"""Key of the platform's state in an object's `__dict__`. Not an identifier, so no attribute of an author's clashes."""


@dataclass(slots=True)
class _State:
    parts: ServerParts
    use_case: UseCase | None = None


class BaseChatKitServer(ChatKitServer[RequestContext]):
    """Base class of a use case's server, which overrides `get_agent` and any of the other hooks below.

    Subclasses may use all other names for methods and attributes of their own, except the few public ones of this
    class and of ChatKit's, which are refused by name. The platform keeps its own state in its parts, not in this
    object.

    Args:
        services: The platform's services.
        offline: The phrasings that the built-in model understands when no model is configured.

    Attributes:
        services: The platform's services.
        chat_client: A client of the configured provider, for the agent.
    """

    def __init__(self, services: Services, *, offline: Sequence[OfflinePhrase] = ()) -> None:
        # Again: a decorator may have added something, and a mixin's `__init_subclass__` may not call super().
        _check_server_class(type(self))
        _refuse_early_attributes(self, services)
        super().__init__(services.store, services.attachments)
        self.services = services
        self.chat_client = services.chat_client(offline)
        fallback_action = self.action if _overrides_action(self) else None
        parts = build_server_parts(services, self, collect_actions(type(self)), fallback_action)
        vars(self)[_STATE_KEY] = _State(parts)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _check_server_class(cls)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, and refuse those that the platform owns by name."""
        attributes = vars(self)
        is_replaced = name in _PROVIDED_ATTRIBUTES and _STATE_KEY in attributes and attributes.get(name) is not value
        if is_replaced or name in _UNSETTABLE_NAMES:
            raise reserved_name_error(f"{type(self).__module__}.{type(self).__qualname__} sets 'self.{name}'")
        if name in HOOKS:
            check_attribute(self, name, value)
        super().__setattr__(name, value)

    # What a use case overrides

    def get_agent(self, turn: Turn) -> Agent[Any]:
        """Return the agent that answers. Called once per answer; it may return the same agent each time.

        May also be ``async def``. The agent is run without a session: it is given the thread's history.
        """
        raise NotImplementedError(f"{type(self).__qualname__} must override get_agent")

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        """Show closing widgets, through `turn`. Runs after a whole answer, never after a failed or stopped one.

        An ``async def`` that yields ChatKit events works too.
        """

    def texts(self, turn: Turn) -> AnswerTexts:
        """Return the sentences that the platform itself says in this answer, e.g. in the language `turn.locale`."""
        return AnswerTexts()

    def limit_message(self, turn: Turn) -> str:
        """Return the sentence for an answer that has taken as many steps as it may; by default that of `texts`.

        The person reads it at the end of the answer, as a part of its text.
        """
        return self.texts(turn).limit

    def action(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Handle an action that no method is declared for, as ChatKit's samples do: yield the events that it shows."""
        if _overrides_action(self):
            raise ActionError("This action does not exist.", code="action.unknown")
        return _state_of(self).parts.clicks.stream(thread, action, sender, context)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: RequestContext
    ) -> None:
        """Store the person's feedback on some items; items of other people count as missing."""
        await self.services.store.save_feedback(thread_id, item_ids, feedback, context)

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Return the provider's transcript of a recording; raise `UnavailableError` where it has no transcription."""
        return await transcribe_audio(self.services, audio_input)

    async def open(self) -> None:
        """Open what the use case needs, once, before the first request."""

    async def close(self) -> None:
        """Close what `open` opened."""

    # Names that the platform reserves

    @property
    def use_case(self) -> UseCase | None:
        """The use case that was registered with this server; set by the platform."""
        return _state_of(self).use_case

    @use_case.setter
    def use_case(self, use_case: UseCase | None) -> None:
        # An author's `self.use_case = "shop"` arrives here too.
        if not isinstance(use_case, UseCase):
            raise reserved_name_error(f"{type(self).__module__}.{type(self).__qualname__} sets 'self.use_case'")
        state = _state_of(self)
        state.use_case = use_case
        state.parts.requests.composer = use_case.composer

    @final
    async def handle(self, body: bytes, context: RequestContext) -> bytes | Viewer:
        """Answer one ChatKit request.

        Args:
            body: The JSON of the request.
            context: The context of the request.

        Returns:
            The JSON of the answer, or an iterator of server-sent events whose first event is there already. It must
            be closed with `aclose()`.

        Raises:
            UserFacingError: When the request is refused before its first event.
        """
        with route_author_runs(self.services, context.answer, self.chat_client):
            return await handle_body(body, context, _state_of(self).parts.requests, _state_of(self).parts.runs)

    @final
    async def process(
        self, request: str | bytes | bytearray, context: RequestContext
    ) -> StreamingResult | NonStreamingResult:
        """Answer one ChatKit request as ChatKit's own `process` does: each chunk is one event."""
        answer = await self.handle(request.encode() if isinstance(request, str) else bytes(request), context)
        if isinstance(answer, bytes):
            return NonStreamingResult(answer)

        async def chunks(viewer: Viewer) -> AsyncGenerator[bytes, None]:
            async with aclosing(viewer):
                async for chunk in viewer:
                    # A chunk of a viewer may hold several events, or a comment that keeps the connection open.
                    for event in chunk.split(_END_OF_EVENT):
                        if event and not event.startswith(b":"):
                            yield event + _END_OF_EVENT

        return StreamingResult(chunks(answer))

    @final
    def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run the agent and stream its answer."""
        return _state_of(self).parts.responder.respond(Turn(thread, context, self.services, input_user_message))

    @final
    async def sync_action(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: RequestContext
    ) -> SyncCustomActionResponse:
        """Run the handler of an action without a stream, and return the clicked widget's new state."""
        return await _state_of(self).parts.clicks.handle(thread, action, sender, context)

    @final
    def get_stream_options(self, thread: ThreadMetadata, context: RequestContext) -> StreamOptions:
        """Return ChatKit's options for a stream: the client may stop it."""
        return STREAM_OPTIONS

    @final
    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: RequestContext
    ) -> None:
        """Store the unfinished items of a stopped answer; leave a note for the model if a person stopped it."""
        await _state_of(self).parts.delivery.keep_cancelled(thread, pending_items, context)


def _state_of(server: BaseChatKitServer) -> _State:
    state: _State | None = vars(server).get(_STATE_KEY)
    if state is None:
        owner = f"{type(server).__module__}.{type(server).__qualname__}"
        raise PluginError(owner, f"the __init__ of {owner} does not call super().__init__(services)")
    return state


def _refuse_early_attributes(server: BaseChatKitServer, services: Services) -> None:
    """Refuse what an `__init__` has set before this one, which would replace it without a word."""
    if _STATE_KEY in vars(server):
        return
    given = {"services": services, "store": services.store, "attachment_store": services.attachments}
    owner = f"{type(server).__module__}.{type(server).__qualname__}"
    for name, value in vars(server).items():
        if name in given and value is not given[name]:
            raise reserved_name_error(f"{owner} sets 'self.{name}'")
        if name == "chat_client":
            raise PluginError(owner, f"{owner} sets 'self.{name}' before super().__init__(services); set it after")


def _overrides_action(server: BaseChatKitServer) -> bool:
    return overrides(type(server), BaseChatKitServer, "action")


def _check_server_class(cls: type) -> None:
    check_class(cls, BaseChatKitServer, RESERVED_NAMES, HOOKS)
    check_action_names(f"{cls.__module__}.{cls.__qualname__}", collect_actions(cls))


_END_OF_EVENT = b"\n\n"

_PROVIDED_ATTRIBUTES = frozenset({"services", "store", "attachment_store"})
"""The attributes that the platform sets once. `chat_client` may be replaced, for the agent and the titles."""

RESERVED_NAMES = (
    frozenset(name for kind in (BaseChatKitServer, ChatKitServer) for name in vars(kind) if not name.startswith("_"))
    | _PROVIDED_ATTRIBUTES
    | {"chat_client"}
) - HOOKS
"""The names that a use case's class may not define."""

_UNSETTABLE_NAMES = RESERVED_NAMES - _PROVIDED_ATTRIBUTES - {"chat_client", "use_case"}
