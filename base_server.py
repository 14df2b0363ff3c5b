"""BaseChatKitServer(ChatKitServer): respond, actions, streaming. The only code that runs an agent."""

from __future__ import annotations

import inspect
import logging
import typing
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, final
from weakref import WeakSet, WeakValueDictionary

from agent_framework import Agent, Message, Workflow
from agent_framework.exceptions import AgentException, ChatClientException
from chatkit.errors import CustomStreamError
from chatkit.server import NonStreamingResult, StreamingResult
from chatkit.types import (
    AudioInput,
    ChatKitReq,
    FeedbackKind,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
    is_streaming_req,
)
from pydantic import TypeAdapter, ValidationError

from context import AnswerTexts, RequestContext, Services, Turn, utc_now
from errors import (
    ActionError,
    AgentError,
    BadRequestError,
    FinalMethodError,
    ModelError,
    UnavailableError,
    UserFacingError,
    new_error_id,
)
from streaming.agent_events import agent_events
from streaming.agent_messages import HistoryConverter, history_messages
from streaming.approval_processing import ApprovalProcessing
from streaming.approvals import approval_events, expire, provider_messages
from streaming.declared_actions import action, collect_actions
from streaming.inner_agents import workflow_of
from streaming.mcp_servers import with_servers
from streaming.requests import RequestProcessing, explain_request
from streaming.run_arguments import run_arguments
from streaming.run_operations import RunOperations, is_run_operation, parse_body
from streaming.steps import tool_labels
from streaming.thread_titles import ThreadTitle, title_of
from streaming.turn_events import turn_events
from streaming.viewer import Viewer

if TYPE_CHECKING:
    from plugins import OfflinePhrase, UseCase

__all__ = ["BaseChatKitServer", "action"]

logger = logging.getLogger(__name__)

_REQUEST: TypeAdapter[Any] = TypeAdapter(ChatKitReq)
"""Built once: ChatKit builds it anew for every request, which costs 3 ms each time."""

MAX_ROUNDS = 4
"""How often the agent is asked within one answer, because all of a batch that needed a word could not be done."""

_GENERIC_FAILURE = "Something went wrong on our side."


