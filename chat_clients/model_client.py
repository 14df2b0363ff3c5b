"""Chat clients that speak to a provider themselves: requests and answers are plain JSON, with no SDK between."""

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
from chat_clients.learnt import Learnt
from chat_clients.protocols.complete_answers import AnswerReader, whole_updates
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.completions_request import build_completions_request
from chat_clients.protocols.history_shape import HistoryForm
from chat_clients.protocols.replay import build_origin
from chat_clients.protocols.request_options import read_names
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.responses_request import build_responses_request
from chat_clients.protocols.tool_names import ToolNames
from chat_clients.refusals import Attempt
from chat_clients.unoffered_calls import offers_no_tools, without_calls
from errors import ModelError
from framework.merged_updates import merge_kept_updates
from framework.message_marks import NO_PICTURE_TEXT, UNKNOWN_TOOL_PROPERTY
from framework.response_streams import build_response, build_response_stream
from framework.sentences import LIMIT_REACHED
from framework.text_updates import TEXT_SINK_KWARG, TextSink


class RawModelClient(BaseChatClient[Any]):
    """The part that the clients of both protocols share.

    Args:
        connection: To the provider; shared, and closed by the caller.
        model: The model, unless a run names another.
        path: The path below the connection's address; ``{model}`` stands for the model.
        provider_name: How telemetry names the provider.
        learnt: The knowledge about models from their refusals, which all clients of a process share.
        layers: Arguments of the framework's layers, such as `function_invocation_configuration`.
    """

    OTEL_PROVIDER_NAME: ClassVar[str] = "openai"

    _ends_with_person = False
    """Whether the server needs a person, or the results of tools, at the end of a conversation."""

    def __init__(
        self,
        *,
        connection: ProviderConnection,
        model: str,
        path: str,
        provider_name: str = "openai",
        learnt: Learnt | None = None,
        **layers: Any,
    ) -> None:
        super().__init__(**layers)
        self._learnt = learnt or Learnt()
        self.connection = connection
        self.model = model
        self._path = path
        self.OTEL_PROVIDER_NAME = provider_name  # type: ignore[misc]  # the framework's clients do it so too

    def service_url(self) -> str:
        """Return the provider's address, for telemetry."""
        return self.connection.base_url

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        ask = partial(
            self._updates,
            options=options,
            stream=stream,
            headers=kwargs.get("extra_headers"),
            show_text=kwargs.get(TEXT_SINK_KWARG) if stream else None,
        )
        is_without_tools = offers_no_tools(options, getattr(self, "function_invocation_configuration", None))
        updates = without_calls(messages, ask) if is_without_tools else ask(messages)
        if options.get("tool_choice") == "none":
            updates = _telling_of_limit(updates)
        if stream:
            answer = build_response_stream(updates, options.get("response_format"))
            merge_kept_updates(answer)
            return answer
        return self._collect(updates, options)

    async def _collect(
        self, updates: AsyncGenerator[ChatResponseUpdate, None], options: Mapping[str, Any]
    ) -> ChatResponse[Any]:
        return build_response([update async for update in updates], options.get("response_format"))

    async def _updates(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        *,
        stream: bool,
        headers: Mapping[str, str] | None,
        show_text: TextSink | None,
    ) -> AsyncGenerator[ChatResponseUpdate, None]:
        """Ask, and ask again in another form where the request was refused before anything was said."""
        names = read_names(options.get("tools"))
        model = options.get("model") or self.model
        origin = build_origin(model, self.connection.base_url + self._path)
        validated = await validate_chat_options(dict(options))
        attempt = Attempt(
            self._learnt,
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

            is_picture_lost = attempt.lacks_picture
            # What the platform says before an answer cannot be shown directly, and so the answer must not either.
            sink = None if is_picture_lost else show_text
            try:
                known = self._learnt.of_model(model)
                reader = self._build_reader(names, origin, begins_with_thought=known.begins_with_thought)
                updates = whole_updates(ask, reader, sink, on_begin=note_begin)
                async with aclosing(updates):
                    async for update in updates:
                        if is_picture_lost:
                            is_picture_lost = False
                            yield _say(NO_PICTURE_TEXT, "picture")
                        _mark_unknown(update, names)
                        yield update
            except ModelError as exc:
                if not has_begun and attempt.differs_after(exc):
                    continue
                if (told := attempt.explain(exc)) is not exc:
                    raise told from exc
                raise
            attempt.note_success()
            if (habit := reader.has_unopened_thought) is not None:
                known.begins_with_thought = habit
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


async def _telling_of_limit(
    updates: AsyncGenerator[ChatResponseUpdate, None],
) -> AsyncGenerator[ChatResponseUpdate, None]:
    """Say at the end of an answer that calls tools, though it may not, that it ends here.

    The framework asks like this when the limit of rounds is reached. It drops such calls, and says something itself
    only where nothing else was said: a promise such as "Let me look again:" would be the end.
    """
    has_called = False
    async with aclosing(updates):
        async for update in updates:
            has_called = has_called or any(content.type == "function_call" for content in update.contents)
            yield update
    if has_called:
        yield _say(LIMIT_REACHED, "limit")


def _mark_unknown(update: ChatResponseUpdate, names: ToolNames) -> None:
    for content in update.contents:
        if content.type == "function_call" and not content.hosted and content.name and content.name not in names:
            content.additional_properties[UNKNOWN_TOOL_PROPERTY] = True


def _say(text: str, message_id: str) -> ChatResponseUpdate:
    """Return a sentence of the platform's as a message of its own in an answer."""
    return ChatResponseUpdate(contents=[Content.from_text(text)], role="assistant", message_id=message_id)


class RawResponsesClient(RawModelClient):
    """The Responses API; use `ResponsesChatClient`, which runs the tools that the model calls."""

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
    """The Chat Completions API; use `CompletionsChatClient`, which runs the tools that the model calls.

    Args:
        max_tokens_name: The server's name for the greatest length of an answer.
        ends_with_person: Whether a conversation has to end with a person, or with the results of tools: some take
            an assistant's last word for the beginning of its next.
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
    """The Responses API, asked to keep nothing, whose answers are whole or fail with a `ModelError`.

    Function calls of the model are run; searches, code, pictures, MCP servers and the shell of the provider are told
    about. A shell or a computer of ours, which the model would use, is not supported.
    """

    takes_text_sink: ClassVar[bool] = True


class CompletionsChatClient(
    FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], ChatTelemetryLayer[Any], RawCompletionsClient
):
    """The Chat Completions API of OpenAI, Azure or a compatible server, whose answers are whole or fail likewise."""

    takes_text_sink: ClassVar[bool] = True
