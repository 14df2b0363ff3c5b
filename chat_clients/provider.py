"""Chat clients of the configured provider, and the connections they share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from agent_framework import BaseChatClient

from chat_clients.failures import build_model_error, explain_model_failure
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.learnt import Learnt
from chat_clients.offline.model import OfflineChatClient
from chat_clients.offline.phrases import PhraseBook
from chat_clients.provider_clients import build_invocation_limits, build_provider_client, create_connection
from config import Settings
from errors import ModelError

if TYPE_CHECKING:
    from chat_clients.offline.offline_phrase import OfflinePhrase

PROBE_TIMEOUT_S = 10.0
"""Longest wait for a provider that is asked whether it is there."""

# Providers tell the format by the file's name.
_ENDINGS = {"audio/webm": "webm", "audio/mp4": "mp4", "audio/ogg": "ogg", "audio/wav": "wav", "audio/mpeg": "mp3"}


class ChatClients:
    """Makes the chat clients of one process: they share one pool of connections to the provider.

    Creating it does no I/O. Close it when no agent runs any more.

    Raises:
        ConfigError: When the provider cannot be used as it is configured; the message names the variable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._learnt = build_learnt(settings)
        self._connection = None if settings.provider == "offline" else create_connection(settings)

    def make(self, offline: Sequence[OfflinePhrase] = ()) -> BaseChatClient[Any]:
        """Return a chat client, ready to be given to an `Agent`.

        Args:
            offline: The phrasings that the built-in model understands when no provider is configured.

        Raises:
            ValueError: When a phrase cannot work; the message names it.
        """
        return build_chat_client(self._settings, offline, connection=self._connection, learnt=self._learnt)

    @property
    def can_transcribe(self) -> bool:
        """Whether the provider turns speech into text."""
        return self._connection is not None and self._settings.resolved_transcription_model is not None

    @property
    def takes_pdf(self) -> bool:
        """Whether the provider takes PDF documents as they are; others would refuse them, or see nothing."""
        is_responses = self._settings.provider == "azure" and self._settings.azure_openai_api == "responses"
        return self._settings.provider == "openai" or is_responses

    async def transcribe(self, audio: bytes, media_type: str) -> str:
        """Return the words that are spoken in a recording.

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
        name = f"speech.{_ENDINGS.get(media_type, 'webm')}"
        try:
            answer = await self._connection.post_file(path, (name, audio, media_type), {"model": model})
        except Exception as exc:
            failure = explain_model_failure(exc)
            raise (build_model_error(failure.code, model=model)) from exc
        text = answer.get("text")
        return text.strip() if isinstance(text, str) else ""

    async def find_problem(self) -> str | None:
        """Return why the provider could not be asked now; None when it could, or when there is none to ask.

        It is asked for the list of its models, which costs nothing; a server that has no such list is no problem.
        """
        if self._connection is None:
            return None
        where = httpx.URL(self._connection.base_url).copy_with(userinfo=b"", query=None)
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                status = await self._connection.status_of("/models")
        except (httpx.TransportError, TimeoutError) as exc:
            return f"{where} cannot be reached: {exc or 'it does not answer in time'}"
        except ModelError as exc:
            return str(exc)
        if status in (401, 403):
            return f"{where} refuses the key (status {status})"
        return f"{where} is in trouble (status {status})" if status >= 500 else None

    async def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        if self._connection is not None:
            await self._connection.close()


def build_chat_client(
    settings: Settings,
    offline: Sequence[OfflinePhrase] = (),
    *,
    connection: ProviderConnection | None = None,
    learnt: Learnt | None = None,
) -> BaseChatClient[Any]:
    """Return a chat client of the provider that `settings` choose.

    Args:
        settings: Every variable.
        offline: The phrasings that the built-in model understands when no provider is configured.
        connection: To the provider, shared and closed by the caller. Without one, the client gets its own, which the
            caller closes by ``await client.connection.close()``: right for a script, wasteful in a server.
        learnt: The knowledge about models from the provider's refusals; None for nothing yet.

    Raises:
        ConfigError: When the provider cannot be used as it is configured.
        ValueError: When a phrase cannot work; the message names it.
    """
    # Checked with every provider: a broken phrase should not wait for the day on which there is no model.
    PhraseBook(offline)
    if settings.provider == "offline":
        return OfflineChatClient(
            phrases=offline,
            token_delay_ms=settings.offline_token_delay_ms,
            is_chosen=settings.model_provider == "offline",
            function_invocation_configuration=build_invocation_limits(settings),
        )
    return build_provider_client(settings, connection or create_connection(settings), learnt or build_learnt(settings))


def build_learnt(settings: Settings) -> Learnt:
    """Return the knowledge about models that the settings give, before any model was asked."""
    learnt = Learnt()
    if settings.provider == "compatible" and settings.compatible_vision == "no":
        learnt.of_model(settings.compatible_model or "").takes_pictures = False
    return learnt
