"""Database: transactions, types and tables, on both dialects."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, ForeignKey, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from database import Database, JSONDocument, PlainText, UTCDateTime, build_metadata, is_down, new_id
from databases import faults
from databases.columns import load_json
from databases.sqlite_file import RESERVE_BYTES, SQLiteFile
from databases.sqlite_threads import SQLiteThreads
from errors import ConfigError


class NoteBase(DeclarativeBase):
    metadata = build_metadata()


class NoteRow(NoteBase):
    __tablename__ = "notes"
    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    written_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    body: Mapped[Any | None] = mapped_column(JSONDocument)


class LineRow(NoteBase):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[str] = mapped_column(ForeignKey(NoteRow.id))


@pytest.fixture
async def notes(any_database_url: str) -> AsyncIterator[Database]:
    database = Database(any_database_url)
    await database.create_tables(NoteBase.metadata)
    yield database
    await database.close()


async def _write(database: Database, **values: Any) -> None:
    async with database.write() as session:
        session.add(NoteRow(**values))


async def _read(database: Database, note_id: str) -> NoteRow | None:
    async with database.read() as session:
        return await session.get(NoteRow, note_id)


async def test_written_rows_are_visible_to_the_next_reader(notes: Database) -> None:
    await _write(notes, id="a", body={"b": [1, None, "ü"]})
    row = await _read(notes, "a")
    assert row is not None
    assert row.body == {"b": [1, None, "ü"]}  # usable after its session


async def test_a_write_that_raises_leaves_nothing(notes: Database) -> None:
    async def write_and_fail() -> None:
        async with notes.write() as session:
            session.add(NoteRow(id="a"))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write_and_fail()
    assert await _read(notes, "a") is None


async def test_a_reading_transaction_cannot_write(notes: Database) -> None:
    async def write_while_reading() -> None:
        async with notes.read() as session:
            session.add(NoteRow(id="a"))
            await session.commit()

    with pytest.raises(DBAPIError):
        await write_while_reading()
    await _write(notes, id="a")


async def test_readers_do_not_wait_for_an_open_write(notes: Database) -> None:
    await _write(notes, id="a")
    async with notes.write() as session:
        session.add(NoteRow(id="b"))
        await session.flush()
        async with asyncio.timeout(15):
            assert await _read(notes, "a") is not None
            assert await _read(notes, "b") is None


async def test_writers_that_read_first_lose_no_update(notes: Database, any_database_url: str) -> None:
    await _write(notes, id="a", body=0)
    other = Database(any_database_url)  # as another process would have it

    async def increment(database: Database) -> None:
        async with database.write() as session:
            row = await session.get(NoteRow, "a", with_for_update=True)
            assert row is not None
            row.body = (row.body or 0) + 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(increment(notes))
            tasks.create_task(increment(other))
    await other.close()
    row = await _read(notes, "a")
    assert row is not None
    assert row.body == 20


async def test_a_cancelled_write_leaves_nothing_and_blocks_nobody(notes: Database) -> None:
    has_written = asyncio.Event()

    async def write_and_wait() -> None:
        async with notes.write() as session:
            session.add(NoteRow(id="a"))
            await session.flush()
            has_written.set()
            while True:
                await session.execute(select(NoteRow))

    task = asyncio.create_task(write_and_wait())
    await has_written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(15):
        await _write(notes, id="a")


@pytest.mark.parametrize("second_cancel_after", [None, 1, 5])
async def test_a_session_leaves_no_lock_and_no_half_wherever_it_is_cancelled(
    notes: Database, second_cancel_after: int | None
) -> None:
    async def write_two(name: str) -> None:
        async with notes.write() as session:
            session.add(NoteRow(id=f"{name} 1"))
            await session.flush()
            await session.scalar(select(NoteRow.id))
            session.add(NoteRow(id=f"{name} 2"))

    async def steps(count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: lost.append(problem))
    await write_two("before")
    cancelled = 0
    for count in range(60):
        task = asyncio.create_task(write_two(f"cancelled {count}"))
        await steps(count)
        if task.done():
            break
        task.cancel()
        if second_cancel_after is not None:
            await steps(second_cancel_after)
            task.cancel()
        cancelled += len(await asyncio.gather(task, return_exceptions=True))
        # Less than the busy timeout: a lock that somebody keeps is not waited for.
        async with asyncio.timeout(3):
            await write_two(f"after {count}")
    assert cancelled > 10
    async with notes.read() as session:
        ids = set(await session.scalars(select(NoteRow.id)))
    for count in range(cancelled):
        assert {f"after {count} 1", f"after {count} 2"} <= ids
        assert (f"cancelled {count} 1" in ids) == (f"cancelled {count} 2" in ids)
    gc.collect()
    assert lost == []  # such as a task that waits for ever for a thread that has ended


async def test_a_function_reads_or_writes_in_one_transaction(notes: Database) -> None:
    def add(connection: Connection, note_id: str, fails: bool) -> None:
        connection.execute(insert(NoteRow), {"id": note_id, "body": {"of": note_id}})
        if fails:
            raise LookupError("after the write")

    def ids(connection: Connection) -> list[str]:
        return list(connection.scalars(select(NoteRow.id)))

    await notes.run_write(add, "a", False)
    with pytest.raises(LookupError):
        await notes.run_write(add, "b", True)
    assert await notes.run_read(ids) == ["a"]
    with pytest.raises(DBAPIError):
        await notes.run_read(add, "c", False)
    assert await notes.run_read(ids) == ["a"]


async def test_sessions_and_functions_that_write_at_once_wait_for_each_other(notes: Database) -> None:
    def append(connection: Connection, part: str) -> None:
        body = connection.scalar(select(NoteRow.body).where(NoteRow.id == "a").with_for_update())
        connection.execute(update(NoteRow).where(NoteRow.id == "a"), {"body": [*body, part]})

    async def append_in_session(part: str) -> None:
        async with notes.write() as session:
            row = await session.scalar(select(NoteRow).where(NoteRow.id == "a").with_for_update())
            assert row is not None
            row.body = [*row.body, part]

    await _write(notes, id="a", body=[])
    async with asyncio.TaskGroup() as tasks:
        for n in range(10):
            tasks.create_task(notes.run_write(append, f"function {n}"))
            tasks.create_task(append_in_session(f"session {n}"))
    row = await _read(notes, "a")
    assert row is not None
    assert sorted(row.body) == sorted(f"{who} {n}" for who in ("function", "session") for n in range(10))


async def test_a_function_that_is_cancelled_has_ended_or_was_never_begun(database: Database) -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    done: list[str] = []

    def work(connection: Connection, name: str) -> None:
        has_begun.set()
        assert may_end.wait(5)
        done.append(name)

    first = asyncio.create_task(database.run_write(work, "first"))
    second = asyncio.create_task(database.run_write(work, "second"))
    await asyncio.to_thread(has_begun.wait, 5)
    first.cancel()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not first.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert done == ["first"]
    await database.run_write(work, "third")
    assert done == ["first", "third"]


async def test_a_task_that_waits_too_long_for_a_thread_gets_an_error(sqlite_url: str) -> None:
    threads = SQLiteThreads(make_url(sqlite_url), SQLiteFile(make_url(sqlite_url)), wait_s=0.01)
    has_begun, may_end = threading.Event(), threading.Event()

    def work(connection: Connection) -> bool:
        has_begun.set()
        return may_end.wait(5)

    slow = asyncio.create_task(threads.write(work))
    await asyncio.to_thread(has_begun.wait, 5)
    with pytest.raises(PoolTimeoutError, match="no thread for SQLite was free"):
        await threads.write(lambda connection: None)
    may_end.set()
    assert await slow
    await threads.write(lambda connection: None)
    await threads.close()


async def test_a_thread_whose_connection_is_broken_gets_another(database: Database) -> None:
    def break_it(connection: Connection) -> None:
        connection.connection.driver_connection.close()  # type: ignore[union-attr]
        connection.execute(select(1))

    for _ in range(2):
        with pytest.raises(DBAPIError, match="closed"):
            await database.run_write(break_it)
        assert await database.run_write(Connection.scalar, select(1)) == 1


async def test_a_transaction_that_cannot_begin_is_a_failure_of_the_database(
    database: Database, sqlite_url: str
) -> None:
    await database.run_write(Connection.execute, text("PRAGMA busy_timeout = 0"))
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            await database.run_write(Connection.execute, select(1))
        other.execute("COMMIT")
    assert await database.run_write(Connection.scalar, select(1)) == 1


async def test_after_a_failure_of_the_database_a_thread_works_with_another_connection(database: Database) -> None:
    await database.run_write(Connection.execute, text("CREATE TEMP TABLE mine (id)"))
    assert await database.run_write(Connection.scalar, text("SELECT count(*) FROM mine")) == 0
    with pytest.raises(DBAPIError, match="nowhere"):
        await database.run_write(Connection.execute, text("SELECT * FROM nowhere"))
    with pytest.raises(DBAPIError, match="mine"):
        await database.run_write(Connection.execute, text("SELECT * FROM mine"))


async def test_a_failed_transaction_of_a_thread_leaves_nothing_for_the_next(notes: Database) -> None:
    def write_and_fail(connection: Connection) -> None:
        connection.execute(insert(NoteRow).values(id="lost"))
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        await notes.run_write(write_and_fail)
    assert await notes.run_write(Connection.scalar, select(NoteRow.id)) is None


async def test_foreign_keys_hold(notes: Database) -> None:
    with pytest.raises(IntegrityError):
        async with notes.write() as session:
            session.add(LineRow(id=1, note_id="nowhere"))


async def test_times_come_back_aware_and_in_utc(notes: Database) -> None:
    bern = datetime(2025, 1, 1, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    await _write(notes, id="a", written_at=bern)
    row = await _read(notes, "a")
    assert row is not None
    assert row.written_at == bern
    assert row.written_at.utcoffset() == timedelta(0)


async def test_a_naive_time_is_refused(notes: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        await _write(notes, id="a", written_at=datetime(2025, 1, 1))  # noqa: DTZ001 - the point


@pytest.mark.parametrize(
    ("stored", "loaded"),
    [
        ("nul \x00 here", "nul \ufffd here"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("a backslash and \\u0000", "a backslash and \\u0000"),
        ("whole 😀 pair", "whole 😀 pair"),
    ],
)
async def test_text_that_no_database_stores_becomes_a_replacement_character(
    notes: Database, stored: str, loaded: str
) -> None:
    await _write(notes, id=stored, body={"deep": [stored], stored: 1})
    row = await _read(notes, stored)
    assert row is not None
    assert (row.id, row.body) == (loaded, {"deep": [loaded], loaded: 1})


async def test_numbers_that_json_does_not_have_become_null(notes: Database) -> None:
    await _write(notes, id="a", body={"x": float("nan"), "y": float("inf"), "z": "NaN", "n": 1.5})
    row = await _read(notes, "a")
    assert row is not None
    assert row.body == {"x": None, "y": None, "z": "NaN", "n": 1.5}


@pytest.mark.parametrize(
    "document", ['{"a": [1, 2.5, "\u00e9", null]}', '"half of \\ud83d"', "123456789012345678901234567890"]
)
def test_json_of_other_programs_is_read_like_the_standard_library_does(document: str) -> None:
    assert load_json(document) == json.loads(document)


async def test_an_insert_may_replace_what_is_there(notes: Database) -> None:
    for body in (1, 2):
        async with notes.write() as session:
            stmt = notes.insert(NoteRow).values(id="a", body=body)
            await session.execute(stmt.on_conflict_do_update(index_elements=["id"], set_={"body": body}))
    row = await _read(notes, "a")
    assert row is not None
    assert row.body == 2


async def test_processes_that_start_together_create_the_tables_once(any_database_url: str) -> None:
    databases = [Database(any_database_url) for _ in range(4)]
    async with asyncio.TaskGroup() as tasks:
        for each in databases:
            tasks.create_task(each.create_tables(NoteBase.metadata))
    await _write(databases[0], id="a")
    assert await _read(databases[3], "a") is not None
    for each in databases:
        await each.close()


async def test_processes_that_start_together_share_a_new_sqlite_file(sqlite_url: str) -> None:
    program = """
