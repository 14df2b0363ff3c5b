"""The widgets as JSON: current conditions, forecast, city selector. Their actions carry the state of the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from use_cases.weather.conditions import (
    Day,
    Report,
    Units,
    compass_point,
    degrees,
    describe_sky,
    format_precipitation,
    format_speed,
    format_temperature,
    sky_of,
    unit_sign,
)
from use_cases.weather.icons import sky_image
from use_cases.weather.places.cities import City
from use_cases.weather.sentences import SAMPLE_NOTE, SOURCE_NOTE, day_name, upcoming_days
from use_cases.weather.views import (
    PICK_CITY,
    REFRESH,
    SHOW_CITIES,
    SHOW_FORECAST,
    SWITCH_UNITS,
    CityList,
    WeatherView,
)

CURRENT_ID = "weather.current"
FORECAST_ID = "weather.forecast"
CITIES_ID = "weather.cities"

CITIES_IN_LIST = 16
_CITIES_AT_FIRST = 8
_NEXT_HOURS = 5
_NO_BREAK = "\u00a0"

Json = dict[str, Any]


def build_weather_widget(report: Report, view: WeatherView, now: datetime) -> Json:
    """Return the widget of a view.

    Args:
        report: The weather of the view's city.
        view: The state of the widget, which the buttons carry.
        now: The current moment, aware, for the local time.
    """
    if view.view == "forecast":
        return build_forecast_widget(report, view, now)
    return build_current_widget(report, view, now)


def build_current_widget(report: Report, view: WeatherView, now: datetime) -> Json:
    """Return the card with the current conditions."""
    current, city, units = report.current, report.city, view.units
    local = now.astimezone(city.zone)
    sky = describe_sky(current.code)
    today = upcoming_days(report, now, 1)
    facts = [
        _fact("Feels like", f"{degrees(current.feels_like_c, units)}°"),
        _fact("Humidity", f"{current.humidity_percent} %"),
        _fact("Wind", format_speed(current.wind_kmh, units), f"from the {compass_point(current.wind_from_deg)}"),
    ]
    if today:
        chance = today[0].rain_percent
        amount = format_precipitation(today[0].precipitation_mm, units)
        facts.append(_fact("Rain or snow", "–" if chance is None else f"{chance} %", amount))
    summary = [{"type": "Text", "value": _capitalize(sky), "weight": "medium"}]
    if today:
        low, high = degrees(today[0].min_c, units), degrees(today[0].max_c, units)
        summary.append({"type": "Caption", "value": f"Today {low}° to {high}°", "size": "md"})
    temperature = format_temperature(current.temperature_c, units)
    forecast_view = view.with_changes(view="forecast")
    return _card(
        CURRENT_ID,
        [
            _heading(city, f"{local:%A}, {local:%H:%M} local time", report),
            {
                "type": "Row",
                "gap": 3,
                "align": "center",
                "wrap": "wrap",
                "children": [
                    _sky_image(current.code, 64, is_day=current.is_day),
                    {"type": "Title", "value": temperature.replace(" ", _NO_BREAK), "size": "4xl"},
                    {"type": "Col", "gap": 0, "flex": 1, "minWidth": 130, "children": summary},
                ],
            },
            {"type": "Row", "gap": 4, "wrap": "wrap", "align": "start", "justify": "between", "children": facts},
            *_next_hours(report, units, now),
            {"type": "Divider"},
            _buttons(
                _button(f"{view.days}-day forecast" if view.days > 1 else "Forecast", SHOW_FORECAST, forecast_view,
                        icon="calendar", is_main=True),
                *_common_buttons(view),
            ),
            _source_note(report),
        ],
    )  # fmt: skip


def build_forecast_widget(report: Report, view: WeatherView, now: datetime) -> Json:
    """Return the card with the coming days and a chart of their temperatures."""
    days = upcoming_days(report, now, view.days)
    today = now.astimezone(report.city.zone).date()
    rows: list[Json] = [
        {"type": "Caption", "value": "Chance and amount of precipitation, high and low", "size": "sm"},
        *(_day_row(day, day_name(day.date, today), view.units) for day in days),
    ]
    span = "Today" if len(days) == 1 else f"{len(days)}-day forecast"
    return _card(
        FORECAST_ID,
        [
            _heading(report.city, span, report),
            _chart(report, days, view.units),
            {"type": "Col", "gap": 2, "children": rows},
            {"type": "Divider"},
            _buttons(
                _button("Now", PICK_CITY, view.with_changes(view="current"), icon="clock", is_main=True),
                *_common_buttons(view),
            ),
            _source_note(report),
        ],
    )


def build_cities_widget(cities: Sequence[City], listing: CityList, now: datetime, question: str | None = None) -> Json:
    """Return the selector: one row per city; a click replaces it with that city's weather.

    Args:
        cities: The cities in the order of the rows; at least one.
        listing: The query that led to the cities.
        now: The current moment, aware, for the local times.
        question: The title of a selector that asks which city is meant; its cities have no button back to the list.
    """
    return {
        "type": "ListView",
        "id": CITIES_ID,
        "status": {"text": question or listing.heading, "icon": "map-pin"},
        "limit": _CITIES_AT_FIRST,
        "children": [_city_row(city, listing, now, is_choice=question is not None) for city in cities[:CITIES_IN_LIST]],
    }


def _city_row(city: City, listing: CityList, now: datetime, *, is_choice: bool) -> Json:
    # The title names the country already.
    parts = (city.region,) if listing.country else (city.region, city.country)
    where = ", ".join(part for part in parts if part and part != city.name)
    names: list[Json] = [{"type": "Text", "value": city.name, "weight": "medium", "truncate": True}]
    if where:
        names.append({"type": "Caption", "value": where, "truncate": True})
    view = WeatherView(city=city, units=listing.units, picked_from=None if is_choice else listing)
    return {
        "type": "ListViewItem",
        "key": str(city.id),
        "gap": 3,
        "align": "center",
        "onClickAction": _action(PICK_CITY, view, loading="container"),
        "children": [
            {"type": "Col", "gap": 0, "flex": 1, "children": names},
            {"type": "Caption", "value": f"{now.astimezone(city.zone):%H:%M}"},
            {"type": "Icon", "name": "chevron-right", "color": "tertiary"},
        ],
    }


def _card(root_id: str, children: list[Json]) -> Json:
    return {
        "type": "Card",
        "id": root_id,
        "size": "md",
        "children": [{"type": "Col", "gap": 3, "children": children}],
    }


def _heading(city: City, caption: str, report: Report) -> Json:
    where = ", ".join(part for part in (city.label.removeprefix(city.name).strip(", "),) if part)
    row: list[Json] = [
        {
            "type": "Col",
            "gap": 0,
            "flex": 1,
            "children": [
                {"type": "Title", "value": city.name, "size": "md"},
                {"type": "Caption", "value": f"{where} · {caption}" if where else caption, "size": "md"},
            ],
        }
    ]
    if report.is_sample:
        row.append({"type": "Badge", "label": "Sample data", "color": "warning", "variant": "soft", "pill": True})
    return {"type": "Row", "gap": 2, "align": "start", "children": row}


def _fact(label: str, value: str, more: str | None = None) -> Json:
    children: list[Json] = [
        {"type": "Caption", "value": label},
        {"type": "Text", "value": value, "weight": "semibold", "size": "sm"},
    ]
    if more:
        children.append({"type": "Caption", "value": more, "size": "sm"})
    return {"type": "Col", "gap": 0, "children": children}


def _next_hours(report: Report, units: Units, now: datetime) -> list[Json]:
    hours = [hour for hour in report.hours if hour.time > now][:_NEXT_HOURS]
    if not hours:
        return []
    columns = [
        {
            "type": "Col",
            "gap": 1,
            "align": "center",
            "children": [
                {"type": "Caption", "value": f"{hour.time:%H:%M}"},
                _sky_image(hour.code, 28, is_day=hour.is_day),
                {"type": "Text", "value": f"{degrees(hour.temperature_c, units)}°", "size": "sm", "weight": "medium"},
            ],
        }
        for hour in hours
    ]
    return [{"type": "Divider"}, {"type": "Row", "gap": 2, "justify": "between", "children": columns}]


def _day_row(day: Day, name: str, units: Units) -> Json:
    chance = [] if day.rain_percent is None else [f"{day.rain_percent} %"]
    amount = [format_precipitation(day.precipitation_mm, units)] if day.precipitation_mm else []
    right = {"width": 30, "textAlign": "end"}
    return {
        "type": "Row",
        "gap": 2,
        "align": "center",
        "children": [
            {"type": "Text", "value": name, "size": "sm", "weight": "medium", "width": 70},
            _sky_image(day.code, 30),
            {
                "type": "Col",
                "gap": 0,
                "flex": 1,
                "children": [
                    {"type": "Text", "value": _capitalize(describe_sky(day.code)), "size": "sm"},
                    {
                        "type": "Caption",
                        "value": " · ".join(part.replace(" ", _NO_BREAK) for part in (*chance, *amount)) or "–",
                    },
                ],
            },
            {"type": "Text", "value": f"{degrees(day.max_c, units)}°", "size": "sm", "weight": "semibold"} | right,
            {"type": "Text", "value": f"{degrees(day.min_c, units)}°", "size": "sm", "color": "secondary"} | right,
        ],
    }


def _chart(report: Report, days: Sequence[Day], units: Units) -> Json:
    sign = unit_sign(units)
    chart: Json = {"type": "Chart", "height": 160, "showYAxis": True, "showTooltip": True}
    if len(days) == 1:
        # The two temperatures of a single day make no line, so that its hours are shown.
        rows: list[Json] = [
            {"time": f"{hour.time:%H:%M}", "temperature": degrees(hour.temperature_c, units)}
            for hour in report.hours
            if hour.time.date() == days[0].date
        ]
        if rows:
            series = [{"type": "area", "dataKey": "temperature", "label": f"Temperature in {sign}", "color": "orange"}]
            return chart | {"data": rows, "series": series, "xAxis": "time", "showLegend": False}
    return chart | {
        "data": [
            {"day": f"{day.date:%a}", "high": degrees(day.max_c, units), "low": degrees(day.min_c, units)}
            for day in days
        ],
        "series": [
            {"type": "line", "dataKey": "high", "label": f"High in {sign}", "color": "orange", "curveType": "monotone"},
            {"type": "line", "dataKey": "low", "label": f"Low in {sign}", "color": "blue", "curveType": "monotone"},
        ],
        "xAxis": "day",
        "showLegend": True,
    }


def _source_note(report: Report) -> Json:
    return {"type": "Caption", "value": SAMPLE_NOTE if report.is_sample else SOURCE_NOTE, "size": "sm"}


def _sky_image(code: int, size: int, *, is_day: bool = True) -> Json:
    source = sky_image(sky_of(code), is_day=is_day)
    return {"type": "Image", "src": source, "alt": _capitalize(describe_sky(code)), "size": size, "fit": "contain"}


def _common_buttons(view: WeatherView) -> list[Json]:
    other: Units = "celsius" if view.units == "fahrenheit" else "fahrenheit"
    listing = view.picked_from.model_copy(update={"units": other}) if view.picked_from else None
    buttons = [
        _button(f"Show {unit_sign(other)}", SWITCH_UNITS, view.with_changes(units=other, picked_from=listing)),
        _button("Refresh", REFRESH, view, icon="reload"),
    ]
    if view.picked_from:
        buttons.append(_button("Other cities", SHOW_CITIES, view.picked_from, icon="map-pin"))
    return buttons


def _buttons(*buttons: Mapping[str, Any]) -> Json:
    return {"type": "Row", "gap": 2, "wrap": "wrap", "children": list(buttons)}


def _button(label: str, action: str, payload: BaseModel, *, icon: str | None = None, is_main: bool = False) -> Json:
    button: Json = {
        "type": "Button",
        "label": label,
        "size": "sm",
        "pill": True,
        "color": "primary" if is_main else "secondary",
        "variant": "solid" if is_main else "outline",
        "onClickAction": _action(action, payload, loading="self"),
    }
    return button | {"iconStart": icon} if icon else button


def _action(name: str, payload: BaseModel, *, loading: Literal["self", "container"]) -> Json:
    # Without streaming, a click works while an answer is running, and its result is the new widget.
    return {
        "type": name,
        "payload": payload.model_dump(mode="json", exclude_none=True),
        "handler": "server",
        "loadingBehavior": loading,
        "streaming": False,
    }


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
