"""The phrases that the built-in model understands when no other model is configured."""

from __future__ import annotations

import re
from typing import Any

from plugins import OfflinePhrase
from use_cases.weather.conditions import MAX_DAYS
from use_cases.weather.places.countries import find_regions

MAX_CITIES_AT_ONCE = 5
MAX_PLACE_CHARS = 300

# Up to the end of the sentence, which the dot of "St. Gallen" is not.
_PLACE = r"(?P<city>(?:\bSt\.\s|[^?!\n])+?)\s*(?=[?!\n]|\.(?:\s|$)|$)"
_IN = r"\b(?:in|for|at|of|near|around)\s+"
_FUTURE = (
    r"\b(?:forecast|outlook|tomorrow|weekend|week|(?:next|coming)\s+(?:\w+\s+)?days?|\d+[\s-]*days?|coming days)\b"
)

_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_COUNT = re.compile(rf"\b(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})[\s-]*days?\b", re.IGNORECASE)

_UNITS = re.compile(
    r"\s*\b(?:in\s+)?(?:degrees\s+)?(?P<unit>celsius|fahrenheit)\b|(?:\s+in)?\s*°\s?(?P<sign>[cf])\b", re.IGNORECASE
)
# Words before and after the name of a city that are not part of it.
_FILLER_WORDS = re.compile(
    r"^(?:the\s+)?(?:city\s+of\s+)?(?:like\s+)?(?:in\s+)?|"
    r"[\s,]*\b(?:please|thanks|thank\s+you|today|tonight|tomorrow|now|right\s+now|currently|at\s+the\s+moment|"
    r"this\s+(?:morning|afternoon|evening|week|weekend)|(?:for\s+)?(?:the\s+)?(?:next|coming)\s+(?:\w+\s+)?(?:days?|week)|"
    r"(?:for\s+)?\w+[\s-]days?|for\s+the\s+week|on\s+the\s+weekend|be|like|look(?:ing)?)\s*$",
    re.IGNORECASE,
)
_EDGE_CHARS = " \t,.;:'\"“”‘’"


def split_cities(text: str) -> list[str]:
    """Return the cities in an enumeration, e.g. the three of "Paris, TX, Rome and Bern".

    Args:
        text: The part of a message where a city is expected, filler words included.
    """
    text = _UNITS.sub("", text[:MAX_PLACE_CHARS])
    for _ in range(4):  # "right now, please" takes two rounds
        text = _FILLER_WORDS.sub("", text.strip(_EDGE_CHARS)).strip(_EDGE_CHARS)
    cities: list[str] = []
    for group in re.split(r"\s+(?:and|or)\s+|\s*[&;]\s*", text):
        for position, part in enumerate(group.split(",")):
            name = re.sub(r"^(?:and\s+|in\s+)+", "", part.strip(_EDGE_CHARS), flags=re.IGNORECASE)
            if position and cities and name and find_regions(name):
                cities[-1] = f"{cities[-1]}, {name}"  # a country or state, not another city
            elif name:
                cities.append(name)
    return cities[:MAX_CITIES_AT_ONCE] or [text]


def _find_units(text: str) -> dict[str, str]:
    match = _UNITS.search(text)
    if match is None:
        return {}
    word = (match["unit"] or match["sign"]).lower()
    return {"units": "celsius" if word.startswith("c") else "fahrenheit"}


def _find_days(text: str) -> int:
    """Return how many days a question asks for, today included."""
    if count := _COUNT.search(text):
        return int(_NUMBERS.get(count["count"].lower(), 0) or count["count"])
    if re.search(r"\btomorrow\b", text, re.IGNORECASE):
        return 2
    if re.search(r"\bweek(?:end)?\b", text, re.IGNORECASE):
        return MAX_DAYS
    return 5


def _current_arguments(match: re.Match[str]) -> list[dict[str, Any]]:
    return [{"city": city, **_find_units(match.string)} for city in split_cities(match["city"])]


def _forecast_arguments(match: re.Match[str]) -> list[dict[str, Any]]:
    days = _find_days(match.string)
    return [{"city": city, "days": days, **_find_units(match.string)} for city in split_cities(match["city"])]


