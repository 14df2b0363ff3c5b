"""Queries of the city file: a city by any of its names, similar names, and the cities of a country."""

from __future__ import annotations

import difflib
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from use_cases.weather.places.cities import (
    MAX_SUGGESTIONS,
    Candidate,
    City,
    CitySearch,
    Query,
    choose_city,
    distinct_cities,
    parse_query,
)
from use_cases.weather.places.city_file import PACKAGED, connect, provide_city_file
from use_cases.weather.places.countries import country_name, find_regions, fold, state_name

_ALTERNATE_NAME_WEIGHT = 0.4
_MIN_LIKENESS = 0.82
_MAX_LENGTH_DIFFERENCE = 2
# The most common name, Santa Cruz, has some twenty cities.
_MAX_NAMESAKES = 200
# Sorts after every character of a folded name.
_LAST_CHARACTER = "\U0010ffff"

# GeoNames ids of the well-known cities that "show me cities" lists.
_WELL_KNOWN = (
    2643743, 5128581, 1850147, 2988507, 2950159, 3448439, 360630, 184745, 1275339, 1880252, 2147714, 3530597,
    2657896, 3117735, 292223, 6167865,
)  # fmt: skip

_BY_ID = "SELECT * FROM city WHERE id = ?"
_BY_RANK = "SELECT * FROM city WHERE rank = ?"
_BY_NAME = "SELECT city.* FROM spelling JOIN city USING (rank) WHERE spelling.folded = ? ORDER BY rank LIMIT ?"
_BY_PREFIX = "SELECT * FROM city WHERE folded >= :part AND folded < :part || :last ORDER BY rank LIMIT :limit"
# The largest city of a name is the likeliest.
_BY_FIRST_LETTER_AND_LENGTH = """
    SELECT folded, min(rank) FROM city
    WHERE folded >= :first AND folded < :first || :last AND length(folded) BETWEEN :shortest AND :longest
    GROUP BY folded
"""
_LIST = """
    SELECT * FROM city
    WHERE {within} AND (instr(folded, :part) > 0 OR rank IN (SELECT rank FROM spelling WHERE folded = :part))
    ORDER BY
        rank NOT IN (SELECT rank FROM spelling WHERE folded = :part),
        substr(folded, 1, length(:part)) <> :part,
        rank
    LIMIT :limit
"""
_LIST_ALL = _LIST.format(within="TRUE")
_LIST_BY_COUNTRY = _LIST.format(within="country_code = :country")
_LIST_BY_STATE = _LIST.format(within="country_code = :country AND state_code = :state")


