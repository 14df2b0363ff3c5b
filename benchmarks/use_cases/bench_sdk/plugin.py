"""The use case for the comparison with a stock ChatKit server: an Agents SDK agent with instructions and nothing else."""

from __future__ import annotations

from typing import Any

from agents import Agent

from base_server import BaseChatKitServer
from context import Services, Turn
from plugins import UseCase, hookimpl


class BenchServer(BaseChatKitServer):
    """Relays the model."""

    agent = Agent[Any](name="bench", instructions="Answer.")

    def get_agent(self, turn: Turn) -> Any:
        """Return the shared agent."""
        return self.agent


@hookimpl
def register_use_case(services: Services) -> UseCase:
    """Offer the use case of the Agents SDK for benchmarks."""
    return UseCase(name="bench_sdk", title="Bench of the Agents SDK", server=BenchServer(services))
