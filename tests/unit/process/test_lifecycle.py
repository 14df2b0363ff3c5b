from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import MetaData

from errors import ConfigError, UnavailableError
from process.lifecycle import Lifecycle
from process.use_case_loading import LoadedUseCases
from tests.unit.web.edge import JSON, Edge, FakeDatabase, FakeRuns, FakeServer, use_case


class Recorded(FakeServer):
    def __init__(self, name: str, record: list[tuple[str, object]], error: BaseException | None = None) -> None:
        super().__init__()
        self._name, self._record, self.error = name, record, error

    async def open(self) -> None:
        if self.error is not None:
            raise self.error
        self._record.append((f"open {self._name}", asyncio.current_task()))

    async def close(self) -> None:
        self._record.append((f"close {self._name}", asyncio.current_task()))
        if self._name == "b":
            raise OSError("already gone")
        if self._name == "exits":
            raise SystemExit(3)


def build(
    servers: dict[str, FakeServer],
    database: FakeDatabase | None = None,
    runs: FakeRuns | None = None,
    **details: object,
) -> Lifecycle:
    loaded = LoadedUseCases({name: use_case(name, server) for name, server in servers.items()}, ())
    return Lifecycle(lambda: loaded, database or FakeDatabase(), runs or FakeRuns(), **details)  # type: ignore[arg-type]


async def test_servers_are_closed_in_reverse_order_by_the_task_that_opened_them() -> None:
    record: list[tuple[str, object]] = []
    database = FakeDatabase()
    lifecycle = build({name: Recorded(name, record) for name in "abc"}, database)
    async with lifecycle.running():
        await lifecycle.wait_until_started(10)
        assert not database.is_closed
    assert [what for what, _ in record] == ["open a", "open b", "open c", "close c", "close b", "close a"]
    assert len({task for _, task in record}) == 1
    assert database.is_closed


async def test_the_callback_after_opening_runs_before_the_first_request() -> None:
    record: list[tuple[str, object]] = []
    servers = {name: Recorded(name, record) for name in "ab"}
    lifecycle = build(servers, on_open=lambda: record.append(("all open", lifecycle.loaded)))
    async with lifecycle.running():
        await lifecycle.wait_until_started(10)
    assert [what for what, _ in record][:3] == ["open a", "open b", "all open"]
    assert record[2] == ("all open", None)


async def test_answers_end_before_anything_they_need_is_closed() -> None:
    record: list[tuple[str, object]] = []

    class RecordedRuns(FakeRuns):
        def refuse_new_runs(self) -> None:
            record.append(("refuse", lifecycle.is_stopping))

        async def drain(self, timeout_s: float) -> int:
            record.append(("drain", timeout_s))
            return 0

    class Part:
        async def close(self) -> None:
            record.append(("close part", database.is_closed))

    database = FakeDatabase()
    runs = RecordedRuns()
    lifecycle = build({"a": Recorded("a", record)}, database, runs, drain_timeout_s=7.0, parts=[Part()])
    async with lifecycle.running():
        await lifecycle.wait_until_started(10)
        assert not lifecycle.is_stopping
    assert [what for what, _ in record] == ["open a", "refuse", "drain", "close a", "close part"]
    assert record[1:3] == [("refuse", True), ("drain", 7.0)]
    assert record[-1] == ("close part", True), "parts outlive the database"


async def test_a_server_that_is_about_to_stop_is_alive_and_not_ready(edge: Edge) -> None:
    app = edge.app(use_case("todo"))
    async with edge.client(app) as client:
        before = await client.get("/readyz")
        await app.state.lifecycle.drain()
        after = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert (before.status_code, after.status_code, alive.status_code) == (200, 503, 200)
    assert after.json()["checks"]["use_cases"] == "the server is stopping"


@pytest.mark.parametrize("error", [OSError("no route"), SystemExit("no route")], ids=["fails", "exits"])
async def test_a_use_case_that_cannot_be_opened_does_not_stop_the_others(
    log: pytest.LogCaptureFixture, error: BaseException
) -> None:
    record: list[tuple[str, object]] = []
    lifecycle = build({"a": Recorded("a", record, error=error), "c": Recorded("c", record)})
    async with lifecycle.running():
        loaded = await lifecycle.wait_until_started(10)
    assert list(loaded.enabled) == ["c"]
    assert [(each.name, "no route" in each.reason) for each in loaded.disabled] == [("a", True)]
    assert loaded.disabled[0].error_id in {getattr(each, "error_id", None) for each in log.records}
    assert [what for what, _ in record] == ["open c", "close c"]


async def test_a_use_case_whose_open_is_a_plain_function_is_disabled_with_the_remedy() -> None:
    class Plain(FakeServer):
        def open(self) -> None:  # type: ignore[override]
            """Open nothing that could be awaited."""

    lifecycle = build({"shop": Plain()})
    async with lifecycle.running():
        loaded = await lifecycle.wait_until_started(300)
    assert [each.reason for each in loaded.disabled] == [
        "cannot be opened: PluginError: use case 'shop': its open() must be 'async def', as the platform awaits it"
    ]


async def test_one_that_would_end_the_process_while_it_is_closed_does_not_keep_the_others_open() -> None:
    record: list[tuple[str, object]] = []
    database = FakeDatabase()
    lifecycle = build({name: Recorded(name, record) for name in ("c", "exits")}, database)
    async with lifecycle.running():
        await lifecycle.wait_until_started(300)
    assert [what for what, _ in record][2:] == ["close exits", "close c"]
    assert database.is_closed


