"""The use case for benchmarks: an agent with instructions and nothing else."""

from __future__ import annotations

from typing import Any

from agent_framework import Agent

from base_server import BaseChatKitServer
from context import Services, Turn
from plugins import UseCase, hookimpl


class BenchServer(BaseChatKitServer):
    """Relays the model."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._agent = Agent(self.chat_client, "Answer.")

    def get_agent(self, turn: Turn) -> Agent[Any]:
        """Return the shared agent."""
        return self._agent


@hookimpl
def register_use_case(services: Services) -> UseCase:
    """Offer the use case for benchmarks."""
    return UseCase(name="bench", title="Bench", server=BenchServer(services))
