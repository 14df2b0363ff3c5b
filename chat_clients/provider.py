"""Chat clients of the configured provider, and the connection that they share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from agent_framework import BaseChatClient

from chat_clients.failures import build_model_error, explain_model_failure
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.offline.model import OfflineChatClient
from chat_clients.offline.phrases import PhraseBook
from chat_clients.provider_clients import build_invocation_limits, build_provider_client, create_connection
from chat_clients.refusal_memory import RefusalMemory
from config import Settings
from errors import ModelError

if TYPE_CHECKING:
    from chat_clients.offline.offline_phrase import OfflinePhrase

PROBE_TIMEOUT_S = 10.0
"""Longest wait for the provider in `ChatClients.find_problem`."""

# Providers recognise the format by the extension of the file's name.
_FILE_EXTENSIONS = {
    "audio/webm": "webm",
    "audio/mp4": "mp4",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
}


class ChatClients:
    """Makes the chat clients of one process, which share one pool of connections to the provider.

    Creating it does no I/O. Close it when no agent runs any more.

    Raises:
        ConfigError: When the provider cannot be used as it is configured; the message names the variable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._memory = build_refusal_memory(settings)
        self._connection = None if settings.provider == "offline" else create_connection(settings)

    def make(self, offline: Sequence[OfflinePhrase] = ()) -> BaseChatClient[Any]:
        """Return a chat client, ready to be given to an `Agent`.

        Args:
            offline: The phrasings that the built-in model understands when no provider is configured.

        Raises:
            ValueError: When a phrase cannot work; the message names it.
        """
        return build_chat_client(self._settings, offline, connection=self._connection, memory=self._memory)

    @property
    def can_transcribe(self) -> bool:
        """Whether the provider can transcribe speech."""
        return self._connection is not None and self._settings.resolved_transcription_model is not None

    @property
    def takes_pdf(self) -> bool:
        """Whether the provider reads PDF documents; others would refuse or ignore them."""
        is_responses = self._settings.provider == "azure" and self._settings.azure_openai_api == "responses"
        return self._settings.is_openai or is_responses

    async def transcribe(self, audio: bytes, media_type: str) -> str:
        """Return the transcript of a recording.

        Args:
            audio: A recording, as the browser made it.
            media_type: E.g. ``"audio/webm"``.

        Raises:
            ModelError: When the provider cannot be reached or refuses.
        """
        model = self._settings.resolved_transcription_model
        if self._connection is None or model is None:
            raise build_model_error("model.not_found")
        path = "/audio/transcriptions"
        if self._settings.provider == "azure" and self._settings.azure_openai_api == "chat":
            path = f"/deployments/{quote(model, safe='')}{path}"
        name = f"speech.{_FILE_EXTENSIONS.get(media_type, 'webm')}"
        try:
            answer = await self._connection.post_file(path, (name, audio, media_type), {"model": model})
        except Exception as exc:
            failure = explain_model_failure(exc)
            raise (build_model_error(failure.code, model=model)) from exc
        text = answer.get("text")
        return text.strip() if isinstance(text, str) else ""

    async def find_problem(self) -> str | None:
        """Return why the provider cannot be used at the moment; None if it can, or if there is none.

        The provider is asked for the list of its models, which costs nothing; a server without such a list is fine.
        """
        if self._connection is None:
            return None
        address = httpx.URL(self._connection.base_url).copy_with(userinfo=b"", query=None)
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                status = await self._connection.get_status("/models")
        except (httpx.TransportError, TimeoutError) as exc:
            return f"{address} cannot be reached: {exc or 'it does not answer in time'}"
        except ModelError as exc:
            return str(exc)
        if status in (401, 403):
            return f"{address} refuses the key (status {status})"
        return f"{address} is in trouble (status {status})" if status >= 500 else None

    async def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        if self._connection is not None:
            await self._connection.close()


def build_chat_client(
    settings: Settings,
    offline: Sequence[OfflinePhrase] = (),
    *,
    connection: ProviderConnection | None = None,
    memory: RefusalMemory | None = None,
) -> BaseChatClient[Any]:
    """Return a chat client of the provider that `settings` choose.

    Args:
        settings: Every variable.
        offline: The phrasings that the built-in model understands when no provider is configured.
        connection: The connection to the provider, shared and closed by the caller. Without one, the client gets its
            own, which the caller closes by ``await client.connection.close()``; right in a script, costly in a server.
        memory: The memory of the provider's refusals; None for an empty one.

    Raises:
        ConfigError: When the provider cannot be used as it is configured.
        ValueError: When a phrase cannot work; the message names it.
    """
    # Checked with every provider, so that a broken phrase is found before the day on which there is no model.
    PhraseBook(offline)
    if settings.provider == "offline":
        return OfflineChatClient(
            phrases=offline,
            token_delay_ms=settings.offline_token_delay_ms,
            is_chosen=settings.model_provider == "offline",
            function_invocation_configuration=build_invocation_limits(settings),
        )
    connection = connection or create_connection(settings)
    return build_provider_client(settings, connection, memory or build_refusal_memory(settings))


def build_refusal_memory(settings: Settings) -> RefusalMemory:
    """Return a memory with the limits of models that the settings declare."""
    memory = RefusalMemory()
    if settings.provider == "compatible" and settings.compatible_vision == "no":
        memory.model_limits(settings.compatible_model or "").takes_pictures = False
    return memory