def _rain_arguments(match: re.Match[str]) -> list[dict[str, Any]]:
    has_time = re.search(_FUTURE, match.string, re.IGNORECASE)
    days = _find_days(match.string) if has_time else 1
    return [{"city": city, "days": days} for city in split_cities(match["city"])]


def _time_arguments(match: re.Match[str]) -> list[dict[str, Any]]:
    return [{"city": city} for city in split_cities(match["city"])]


def _list_arguments(match: re.Match[str]) -> dict[str, Any]:
    # "cities in Bosnia and Herzegovina" is one country: nothing is split here.
    place = match["place"]
    return {"country": _FILLER_WORDS.sub("", place.strip(_EDGE_CHARS)).strip(_EDGE_CHARS)} if place else {}


OFFLINE_PHRASES = (
    OfflinePhrase(
        r"\b(?:(?:what|which)(?:'s)?\s+(?:is\s+)?(?:the\s+)?(?:date|day)|time|clock)\b[^?!\n]{0,120}?\b(?:in|at)\s+"
        + _PLACE,
        tool="get_local_time",
        arguments=_time_arguments,
        example="What time is it in Tokyo?",
    ),
    OfflinePhrase(
        r"\b(?:list|show|which|what|some|available|other|more|all|pick|choose|select)\b[^?!\n]{0,120}?\b(?:cities|city|towns)\b"
        r"(?:\s+(?:are\s+there\s+|do\s+you\s+know\s+)?(?:in|of|from)\s+(?P<place>[^?!.\n]+))?",
        tool="list_cities",
        arguments=_list_arguments,
        example="Show me cities in Switzerland",
    ),
    OfflinePhrase(
        r"^\s*cities(?:\s+(?:in|of)\s+(?P<place>[^?!.\n]+))?\s*[?.!]*\s*$",
        tool="list_cities",
        arguments=_list_arguments,
    ),
    OfflinePhrase(
        r"\b(?:rain|raining|snow|snowing|umbrella|sunny|windy|storm)\b[^?!\n]{0,120}?" + _IN + _PLACE,
        tool="get_forecast",
        arguments=_rain_arguments,
        example="Will it rain in London tomorrow?",
    ),
    OfflinePhrase(
        r"^(?=[^\n]*"
        + _FUTURE
        + r")[^?!\n]{0,120}?"
        + _IN
        + r"(?!(?:the\s+)?(?:next|coming|weekend|week)\b|\w+[\s-]days?\b)"
        + _PLACE,
        tool="get_forecast",
        arguments=_forecast_arguments,
        example="5-day forecast for Paris",
    ),
    OfflinePhrase(
        r"\b(?:weather|temperature|temp|conditions|humidity|humid|wind|degrees|hot|cold|warm|it\s+like)\b[^?!\n]{0,120}?"
        + _IN
        + _PLACE,
        tool="get_current_weather",
        arguments=_current_arguments,
        example="What's the weather like in Bern?",
    ),
    OfflinePhrase(
        r"^\s*(?:and|what\s+about|how\s+about)\s+(?:in\s+)?" + _PLACE,
        tool="get_current_weather",
        arguments=_current_arguments,
    ),
    OfflinePhrase(
        r"^\s*(?P<city>(?!what|how|is\b|the\b|show|tell|give|current|today)\S[^\d?!\n]{0,80}?)(?:'s)?\s+(?:weather|temperature)"
        r"(?:\s+(?:now|today|please))*\s*[?.!]*\s*$",
        tool="get_current_weather",
        arguments=_current_arguments,
    ),
    OfflinePhrase(
        r"^\s*(?P<city>(?!what|how|is\b|the\b|show|tell|give|weather|today)\S[^\d?!\n]{0,80}?)(?:'s)?\s+(?:weather\s+)?forecast\s*[?.!]*\s*$",
        tool="get_forecast",
        arguments=_forecast_arguments,
    ),
    OfflinePhrase(
        r"\b(?:weather|forecast|temperature|rain|time)\b", say="For which city? For example: “weather in Bern”."
    ),
)
