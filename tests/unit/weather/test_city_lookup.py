"""City searches in a running server: during a build, with a damaged file, and without a list."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from errors import UnavailableError
from tests.unit.weather.city_rows import BERN, PARIS, THUN, ZURICH, write_cities
from use_cases.weather.places.cities import City
from use_cases.weather.places.city_file import file_name
from use_cases.weather.places.city_index import CityIndex
from use_cases.weather.places.city_lookup import CityLookup

CITIES = (PARIS, THUN, BERN, ZURICH)


@asynccontextmanager
async def opened(folder: Path, source: Path, timeout_s: float = 30) -> AsyncIterator[CityLookup]:
    lookup = CityLookup(folder / "cache", source=source, timeout_s=timeout_s)
    await lookup.open()
    try:
        yield lookup
    finally:
        await lookup.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A list that is there when a test says so."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


async def name_of(lookup: CityLookup, text: str) -> str | None:
    city = (await lookup.find(text)).city
    return city.name if city else None


async def test_questions_wait_for_the_list_and_the_loop_does_not(tmp_path: Path, pipe: Path) -> None:
    async with opened(tmp_path, pipe) as lookup:
        asking = [asyncio.create_task(name_of(lookup, text)) for text in ("bern", "ZURICH", "Thoune") * 20]
        for _ in range(100):
            await asyncio.sleep(0)
        assert not any(task.done() for task in asking)
        # However many wait, one thread does: the others are free for whoever needs one. The pipe is read once.
        await asyncio.to_thread(write_cities, pipe, *CITIES)
        assert await asyncio.gather(*asking) == ["Bern", "Zürich", "Thun"] * 20


async def test_a_query_that_waits_too_long_fails_and_may_be_repeated(tmp_path: Path, pipe: Path) -> None:
    async with opened(tmp_path, pipe, timeout_s=0.05) as lookup:
        with pytest.raises(UnavailableError, match="not ready yet") as caught:
            await lookup.list_cities("CH", None, 9)
        assert caught.value.allow_retry
        await asyncio.to_thread(write_cities, pipe, *CITIES)
        cities: tuple[City, ...] = ()
        async with asyncio.timeout(30):
            while not cities:
                with suppress(UnavailableError):
                    cities = await lookup.list_cities("CH", None, 9)
        assert [city.name for city in cities] == ["Zürich", "Bern", "Thun"]


async def test_closing_stops_the_making(tmp_path: Path, pipe: Path) -> None:
    async with opened(tmp_path, pipe) as lookup:
        asking = asyncio.create_task(lookup.find("Bern"))
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.to_thread(write_cities, pipe, *CITIES)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert list((tmp_path / "cache").iterdir()) == []


def damage(path: Path) -> None:
    """Spoil what is read by a search, and nothing that is looked at when the file is opened."""
    with closing(sqlite3.connect(path)) as connection:
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'spelling'").fetchone()
        [page_bytes] = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * page_bytes : page * page_bytes] = b"\xff" * page_bytes
    path.write_bytes(content)


def damage_all_in(folder: Path) -> None:
    paths = list(folder.glob(f"*/{file_name()}"))
    assert paths
    for path in paths:
        damage(path)


@pytest.mark.parametrize("harm", [damage, Path.unlink], ids=["damaged", "gone"])
async def test_a_list_that_is_damaged_during_use_is_rebuilt(
    tmp_path: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    source = write_cities(tmp_path / "cities.json", *CITIES)
    path = tmp_path / "cache" / file_name()
    async with opened(tmp_path, source) as lookup:
        assert await name_of(lookup, "Zürich") == "Zürich"
        harm(path)
        with pytest.raises(sqlite3.DatabaseError):
            CityIndex(path).find("Zürich")
        with caplog.at_level(logging.WARNING):
            assert await name_of(lookup, "Zürich") == "Zürich"
        assert [record.getMessage() for record in caplog.records] == [
            "list of cities is damaged or gone, making it anew"
        ]
        caplog.clear()
        assert await lookup.weights_of([BERN["geonameid"], 1]) == {BERN["geonameid"]: 121_631 * 14 * 3}
        assert not caplog.records
    assert CityIndex(path).find("Zürich").city is not None


async def test_a_damaged_temporary_list_is_rebuilt_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = write_cities(tmp_path / "cities.json", *CITIES)
    (tmp_path / "cache").touch()  # no folder
    async with opened(tmp_path, source) as lookup:
        assert await name_of(lookup, "Bern") == "Bern"
        damage_all_in(tmp_path)
        caplog.clear()
        for _ in range(3):
            assert await name_of(lookup, "Bern") == "Bern"
    assert [record.getMessage() for record in caplog.records] == [
        "list of cities is damaged or gone, making it anew",
        "list of cities cannot be kept, making a temporary one",
    ]


async def test_a_list_that_cannot_be_made_is_reported_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "cities.json"
    source.write_text("nonsense")
    async with opened(tmp_path, source) as lookup:
        with pytest.raises(UnavailableError, match="cannot be read"):
            await lookup.find("Bern")
        assert "list of cities cannot be made" in caplog.text
        write_cities(source, *CITIES)
        assert await name_of(lookup, "Bern") == "Bern"
