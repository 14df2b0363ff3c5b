"""Actions of weather widgets: each replaces the clicked widget, without the model."""

from __future__ import annotations

from base_server import action
from context import ActionTurn
from errors import ConflictError
from use_cases.weather.forecasts import Forecasts
from use_cases.weather.sentences import describe_cities, describe_current, describe_forecast
from use_cases.weather.views import PICK_CITY, REFRESH, SHOW_CITIES, SHOW_FORECAST, SWITCH_UNITS, CityList, WeatherView
from use_cases.weather.widgets import CITIES_IN_LIST, build_cities_widget, build_weather_widget


class WeatherActions:
    """The action handlers, a mixin for a server that has `forecasts`."""

    forecasts: Forecasts

    @action(PICK_CITY)
    async def handle_pick_city(self, payload: WeatherView, turn: ActionTurn) -> None:
        """Show the current conditions of a city."""
        await self._show(payload, turn)

    @action(SHOW_FORECAST)
    async def handle_forecast(self, payload: WeatherView, turn: ActionTurn) -> None:
        """Show the coming days of the same city."""
        await self._show(payload, turn)

    @action(SWITCH_UNITS)
    async def handle_units(self, payload: WeatherView, turn: ActionTurn) -> None:
        """Show the same view in the other units."""
        await self._show(payload, turn)

    @action(REFRESH)
    async def handle_refresh(self, payload: WeatherView, turn: ActionTurn) -> None:
        """Show the same view with current data."""
        await self._show(payload, turn, is_refresh=True)

    @action(SHOW_CITIES)
    async def handle_cities(self, payload: CityList, turn: ActionTurn) -> None:
        """Go back to the selector that the city was picked from."""
        cities = await self.forecasts.list_cities(payload.country, payload.query, CITIES_IN_LIST)
        if not cities:
            raise ConflictError("This list of cities is empty now.", code="weather.no_cities")
        turn.replace(
            build_cities_widget(cities, payload, self.forecasts.now()),
            copy_text=describe_cities(payload.heading, cities),
        )

    async def _show(self, view: WeatherView, turn: ActionTurn, *, is_refresh: bool = False) -> None:
        report = await self.forecasts.report(view.city, is_refresh=is_refresh)
        now = self.forecasts.now()
        if view.view == "forecast":
            text = describe_forecast(report, view.days, view.units, now)
        else:
            text = describe_current(report, view.units, now)
        turn.replace(build_weather_widget(report, view, now), copy_text=text)
