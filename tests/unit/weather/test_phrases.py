"""Phrases that the built-in model understands."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import pytest

from use_cases.weather.phrases import OFFLINE_PHRASES, split_cities

CURRENT, FORECAST, TIME, CITIES = "get_current_weather", "get_forecast", "get_local_time", "list_cities"


def understand(text: str) -> tuple[str | None, list[Mapping[str, Any]]]:
    """Return the tool and its arguments as the offline client finds them."""
    for phrase in OFFLINE_PHRASES:
        if match := re.search(phrase.pattern, text, re.IGNORECASE):
            arguments = phrase.arguments(match) if callable(phrase.arguments) else phrase.arguments
            return phrase.tool, [arguments] if isinstance(arguments, Mapping) else list(arguments)
    return None, []


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("weather in Bern", CURRENT, [{"city": "Bern"}]),
        ("What's the weather like in São Paulo?", CURRENT, [{"city": "São Paulo"}]),
        ("Could you tell me the weather in St. Gallen right now, please?", CURRENT, [{"city": "St. Gallen"}]),
        ("Hello! What's the weather in Bern? Thanks!", CURRENT, [{"city": "Bern"}]),
        ("weather in Paris and Rome", CURRENT, [{"city": "Paris"}, {"city": "Rome"}]),
        ("weather in Paris, Rome and Berlin?", CURRENT, [{"city": "Paris"}, {"city": "Rome"}, {"city": "Berlin"}]),
        ("weather in Paris, TX and Rome", CURRENT, [{"city": "Paris, TX"}, {"city": "Rome"}]),
        ("weather in Paris and Singapore", CURRENT, [{"city": "Paris"}, {"city": "Singapore"}]),
        ("temperature in Oslo in fahrenheit", CURRENT, [{"city": "Oslo", "units": "fahrenheit"}]),
        ("How hot is it in Dubai in °F?", CURRENT, [{"city": "Dubai", "units": "fahrenheit"}]),
        ("Bern weather", CURRENT, [{"city": "Bern"}]),
        ("And in Rome?", CURRENT, [{"city": "Rome"}]),
        ("forecast for Tokyo", FORECAST, [{"city": "Tokyo", "days": 5}]),
        ("5-day forecast for Paris", FORECAST, [{"city": "Paris", "days": 5}]),
        ("3 day forecast for Paris and Rome", FORECAST, [{"city": "Paris", "days": 3}, {"city": "Rome", "days": 3}]),
        ("Give me the forecast for the next 3 days in Bern", FORECAST, [{"city": "Bern", "days": 3}]),
        ("10 day forecast for Oslo in fahrenheit", FORECAST, [{"city": "Oslo", "days": 10, "units": "fahrenheit"}]),
        ("What will the weather be like in Lisbon next week?", FORECAST, [{"city": "Lisbon", "days": 7}]),
        ("weather in Bern tomorrow", FORECAST, [{"city": "Bern", "days": 2}]),
        ("will it rain in London tomorrow?", FORECAST, [{"city": "London", "days": 2}]),
        ("Will it rain tomorrow in London?", FORECAST, [{"city": "London", "days": 2}]),
        ("will it rain in London", FORECAST, [{"city": "London", "days": 1}]),
        ("what time is it in Tokyo?", TIME, [{"city": "Tokyo"}]),
        ("What's the local time in New York and London?", TIME, [{"city": "New York"}, {"city": "London"}]),
        ("show me cities", CITIES, [{}]),
        ("Show me available cities", CITIES, [{}]),
        ("Show me cities in the Netherlands, please.", CITIES, [{"country": "Netherlands"}]),
        ("cities in Bosnia and Herzegovina", CITIES, [{"country": "Bosnia and Herzegovina"}]),
        ("What's the weather?", None, [{}]),
        ("tell me a joke", None, []),
    ],
)
def test_a_question_becomes_the_right_call(text: str, tool: str | None, arguments: list[dict[str, Any]]) -> None:
    assert understand(text) == (tool, arguments)


def test_every_example_is_understood_as_its_own_phrase() -> None:
    for phrase in OFFLINE_PHRASES:
        if phrase.example:
            assert understand(phrase.example)[0] == phrase.tool


def test_a_question_without_a_city_is_answered_with_a_question() -> None:
    matching = next(phrase for phrase in OFFLINE_PHRASES if re.search(phrase.pattern, "what's the weather?", re.I))
    assert matching.say is not None
    assert "Which city" in matching.say or "which city" in matching.say


def test_at_most_a_few_cities_are_asked_for_at_once() -> None:
    assert split_cities(" and ".join(f"City{i}" for i in range(50))) == [f"City{i}" for i in range(5)]


@pytest.mark.parametrize(
    "text",
    ["weather in " + "St. " * 8000, "weather " * 4000, " " * 32000, "tomorrow in " * 2600, "in x," * 6000, "a" * 32000],
)
def test_a_hostile_message_is_read_in_no_time(text: str) -> None:
    start = time.thread_time()  # what others do meanwhile does not count
    understand(text)
    assert time.thread_time() - start < 2
