"""The weather as a use case: its description, and the server that combines agent and actions."""

from __future__ import annotations

from typing import Any

import httpx
from agent_framework import Agent

from base_server import BaseChatKitServer
from context import Services, Turn
from plugins import Composer, Prompt, UseCase, hookimpl
from use_cases.weather.actions import WeatherActions
from use_cases.weather.agent import build_agent
from use_cases.weather.forecasts import Forecasts
from use_cases.weather.phrases import OFFLINE_PHRASES
from use_cases.weather.places.city_lookup import LIST_TIMEOUT_S
from use_cases.weather.samples import build_sample_widgets
from use_cases.weather.settings import WeatherSettings, load_weather_settings


class WeatherServer(WeatherActions, BaseChatKitServer):
    """Answers about the weather.

    Args:
        services: The platform's services.
        settings: The variables of the use case.
        transport: Replaces the network, for tests.
        list_timeout_s: Time limit of a lookup in the list of cities, in seconds.
    """

    def __init__(
        self,
        services: Services,
        settings: WeatherSettings,
        transport: httpx.AsyncBaseTransport | None = None,
        list_timeout_s: float = LIST_TIMEOUT_S,
    ) -> None:
        super().__init__(services, offline=OFFLINE_PHRASES)
        cache_dir = services.settings.data_dir / "cache"
        self.forecasts = Forecasts(settings, cache_dir, transport=transport, list_timeout_s=list_timeout_s)
        self._agent = build_agent(self.chat_client, self.forecasts)

    def get_agent(self, turn: Turn) -> Agent[Any]:
        """Return the shared agent, which keeps no state between answers."""
        return self._agent

    async def open(self) -> None:
        """Start opening the list of cities, and create the client of the weather service."""
        await self.forecasts.open()

    async def close(self) -> None:
        """Close the connections."""
        await self.forecasts.close()


@hookimpl
def register_use_case(services: Services) -> UseCase:
    """Offer the weather.

    Raises:
        ConfigError: When a variable that begins with `WEATHER_` is invalid.
    """
    return UseCase(
        name="weather",
        title="Weather",
        description="Current conditions, forecasts and local times of cities all over the world.",
        icon="globe",
        greeting="How is the weather?",
        prompts=(
            Prompt("Weather right now", "What's the weather like in Bern?", icon="compass"),
            Prompt("The days to come", "5-day forecast for Paris", icon="calendar"),
            Prompt("Pick a city", "Show me cities around the world", icon="map-pin"),
            Prompt("Local time", "What time is it in Tokyo?", icon="clock"),
        ),
        composer=Composer(placeholder="Ask about the weather in any city", attachments={"enabled": True}),
        server=WeatherServer(services, load_weather_settings()),
        sample_widgets=build_sample_widgets,
    )
