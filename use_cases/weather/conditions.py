"""Weather reports: the conditions of one city in metric units, and functions that format their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from use_cases.weather.places.cities import City

Units = Literal["celsius", "fahrenheit"]
"""Units for display: the scale of temperatures, with km/h and mm for Celsius, mph and inches for Fahrenheit."""

Sky = Literal["clear", "partly-cloudy", "cloudy", "fog", "drizzle", "rain", "sleet", "snow", "thunder"]
"""The kinds of sky, each with its own icon."""

MAX_DAYS = 7

# WMO code table 4677 as Open-Meteo uses it. Source: https://open-meteo.com/en/docs, "WMO Weather interpretation codes".
_WMO: dict[int, tuple[Sky, str]] = {
    0: ("clear", "clear"),
    1: ("clear", "mostly clear"),
    2: ("partly-cloudy", "partly cloudy"),
    3: ("cloudy", "overcast"),
    45: ("fog", "foggy"),
    48: ("fog", "freezing fog"),
    51: ("drizzle", "light drizzle"),
    53: ("drizzle", "drizzle"),
    55: ("drizzle", "heavy drizzle"),
    56: ("sleet", "light freezing drizzle"),
    57: ("sleet", "freezing drizzle"),
    61: ("rain", "light rain"),
    63: ("rain", "rain"),
    65: ("rain", "heavy rain"),
    66: ("sleet", "light freezing rain"),
    67: ("sleet", "freezing rain"),
    71: ("snow", "light snow"),
    73: ("snow", "snow"),
    75: ("snow", "heavy snow"),
    77: ("snow", "snow grains"),
    80: ("rain", "light showers"),
    81: ("rain", "showers"),
    82: ("rain", "violent showers"),
    85: ("snow", "light snow showers"),
    86: ("snow", "heavy snow showers"),
    95: ("thunder", "thunderstorm"),
    96: ("thunder", "thunderstorm with hail"),
    99: ("thunder", "thunderstorm with heavy hail"),
}

_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True, slots=True)
class Current:
    """The weather of one moment. `time` is aware, in the city's time zone; the wind comes *from* its direction."""

    time: datetime
    temperature_c: float
    feels_like_c: float
    humidity_percent: int
    wind_kmh: float
    wind_from_deg: float
    code: int
    is_day: bool


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the forecast."""

    time: datetime
    temperature_c: float
    code: int
    is_day: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the city's own calendar. `rain_percent` is the chance of any precipitation, None when unknown."""

    date: date
    code: int
    min_c: float
    max_c: float
    precipitation_mm: float
    rain_percent: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """The weather of one city: current conditions and forecast.

    Attributes:
        city: The city.
        current: The current conditions.
        hours: 24 hours for each day, starting at midnight today.
        days: `MAX_DAYS` days, starting today.
        is_sample: Whether the numbers are made up and must be labelled so.
    """

    city: City
    current: Current
    hours: tuple[Hour, ...]
    days: tuple[Day, ...]
    is_sample: bool


def sky_of(code: int) -> Sky:
    """Return the kind of sky for a WMO weather code, ``cloudy`` for an unknown one."""
    return _WMO.get(code, ("cloudy", ""))[0]


def describe_sky(code: int) -> str:
    """Return the description of a WMO weather code in lower case, e.g. ``"light rain"``."""
    return _WMO.get(code, ("cloudy", "unsettled"))[1]


def degrees(celsius: float, units: Units) -> int:
    """Return a temperature rounded to whole degrees of `units`."""
    return round(celsius * 9 / 5 + 32 if units == "fahrenheit" else celsius)


def unit_sign(units: Units) -> str:
    """Return ``"°C"`` or ``"°F"``."""
    return "°F" if units == "fahrenheit" else "°C"


def format_temperature(celsius: float, units: Units) -> str:
    """Return e.g. ``"12 °C"``."""
    return f"{degrees(celsius, units)} {unit_sign(units)}"


def format_speed(kmh: float, units: Units) -> str:
    """Return e.g. ``"14 km/h"`` or ``"9 mph"``."""
    return f"{round(kmh / 1.609344)} mph" if units == "fahrenheit" else f"{round(kmh)} km/h"


def format_precipitation(mm: float, units: Units) -> str:
    """Return e.g. ``"3.2 mm"`` or ``"0.13 in"``."""
    return f"{mm / 25.4:.2f} in" if units == "fahrenheit" else f"{mm:.1f} mm"


def compass_point(degrees_from_north: float) -> str:
    """Return the name of the nearest of eight compass points."""
    return _COMPASS[round(degrees_from_north % 360 / 45) % 8]
