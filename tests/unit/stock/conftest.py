"""Services with a scripted model, and servers written for ChatKit that are bound to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from context import Services
from stock_server import StockServer
from tests.unit.harness import Chat
from tests.unit.scripted_model import ScriptedModel
from tests.unit.services_for_tests import open_services


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    async with open_services(tmp_path, model) as opened:
        yield opened


@pytest.fixture
def talk_to(services: Services) -> Callable[..., Chat]:
    """Return a chat with a server as the platform takes it."""

    def bind(make: Any, **options: Any) -> Chat:
        server = StockServer(make, **options)
        server.bind(services)
        return Chat(server)

    return bind
