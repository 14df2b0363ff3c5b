"""Services with a scripted model, and servers written for ChatKit that are bound to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from agent_framework import ChatResponse, ChatResponseUpdate, Message, ResponseStream

from context import Services
from stock_server import StockServer
from tests.unit.harness import Chat
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services


class DeskModel(ScriptedModel):
    """Plays the script, and answers requests for titles separately."""

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        if messages[0].text == "Write a title.":
            player = ScriptedModel(turns=[says("Greetings")])
            return player._inner_get_response(messages=messages, stream=stream, options=options, **kwargs)
        return super()._inner_get_response(messages=messages, stream=stream, options=options, **kwargs)


@pytest.fixture
def model() -> ScriptedModel:
    return DeskModel()


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    async with open_services(tmp_path, model) as opened:
        yield opened


@pytest.fixture
def talk_to(services: Services) -> Callable[..., Chat]:
    """Return a function that opens a chat with a stock server, bound to the platform."""

    def bind(make: Any, user: str = "user_a", **options: Any) -> Chat:
        server: Any = StockServer(make, **options)
        server.bind(services)
        return Chat(server, user)

    return bind