class BaseChatKitServer(ApprovalProcessing, RunOperations, RequestProcessing):
    """Answers for one use case. A use case overrides `get_agent`, and what it likes of the hooks below.

    Args:
        services: The platform's services.
        offline: The phrasings that the built-in model understands when no model is configured.

    Attributes:
        services: The platform's services.
        chat_client: A client of the configured provider, for the agent.
        use_case: What was registered with this server; set by the platform.
    """

    _FINAL = (
        "respond", "action", "sync_action", "process", "handle", "get_stream_options", "handle_stream_cancelled",
        "start_run", "handle_run_operation", "check_request",
        "_process_streaming_impl", "_process_non_streaming", "_deliver",
    )  # fmt: skip
    use_case: UseCase | None = None

    def __init__(self, services: Services, *, offline: Sequence[OfflinePhrase] = ()) -> None:
        super().__init__(services.store, services.attachments)
        self.services = services
        self.chat_client = services.chat_client(offline)
        self._sender_locks = WeakValueDictionary()
        self._workflows: WeakSet[Workflow] = WeakSet()
        self._latest_clicks = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in BaseChatKitServer._FINAL:
            if name in cls.__dict__:
                raise FinalMethodError(
                    f"{cls.__module__}.{cls.__qualname__} overrides '{name}', which the platform owns; "
                    "override get_agent or post_respond_hook, or declare an @action"
                )
        cls._actions = collect_actions(cls)

    # What a use case overrides

    def get_agent(self, turn: Turn) -> Agent[Any]:
        """Return the agent that answers. Called once per answer; it may return the same agent each time.

        May also be ``async def``. The agent is run without a session: the thread's history is handed to it.
        """
        raise NotImplementedError(f"{type(self).__qualname__} must override get_agent")

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        """Show closing widgets, through `turn`. Runs after a whole answer, never after a failed or stopped one.

        An ``async def`` that yields ChatKit events works too.
        """

    def texts(self, turn: Turn) -> AnswerTexts:
        """Return what the platform itself says to the person in this answer, e.g. in `turn.locale`."""
        return AnswerTexts()

    def limit_message(self, turn: Turn) -> str:
        """Return what the person reads when an answer has taken as many steps as it may; by default `texts` says it.

        It stands at the end of the answer, as a part of what was said.
        """
        return self.texts(turn).limit

    async def open(self) -> None:
        """Open what the use case needs, once, before the first request."""

    async def close(self) -> None:
        """Close what `open` opened."""

    # What the platform owns

    @final
    async def handle(self, body: bytes, context: RequestContext) -> bytes | Viewer:
        """Answer one ChatKit request.

        Args:
            body: The JSON of the request.
            context: Who asks.

        Returns:
            The JSON of the answer, or an iterator of server-sent events whose first event is there already. It must
            be closed with `aclose()`.

        Raises:
            UserFacingError: When the request is refused before its first event.
        """
        raw = parse_body(body)
        if is_run_operation(raw):
            return await self.handle_run_operation(raw, context)
        try:
            request = _REQUEST.validate_python(raw)
        except ValidationError as exc:
            raise BadRequestError(explain_request(exc)) from exc
        context.metadata = request.metadata
        logger.info(
            "request", extra={"op": request.type, "use_case": context.use_case, "request_id": context.request_id}
        )
        self.check_request(request)
        if is_streaming_req(request):
            return await self.start_run(request, context)
        return await self._process_non_streaming(request, context)

    @final
    async def process(
        self, request: str | bytes | bytearray, context: RequestContext
    ) -> StreamingResult | NonStreamingResult:
        """Answer one ChatKit request in the form that ChatKit's own `process` has."""
        answer = await self.handle(request.encode() if isinstance(request, str) else bytes(request), context)
        if isinstance(answer, bytes):
            return NonStreamingResult(answer)

        async def chunks(viewer: Viewer) -> AsyncGenerator[bytes, None]:
            async with aclosing(viewer):
                async for chunk in viewer:
                    yield chunk

        return StreamingResult(chunks(answer))

    @final
    def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run the agent and stream its answer."""
        return self._respond(Turn(thread, context, self.services, input_user_message))

    async def _respond(self, turn: Turn) -> AsyncGenerator[ThreadStreamEvent, None]:
        thread, context = turn.thread, turn.context
        if thread.title is None and turn.user_message is not None and (line := title_of(turn.user_message)):
            # At once, and only if it still has none: a person may name it while the model thinks.
            await self.store.retitle_thread(thread, line, context)
        async with ThreadTitle(turn, self.chat_client) as title:
            try:
                turn.texts = self.texts(turn)
                if turn.decided is not None:
                    async with aclosing(self._make_calls(turn, turn.decided)) as events:
                        async for event in events:
                            yield event
                for _ in range(MAX_ROUNDS):
                    if turn.is_paused:
                        break
                    try:
                        async with aclosing(await self._ask_agent(turn)) as events:
                            async for event in events:
                                yield event
                                title.begin()
                    except UserFacingError:
                        raise
                    except Exception as exc:
                        failure = self.services.explain_model_failure(exc)
                        if failure.code == ModelError.code and not isinstance(
                            exc, ChatClientException | AgentException
                        ):
                            raise  # of the use case's own code, such as its middleware
                        raise failure from exc
                    if not turn.is_resumed:
                        break
                else:
                    raise ModelError("The model asked for what cannot be done, again and again.", allow_retry=False)
                if turn.approvals:
                    for event in approval_events(turn):
                        yield event
            except Exception as exc:
                raise self._stream_error(exc, "answer failed", thread, context) from exc
            if turn.is_paused:
                return
            try:
                async with aclosing(self._after(thread, turn)) as events:
                    async for event in events:
                        yield event
            except Exception as exc:
                raise self._stream_error(exc, "post_respond_hook failed", thread, context) from exc

    async def _ask_agent(self, turn: Turn) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run the agent and return the events of what it says and does."""
        agent = await self._chosen_agent(turn)
        stream, labels = await self._run_agent(agent, turn), tool_labels(agent)
        turn.is_resumed = False
        limit_message, more = partial(self.limit_message, turn), partial(self._settle_calls, turn)
        is_workflow = workflow_of(agent) is not None
        return agent_events(stream, turn, labels, limit_message, more, is_workflow=is_workflow)

    async def _run_agent(self, agent: Any, turn: Turn) -> Any:
        """Return the agent's stream, which nobody has read of yet."""
        if (workflow := workflow_of(agent)) is not None:
            if workflow in self._workflows:
                # It keeps what was said in it: the next person would be answered from another's conversation.
                raise AgentError(
                    "This assistant cannot answer at the moment.",
                    f"use case '{turn.context.use_case}': a workflow answers once; build it anew in get_agent",
                )
            self._workflows.add(workflow)
        messages = [*await self._thread_messages(turn), *provider_messages(turn.decided)]
        agent, missing = await with_servers(agent)
        if missing:
            names = ", ".join(missing)
            absence = f"These servers of your tools cannot be reached now; say so if they are needed: {names}."
            messages = [Message("system", [absence]), *messages]
        return agent.run(messages, **run_arguments(agent, turn))

    async def _chosen_agent(self, turn: Turn) -> Any:
        agent: Any = self.get_agent(turn)
        return await agent if inspect.isawaitable(agent) else agent

    async def _thread_messages(self, turn: Turn) -> list[Message]:
        """Return what the agent gets to see of the thread; what is older than a new message is closed by it."""
        settings = self.services.settings
        newest_first: Sequence[ThreadItem]
        if turn.context.is_new_thread and turn.user_message is not None and not turn.is_resumed:
            newest_first = [turn.user_message]  # saves asking the store for what we have just put there
        else:
            newest_first = await self.services.store.load_history(
                turn.thread.id, settings.history_max_items, turn.context
            )
            if turn.user_message is not None:
                newest_first = await expire(turn, newest_first)
            if (decided := turn.decided) is not None:
                # What came of its calls is the newest, whatever they and the card have shown.
                newest_first = sorted(newest_first, key=lambda item: item.id != decided.id)
        attachments, context = self.services.attachments, turn.context
        converter = HistoryConverter(lambda attachment_id: attachments.read(attachment_id, context))
        return await history_messages(
            newest_first, converter, max_chars=settings.history_max_chars, max_items=settings.history_max_items
        )

    async def _after(self, thread: ThreadMetadata, turn: Turn) -> AsyncGenerator[ThreadStreamEvent, None]:
        hook: Any = self.post_respond_hook(thread, turn)
        if inspect.isasyncgen(hook):
            async with aclosing(typing.cast("AsyncGenerator[ThreadStreamEvent, None]", hook)) as events:
                async for event in events:
                    for shown in turn.inbox.drain():
                        yield shown
                    yield event
            for shown in turn.inbox.drain():
                yield shown
        elif inspect.isawaitable(hook):

            async def run() -> None:
                await hook

            async with aclosing(turn_events(turn, run())) as events:
                async for event in events:
                    yield event
        if turn.question is not None:
            yield ThreadItemDoneEvent(item=turn.question)

    @final
    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: RequestContext
    ) -> None:
        """Keep what was said and shown before the stop; tell the model of it if a person stopped the answer."""
        await self._keep_unfinished(thread, pending_items, context)
        if context.stop_reason not in ("user", "disconnect"):
            return
        marker = SDKHiddenContextItem(
            id=self.store.generate_item_id("sdk_hidden_context", thread, context),
            thread_id=thread.id,
            created_at=utc_now(),
            content="The user stopped this answer. Do not continue it unless asked to.",
        )
        await self.store.add_thread_item(thread.id, marker, context=context)

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: RequestContext
    ) -> None:
        """Keep what the person thinks of some items; what is not theirs reads as missing."""
        await self.store.save_feedback(thread_id, item_ids, feedback, context)

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Let the provider turn speech into text, or say that there is no dictation."""
        if self.services.transcribe is None:
            raise UnavailableError("Dictation is not available here.", code="dictation.unavailable", allow_retry=False)
        if not audio_input.data:
            raise BadRequestError("The recording is empty.")
        return TranscriptionResult(text=await self.services.transcribe(audio_input.data, audio_input.media_type))

    def _stream_error(
        self, exc: Exception, what: str, thread: ThreadMetadata, context: RequestContext
    ) -> CustomStreamError:
        return self._explain_failure(exc, what, thread.id, context)

    def _explain_failure(self, exc: Exception, what: str, thread_id: str, context: RequestContext) -> CustomStreamError:
        """Log a failure once, under an id, and return what the person may read of it."""
        error_id = context.error_id = new_error_id()
        known = exc if isinstance(exc, UserFacingError) else None
        logger.log(
            logging.INFO if isinstance(exc, ActionError) else logging.ERROR,
            what,
            extra={
                "error_id": error_id,
                "code": known.code if known else "internal",
                "thread_id": thread_id,
                "use_case": context.use_case,
                "request_id": context.request_id,
            },
            exc_info=None if isinstance(exc, ActionError) else exc,
        )
        message = known.message if known else _GENERIC_FAILURE
        return CustomStreamError(f"{message} ({error_id})", allow_retry=known.allow_retry if known else True)
