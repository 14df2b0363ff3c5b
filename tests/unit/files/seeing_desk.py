"""An application with a model provider that records the requests, to see which files reach the model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from base_server import BaseChatKitServer
from chat_clients.provider import ChatClients
from config import Settings
from context import Services
from tests.unit.files.file_desk import Desk, Person, open_desk
from tests.unit.provider_stub import Chat, ProviderStub, Responses

PROVIDERS: dict[str, tuple[Any, dict[str, str]]] = {
    "openai": (Responses, {"openai_api_key": "k"}),
    "compatible": (Chat, {"compatible_model": "seeing"}),
}


@dataclass(frozen=True, slots=True)
class SeeingDesk:
    """The application, somebody in it, and the provider with its protocol."""

    desk: Desk
    ada: Person
    stub: ProviderStub
    protocol: Any


@asynccontextmanager
async def open_seeing_desk(
    folder: Path, provider: str, server: Callable[[Services], BaseChatKitServer], tables: Iterable[MetaData] = ()
) -> AsyncIterator[SeeingDesk]:
    """Open the application with a model of one of `PROVIDERS`."""
    protocol, settings = PROVIDERS[provider]
    async with ProviderStub() as stub:
        address = {f"{provider}_base_url": f"{stub.url}/v1", "thread_titles": "first_message"}
        known: dict[str, Any] = {"model_provider": provider, **settings, **address}
        clients = ChatClients(Settings(_env_file=None, data_dir=folder, **known))
        async with (
            open_desk(folder, server=server, model=clients.make(), tables=tables, **known) as desk,
            desk.person() as ada,
        ):
            yield SeeingDesk(desk, ada, stub, protocol)
        await clients.close()
