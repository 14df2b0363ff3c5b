"""Chat clients of OpenAI (Responses), Azure OpenAI, and servers compatible with Chat Completions."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, cast

from agent_framework import (
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    FunctionInvocationConfiguration,
    Message,
    ResponseStream,
)
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from openai import AsyncAzureOpenAI, AsyncOpenAI, DefaultAsyncHttpx2Client, Omit, Timeout

from chat_clients.failures import build_model_error
from chat_clients.whole_answers import Updates, require_whole_response, require_whole_stream
from config import Settings
from errors import ConfigError

OPENAI_BASE_URL = "https://api.openai.com/v1"
AZURE_CHAT_API_VERSION = "2024-12-01-preview"
AZURE_RESPONSES_API_VERSION = "preview"
AZURE_TOKEN_SCOPE = "https://cognitiveservices.azure.com/.default"  # noqa: S105  # a scope, not a secret
AZURE_TOKEN_TIMEOUT_S = 30.0

LONGEST_RETRY_AFTER_S = 20.0
"""A server that asks us to wait longer is not waited for: the person is told, and may try again."""

# The SDK adds these from the environment; they are of no concern to other servers than OpenAI's. It drops a header
# whose value is `Omit`, which its type for default headers does not say.
_OPENAI_ONLY_HEADERS = cast("dict[str, str]", {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()})


class ResponsesChatClient(OpenAIChatClient[Any]):
    """The Responses API, asked to keep nothing, whose answers are whole or fail."""

    STORES_BY_DEFAULT: ClassVar[bool] = False

    def _inner_get_response(
        self, *, messages: Sequence[Message], options: Mapping[str, Any], stream: bool = False, **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        # The conversation is ours to keep: no copy of it stays with the provider, whatever an agent's options say.
        options = {**options, "store": False}
        return _whole(super()._inner_get_response(messages=messages, options=options, stream=stream, **kwargs))


class ChatCompletionsChatClient(OpenAIChatCompletionClient[Any]):
    """The Chat Completions API, whose answers are whole or fail."""

    def _inner_get_response(
        self, *, messages: Sequence[Message], options: Mapping[str, Any], stream: bool = False, **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        return _whole(super()._inner_get_response(messages=messages, options=options, stream=stream, **kwargs))


def create_connection(settings: Settings) -> AsyncOpenAI:
    """Return the SDK's client of the configured provider: one pool of connections, to be closed by the caller.

    Raises:
        ConfigError: When the provider lacks a variable, is `offline`, or needs an extra that is not installed.
    """
    match settings.provider:
        case "openai":
            return AsyncOpenAI(
                api_key=_secret(settings.openai_api_key),
                base_url=settings.openai_base_url or OPENAI_BASE_URL,
                **_limits(settings),
            )
        case "compatible":
            key = _secret(settings.compatible_api_key)
            return AsyncOpenAI(
                api_key=key or "none",
                base_url=settings.compatible_base_url,
                default_headers=_OPENAI_ONLY_HEADERS,
                **_limits(settings, [] if key else [_send_no_key]),
            )
        case "azure":
            return _create_azure_connection(settings)
        case "offline":
            raise ConfigError("MODEL_PROVIDER", "the built-in model has no connection")


def build_provider_client(settings: Settings, connection: AsyncOpenAI) -> BaseChatClient[Any]:
    """Return a chat client of the configured provider that speaks through `connection`."""
    invocation = build_invocation_limits(settings)
    match settings.provider:
        case "openai":
            return ResponsesChatClient(
                model=settings.openai_model, async_client=connection, function_invocation_configuration=invocation
            )
        case "azure" if settings.azure_openai_api == "responses":
            return ResponsesChatClient(
                model=settings.azure_openai_model,
                async_client=connection,
                function_invocation_configuration=invocation,
            )
        case "azure":
            model = settings.azure_openai_model
        case _:
            model = settings.compatible_model
    return ChatCompletionsChatClient(model=model, async_client=connection, function_invocation_configuration=invocation)


def build_invocation_limits(settings: Settings) -> FunctionInvocationConfiguration:
    """Return the bounds of the tool loop."""
    return {
        # After its last round the loop asks once more, without tools, for a closing answer.
        "max_iterations": max(1, settings.model_max_round_trips - 1),
        "max_function_calls": settings.model_max_tool_calls,
        # An exception's text may hold secrets; models repeat what they read.
        "include_detailed_errors": False,
    }


def _create_azure_connection(settings: Settings) -> AsyncOpenAI:
    # People copy the endpoint from several places of the portal; all of them mean the resource.
    endpoint = (settings.azure_openai_endpoint or "").rstrip("/").removesuffix("/v1").removesuffix("/openai")
    key = _secret(settings.azure_openai_api_key)
    credentials: dict[str, Any] = {"api_key": key} if key else {"azure_ad_token_provider": _load_azure_identity()}
    if settings.azure_openai_api == "responses":
        address: dict[str, Any] = {"base_url": f"{endpoint}/openai/v1/"}
        version = settings.azure_openai_api_version or AZURE_RESPONSES_API_VERSION
    else:
        address = {"azure_endpoint": endpoint, "azure_deployment": settings.azure_openai_model}
        version = settings.azure_openai_api_version or AZURE_CHAT_API_VERSION
    return AsyncAzureOpenAI(
        api_version=version, default_headers=_OPENAI_ONLY_HEADERS, **credentials, **address, **_limits(settings)
    )


def _load_azure_identity() -> Callable[[], Awaitable[str]]:
    """Return a function that gets a token of the machine's Azure identity.

    Raises:
        ConfigError: When the extra is not installed.
    """
    try:
        identity = importlib.import_module("azure.identity")
    except ImportError as exc:
        raise ConfigError(
            "AZURE_OPENAI_API_KEY",
            "is not set, and the machine's Azure identity needs the extra: pip install 'parlor[azure]'",
        ) from exc
    # The synchronous one, in a thread: the asynchronous one would need aiohttp. It keeps the token until it expires.
    get_token = identity.get_bearer_token_provider(identity.DefaultAzureCredential(), AZURE_TOKEN_SCOPE)

    async def token() -> str:
        try:
            async with asyncio.timeout(AZURE_TOKEN_TIMEOUT_S):
                return cast("str", await asyncio.to_thread(get_token))
        except Exception as exc:
            raise build_model_error("model.refused_key") from exc

    return token


def _limits(settings: Settings, request_hooks: Sequence[Callable[[Any], Awaitable[None]]] = ()) -> dict[str, Any]:
    """Return the arguments that bound every call: timeouts per step, and retries before the first byte."""
    timeout = Timeout(
        connect=settings.model_connect_timeout_s,
        read=settings.model_timeout_s,  # from byte to byte, and so also the longest silence within an answer
        write=settings.model_timeout_s,
        pool=settings.model_connect_timeout_s,
    )
    return {
        "timeout": timeout,
        "max_retries": settings.model_max_retries,
        "http_client": DefaultAsyncHttpx2Client(
            timeout=timeout, event_hooks={"request": list(request_hooks), "response": [_refuse_long_wait]}
        ),
    }


async def _send_no_key(request: Any) -> None:
    """Take away the placeholder that the SDK insists on where a server wants no key."""
    request.headers.pop("authorization", None)


async def _refuse_long_wait(response: Any) -> None:
    """Tell the SDK, in the header it obeys, not to sleep for minutes while a person looks at an empty answer."""
    if _retry_after_s(response.headers.get("retry-after")) > LONGEST_RETRY_AFTER_S:
        response.headers["x-should-retry"] = "false"


def _retry_after_s(value: str | None) -> float:
    """Return a Retry-After header in seconds, 0 when there is none. Source: RFC 9110, 10.2.3."""
    if not value:
        return 0
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None


def _whole(
    answer: Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]],
) -> Awaitable[ChatResponse[Any]] | Updates:
    return require_whole_stream(answer) if isinstance(answer, ResponseStream) else require_whole_response(answer)
