"""Lifecycle: starts and stops the use cases and services while the server already accepts connections."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from database import Base
from errors import ConfigError, ParlorError, PluginError, UnavailableError, new_error_id
from plugins import UseCase
from process.use_case_loading import DisabledUseCase, LoadedUseCases

if TYPE_CHECKING:
    from database import Database
    from runs.registry import Runs

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 10.0
DATABASE_RETRY_DELAYS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses between attempts to reach the database at the start; the last one repeats."""

REOPEN_DELAYS_S = (5.0, 10.0, 30.0, 60.0)
"""Pauses between attempts to open a use case that could not be opened; the last one repeats."""


class Closable(Protocol):
    """A part of the platform that must be closed at the end."""

    async def close(self) -> None:
        """Close the part."""
        ...


class Lifecycle:
    """Loads and opens the use cases, drains the answers, and closes everything.

    The server answers `/healthz` during the start, as importing use cases takes seconds, and the database may come up
    later than this process. One task opens and closes everything, because resources of a use case may be bound to a
    task, as cancel scopes are.

    Args:
        load: Imports the use cases; called once, in a thread.
        database: The database, in which the tables of the platform and of the use cases are created. Closed before
            `parts`.
        runs: The answers in progress; ended before anything that they need is closed.
        drain_timeout_s: Time that answers in progress have to finish when the process stops, in seconds.
        parts: Other parts to close at the end, in reverse order.
        on_tables: Called when the platform's tables have been created, before any use case is opened.
        on_open: Called when all use cases are open, before the first request reaches them.
        after_start: Returns an iterable that does a piece of work at each step, to be run after the start. Each piece
            takes a few milliseconds, and requests are served in between.
        retry_delays_s: Pauses between attempts to reach the database, in seconds; the last one repeats.
        reopen_delays_s: Pauses between attempts to open a use case that could not be opened, in seconds.

    Attributes:
        failure: The exception that made the start impossible; None as long as it may succeed.
        is_stopping: Whether the process is about to end: it still answers, but should get no new requests.
    """

    def __init__(
        self,
        load: Callable[[], LoadedUseCases],
        database: Database,
        runs: Runs,
        *,
        drain_timeout_s: float = 0.0,
        parts: Sequence[Closable] = (),
        on_tables: Callable[[], Awaitable[object]] | None = None,
        on_open: Callable[[], object] | None = None,
        after_start: Callable[[], Iterable[object]] = tuple,
        retry_delays_s: Sequence[float] = DATABASE_RETRY_DELAYS_S,
        reopen_delays_s: Sequence[float] = REOPEN_DELAYS_S,
    ) -> None:
        self._load = load
        self._database = database
        self._runs = runs
        self._drain_timeout_s = drain_timeout_s
        self._parts = parts
        self._on_tables = on_tables
        self._on_open = on_open
        self._after_start = after_start
        self._retry_delays_s = retry_delays_s
        self._reopen_delays_s = reopen_delays_s
        self._loaded: LoadedUseCases | None = None
        self._start_finished = asyncio.Event()
        self._stopping = asyncio.Event()
        self._opening: asyncio.Timeout | None = None
        self.failure: Exception | None = None
        self.is_stopping = False

    @property
    def loaded(self) -> LoadedUseCases | None:
        """The use cases; None until the start has finished."""
        return self._loaded

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start the use cases in the background; on leaving, close everything that was opened."""
        task = asyncio.create_task(self._run(), name="lifecycle")
        try:
            yield
        finally:
            self._stopping.set()
            if not self._start_finished.is_set():
                task.cancel()
            elif self._opening is not None:
                # A use case that is still being opened is given up: it will get no requests.
                self._opening.reschedule(asyncio.get_running_loop().time())
            await asyncio.wait([task])

    async def wait_until_started(self, timeout_s: float | None = None) -> LoadedUseCases:
        """Wait until the use cases are open, and return them.

        Raises:
            UnavailableError: When the start does not finish in time, or has failed.
        """
        if not self._start_finished.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._start_finished.wait()
            except TimeoutError as exc:
                raise UnavailableError("The server is still starting. Please try again.", code="starting") from exc
        if self._loaded is None:
            raise UnavailableError("The server could not start. Please try again later.", code="not_started")
        return self._loaded

    def announce_stop(self) -> None:
        """Set `is_stopping`, and go on serving everything. May be called by a signal handler."""
        self.is_stopping = True

    def begin_to_stop(self) -> None:
        """Set `is_stopping`, and refuse new answers. May be called by a signal handler."""
        self.announce_stop()
        self._runs.refuse_new_runs()

    async def drain(self, timeout_s: float | None = None) -> None:
        """Refuse new answers, and wait for those in progress.

        May be called again meanwhile, with a shorter time.

        Args:
            timeout_s: Time for the answers to finish, in seconds; unfinished ones are then stopped, and their text is
                kept. None for the configured time.
        """
        self.begin_to_stop()
        await self._runs.drain(self._drain_timeout_s if timeout_s is None else timeout_s)

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            for part in (*self._parts, self._database):
                stack.push_async_callback(_close_bounded, part, "platform")
            try:
                loaded = await asyncio.to_thread(self._load)
                await self._create_platform_tables()
                if self._on_tables is not None:
                    await self._on_tables()
                opened = await self._open_all(loaded, stack)
                if self._on_open is not None:
                    self._on_open()
            except Exception as exc:
                self.failure = exc
                # A known reason is logged as one sentence; the command that started the server prints it too.
                if isinstance(exc, ParlorError):
                    logger.error("the start failed", extra={"reason": str(exc)})
                else:
                    logger.exception("the start failed")
                self._start_finished.set()
                return
            self._loaded = opened
            self._start_finished.set()
            await self._run_after_start()
            await self._reopen_until_stopped(loaded.enabled, stack)
            await self.drain()
            self._loaded = None

    async def _open_all(self, loaded: LoadedUseCases, stack: AsyncExitStack) -> LoadedUseCases:
        """Open the use cases, and have `stack` close them; return `loaded` with failed ones among the disabled."""
        enabled: dict[str, UseCase] = {}
        disabled = list(loaded.disabled)
        for name, use_case in loaded.enabled.items():
            try:
                await self._open(use_case)
            except (Exception, SystemExit) as exc:  # noqa: BLE001 - one broken use case does not stop the others
                disabled.append(_disable_use_case(use_case, exc))
            else:
                enabled[name] = use_case
                stack.push_async_callback(_close_bounded, use_case.server, name)
        return replace(loaded, enabled=enabled, disabled=disabled)

    async def _run_after_start(self) -> None:
        await asyncio.sleep(0)  # requests that wait for the start go first
        try:
            for _ in self._after_start():
                await asyncio.sleep(0)
                if self._stopping.is_set():
                    return
        except Exception:  # it only warms up, so nothing depends on it
            logger.exception("work after the start failed")

    async def _reopen_until_stopped(self, use_cases: Mapping[str, UseCase], stack: AsyncExitStack) -> None:
        """Retry use cases that could not be opened, as a server that they need may have been down, until the stop."""
        attempt = 0
        while True:
            assert self._loaded is not None  # noqa: S101 - set before, and until the end
            unopened = [name for name in use_cases if name not in self._loaded.enabled]
            delay_s = self._reopen_delays_s[min(attempt, len(self._reopen_delays_s) - 1)] if unopened else None
            try:
                async with asyncio.timeout(delay_s):
                    await self._stopping.wait()
                return
            except TimeoutError:
                attempt += 1
            for name in unopened:
                if self._stopping.is_set():
                    return
                try:
                    await self._open(use_cases[name])
                except (Exception, SystemExit) as exc:  # noqa: BLE001 - logged in full at the first failure
                    logger.info("use case still disabled", extra={"use_case": name, "error_type": type(exc).__name__})
                    continue
                stack.push_async_callback(_close_bounded, use_cases[name].server, name)
                disabled = [each for each in self._loaded.disabled if each.name != name]
                enabled = {**self._loaded.enabled, name: use_cases[name]}
                self._loaded = replace(self._loaded, enabled=enabled, disabled=disabled)
                logger.info("use case enabled", extra={"use_case": name})

    async def _create_platform_tables(self) -> None:
        attempt = 0
        while True:
            try:
                await self._database.create_tables(Base.metadata)
            except ConfigError as exc:
                # A file that cannot be opened now will not open later; a database server may come up after us.
                if self._database.dialect == "sqlite":
                    raise
                logger.warning("database does not answer, trying again", extra={"reason": exc.reason})
            else:
                return
            await asyncio.sleep(self._retry_delays_s[min(attempt, len(self._retry_delays_s) - 1)])
            attempt += 1

    async def _open(self, use_case: UseCase) -> None:
        if use_case.tables is not None:
            await self._database.create_tables(use_case.tables)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S) as self._opening:
                opening: object = use_case.server.open()
                if not inspect.isawaitable(opening):
                    raise PluginError(use_case.name, "its open() must be 'async def', as the platform awaits it")
                await opening
        finally:
            self._opening = None


def _disable_use_case(use_case: UseCase, exc: BaseException) -> DisabledUseCase:
    reason = f"cannot be opened: {type(exc).__name__}: {exc}"
    disabled = DisabledUseCase(use_case.name, reason, new_error_id())
    logger.error("use case disabled", exc_info=exc, extra={"use_case": disabled.name, "error_id": disabled.error_id})
    return disabled


async def _close_bounded(part: Closable, owner: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await part.close()
    except (Exception, SystemExit):
        logger.exception("closing failed", extra={"owner": owner})
