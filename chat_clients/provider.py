"""Chat clients of the configured provider, and the connections they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent_framework import BaseChatClient

from chat_clients.http_stream import ProviderConnection
from chat_clients.offline import OfflineChatClient
from chat_clients.openai import build_invocation_limits, build_provider_client, create_connection
from chat_clients.phrases import PhraseBook
from config import Settings

if TYPE_CHECKING:
    from plugins import OfflinePhrase


class ChatClients:
    """Makes the chat clients of one process: they share one pool of connections to the provider.

    Creating it does no I/O. Close it when no agent runs any more.

    Raises:
        ConfigError: When the provider cannot be used as it is configured; the message names the variable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection = None if settings.provider == "offline" else create_connection(settings)

    def make(self, offline: Sequence[OfflinePhrase] = ()) -> BaseChatClient[Any]:
        """Return a chat client, ready to be given to an `Agent`.

        Args:
            offline: The phrasings that the built-in model understands when no provider is configured.

        Raises:
            ValueError: When a phrase cannot work; the message names it.
        """
        return build_chat_client(self._settings, offline, connection=self._connection)

    async def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        if self._connection is not None:
            await self._connection.close()


def build_chat_client(
    settings: Settings, offline: Sequence[OfflinePhrase] = (), *, connection: ProviderConnection | None = None
) -> BaseChatClient[Any]:
    """Return a chat client of the provider that `settings` choose.

    Args:
        settings: Every variable.
        offline: The phrasings that the built-in model understands when no provider is configured.
        connection: To the provider, shared and closed by the caller. Without one, the client gets its own, which the
            caller closes by ``await client.connection.close()``: right for a script, wasteful in a server.

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
    return build_provider_client(settings, connection or create_connection(settings))
