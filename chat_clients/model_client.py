"""Chat clients that speak to a provider themselves: requests and answers are plain JSON, with no SDK between."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
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
from chat_clients.protocols.complete_answers import AnswerReader, whole_updates
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.completions_request import build_completions_request
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.responses_request import build_responses_request
from framework.kept_updates import keep_merged
from framework.response_streams import build_response, build_response_stream
from framework.sentences import LIMIT_REACHED
from framework.text_updates import TEXT_SINK_KWARG, TextSink


class RawModelClient(BaseChatClient[Any]):
    """What the clients of both protocols share.

    Args:
        connection: To the provider; shared, and closed by the caller.
        model: The model, unless a run names another.
        path: What follows the connection's address; ``{model}`` stands for the model.
        provider_name: How telemetry names the provider.
        layers: Arguments of the framework's layers, such as `function_invocation_configuration`.
    """

    OTEL_PROVIDER_NAME: ClassVar[str] = "openai"

    def __init__(
        self, *, connection: ProviderConnection, model: str, path: str, provider_name: str = "openai", **layers: Any
    ) -> None:
        super().__init__(**layers)
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
        updates = self._updates(
            messages,
            options,
            stream=stream,
            headers=kwargs.get("extra_headers"),
            show_text=kwargs.get(TEXT_SINK_KWARG) if stream else None,
        )
        if options.get("tool_choice") == "none":
            updates = _telling_of_limit(updates)
        if stream:
            answer = build_response_stream(updates, options.get("response_format"))
            keep_merged(answer)
            return answer
        return self._collect(updates, options)

    async def _collect(
        self, updates: AsyncGenerator[ChatResponseUpdate, None], options: Mapping[str, Any]
    ) -> ChatResponse[Any]:
        return build_response([update async for update in updates], options.get("response_format"))

    def _updates(
        self,
        messages: Sequence[Message],
        options: Mapping[str, Any],
        *,
        stream: bool,
        headers: Mapping[str, str] | None,
        show_text: TextSink | None,
    ) -> AsyncGenerator[ChatResponseUpdate, None]:
        async def ask(
            read: Callable[[list[Event]], list[ChatResponseUpdate] | None],
        ) -> AsyncGenerator[list[ChatResponseUpdate], None]:
            body = self._build_request(messages, await validate_chat_options(dict(options)), stream=stream)
            path = self._path.format(model=quote(str(body["model"]), safe=""))
            return self.connection.events(path, body, read, headers=headers)

        return whole_updates(ask, self._build_reader(), show_text)

    def _build_request(
        self, messages: Sequence[Message], options: Mapping[str, Any], *, stream: bool
    ) -> dict[str, Any]:
        raise NotImplementedError

    def _build_reader(self) -> AnswerReader:
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
        text = Content.from_text(LIMIT_REACHED)
        yield ChatResponseUpdate(contents=[text], role="assistant", message_id="limit")


class RawResponsesClient(RawModelClient):
    """The Responses API; use `ResponsesChatClient`, which runs the tools that the model calls."""

    def _build_request(
        self, messages: Sequence[Message], options: Mapping[str, Any], *, stream: bool
    ) -> dict[str, Any]:
        return build_responses_request(self.model, messages, options, stream=stream)

    def _build_reader(self) -> AnswerReader:
        return ResponsesReader()


class RawCompletionsClient(RawModelClient):
    """The Chat Completions API; use `CompletionsChatClient`, which runs the tools that the model calls.

    Args:
        max_tokens_name: What the server calls the longest length of an answer.
        more: What `RawModelClient` takes.
    """

    def __init__(self, *, max_tokens_name: str = "max_completion_tokens", **more: Any) -> None:
        super().__init__(**more)
        self._max_tokens_name = max_tokens_name

    def _build_request(
        self, messages: Sequence[Message], options: Mapping[str, Any], *, stream: bool
    ) -> dict[str, Any]:
        return build_completions_request(
            self.model, messages, options, stream=stream, max_tokens_name=self._max_tokens_name
        )

    def _build_reader(self) -> AnswerReader:
        return CompletionsReader()


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