@dataclass(frozen=True, slots=True)
class CityIndex:
    """The packaged cities: all with 15 000 people or more. The methods read a file: call them from a thread.

    They raise `sqlite3.DatabaseError` when the file is damaged or missing.

    Attributes:
        path: The path of the file.
    """

    path: Path

    def find(self, text: str) -> CitySearch:
        """Return the city that `text` names, ignoring case and accents, or suggestions."""
        best = CitySearch(text)
        with closing(connect(self.path)) as connection:
            for reading in parse_query(text):
                search = choose_city(text, reading, _find_by_name(connection, reading.name))
                if search.city is not None or search.suggestions:
                    return search
                if not best.suggestions:
                    best = CitySearch(text, None, _suggest_similar(connection, reading))
        return best

    def weights_of(self, city_ids: Iterable[int]) -> dict[int, float]:
        """Return the weights of cities by id; ids that are not in the list are left out."""
        with closing(connect(self.path)) as connection:
            candidates = _fetch_by_keys(connection, _BY_ID, city_ids)
            return {candidate.city.id: candidate.weight for candidate in candidates}

    def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities, largest first; without `country` and `query`, well-known ones from all over the world.

        Args:
            country: A country or US state by name or code; an unknown one has no cities.
            query: Part of a name.
            limit: Limit of the cities.
        """
        wanted: dict[str, Any] = {"part": fold(query or ""), "limit": limit}
        statement = _LIST_ALL
        if country:
            regions = find_regions(country)
            if not regions:
                return ()
            # In "cities in Georgia" or "CA", the country is likelier than the state.
            region = next((region for region in regions if region.state is None), regions[0])
            wanted |= {"country": region.country_code, "state": region.state}
            statement = _LIST_BY_COUNTRY if region.state is None else _LIST_BY_STATE
        with closing(connect(self.path)) as connection:
            if not country and not wanted["part"]:
                well_known = _fetch_by_keys(connection, _BY_ID, _WELL_KNOWN)
                return tuple(candidate.city for candidate in well_known)[:limit]
            return tuple(_candidate_from_row(row).city for row in connection.execute(statement, wanted))


def load_cities(
    folder: Path, *, source: Path = PACKAGED, rebuild: bool = False, is_cancelled: Callable[[], bool] = lambda: False
) -> CityIndex:
    """Return the index of the list, whose file is built if needed; see `provide_city_file`. Call it from a thread."""
    find_regions("")  # loads the countries, which queries expect in memory
    return CityIndex(provide_city_file(folder, source=source, rebuild=rebuild, is_cancelled=is_cancelled))


def _candidate_from_row(row: tuple[Any, ...]) -> Candidate:
    _, id_, name, _, country_code, state_code, latitude, longitude, timezone, weight = row
    city = City(
        id=id_,
        name=name,
        country=country_name(country_code),
        latitude=latitude,
        longitude=longitude,
        timezone=timezone,
        region=state_name(state_code),
    )
    return Candidate(city, country_code, weight)


def _fetch_by_keys(connection: sqlite3.Connection, statement: str, keys: Iterable[int]) -> list[Candidate]:
    """Return the cities of these keys, in their order; unknown keys are left out."""
    rows = (connection.execute(statement, (key,)).fetchone() for key in keys)
    return [_candidate_from_row(row) for row in rows if row is not None]


def _find_by_name(connection: sqlite3.Connection, name: str) -> list[Candidate]:
    key = fold(name)
    candidates = [_candidate_from_row(row) for row in connection.execute(_BY_NAME, (key, _MAX_NAMESAKES))]
    return [
        entry if fold(entry.city.name) == key else replace(entry, weight=entry.weight * _ALTERNATE_NAME_WEIGHT)
        for entry in candidates
    ]


def _suggest_similar(connection: sqlite3.Connection, reading: Query) -> tuple[City, ...]:
    """Return cities of a similar name, or of the same name in another region."""
    key = fold(reading.name)
    if len(key) < 2:
        return ()
    elsewhere = (
        sorted(_find_by_name(connection, reading.name), key=lambda entry: -entry.weight) if reading.hints else []
    )
    like = {
        "first": key[0],
        "last": _LAST_CHARACTER,
        "shortest": len(key) - _MAX_LENGTH_DIFFERENCE,
        "longest": len(key) + _MAX_LENGTH_DIFFERENCE,
    }
    near = dict(connection.execute(_BY_FIRST_LETTER_AND_LENGTH, like).fetchall())
    similar = difflib.get_close_matches(key, _filter_similar(near, key), n=MAX_SUGGESTIONS, cutoff=_MIN_LIKENESS)
    begins = {"part": key, "last": _LAST_CHARACTER, "limit": MAX_SUGGESTIONS if len(key) >= 3 else 0}
    ranks = [near[name] for name in similar] + [row[0] for row in connection.execute(_BY_PREFIX, begins)]
    return distinct_cities(
        entry.city for entry in (*elsewhere, *_fetch_by_keys(connection, _BY_RANK, dict.fromkeys(ranks)))
    )


def _filter_similar(names: Iterable[str], key: str) -> list[str]:
    """Return the names that share enough letters with `key` to be similar: a cheap test that rules out most names.

    The similarity ratio of `difflib` is twice the number of matching letters, divided by the letters of both names.
    """
    letters = set(key)

    def may_match(matching: int, name: str) -> bool:
        return 2.0 * matching / (len(name) + len(key)) >= _MIN_LIKENESS

    return [
        name
        for name in names
        if may_match(len(key) - len(letters.difference(name)), name)
        and may_match(len(name) - len(set(name) - letters), name)
    ]
