"""Structured outputs as readable text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from agents_sdk.output_text import format_output


class Stop(BaseModel):
    city: str
    nights: int


class Trip(BaseModel):
    stops: list[Stop]
    must_see: list[str]
    is_booked: bool = False
    note: str | None = None
    budget: dict[str, Any] = {}


class Reply(BaseModel):
    answer: str


@dataclass
class Leg:
    km: int
    by: str


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (Reply(answer="Two **lines**\nof text."), "Two **lines**\nof text."),
        (Leg(3, "foot"), "- **Km**: 3\n- **By**: foot"),
        (
            Trip(stops=[Stop(city="Bern", nights=2)], must_see=["Aare", "Zytglogge"], budget={"chf": {"max": 900}}),
            "- **Stops**:\n  - City: Bern; Nights: 2\n- **Must see**: Aare, Zytglogge\n- **Is booked**: no\n"
            "- **Note**: –\n- **Budget**:\n  - **Chf**:\n    - **Max**: 900",
        ),
        (["a", {"b": 1}], "- a\n- B: 1"),
        ([], ""),
        ({}, ""),
        ((1, 2), "- 1\n- 2"),
        (True, "yes"),
        (None, "–"),
        (4.5, "4.5"),
        ("as it is", "as it is"),
    ],
)
def test_an_output_reads_as_lines_of_words(output: Any, words: str) -> None:
    assert format_output(output) == words


def test_very_deep_output_ends_in_one_line() -> None:
    deep: dict[str, Any] = {"end": "here"}
    for _ in range(50):
        deep = {"more": deep}
    text = format_output(deep)
    assert text.count("\n") < 10
    assert "here" in text
    assert "{" not in text
