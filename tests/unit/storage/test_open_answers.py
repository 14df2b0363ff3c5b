"""Unfinished answers of two processes on one database, and how readers see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar, TypeVarTuple

import pytest
from chatkit.types import ThreadMetadata
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from database import Base, Database
from storage.process_leases import FORGOTTEN_AFTER, LEASE, OpenAnswerRow, ProcessLeaseRow
from store import ParlorStore
from streaming.requests.interruption_marks import build_interruption_mark
from tests.unit.sample_items import assistant_message
from turns.clock import utc_now
from turns.request_context import RequestContext

ADA, BOB = (RequestContext(user_id=name, use_case="weather", request_id="req_1") for name in ("ada", "bob"))
R = TypeVar("R")
Ts = TypeVarTuple("Ts")
A_MOMENT = timedelta(milliseconds=1)


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 5, 1, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


class FailingDatabase(Database):
    """A database whose transactions that write are refused while `fails` is set."""

    fails = False

    async def run_write(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        if self.fails:
            raise SQLAlchemyError("refused")
        return await super().run_write(work, *args)


@dataclass
class TwoProcesses:
    database: Database
    clock: Clock
    writer: ParlorStore
    reader: ParlorStore
    thread_id: str = "thr_1"

    async def begin(self) -> str:
        thread = ThreadMetadata(id=self.thread_id, created_at=utc_now())
        await self.writer.save_thread(thread, ADA)
        mark = build_interruption_mark(thread, "interrupted")
        await self.writer.add_half_answer(self.thread_id, assistant_message("half"), mark, ADA)
        return mark.id

    async def shown(self) -> list[str]:
        """Return the marks that are shown after the half of an answer."""
        page = json.loads(await self.reader.items_json(self.thread_id, None, None, "asc", ADA))
        thread = json.loads(await self.reader.thread_json(self.thread_id, ADA))
        assert page["data"] == thread["items"]["data"]
        half, *marks = [item["id"] for item in page["data"]]
        assert half == "half"
        return marks

    async def is_followed(self) -> bool:
        return await self.reader.open_answers.is_written_elsewhere(self.thread_id, ADA)


@pytest.fixture
async def two(any_database: Database) -> TwoProcesses:
    clock = Clock()
    return TwoProcesses(any_database, clock, ParlorStore(any_database, clock), ParlorStore(any_database, clock))


async def test_half_an_answer_is_never_stored_without_its_mark(any_database: Database) -> None:
    store = ParlorStore(any_database)
    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    await store.save_thread(thread, ADA)
    # What is written last cannot be, as if the server were killed before it.
    await any_database.run_write(lambda connection: connection.execute(text("DROP TABLE open_answers")) and None)
    with pytest.raises(SQLAlchemyError):
        await store.add_half_answer(
            thread.id, assistant_message("half"), build_interruption_mark(thread, "interrupted"), ADA
        )
    assert (await store.load_thread_items(thread.id, None, 10, "asc", ADA)).data == []


async def test_a_killed_process_counts_as_alive_until_its_lease_ends(two: TwoProcesses) -> None:
    mark = await two.begin()
    two.clock.now += LEASE
    assert (await two.shown(), await two.is_followed()) == ([], True)
    two.clock.now += A_MOMENT
    assert (await two.shown(), await two.is_followed()) == ([mark], False)


async def test_a_writing_process_renews_its_lease(two: TwoProcesses) -> None:
    await two.begin()
    for _ in range(3):
        two.clock.now += LEASE
        await two.writer.open_answers.renew_lease()
    await two.reader.open_answers.renew_lease()
    assert (await two.shown(), await two.is_followed()) == ([], True)
    assert not await two.writer.open_answers.is_written_elsewhere(two.thread_id, ADA), "it is its own"
    assert not await two.reader.open_answers.is_written_elsewhere(two.thread_id, BOB), "and nobody else's"


async def test_a_half_answer_that_ended_is_shown_while_its_process_lives(two: TwoProcesses) -> None:
    mark = await two.begin()
    await two.writer.open_answers.show_mark(two.thread_id, mark, ADA)
    assert (await two.shown(), await two.is_followed()) == ([mark], False)


async def test_a_failed_update_is_repeated_with_the_next_renewal(any_database_url: str) -> None:
    database, clock = FailingDatabase(any_database_url), Clock()
    await database.create_tables(Base.metadata)
    two = TwoProcesses(database, clock, ParlorStore(database, clock), ParlorStore(database, clock))
    mark = await two.begin()
    database.fails = True
    with pytest.raises(SQLAlchemyError):
        await two.writer.open_answers.show_mark(two.thread_id, mark, ADA)
    database.fails = False
    assert await two.shown() == []
    await two.writer.open_answers.renew_lease()
    assert await two.shown() == [mark]
    await database.close()


async def test_a_whole_answer_leaves_nothing_and_a_process_without_answers_writes_nothing(two: TwoProcesses) -> None:
    await two.writer.open_answers.remove_mark(two.thread_id, await two.begin(), ADA)
    assert (await two.shown(), await two.is_followed()) == ([], False)
    two.clock.now += FORGOTTEN_AFTER
    await two.writer.open_answers.renew_lease()
    async with two.database.read() as session:
        [lease] = (await session.scalars(select(ProcessLeaseRow))).all()
        assert lease.renewed_at == two.clock.now - FORGOTTEN_AFTER
        assert (await session.scalars(select(OpenAnswerRow))).all() == []


async def test_processes_that_have_been_gone_for_a_day_are_forgotten_and_their_marks_stay(two: TwoProcesses) -> None:
    mark = await two.begin()
    two.clock.now += FORGOTTEN_AFTER + A_MOMENT
    two.thread_id = "thr_2"
    two.writer, two.reader = two.reader, two.writer
    await two.begin()
    async with two.database.read() as session:
        assert len((await session.scalars(select(ProcessLeaseRow))).all()) == 1
        assert len((await session.scalars(select(OpenAnswerRow))).all()) == 1
    two.thread_id = "thr_1"
    assert await two.shown() == [mark]


async def test_the_only_process_on_an_sqlite_database_knows_at_once_that_the_others_are_dead(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    killed, old, new = (Database(sqlite_url) for _ in range(3))
    clock = Clock()
    await killed.create_tables(Base.metadata)
    two = TwoProcesses(killed, clock, ParlorStore(killed, clock), ParlorStore(new, clock))
    await two.writer.open_answers.register_process()
    mark_id = await two.begin()
    # One that starts beside it, for an upgrade, leaves it to the lease.
    await two.reader.open_answers.register_process()
    assert await two.shown() == []
    assert await two.is_followed()
    await new.close()
    await killed.close()  # as its end would have it, however it came

    two.reader = ParlorStore(old, clock)
    await two.reader.open_answers.register_process()
    assert await two.shown() == [mark_id]
    assert not await two.is_followed()
    await old.close()


async def test_a_living_process_without_the_lock_is_not_taken_for_dead(sqlite_url: str) -> None:
    old, new = (Database(sqlite_url) for _ in range(2))
    clock = Clock()
    await old.create_tables(Base.metadata)
    two = TwoProcesses(old, clock, ParlorStore(old, clock), ParlorStore(new, clock))
    mark_id = await two.begin()  # it has not entered, as versions did not that knew no lock
    await two.reader.open_answers.register_process()
    assert await two.shown() == []
    assert await two.is_followed()
    clock.now += LEASE + A_MOMENT
    assert await two.shown() == [mark_id]
    await new.close()
    await old.close()


async def test_a_failed_cleanup_does_not_prevent_the_start(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(sqlite_url)
    await ParlorStore(database).open_answers.register_process()  # without its tables
    assert "what a killed server has left stays for now" in caplog.text
    await database.close()


async def test_a_server_of_databases_is_asked_for_its_leases_alone(postgres_database: Database) -> None:
    clock = Clock()
    two = TwoProcesses(
        postgres_database, clock, ParlorStore(postgres_database, clock), ParlorStore(postgres_database, clock)
    )
    await two.begin()
    await two.reader.open_answers.register_process()
    assert await two.shown() == []
