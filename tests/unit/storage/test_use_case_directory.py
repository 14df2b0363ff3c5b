from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from database import Database
from storage.use_case_directory import DOWN_AFTER, FORGOTTEN_AFTER, SharedUseCase, SharedUseCaseRow, UseCaseDirectory
from turns.clock import utc_now

TODO = {"name": "todo", "title": "To-do"}


@pytest.fixture
async def directory(any_database: Database) -> UseCaseDirectory:
    found = UseCaseDirectory(any_database)
    await found.announce({"todo": TODO, "crm": {"name": "crm", "title": "Customers"}})
    return found


async def silent_for(database: Database, silence: timedelta) -> None:
    async with database.write() as session:
        await session.execute(update(SharedUseCaseRow).values(seen_at=utc_now() - silence))


async def test_others_are_those_that_do_not_live_here(directory: UseCaseDirectory) -> None:
    assert [each.name for each in await directory.load_others(["weather"])] == ["crm", "todo"]
    assert await directory.load_others(["weather", "crm"]) == [SharedUseCase("todo", TODO, is_down=False)]
    assert await directory.load_others(["todo", "crm"]) == []


async def test_a_service_announces_itself_again_and_again(directory: UseCaseDirectory) -> None:
    await directory.announce({"todo": {**TODO, "title": "Lists"}})
    await directory.announce({})
    titles = {each.name: each.description["title"] for each in await directory.load_others([])}
    assert titles == {"crm": "Customers", "todo": "Lists"}


async def test_a_silent_process_counts_as_down_and_is_forgotten_in_the_end(
    directory: UseCaseDirectory, any_database: Database
) -> None:
    await silent_for(any_database, DOWN_AFTER - timedelta(seconds=5))
    assert [each.is_down for each in await directory.load_others(["crm"])] == [False]
    await silent_for(any_database, DOWN_AFTER + timedelta(seconds=1))
    assert await directory.load_others(["crm"]) == [SharedUseCase("todo", TODO, is_down=True)]
    await directory.announce({"todo": TODO})
    assert {each.name: each.is_down for each in await directory.load_others([])} == {"crm": True, "todo": False}
    await silent_for(any_database, FORGOTTEN_AFTER + timedelta(seconds=1))
    assert await directory.load_others([]) == []
    await directory.announce({})
    async with any_database.read() as session:
        assert await session.get(SharedUseCaseRow, "todo") is None
