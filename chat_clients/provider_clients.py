"""Chat clients of OpenAI (Responses), Azure OpenAI, and servers compatible with Chat Completions."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

from agent_framework import BaseChatClient, FunctionInvocationConfiguration

from chat_clients.failures import build_model_error
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from chat_clients.refusal_memory import RefusalMemory
from config import Settings
from errors import ConfigError

OPENAI_BASE_URL = "https://api.openai.com/v1"
AZURE_CHAT_API_VERSION = "2024-12-01-preview"
AZURE_RESPONSES_API_VERSION = "preview"
AZURE_TOKEN_SCOPE = "https://cognitiveservices.azure.com/.default"  # noqa: S105  # a scope, not a secret
AZURE_TOKEN_TIMEOUT_S = 30.0

_RESPONSES_PATH = "/responses"
_COMPLETIONS_PATH = "/chat/completions"


def create_connection(settings: Settings) -> ProviderConnection:
    """Return a connection to the configured provider, which the caller closes.

    Raises:
        ConfigError: When the provider lacks a variable, is `offline`, or needs an extra that is not installed.
    """
    match settings.provider:
        case "openai":
            base_url = settings.openai_base_url or OPENAI_BASE_URL
            return ProviderConnection(
                base_url, headers=_auth_headers(settings.openai_api_key), **_connection_limits(settings)
            )
        case "compatible":
            base_url = settings.compatible_base_url or ""
            return ProviderConnection(
                base_url, headers=_auth_headers(settings.compatible_api_key), **_connection_limits(settings)
            )
        case "azure":
            return _create_azure_connection(settings)
        case "offline":
            raise ConfigError("MODEL_PROVIDER", "the built-in model has no connection")


def build_provider_client(
    settings: Settings, connection: ProviderConnection, memory: RefusalMemory | None = None
) -> BaseChatClient[Any]:
    """Return a chat client of the configured provider that uses `connection`.

    Args:
        settings: Every variable.
        connection: The connection to the provider; shared, and closed by the caller.
        memory: The memory of refusals, which all clients of a process share.
    """
    invocation = build_invocation_limits(settings)
    match settings.provider:
        case "openai":
            return ResponsesChatClient(
                connection=connection,
                memory=memory,
                model=settings.openai_model,
                path=_RESPONSES_PATH,
                function_invocation_configuration=invocation,
            )
        case "azure":
            is_responses = settings.azure_openai_api == "responses"
            client = ResponsesChatClient if is_responses else CompletionsChatClient
            return client(
                connection=connection,
                memory=memory,
                model=settings.azure_openai_model or "",
                # Chat completions have an address per deployment; Responses take it from the body.
                path=_RESPONSES_PATH if is_responses else f"/deployments/{{model}}{_COMPLETIONS_PATH}",
                provider_name="azure.ai.openai",
                function_invocation_configuration=invocation,
            )
        case _:
            return CompletionsChatClient(
                connection=connection,
                memory=memory,
                model=settings.compatible_model or "",
                path=_COMPLETIONS_PATH,
                # OpenAI's former name of the field, which all servers know; some, such as Ollama, ignore the new one.
                max_tokens_name="max_tokens",
                ends_with_person=True,
                function_invocation_configuration=invocation,
            )


def build_invocation_limits(settings: Settings) -> FunctionInvocationConfiguration:
    """Return the limits of the tool loop."""
    return {
        # After its last round the loop asks once more, without tools, for a closing answer.
        "max_iterations": max(1, settings.model_max_round_trips - 1),
        "max_function_calls": settings.model_max_tool_calls,
        # The text of an exception may contain secrets, and models repeat what they read.
        "include_detailed_errors": False,
    }


def _create_azure_connection(settings: Settings) -> ProviderConnection:
    # People copy the endpoint from various pages of the portal; all forms mean the resource.
    endpoint = (settings.azure_openai_endpoint or "").rstrip("/").removesuffix("/v1").removesuffix("/openai")
    key = _secret_value(settings.azure_openai_api_key)
    credentials: dict[str, Any] = {"headers": {"api-key": key}} if key else {"token": _load_azure_identity()}
    if settings.azure_openai_api == "responses":
        base_url, version = f"{endpoint}/openai/v1", AZURE_RESPONSES_API_VERSION
    else:
        base_url, version = f"{endpoint}/openai", AZURE_CHAT_API_VERSION
    params = {"api-version": settings.azure_openai_api_version or version}
    return ProviderConnection(base_url, params=params, **credentials, **_connection_limits(settings))


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
    # Synchronous, in a thread, since the asynchronous one would need aiohttp. It caches the token until it expires.
    get_token = identity.get_bearer_token_provider(identity.DefaultAzureCredential(), AZURE_TOKEN_SCOPE)

    async def token() -> str:
        try:
            async with asyncio.timeout(AZURE_TOKEN_TIMEOUT_S):
                return cast("str", await asyncio.to_thread(get_token))
        except Exception as exc:
            raise build_model_error("model.refused_key") from exc

    return token


def _connection_limits(settings: Settings) -> dict[str, Any]:
    """Return the timeouts and the number of retries of a connection, as its arguments."""
    return {
        "connect_timeout_s": settings.model_connect_timeout_s,
        "timeout_s": settings.model_timeout_s,
        "first_timeout_s": settings.model_first_timeout_s,
        "max_retries": settings.model_max_retries,
    }


def _auth_headers(key: Any) -> dict[str, str]:
    """Return the header with an API key; no header without a key."""
    return {"authorization": f"Bearer {secret}"} if (secret := _secret_value(key)) else {}


def _secret_value(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None
