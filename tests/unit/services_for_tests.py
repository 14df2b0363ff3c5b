"""Real services on a new SQLite file, with a scripted model in the place of a provider's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine

from attachments import create_attachment_store
from chat_clients.failures import explain_model_failure
from chat_clients.provider import ChatClients
from config import Settings
from context import Services
from database import Base, Database
from files.file_urls import FileURLs
from files.object_store import ObjectStore, open_object_store
from runs.registry import Runs
from storage.file_records import CLAIM_LIFE, FileRecords
from store import ParlorStore
from streaming.answers.tool_guard import with_tool_guard
from tests.unit.provider_stub import ProviderStub, Responses
from tests.unit.scripted_model import ScriptedModel

_FILES_WITH_TABLES: dict[tuple[MetaData, ...], bytes] = {}


def copy_empty_database(path: Path, *metadata: MetaData) -> None:
    """Create a database with empty tables unless it exists, by a copy, which takes a tenth of the time."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if metadata not in _FILES_WITH_TABLES:
        engine = create_engine(f"sqlite:///{path}")
        for each in metadata:
            each.create_all(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        engine.dispose()
        _FILES_WITH_TABLES[metadata] = path.read_bytes()
    path.write_bytes(_FILES_WITH_TABLES[metadata])


@asynccontextmanager
async def open_services(
    folder: Path,
    model: Any = None,
    *tables: MetaData,
    settings: dict[str, Any] | None = None,
    database_url: str | None = None,
    takes_pdf: bool = False,
    wrap_objects: Callable[[ObjectStore], Any] = lambda objects: objects,
    claim_life: timedelta = CLAIM_LIFE,
) -> AsyncIterator[Services]:
    """Open the platform's services, with `model` as the chat client of every use case.

    Args:
        folder: The data folder.
        model: The chat client; None for a new `ScriptedModel`.
        tables: Tables of use cases.
        settings: Further settings.
        database_url: An empty database; None for a SQLite file in the folder.
        takes_pdf: Whether the provider reads PDF documents.
        wrap_objects: Returns the store to use in the place of the object store for files.
        claim_life: How long an upload claims its file after its last renewal.
    """
    known = Settings(_env_file=None, data_dir=folder, **{"model_provider": "offline", **(settings or {})})  # type: ignore[call-arg]
    if database_url is None:
        copy_empty_database(folder / "test.db", Base.metadata, *tables)
    database = Database(database_url or f"sqlite+aiosqlite:///{folder / 'test.db'}")
    await database.create_tables(Base.metadata, *tables)
    store = ParlorStore(database)
    client = model if model is not None else ScriptedModel()
    try:
        objects = open_object_store(known.storage_url, known.data_dir / "attachments", known.storage_keys)
        attachments = create_attachment_store(
            known,
            database,
            FileURLs(lambda: b"k" * 32),
            objects=wrap_objects(objects),
            records=FileRecords(database, claim_life),
        )
        yield Services(
            settings=known,
            database=database,
            store=store,
            attachments=attachments,
            chat_client=lambda offline=(): with_tool_guard(client, known.tool_timeout_s),
            explain_model_failure=explain_model_failure,
            runs=Runs.from_settings(known),
            takes_pdf=takes_pdf,
        )
    finally:
        await database.close()


@asynccontextmanager
async def open_services_with_provider(
    stub: ProviderStub, protocol: Any, folder: Path, **settings: Any
) -> AsyncIterator[Services]:
    """Open the platform's services with the provider `stub`, which is used by `protocol`."""
    if protocol is Responses:
        address = {"model_provider": "openai", "openai_base_url": stub.url, "openai_model": "m", "openai_api_key": "k"}
    else:
        address = {"model_provider": "compatible", "compatible_base_url": stub.url, "compatible_model": "m"}
    variables: dict[str, Any] = {"thread_titles": "first_message", "model_max_retries": 0, **address, **settings}
    clients = ChatClients(Settings(_env_file=None, **variables))
    async with open_services(folder, clients.make(), settings=variables) as opened:
        yield opened
    await clients.close()
