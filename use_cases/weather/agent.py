"""The weather agent: its instructions and its tools."""

from __future__ import annotations

from typing import Any

from agent_framework import Agent, BaseChatClient, FunctionInvocationContext, tool

from context import Turn, turn_of
from errors import UnavailableError
from use_cases.weather.conditions import MAX_DAYS, Units
from use_cases.weather.forecasts import Forecasts
from use_cases.weather.places.cities import MAX_QUERY_CHARS, City, CitySearch
from use_cases.weather.sentences import (
    describe_cities,
    describe_current,
    describe_forecast,
    describe_time,
    explain_search,
)
from use_cases.weather.views import CityList, WeatherView
from use_cases.weather.widgets import CITIES_IN_LIST, build_cities_widget, build_weather_widget

INSTRUCTIONS = """\
You are a friendly weather assistant. Answer in the language of the person.

- Never state weather, local times or temperatures from memory: call the tools, once per city, side by side.
- The tools show the numbers in a widget, so sum up in one or two sentences and answer what was asked
  ("take an umbrella"); do not repeat the table.
- When a tool's answer says "sample data", say so too: those numbers are made up.
- When a city is unknown or there are several of that name, ask which one is meant, with the suggestions of the tool.
- When the person sends a picture, describe what you see in it; if it shows weather or a place, relate to that.
- For anything else, say kindly that you know about weather, local times and cities.
"""


class WeatherTools:
    """The tools of the agent. Each shows a widget in the chat and returns text that a person can read, too."""

    def __init__(self, forecasts: Forecasts) -> None:
        self._forecasts = forecasts

    def all(self) -> list[Any]:
        """Return all tools, for an agent."""
        return [self.get_current_weather, self.get_forecast, self.get_local_time, self.list_cities]

    @tool(additional_properties={"title": "Look up the weather", "icon": "globe"})
    async def get_current_weather(  # noqa: D417 -- the model does not see ctx
        self, city: str, ctx: FunctionInvocationContext, units: Units | None = None
    ) -> str:
        """Look up the weather of a city right now, and show it. Call this before any statement about it.

        Args:
            city: The place as the person wrote it, with country or state if they said one, e.g. "Zürich", "Paris, TX".
            units: "celsius" or "fahrenheit", only if the person asked for one.
        """
        return await self._show_weather(turn_of(ctx), city, units, days=None)

    @tool(additional_properties={"title": "Look up the forecast", "icon": "calendar"})
    async def get_forecast(  # noqa: D417
        self, city: str, ctx: FunctionInvocationContext, days: int = 5, units: Units | None = None
    ) -> str:
        """Look up the weather to come in a city, and show it. Call this before any statement about future weather.

        Args:
            city: The place as the person wrote it, with country or state if they said one, e.g. "Zürich", "Paris, TX".
            days: How many days, today included: 1 is today only, 2 reaches tomorrow, 7 is the most.
            units: "celsius" or "fahrenheit", only if the person asked for one.
        """
        wanted = min(max(days, 1), MAX_DAYS)
        answer = await self._show_weather(turn_of(ctx), city, units, days=wanted)
        if days > MAX_DAYS:
            return f"I can look at most {MAX_DAYS} days ahead. {answer}"
        return answer

    @tool(additional_properties={"title": "Look at the clock", "icon": "clock"})
    async def get_local_time(self, city: str, ctx: FunctionInvocationContext) -> str:  # noqa: D417
        """Tell what time and date it is in a city now.

        Args:
            city: The place as the person wrote it, with country or state if they said one, e.g. "Tokyo".
        """
        try:
            search = await self._forecasts.find_city(city)
        except UnavailableError as exc:
            return exc.message
        if search.city is None:
            return self._ask_which(turn_of(ctx), search, self._forecasts.settings.units)
        return describe_time(search.city, self._forecasts.now())

    @tool(additional_properties={"title": "List cities", "icon": "map-pin"})
    async def list_cities(  # noqa: D417
        self, ctx: FunctionInvocationContext, country: str | None = None, query: str | None = None
    ) -> str:
        """Show a list of cities to pick from. Without arguments: well-known cities from all over the world.

        Args:
            country: A country or a US state, e.g. "Switzerland", "Texas". Its largest cities are shown.
            query: A part of the cities' names, e.g. "spring".
        """
        turn = turn_of(ctx)
        listing = CityList(
            country=(country or "").strip()[:MAX_QUERY_CHARS] or None,
            query=(query or "").strip()[:MAX_QUERY_CHARS] or None,
            units=self._forecasts.settings.units,
        )
        cities = await self._forecasts.list_cities(listing.country, listing.query, CITIES_IN_LIST)
        if not cities:
            wish = " in ".join(f"“{part}”" for part in (listing.query, listing.country) if part)
            return f"I know no cities for {wish}. Please give a country such as “Japan”, or a part of a city's name."
        text = describe_cities(listing.heading, cities)
        turn.widget(build_cities_widget(cities, listing, self._forecasts.now()), copy_text=text)
        return text

    async def _show_weather(self, turn: Turn, name: str, units: Units | None, days: int | None) -> str:
        chosen = units or self._forecasts.settings.units
        turn.progress(f"Looking up the weather in {name[:MAX_QUERY_CHARS]}", icon="globe")
        try:
            search = await self._forecasts.find_city(name)
            if search.city is None:
                return self._ask_which(turn, search, chosen)
            report = await self._forecasts.report(search.city)
        except UnavailableError as exc:
            return exc.message
        now = self._forecasts.now()
        view = _build_view(search.city, chosen, days)
        text = describe_current(report, chosen, now) if days is None else describe_forecast(report, days, chosen, now)
        turn.widget(build_weather_widget(report, view, now), copy_text=text)
        return text

    def _ask_which(self, turn: Turn, search: CitySearch, units: Units) -> str:
        """Show the suggestions of a search as a selector, and return them as text."""
        text = explain_search(search)
        if search.suggestions:
            question = "Which one do you mean?" if search.is_ambiguous else "Did you mean one of these?"
            widget = build_cities_widget(search.suggestions, CityList(units=units), self._forecasts.now(), question)
            turn.widget(widget, copy_text=text)
        return text


def build_agent(client: BaseChatClient[Any], forecasts: Forecasts) -> Agent[Any]:
    """Return the weather agent, which has no state and can serve concurrent answers."""
    return Agent(client, INSTRUCTIONS, name="weather", tools=WeatherTools(forecasts).all())


def _build_view(city: City, units: Units, days: int | None) -> WeatherView:
    if days is None:
        return WeatherView(city=city, units=units)
    return WeatherView(view="forecast", city=city, units=units, days=days)
