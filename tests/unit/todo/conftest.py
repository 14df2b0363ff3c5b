"""The to-do use case on a real database, answered by the built-in model."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from base_server import BaseChatKitServer
from chat_clients.provider import ChatClients
from database import Database
from tests.unit.services_for_tests import open_services
from use_cases.todo.items import TodoBase, TodoItems
from use_cases.todo.plugin import register_use_case


@pytest.fixture
async def items(any_database: Database) -> TodoItems:
    """The domain, on SQLite and on PostgreSQL."""
    await any_database.create_tables(TodoBase.metadata)
    return TodoItems(any_database)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[BaseChatKitServer]:
    async with open_services(tmp_path, None, TodoBase.metadata, settings={"offline_token_delay_ms": 0}) as services:
        clients = ChatClients(services.settings)
        yield register_use_case(dataclasses.replace(services, chat_client=clients.make)).server


@pytest.fixture
def todo_items(server: BaseChatKitServer) -> TodoItems:
    """Return the to-dos that the server sees."""
    return TodoItems(server.services.database)