import asyncio, sys
from sqlalchemy import Column, Integer, MetaData, Table, text
from database import Database

metadata = MetaData()
Table("marks", metadata, Column("id", Integer, primary_key=True))

async def main():
    database = Database(sys.argv[1])
    sys.stdin.readline()  # all begin at once
    await database.create_tables(metadata)
    for _ in range(5):
        async with database.write() as session:
            await session.execute(text("INSERT INTO marks DEFAULT VALUES"))
    await database.close()

asyncio.run(main())
"""
    processes = [await _start(program, sqlite_url) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
    outcomes = [await asyncio.wait_for(process.communicate(), 30) for process in processes]
    assert [(process.returncode, error) for process, (_, error) in zip(processes, outcomes, strict=True)] == [
        (0, b"")
    ] * 4
    database = Database(sqlite_url)
    assert await database.run_read(Connection.scalar, text("SELECT count(*) FROM marks")) == 20
    await database.close()


async def test_a_process_that_ends_without_closing_the_database_ends(sqlite_url: str) -> None:
    program = """
import asyncio, sys
from sqlalchemy import text
from database import Database

async def main():
    database = Database(sys.argv[1])
    async with database.read() as reading:
        await reading.execute(text("SELECT 1"))
        async with database.write() as writing:
            await writing.execute(text("CREATE TABLE marks (id)"))
            sys.exit(7)

