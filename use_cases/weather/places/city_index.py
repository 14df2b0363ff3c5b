"""The index of cities in its file: a city by what people call it, cities of a country, what a typo may mean."""

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
    distinct,
    read_query,
)
from use_cases.weather.places.city_file import PACKAGED, connect, provide_city_file
from use_cases.weather.places.countries import country_name, find_regions, fold, state_name

_ALTERNATE_NAME_WEIGHT = 0.4
_MIN_LIKENESS = 0.82
_MAX_LENGTH_DIFFERENCE = 2
# The most that share one name are some twenty, each a Santa Cruz.
_MAX_NAMESAKES = 200
# Sorts behind everything that a folded name can hold.
_LAST_CHARACTER = "\U0010ffff"

# What "show me cities" offers: well-known ones from all over the world, as GeoNames ids.
_WELL_KNOWN = (
    2643743, 5128581, 1850147, 2988507, 2950159, 3448439, 360630, 184745, 1275339, 1880252, 2147714, 3530597,
    2657896, 3117735, 292223, 6167865,
)  # fmt: skip

_BY_ID = "SELECT * FROM city WHERE id = ?"
_BY_RANK = "SELECT * FROM city WHERE rank = ?"
_NAMED = "SELECT city.* FROM spelling JOIN city USING (rank) WHERE spelling.folded = ? ORDER BY rank LIMIT ?"
_BEGINNING = "SELECT * FROM city WHERE folded >= :part AND folded < :part || :last ORDER BY rank LIMIT :limit"
# The largest bearer of a name is the likeliest.
_LIKE = """
    SELECT folded, min(rank) FROM city
    WHERE folded >= :first AND folded < :first || :last AND length(folded) BETWEEN :shortest AND :longest
    GROUP BY folded
"""
_LISTED = """
    SELECT * FROM city
    WHERE {within} AND (instr(folded, :part) > 0 OR rank IN (SELECT rank FROM spelling WHERE folded = :part))
    ORDER BY
        rank NOT IN (SELECT rank FROM spelling WHERE folded = :part),
        substr(folded, 1, length(:part)) <> :part,
        rank
    LIMIT :limit
"""
_LISTED_ANYWHERE = _LISTED.format(within="TRUE")
_LISTED_IN_COUNTRY = _LISTED.format(within="country_code = :country")
_LISTED_IN_STATE = _LISTED.format(within="country_code = :country AND state_code = :state")


@dataclass(frozen=True, slots=True)
class CityIndex:
    """The packaged list: every city of 15 000 people or more. Every method reads a file: call them from a thread.

    They raise an `sqlite3.DatabaseError` when the file is damaged or gone.

    Attributes:
        path: The path of the file.
    """

    path: Path

    def find(self, text: str) -> CitySearch:
        """Return the city that `text` means, whatever its case and accents, or suggestions."""
        best = CitySearch(text)
        with closing(connect(self.path)) as connection:
            for reading in read_query(text):
                search = choose_city(text, reading, _named(connection, reading.name))
                if search.city is not None or search.suggestions:
                    return search
                if not best.suggestions:
                    best = CitySearch(text, None, _suggest(connection, reading))
        return best

    def weights_of(self, city_ids: Iterable[int]) -> dict[int, float]:
        """Return the weights of those of the cities that are in the list, by their ids."""
        with closing(connect(self.path)) as connection:
            return {found.city.id: found.weight for found in _each(connection, _BY_ID, city_ids)}

    def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities, largest first; without any wish, well-known ones from all over the world.

        Args:
            country: A country or US state by name or code; an unknown one has no cities.
            query: Part of a name.
            limit: How many at most.
        """
        wanted: dict[str, Any] = {"part": fold(query or ""), "limit": limit}
        statement = _LISTED_ANYWHERE
        if country:
            regions = find_regions(country)
            if not regions:
                return ()
            # Asked for "cities in Georgia" or "CA", the country is the likelier reading.
            region = next((region for region in regions if region.state is None), regions[0])
            wanted |= {"country": region.country_code, "state": region.state}
            statement = _LISTED_IN_COUNTRY if region.state is None else _LISTED_IN_STATE
        with closing(connect(self.path)) as connection:
            if not country and not wanted["part"]:
                return tuple(found.city for found in _each(connection, _BY_ID, _WELL_KNOWN))[:limit]
            return tuple(_candidate(row).city for row in connection.execute(statement, wanted))


def load_cities(
    folder: Path, *, source: Path = PACKAGED, anew: bool = False, is_unwanted: Callable[[], bool] = lambda: False
) -> CityIndex:
    """Return the list, ready to be asked; see `provide_city_file`. Call it from a thread."""
    find_regions("")  # reads the countries, which questions about them expect in memory
    return CityIndex(provide_city_file(folder, source=source, anew=anew, is_unwanted=is_unwanted))


def _candidate(row: tuple[Any, ...]) -> Candidate:
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


def _each(connection: sqlite3.Connection, statement: str, keys: Iterable[int]) -> list[Candidate]:
    """Return the cities of these keys, in their order, without those that there are not."""
    rows = (connection.execute(statement, (key,)).fetchone() for key in keys)
    return [_candidate(row) for row in rows if row is not None]


def _named(connection: sqlite3.Connection, name: str) -> list[Candidate]:
    key = fold(name)
    found = [_candidate(row) for row in connection.execute(_NAMED, (key, _MAX_NAMESAKES))]
    return [
        entry if fold(entry.city.name) == key else replace(entry, weight=entry.weight * _ALTERNATE_NAME_WEIGHT)
        for entry in found
    ]


def _suggest(connection: sqlite3.Connection, reading: Query) -> tuple[City, ...]:
    """Return cities whose names look like the one that was not found, or bear it in another region."""
    key = fold(reading.name)
    if len(key) < 2:
        return ()
    elsewhere = sorted(_named(connection, reading.name), key=lambda found: -found.weight) if reading.hints else []
    like = {
        "first": key[0],
        "last": _LAST_CHARACTER,
        "shortest": len(key) - _MAX_LENGTH_DIFFERENCE,
        "longest": len(key) + _MAX_LENGTH_DIFFERENCE,
    }
    near = dict(connection.execute(_LIKE, like).fetchall())
    similar = difflib.get_close_matches(key, _lookalikes(near, key), n=MAX_SUGGESTIONS, cutoff=_MIN_LIKENESS)
    begins = {"part": key, "last": _LAST_CHARACTER, "limit": MAX_SUGGESTIONS if len(key) >= 3 else 0}
    ranks = [near[name] for name in similar] + [row[0] for row in connection.execute(_BEGINNING, begins)]
    return distinct(found.city for found in (*elsewhere, *_each(connection, _BY_RANK, dict.fromkeys(ranks))))


def _lookalikes(names: Iterable[str], key: str) -> list[str]:
    """Return the names with letters enough of `key` to be like it: quick to see, and most of them have not.

    Likeness is twice the number of matching letters among the letters of both, as `difflib` counts it.
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
