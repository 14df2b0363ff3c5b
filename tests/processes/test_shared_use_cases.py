"""Several services with one use case each on one database, as behind a gateway: all are listed, with their state."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from tests.preloaded.commands import KILL
from tests.processes.server_process import PATIENCE_S, ServerProcess, Story, running

SHARED = {"SHARE_USE_CASES": "true", "OFFLINE_TOKEN_DELAY_MS": "0", "SECRET_KEY": "k" * 32}


async def listed(server: ServerProcess) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the use cases that can be used and those that cannot, by name."""
    found = (await server.get("/api/use-cases")).json()
    return {each["name"]: each for each in found["use_cases"]}, {each["name"]: each for each in found["disabled"]}


async def until_listed(server: ServerProcess, names: set[str]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while set((await listed(server))[0]) != names:
            pass  # each look takes a round trip


async def test_the_page_of_each_service_shows_all_and_one_that_is_down_as_such(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    async with (
        running(tmp_path, **SHARED, DATABASE_URL=url, ENABLED_USE_CASES="counting") as counting,
        running(tmp_path, **SHARED, DATABASE_URL=url, ENABLED_USE_CASES="todo") as todo,
    ):
        async with running(tmp_path, **SHARED, DATABASE_URL=url, ENABLED_USE_CASES="weather") as weather:
            everything = {"counting", "todo", "weather"}
            for server in (counting, todo, weather):
                await until_listed(server, everything)
            own, here = (await listed(todo))[0]["todo"], (await listed(counting))[0]["todo"]
            assert {**own, "default": False} == here
            weather.send_signal(KILL)
            await weather.exit_code()
            make_silent(tmp_path / "shared.db", "weather")

        for server in (counting, todo):
            usable, disabled = await listed(server)
            assert set(usable) == everything - {"weather"}
            assert (disabled["weather"]["title"], disabled["weather"]["id"]) == ("Weather", "")
        story = Story()
        await counting.read(story, "count to 3")
        assert "1 2 3" in story.text


def make_silent(path: Path, name: str) -> None:
    """Put the last sign of life of a service a minute back, in the place of waiting for a minute."""
    connection = sqlite3.connect(path)
    try:
        past = "strftime('%Y-%m-%d %H:%M:%f', seen_at, '-60 seconds')"
        connection.execute(f"UPDATE shared_use_cases SET seen_at = {past} WHERE name = ?", [name])  # noqa: S608
        connection.commit()
    finally:
        connection.close()
