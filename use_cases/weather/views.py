"""Views: the state of a widget. Its actions carry it as their payload, since the server does not store it."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from use_cases.weather.conditions import MAX_DAYS, Units
from use_cases.weather.places.cities import MAX_QUERY_CHARS, City

PICK_CITY = "weather.pick_city"
REFRESH = "weather.refresh"
SWITCH_UNITS = "weather.units"
SHOW_FORECAST = "weather.forecast"
SHOW_CITIES = "weather.cities"


class CityList(BaseModel):
    """The query for the cities of a selector, and the units for the city that is picked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str | None = Field(None, max_length=MAX_QUERY_CHARS)
    query: str | None = Field(None, max_length=MAX_QUERY_CHARS)
    units: Units

    @property
    def heading(self) -> str:
        """The selector's title."""
        within = f" in {self.country}" if self.country else ""
        if self.query:
            return f"Cities like “{self.query}”{within}"
        return f"Cities{within}" if within else "Cities around the world"


class WeatherView(BaseModel):
    """The state of a weather widget, without the weather itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    view: Literal["current", "forecast"] = "current"
    city: City
    units: Units
    days: int = Field(MAX_DAYS, ge=1, le=MAX_DAYS)
    picked_from: CityList | None = None

    def with_changes(self, **changes: Any) -> Self:
        """Return this view with some of its fields changed."""
        return self.model_copy(update=changes)