async def test_a_database_server_may_come_up_after_us() -> None:
    class Late(FakeDatabase):
        dialect = "postgresql"
        attempts = 0

        async def create_tables(self, *metadata: MetaData) -> None:
            self.attempts += 1
            if self.attempts < 4:
                raise ConfigError("DATABASE_URL", "connection refused")

    database = Late()
    lifecycle = build({"a": FakeServer()}, database, retry_delays_s=(0.0,))
    async with lifecycle.running():
        assert list((await lifecycle.wait_until_started(10)).enabled) == ["a"]
    assert database.attempts == 4


async def test_a_database_file_that_cannot_be_opened_ends_the_start() -> None:
    class Broken(FakeDatabase):
        async def create_tables(self, *metadata: MetaData) -> None:
            raise ConfigError("DATA_DIR", "cannot be opened")

    database = Broken()
    lifecycle = build({"a": FakeServer()}, database)
    async with lifecycle.running():
        with pytest.raises(UnavailableError):
            await lifecycle.wait_until_started(10)
    assert isinstance(lifecycle.failure, ConfigError)
    assert database.is_closed


async def test_the_server_is_alive_while_it_loads_and_requests_wait_for_the_start(edge: Edge) -> None:
    may_load = threading.Event()
    loaded = LoadedUseCases({"todo": use_case("todo")}, ())

    def load() -> LoadedUseCases:
        assert may_load.wait(10)
        return loaded

    lifecycle = Lifecycle(load, FakeDatabase(), FakeRuns())  # type: ignore[arg-type]
    async with edge.client(edge.app(lifecycle=lifecycle), waits=False) as client:
        assert (await client.get("/healthz")).status_code == 200
        not_ready = await client.get("/readyz")
        waiting = asyncio.create_task(client.post("/chatkit/todo", content=b"{}", headers=JSON))
        may_load.set()
        assert (await waiting).status_code == 200
        ready = await client.get("/readyz")
    assert (not_ready.status_code, not_ready.json()["checks"]["use_cases"]) == (503, "loading")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_a_start_that_takes_too_long_is_an_error_that_says_so() -> None:
    may_load = threading.Event()

    def load() -> LoadedUseCases:
        assert may_load.wait(10)
        return LoadedUseCases({}, ())

    lifecycle = Lifecycle(load, FakeDatabase(), FakeRuns())  # type: ignore[arg-type]
    async with lifecycle.running():
        with pytest.raises(UnavailableError, match="still starting"):
            await lifecycle.wait_until_started(0)
        may_load.set()


async def test_a_use_case_that_could_not_be_opened_is_opened_when_what_it_needs_is_there() -> None:
    record: list[tuple[str, object]] = []
    late = Recorded("late", record, error=ConnectionError("the tool server is down"))
    lifecycle = build({"a": Recorded("a", record), "late": late}, reopen_delays_s=(0.01,))
    async with lifecycle.running():
        loaded = await lifecycle.wait_until_started(10)
        assert [each.name for each in loaded.disabled] == ["late"]
        late.error = None
        for _ in range(1_000):
            if lifecycle.loaded is not None and "late" in lifecycle.loaded.enabled:
                break
            await asyncio.sleep(0.01)
        assert lifecycle.loaded is not None
        assert (sorted(lifecycle.loaded.enabled), list(lifecycle.loaded.disabled)) == (["a", "late"], [])
    assert [what for what, _ in record] == ["open a", "open late", "close late", "close a"]
    assert len({task for _, task in record}) == 1


async def test_a_stop_does_not_wait_for_a_use_case_that_is_being_opened_again() -> None:
    class Deaf(FakeServer):
        attempts = 0

        async def open(self) -> None:
            self.attempts += 1
            if self.attempts == 1:
                raise ConnectionError("the tool server is down")
            await asyncio.Event().wait()

    deaf = Deaf()
    lifecycle = build({"deaf": deaf}, reopen_delays_s=(0.01,))
    async with asyncio.timeout(20), lifecycle.running():
        await lifecycle.wait_until_started(10)
        for _ in range(1_000):
            if deaf.attempts > 1:
                break
            await asyncio.sleep(0.01)
        assert deaf.attempts > 1


async def test_work_after_the_start_keeps_nobody_from_being_served_between_its_pieces() -> None:
    done: list[int] = []

    def pieces() -> Iterator[None]:
        for number in range(1, 4):
            done.append(number)
            yield
        raise OSError("no more")

    server = Recorded("a", [])
    lifecycle = build({"a": server}, after_start=pieces)
    async with lifecycle.running():
        await lifecycle.wait_until_started(10)
        seen = [len(done)]
        while len(done) < 3:
            await asyncio.sleep(0)
            seen.append(len(done))
        assert seen[0] < 3, "who waits for the start is told before it is all done"
        assert set(seen) >= {1, 2, 3}
        await asyncio.sleep(0)
        assert lifecycle.loaded is not None, "what fails there stops nothing"


async def test_work_after_the_start_ends_with_the_process() -> None:
    lifecycle = build({}, after_start=lambda: iter(int, 1))  # without an end
    async with asyncio.timeout(300), lifecycle.running():
        await lifecycle.wait_until_started(10)
