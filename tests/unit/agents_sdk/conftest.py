"""A chat whose server returns the test's agent, on a scripted model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agents import Agent

from base_server import BaseChatKitServer
from context import Services, Turn
from tests.unit.harness import Chat
from tests.unit.scripted_model import ScriptedModel
from tests.unit.services_for_tests import open_services


class SDKServer(BaseChatKitServer):
    """Returns `returned` from `get_agent`; if it is a function, its result for the turn."""

    returned: Any = None

    def get_agent(self, turn: Turn) -> Any:
        return self.returned(turn) if callable(self.returned) else self.returned


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    async with open_services(tmp_path, model) as opened:
        yield opened


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(SDKServer(services))


@pytest.fixture
def answer_with(chat: Chat) -> Callable[..., Agent[Any]]:
    """Return a function that sets the agent for all further answers, restarts included."""

    def answer(**properties: Any) -> Agent[Any]:
        assert isinstance(chat.server, SDKServer)
        agent = Agent[Any](**{"name": "desk", **properties})
        chat.server.returned = agent
        return agent

    return answer


@pytest.fixture
def restart(chat: Chat) -> Callable[[], None]:
    """Return a function that replaces the server with a new one, as a restart does."""

    def start_again() -> None:
        assert isinstance(chat.server, SDKServer)
        returned = chat.server.returned
        chat.server = SDKServer(chat.server.services)
        chat.server.returned = returned

    return start_again
