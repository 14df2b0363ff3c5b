"""Weather widgets: only ChatKit's components and properties, and no state on the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.unit.weather.open_meteo_stub import NOW
from tests.unit.widget_catalogue import action_of, actions_of, nodes_of, problems, texts_of
from use_cases.weather.conditions import Report, Units, sky_of
from use_cases.weather.icons import sky_image
from use_cases.weather.places.cities import City
from use_cases.weather.places.city_index import CityIndex
from use_cases.weather.sources.samples import build_sample_report
from use_cases.weather.views import CityList, WeatherView
from use_cases.weather.widgets import build_cities_widget, build_weather_widget
from widgets.documents import widget_root


@pytest.fixture
def bern(cities: CityIndex) -> City:
    city = cities.find("Bern").city
    assert city is not None
    return city


@pytest.fixture
def report(bern: City) -> Report:
    return build_sample_report(bern, NOW)


def all_widgets(report: Report, cities: CityIndex) -> Iterator[Mapping[str, Any]]:
    units: Units
    for units in ("celsius", "fahrenheit"):
        listing = CityList(country="Switzerland", units=units)
        for picked_from in (None, listing):
            yield build_weather_widget(report, WeatherView(city=report.city, units=units, picked_from=picked_from), NOW)
            for days in (1, 2, 7):
                view = WeatherView(view="forecast", city=report.city, units=units, days=days, picked_from=picked_from)
                yield build_weather_widget(report, view, NOW)
        yield build_cities_widget(cities.list_cities("CH", None, 16), listing, NOW)
        yield build_cities_widget(cities.find("Springfield").suggestions, CityList(units=units), NOW, "Which one?")


def test_every_widget_uses_only_what_chatkit_knows(report: Report, cities: CityIndex) -> None:
    widgets = list(all_widgets(report, cities))
    assert len(widgets) == 20
    for widget in widgets:
        assert problems(widget) == []
        assert widget["id"] in ("weather.current", "weather.forecast", "weather.cities")


def test_the_store_loses_nothing_of_a_widget(report: Report, cities: CityIndex) -> None:
    for widget in all_widgets(report, cities):
        assert widget_root(widget).model_dump(mode="json", exclude_none=True) == widget


def test_every_action_replaces_in_place_and_its_payload_is_the_whole_view(report: Report, cities: CityIndex) -> None:
    for widget in all_widgets(report, cities):
        offered = actions_of(widget)
        assert offered
        for action in offered:
            model = CityList if action["type"] == "weather.cities" else WeatherView
            parsed = model.model_validate(action["payload"])
            assert parsed.model_dump(mode="json", exclude_none=True) == action["payload"]
            assert action["handler"] == "server"
            assert action["streaming"] is False


def test_current_conditions_show_icon_temperature_humidity_wind_and_time(report: Report) -> None:
    widget = build_weather_widget(report, WeatherView(city=report.city, units="celsius"), NOW)
    words = texts_of(widget)
    assert f"{round(report.current.temperature_c)}\u00a0°C" in words
    assert f"{report.current.humidity_percent} %" in words
    assert f"{round(report.current.wind_kmh)} km/h" in words
    assert "Switzerland · Friday, 11:37 local time" in words
    assert {action["type"] for action in actions_of(widget)} == {
        "weather.forecast", "weather.units", "weather.refresh",
    }  # fmt: skip
    image = next(node for node in nodes_of(widget) if node["type"] == "Image")
    assert image["src"].startswith("data:image/svg+xml,")
    assert image["alt"]


def test_a_forecast_has_one_row_per_day_and_a_chart_of_its_temperatures(report: Report) -> None:
    widget = build_weather_widget(report, WeatherView(view="forecast", city=report.city, units="celsius", days=5), NOW)
    chart = next(node for node in nodes_of(widget) if node["type"] == "Chart")
    assert [row["high"] for row in chart["data"]] == [round(day.max_c) for day in report.days[:5]]
    assert [row["low"] for row in chart["data"]] == [round(day.min_c) for day in report.days[:5]]
    assert {series["dataKey"] for series in chart["series"]} <= set(chart["data"][0])
    words = texts_of(widget)
    assert [word for word in words if word in ("Today", "Tomorrow", "Sun 22", "Mon 23", "Tue 24")] == [
        "Today", "Tomorrow", "Sun 22", "Mon 23", "Tue 24",
    ]  # fmt: skip
    assert len([node for node in nodes_of(widget) if node["type"] == "Image"]) == 5


def test_a_forecast_of_one_day_charts_its_hours(report: Report) -> None:
    widget = build_weather_widget(report, WeatherView(view="forecast", city=report.city, units="celsius", days=1), NOW)
    chart = next(node for node in nodes_of(widget) if node["type"] == "Chart")
    assert [row["time"] for row in chart["data"]] == [f"{hour:02}:00" for hour in range(24)]


def test_a_report_that_was_kept_over_midnight_does_not_call_yesterday_today(report: Report) -> None:
    tomorrow: datetime = NOW + timedelta(days=1)
    view = WeatherView(view="forecast", city=report.city, units="celsius", days=7)
    words = texts_of(build_weather_widget(report, view, tomorrow))
    assert "6-day forecast" in " ".join(words)
    assert f"{round(report.days[1].max_c)}°" in words


def test_fahrenheit_takes_wind_and_rain_along(report: Report) -> None:
    widget = build_weather_widget(report, WeatherView(city=report.city, units="fahrenheit"), NOW)
    words = texts_of(widget)
    assert f"{round(report.current.temperature_c * 9 / 5 + 32)}\u00a0°F" in words
    assert any(word.endswith(" mph") for word in words)
    assert not any(word.endswith(("km/h", " mm")) for word in words)


def test_sample_data_is_labelled_clearly(report: Report) -> None:
    for view in ("current", "forecast"):
        shown = WeatherView.model_validate({"view": view, "city": report.city, "units": "celsius"})
        widget = build_weather_widget(report, shown, NOW)
        assert [node["label"] for node in nodes_of(widget) if node["type"] == "Badge"] == ["Sample data"]
        assert "This is sample data, not a measurement." in texts_of(widget)


def test_the_selector_has_a_row_to_click_for_every_city(cities: CityIndex) -> None:
    found = cities.list_cities("Switzerland", None, 16)
    widget = build_cities_widget(found, CityList(country="Switzerland", units="fahrenheit"), NOW)
    assert widget["status"]["text"] == "Cities in Switzerland"
    rows = widget["children"]
    assert [row["onClickAction"]["payload"]["city"]["name"] for row in rows] == [city.name for city in found]
    assert {row["onClickAction"]["payload"]["units"] for row in rows} == {"fahrenheit"}
    back = WeatherView.model_validate(action_of(widget, "weather.pick_city")["payload"]).picked_from
    assert back == CityList(country="Switzerland", units="fahrenheit")


def test_every_weather_code_has_a_picture_that_is_valid_svg() -> None:
    for code in range(100):
        for is_day in (True, False):
            url = sky_image(sky_of(code), is_day=is_day)
            assert " " not in url
            svg = ElementTree.fromstring(unquote(url.removeprefix("data:image/svg+xml,")))  # noqa: S314 -- our own
            assert len(svg) >= 1
            assert len(url) < 1500
