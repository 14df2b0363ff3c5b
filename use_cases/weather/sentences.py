"""The weather as text: results of tools, and the copy text of widgets for the clipboard and the model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

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
    unit_sign,
)
from use_cases.weather.places.cities import City, CitySearch

SAMPLE_NOTE = "This is sample data, not a measurement."
SOURCE_NOTE = "Weather data by Open-Meteo.com"


def upcoming_days(report: Report, now: datetime, count: int) -> tuple[Day, ...]:
    """Return up to `count` days, starting with today in the city; a cached report may start with yesterday."""
    today = now.astimezone(report.city.zone).date()
    days = tuple(day for day in report.days if day.date >= today)
    return days[:count]


def day_name(day: date, today: date) -> str:
    """Return ``"Today"``, ``"Tomorrow"`` or a name such as ``"Sun 22"``."""
    match (day - today).days:
        case 0:
            return "Today"
        case 1:
            return "Tomorrow"
        case _:
            return f"{day:%a} {day.day}"


def describe_current(report: Report, units: Units, now: datetime) -> str:
    """Return the current conditions as a few sentences."""
    current, local = report.current, now.astimezone(report.city.zone)
    text = (
        f"In {report.city.label} it is {format_temperature(current.temperature_c, units)} "
        f"(feels like {format_temperature(current.feels_like_c, units)}), {describe_sky(current.code)}. "
        f"Humidity {current.humidity_percent} %, wind {format_speed(current.wind_kmh, units)} "
        f"from the {compass_point(current.wind_from_deg)}. Local time: {local:%A}, {local:%H:%M}."
    )
    return f"{text} {SAMPLE_NOTE}" if report.is_sample else text


def describe_forecast(report: Report, count: int, units: Units, now: datetime) -> str:
    """Return the coming days, one line each, as Markdown."""
    today = now.astimezone(report.city.zone).date()
    days = upcoming_days(report, now, count)
    span = "today" if len(days) == 1 else f"the next {len(days)} days"
    lines = [f"Forecast for {report.city.label}, {span}:", ""]
    lines += [f"- {_describe_day(day, today, units)}" for day in days]
    if report.is_sample:
        lines += ["", SAMPLE_NOTE]
    return "\n".join(lines)


def _describe_day(day: Day, today: date, units: Units) -> str:
    chance = "" if day.rain_percent is None else f", {day.rain_percent} % chance of precipitation"
    amount = f" ({format_precipitation(day.precipitation_mm, units)})" if day.precipitation_mm else ""
    span = f"{degrees(day.min_c, units)} to {degrees(day.max_c, units)} {unit_sign(units)}"
    return f"**{day_name(day.date, today)}**: {describe_sky(day.code)}, {span}{chance}{amount}"


def describe_time(city: City, now: datetime) -> str:
    """Return the local time of a city as a sentence."""
    local = now.astimezone(city.zone)
    offset = f"{local:%z}"
    return (
        f"In {city.label} it is {local:%H:%M} on {local:%A}, {local.day} {local:%B} {local.year} "
        f"({city.timezone}, UTC{offset[:3]}:{offset[3:5]})."
    )


def describe_cities(heading: str, cities: Sequence[City]) -> str:
    """Return a list of cities as a sentence."""
    return f"{heading}: {'; '.join(city.name for city in cities)}. Pick one to see its weather."


def explain_search(search: CitySearch) -> str:
    """Return a sentence that says why a search found no city, with suggestions."""
    if not search.query.strip():
        return "Which city do you mean?"
    names = "; ".join(city.full_label for city in search.suggestions)
    if search.is_ambiguous:
        return f"There are several places called “{search.query}”. Which one do you mean: {names}?"
    if names:
        return f"I do not know a city called “{search.query}”. Did you mean: {names}?"
    return f"I do not know a city called “{search.query}”. Please check the spelling, or add the country."
