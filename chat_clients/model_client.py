"""Chat clients that exchange plain JSON with a provider, without an SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
    validate_chat_options,
)
from agent_framework.observability import ChatTelemetryLayer

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.http.server_events import Event
from chat_clients.protocols.complete_answers import AnswerReader, stream_answer
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.completions_request import build_completions_request
from chat_clients.protocols.history_shape import HistoryForm
from chat_clients.protocols.replay import build_origin
from chat_clients.protocols.request_options import read_names
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.responses_request import build_responses_request
from chat_clients.protocols.tool_names import ToolNames
from chat_clients.refusal_memory import RefusalMemory
from chat_clients.refusals import Attempt
from chat_clients.unoffered_calls import offers_no_tools, without_calls
from errors import ModelError
from framework.merged_updates import merge_kept_updates
from framework.message_marks import NO_PICTURE_TEXT, UNKNOWN_TOOL_PROPERTY
from framework.response_streams import build_response, build_response_stream
from framework.sentences import LIMIT_REACHED
from framework.text_updates import TEXT_SINK_KWARG, TextSink


class RawModelClient(BaseChatClient[Any]):
    """Base class of the clients of both protocols.

    Args:
        connection: The connection to the provider; shared, and closed by the caller.
        model: The model, unless a run names another.
        path: The path below the connection's address; ``{model}`` is replaced by the model.
        provider_name: The provider's name in telemetry.
        memory: The memory of refusals, which all clients of a process share.
        layers: Arguments of the framework's layers, such as `function_invocation_configuration`.
    """

    OTEL_PROVIDER_NAME: ClassVar[str] = "openai"

    _ends_with_person = False
    """Whether a conversation has to end with a person's message or the results of tools."""

    def __init__(
        self,
        *,
        connection: ProviderConnection,
        model: str,
        path: str,
        provider_name: str = "openai",
        memory: RefusalMemory | None = None,
        **layers: Any,
    ) -> None:
        super().__init__(**layers)
        self._memory = memory or RefusalMemory()
        self.connection = connection
        self.model = model
        self._path = path
        self.OTEL_PROVIDER_NAME = provider_name  # type: ignore[misc]  # as the framework's clients do

    def service_url(self) -> str:
        """Return the provider's address, for telemetry."""
        return self.connection.base_url

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        ask = partial(
            self._request_updates,
            options=options,
            stream=stream,
            headers=kwargs.get("extra_headers"),
            show_text=kwargs.get(TEXT_SINK_KWARG) if stream else None,
        )
        is_without_tools = offers_no_tools(options, getattr(self, "function_invocation_configuration", None))
        updates = without_calls(messages, ask) if is_without_tools else ask(messages)
        if options.get("tool_choice") == "none":
            updates = _with_limit_notice(updates)
        if stream:
            answer = build_response_stream(updates, options.get("response_format"))
            merge_kept_updates(answer)
            return answer
        return self._collect_response(updates, options)

    async def _collect_response(
        self, updates: AsyncGenerator[ChatResponseUpdate, None], options: Mapping[str, Any]
    ) -> ChatResponse[Any]:
        return build_response([update async for update in updates], options.get("response_format"))

    async def _request_updates(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        *,
        stream: bool,
        headers: Mapping[str, str] | None,
        show_text: TextSink | None,
    ) -> AsyncGenerator[ChatResponseUpdate, None]:
        """Send a request and yield the answer; after a refusal, send it in another form."""
        names = read_names(options.get("tools"))
        model = options.get("model") or self.model
        origin = build_origin(model, self.connection.base_url + self._path)
        validated = await validate_chat_options(dict(options))
        attempt = Attempt(
            self._memory,
            model,
            messages,
            lambda form: self._build_request(messages, validated, names, form, stream=stream, origin=origin),
            form=HistoryForm(ends_with_person=self._ends_with_person),
        )
        has_begun = False

        def note_begin() -> None:
            nonlocal has_begun
            has_begun = True

        while True:
            body = attempt.body

            async def ask(
                read: Callable[[list[Event]], list[ChatResponseUpdate] | None], body: dict[str, Any] = body
            ) -> AsyncGenerator[list[ChatResponseUpdate], None]:
                path = self._path.format(model=quote(str(body["model"]), safe=""))
                return self.connection.events(path, body, read, headers=headers)

            needs_notice = attempt.omits_picture
            # The notice before the answer cannot be shown directly, so the answer must not be either.
            sink = None if needs_notice else show_text
            try:
                limits = self._memory.model_limits(model)
                reader = self._build_reader(names, origin, begins_with_thought=limits.begins_with_thought)
                updates = stream_answer(ask, reader, sink, on_begin=note_begin)
                async with aclosing(updates):
                    async for update in updates:
                        if needs_notice:
                            needs_notice = False
                            yield _build_notice(NO_PICTURE_TEXT, "picture")
                        _mark_unknown_tools(update, names)
                        yield update
            except ModelError as exc:
                if not has_begun and attempt.adapt(exc):
                    continue
                if (explained := attempt.explain(exc)) is not exc:
                    raise explained from exc
                raise
            attempt.note_success()
            if (habit := reader.has_unopened_thought) is not None:
                limits.begins_with_thought = habit
            return

    def _build_request(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        names: ToolNames,
        form: HistoryForm,
        *,
        stream: bool,
        origin: str | None = None,
    ) -> dict[str, Any]:
        raise NotImplementedError

    def _build_reader(self, names: ToolNames, origin: str, *, begins_with_thought: bool) -> AnswerReader:
        raise NotImplementedError


