"""Sample widgets of the weather for the previews of widgets: `parlor widgets` and `/dev/widgets`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from use_cases.weather.places.cities import City
from use_cases.weather.sources.samples import build_sample_report
from use_cases.weather.views import CityList, WeatherView
from use_cases.weather.widgets import build_cities_widget, build_weather_widget

_MOMENT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
_BERN = City(2661552, "Bern", "Switzerland", 46.94809, 7.44744, "Europe/Zurich")
_PARIS = City(2988507, "Paris", "France", 48.85341, 2.3488, "Europe/Paris")


def build_sample_widgets() -> dict[str, dict[str, Any]]:
    """Return each of the widgets, with the variants that were opened from a list."""
    report = build_sample_report(_BERN, _MOMENT)
    listing = CityList(units="celsius")
    current = WeatherView(city=_BERN, units="celsius")
    picked = WeatherView(city=_BERN, units="fahrenheit", picked_from=listing)
    return {
        "current": build_weather_widget(report, current, _MOMENT),
        "current, picked from a list": build_weather_widget(report, picked, _MOMENT),
        "forecast": build_weather_widget(report, current.with_changes(view="forecast"), _MOMENT),
        "cities": build_cities_widget([_BERN, _PARIS], listing, _MOMENT),
        "cities, which is meant": build_cities_widget([_BERN, _PARIS], listing, _MOMENT, "Which one?"),
    }