asyncio.run(main())
"""
    process = await _start(program, sqlite_url)
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 7


async def _start(program: str, argument: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    root = Path(__file__).parents[2]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, argument, cwd=root, stdin=pipe, stdout=pipe, stderr=pipe
    )


@pytest.mark.parametrize("way", ["session", "function"])
async def test_the_first_write_waits_while_another_process_fills_a_new_file(sqlite_url: str, way: str) -> None:
    database = Database(sqlite_url)

    async def write() -> None:
        if way == "function":
            await database.run_write(Connection.execute, text("CREATE TABLE ours (id)"))
            return
        async with database.write() as session:
            await session.execute(text("CREATE TABLE ours (id)"))

    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
        # This lock refuses the switch to WAL at once, whatever the busy timeout.
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE theirs (id)")
        asyncio.get_running_loop().call_later(0.1, other.execute, "COMMIT")
        async with asyncio.timeout(15):
            await write()
        tables = other.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    await database.close()
    assert tables == [("ours",), ("theirs",)]


async def test_closing_ends_the_threads(sqlite_url: str) -> None:
    before = set(threading.enumerate())
    database = Database(sqlite_url)
    await database.create_tables(NoteBase.metadata)
    await database.run_write(Connection.execute, select(1))
    await database.run_read(Connection.execute, select(1))
    async with database.write() as writing, database.read() as one, database.read() as another:
        for session in (writing, one, another):
            await session.execute(select(1))
        ours = {thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio")}
    await database.close()
    assert len(ours) >= 5
    for thread in ours:
        thread.join(5)
    assert not [thread.name for thread in ours if thread.is_alive()]


@pytest.mark.parametrize("way", ["session", "function"])
@pytest.mark.parametrize("writes", [True, False])
async def test_sqlite_runs_with_its_safe_and_fast_settings(database: Database, way: str, writes: bool) -> None:
    async def ask(pragma: str) -> Any:
        statement = text(f"PRAGMA {pragma}")
        if way == "function":
            run = database.run_write if writes else database.run_read
            return await run(Connection.scalar, statement)
        async with database.write() if writes else database.read() as session:
            return await session.scalar(statement)

    pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout", "query_only")
    assert [await ask(pragma) for pragma in pragmas] == ["wal", 1, 1, 5000, 0 if writes else 1]


async def test_the_folder_of_an_sqlite_file_is_made(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/new/folder/parlor.db")
    await database.create_tables(NoteBase.metadata)
    assert (tmp_path / "new" / "folder" / "parlor.db").exists()
    await database.close()


async def test_a_live_database_has_no_fault(notes: Database) -> None:
    assert await notes.find_fault(timeout_s=5) is None


@pytest.mark.parametrize("way", ["session", "function"])
async def test_a_database_file_that_is_deleted_or_exchanged_is_neither_read_nor_written(
    tmp_path: Path, way: str
) -> None:
    file, aside = tmp_path / "parlor.db", tmp_path / "aside.db"
    database = Database(f"sqlite+aiosqlite:///{file}")
    await database.create_tables(NoteBase.metadata)

    async def is_usable(*, writes: bool) -> bool:
        try:
            if way == "function":
                await (database.run_write if writes else database.run_read)(Connection.execute, select(1))
            else:
                async with database.write() if writes else database.read() as session:
                    await session.execute(select(1))
        except OperationalError:
            return False
        return True

    async def look() -> tuple[str | None, bool, bool]:
        return await database.find_fault(timeout_s=5), await is_usable(writes=False), await is_usable(writes=True)

    assert await look() == (None, True, True)
    file.rename(aside)
    assert await look() == (faults.REPLACED, False, False)
    assert not file.exists(), "no empty file takes its place"
    file.write_bytes(aside.read_bytes())
    assert await look() == (faults.REPLACED, False, False)
    aside.rename(file)
    assert await look() == (None, True, True)
    await database.close()


async def test_a_database_that_another_process_has_locked_is_found_so_in_time(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.create_tables(NoteBase.metadata)
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await database.find_fault(timeout_s=0.2) == faults.LOCKED
        other.execute("ROLLBACK")
    assert await database.find_fault(timeout_s=5) is None
    await database.close()


async def test_a_database_that_takes_no_writes_is_found_so_and_found_well_again(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.create_tables(NoteBase.metadata)
    # What the driver says of a folder that was mounted read-only; no mode keeps root from writing.
    await database.run_write(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    assert await database.find_fault(timeout_s=5) == faults.READ_ONLY
    await database.run_write(lambda connection: connection.exec_driver_sql("PRAGMA query_only = OFF"))
    assert await database.find_fault(timeout_s=5) is None
    await database.close()


async def test_a_disk_that_takes_no_more_is_found_so_and_found_well_again(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.create_tables(NoteBase.metadata)
    await _write(database, id="before")
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
    try:
        with pytest.raises(DBAPIError) as raised:
            await _write(database, id="lost", body="x" * 100_000)
        fault = await database.find_fault(timeout_s=5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert is_down(raised.value)
    assert fault in (faults.DISK_FULL, "cannot be read or written to: the disk reports an error")
    assert await database.find_fault(timeout_s=5) is None
    await _write(database, id="after")
    kept = await database.run_read(lambda connection: connection.execute(select(NoteRow.id)).scalars().all())
    assert sorted(kept) == ["after", "before"]
    await database.close()


async def test_a_look_at_the_database_changes_nothing_and_is_shared(any_database: Database) -> None:
    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(any_database.find_fault(timeout_s=5)) for _ in range(50)]
    assert {look.result() for look in looks} == {None}
    if any_database.dialect == "sqlite":
        changed = await any_database.run_read(
            lambda connection: connection.exec_driver_sql("PRAGMA user_version").scalar()
        )
        assert changed == 0


async def test_damage_is_reported_until_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "parlor.db"
    first = Database(f"sqlite+aiosqlite:///{file}")
    await first.create_tables(NoteBase.metadata)
    for number in range(200):
        await _write(first, id=f"n{number}", body="x" * 2_000)
    await first.close()
    database = Database(f"sqlite+aiosqlite:///{file}")
    await database.create_tables(NoteBase.metadata)
    with file.open("r+b") as raw:  # beside SQLite, as a failing disk does it
        raw.seek(4096)
        raw.write(b"\xa5" * (file.stat().st_size - 4096))
    with pytest.raises(DBAPIError) as raised:
        # The connection that writes has read none of these pages yet, so they come from the disk.
        await database.run_write(lambda connection: connection.execute(select(NoteRow)).all())
    assert is_down(raised.value)
    assert await database.find_fault(timeout_s=5) == faults.DAMAGED
    await database.close()

    again = Database(f"sqlite+aiosqlite:///{file}")
    with pytest.raises(ConfigError, match=r"parlor\.db' is damaged; restore it"):
        await again.create_tables(NoteBase.metadata)
    assert await again.find_damage() == faults.DAMAGED
    await again.close()


async def test_the_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "parlor.db"
    file.touch(mode=0o644)
    umask = os.umask(0)
    try:
        for path in (file, tmp_path / "new.db"):
            database = Database(f"sqlite+aiosqlite:///{path}")
            await database.create_tables(NoteBase.metadata)
            await _write(database, id="n")
            modes = {
                name: os.stat(tmp_path / name).st_mode & 0o777 for name in os.listdir(tmp_path) if path.name in name
            }
            await database.close()
            assert len(modes) == 4, "with its log, its index and its reserve"
            assert set(modes.values()) == {0o600}
    finally:
        os.umask(umask)


async def test_a_delete_that_finds_no_room_gets_the_reserved_space_each_time(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'parlor.db'}")
    await database.create_tables(NoteBase.metadata)
    reserve = tmp_path / "parlor.db-reserve"
    assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES, "it is taken, not only promised"

    def delete_where_there_is_room(connection: Connection) -> str:
        if reserve.exists():
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.execute(insert(NoteRow).values(id=new_id("n"), body="x" * 100_000))
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        return "deleted"

    with pytest.raises(DBAPIError, match="full"):
        await database.run_write(delete_where_there_is_room)
    assert reserve.exists(), "it is there for deleting alone"
    for _ in range(3):
        assert await database.run_delete(delete_where_there_is_room) == "deleted"
    assert reserve.exists()
    await database.close()


async def test_a_dead_server_does_not_answer_and_names_the_variable() -> None:
    database = Database("postgresql+psycopg://someone:s3cret@127.0.0.1:1/none")
    assert await database.find_fault(timeout_s=5) == faults.NO_ANSWER
    with pytest.raises(ConfigError, match="DATABASE_URL") as raised:
        await database.create_tables(NoteBase.metadata)
    assert "s3cret" not in str(raised.value)
    await database.close()


async def test_a_silent_server_does_not_answer_in_time() -> None:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    released = asyncio.Event()
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(f"postgresql+psycopg://someone@127.0.0.1:{port}/none")
    async with asyncio.timeout(15):
        assert await database.find_fault(timeout_s=0.1) == faults.NO_ANSWER
    released.set()
    server.close()
    await database.close()


async def test_a_file_that_is_no_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "parlor.db").write_text("this is not a database file at all, not even a little one" * 20)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'parlor.db'}")
    with pytest.raises(ConfigError, match="DATA_DIR"):
        await database.create_tables(NoteBase.metadata)
    await database.close()


@pytest.mark.parametrize(
    "url",
    ["", "no url at all", "mysql://localhost/x", "postgresql+asyncpg://localhost/x", "sqlite://", "sqlite:///:memory:"],
)
def test_an_unusable_url_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        Database(url)


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="DATA_DIR"):
        Database(f"sqlite+aiosqlite:///{tmp_path}/file/parlor.db")


async def test_short_urls_get_the_asynchronous_driver(tmp_path: Path, postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/a.db", postgres_url.replace("postgresql+psycopg", "postgres")):
        database = Database(url)
        assert await database.find_fault(timeout_s=5) is None
        await database.close()


def test_constraints_are_named_so_that_migrations_find_them() -> None:
    names = {constraint.name for table in NoteBase.metadata.tables.values() for constraint in table.constraints}
    assert names == {"pk_notes", "pk_lines", "fk_lines_note_id_notes"}


def test_ids_are_uuid7_unique_and_sort_as_made() -> None:
    ids = [new_id("msg") for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    made = UUID(ids[-1].removeprefix("msg_"))
    assert (made.version, made.variant, len(ids[-1])) == (7, "specified in RFC 4122", 36)
    assert abs((made.int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 60


def test_sqlite_here_is_new_enough_for_returning() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35)