async def _with_limit_notice(
    updates: AsyncGenerator[ChatResponseUpdate, None],
) -> AsyncGenerator[ChatResponseUpdate, None]:
    """Append a notice to an answer that calls tools although it may not.

    The framework forbids tools in its last request, when the limit of rounds is reached. It drops such calls, and adds
    a notice of its own only to an answer without text; any other would end with a promise such as "Let me look again:".
    """
    has_called = False
    async with aclosing(updates):
        async for update in updates:
            has_called = has_called or any(content.type == "function_call" for content in update.contents)
            yield update
    if has_called:
        yield _build_notice(LIMIT_REACHED, "limit")


def _mark_unknown_tools(update: ChatResponseUpdate, names: ToolNames) -> None:
    for content in update.contents:
        if content.type == "function_call" and not content.hosted and content.name and content.name not in names:
            content.additional_properties[UNKNOWN_TOOL_PROPERTY] = True


def _build_notice(text: str, message_id: str) -> ChatResponseUpdate:
    """Return a sentence of the platform as a separate message of an answer."""
    return ChatResponseUpdate(contents=[Content.from_text(text)], role="assistant", message_id=message_id)


class RawResponsesClient(RawModelClient):
    """A client of the Responses API; use `ResponsesChatClient`, which runs the tools that the model calls."""

    def _build_request(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        names: ToolNames,
        form: HistoryForm,
        *,
        stream: bool,
        origin: str | None = None,
    ) -> dict[str, Any]:
        return build_responses_request(
            self.model, messages, options, stream=stream, names=names, origin=origin, form=form
        )

    def _build_reader(self, names: ToolNames, origin: str, *, begins_with_thought: bool) -> AnswerReader:
        return ResponsesReader(names, origin, begins_with_thought=begins_with_thought)


class RawCompletionsClient(RawModelClient):
    """A client of Chat Completions; use `CompletionsChatClient`, which runs the tools that the model calls.

    Args:
        max_tokens_name: The server's name of the field for the maximum length of an answer.
        ends_with_person: Whether a conversation has to end with a person's message or the results of tools: some
            servers continue an assistant's message at its end.
        more: Arguments of `RawModelClient`.
    """

    def __init__(
        self, *, max_tokens_name: str = "max_completion_tokens", ends_with_person: bool = False, **more: Any
    ) -> None:
        super().__init__(**more)
        self._max_tokens_name = max_tokens_name
        self._ends_with_person = ends_with_person

    def _build_request(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        names: ToolNames,
        form: HistoryForm,
        *,
        stream: bool,
        origin: str | None = None,
    ) -> dict[str, Any]:
        return build_completions_request(
            self.model,
            messages,
            options,
            stream=stream,
            max_tokens_name=self._max_tokens_name,
            names=names,
            origin=origin,
            form=form,
        )

    def _build_reader(self, names: ToolNames, origin: str, *, begins_with_thought: bool) -> AnswerReader:
        return CompletionsReader(names, origin, begins_with_thought=begins_with_thought)


class ResponsesChatClient(
    FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], ChatTelemetryLayer[Any], RawResponsesClient
):
    """A client of the Responses API, whose answers are complete or fail with a `ModelError`.

    The provider is asked to store nothing. Function calls of the model are run; the results of the provider's own tools
    (searches, code, pictures, MCP servers, shell) are passed on. A local shell or computer is not supported.
    """

    takes_text_sink: ClassVar[bool] = True


class CompletionsChatClient(
    FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], ChatTelemetryLayer[Any], RawCompletionsClient
):
    """A client of Chat Completions (OpenAI, Azure, compatible servers), whose answers are complete or fail."""

    takes_text_sink: ClassVar[bool] = True
