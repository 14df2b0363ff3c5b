"""The registry of runs: those that are active in this process, within limits, and those that have just ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from chatkit.types import ThreadStreamEvent

from errors import ConflictError, TooManyRequestsError, UnavailableError
from runs.ended_runs import EndedRuns
from runs.memory_log import MemoryLog
from runs.run import RESTARTING, Run, RunKey
from runs.run_log import CreateLog, Serialize
from runs.statistics import RunStatistics
from turns.request_context import RequestContext
from turns.run_record import StopReason

if TYPE_CHECKING:
    from config import Settings

CLEANUP_TIMEOUT_S = 8.0
"""How long a stopped run may clean up, in seconds: longer than its own longest wait, see `runs/cancellation.py`."""


class Runs:
    """The runs of this process, started, found and stopped by thread.

    Args:
        max_total: The maximum number of runs at once.
        max_per_user: The maximum number of runs at once for one user.
        max_log_bytes: How many bytes of an answer's events are kept in full for late viewers.
        timeout_s: How long a run may take, in seconds.
        linger_s: How long an ended run can still be viewed, in seconds.
        heartbeat_s: Seconds of silence after which a comment is sent, since proxies close connections that seem idle.
        cleanup_timeout_s: How long a stopped run may clean up; after that it is abandoned, and its thread is free.
        create_log: Creates the log of a run; None keeps logs in memory.

    Attributes:
        statistics: Numbers of the runs that have ended.
    """

    def __init__(
        self,
        *,
        max_total: int,
        max_per_user: int,
        max_log_bytes: int,
        timeout_s: float,
        linger_s: float,
        heartbeat_s: float = 15.0,
        cleanup_timeout_s: float = CLEANUP_TIMEOUT_S,
        create_log: CreateLog | None = None,
    ) -> None:
        self._max_total = max_total
        self._max_per_user = max_per_user
        self._create_log = create_log or (lambda serialize: MemoryLog(serialize, max_log_bytes))
        self._timeout_s = timeout_s
        self.heartbeat_s = heartbeat_s
        self.cleanup_timeout_s = cleanup_timeout_s
        self._active: set[Run] = set()
        self._by_thread: dict[RunKey, Run] = {}
        self._ended = EndedRuns(linger_s)
        self.statistics = RunStatistics()
        self._is_draining = False
        self._idle = asyncio.Event()

    @classmethod
    def from_settings(cls, settings: Settings) -> Runs:
        """Return a registry with the bounds of the settings."""
        return cls(
            max_total=settings.runs_max_total,
            max_per_user=settings.runs_max_per_user,
            max_log_bytes=settings.run_log_max_bytes,
            timeout_s=settings.run_timeout_s,
            linger_s=settings.run_linger_s,
        )

    @property
    def is_draining(self) -> bool:
        """Whether new runs are refused because the server is shutting down."""
        return self._is_draining

    def refuse_new_runs(self) -> None:
        """Refuse new runs from now on, and let lost connections stop none. May be called from a signal handler."""
        self._is_draining = True

    @property
    def active(self) -> int:
        """The number of active runs."""
        return len(self._active)

    @property
    def open_streams(self) -> int:
        """The number of HTTP responses that are streaming an active run."""
        return sum(run.viewers for run in self._active)

    async def start(
        self,
        events: Callable[[], AsyncGenerator[ThreadStreamEvent, None]],
        context: RequestContext,
        thread_id: str | None,
        serialize: Serialize,
    ) -> Run:
        """Start a run, within the concurrency limits; await its `wait_for_first_event` to see whether it begins.

        A coroutine, since another implementation may have to ask other processes whether the thread is free.

        Args:
            events: Returns the generator of the answer's events. When one of them cannot be sent, the error is thrown
                into the generator, which yields an error event instead.
            context: The context of the request.
            thread_id: The thread; None when the run creates it.
            serialize: Returns the JSON of an event.

        Raises:
            ConflictError: When the thread has an active run.
            TooManyRequestsError: When this user has too many runs.
            UnavailableError: When there are too many runs, or the server is shutting down.
        """
        key = (context.user_id, context.use_case, thread_id) if thread_id is not None else None
        if self._is_draining:
            raise UnavailableError(RESTARTING, code="runs.draining")
        if key is not None and key in self._by_thread:
            raise ConflictError(
                "An answer is still being written in this conversation. Wait for it, or stop it.", code="run.active"
            )
        if len(self._active) >= self._max_total:
            raise UnavailableError("Too many answers are being written right now.", code="runs.too_many")
        if sum(run.context.user_id == context.user_id for run in self._active) >= self._max_per_user:
            raise TooManyRequestsError(
                f"You have {self._max_per_user} answers being written already. Wait for one of them, or stop it.",
                code="runs.too_many_of_user",
            )
        run = Run(self, events(), context, self._create_log(serialize), self._timeout_s)
        self._active.add(run)
        if key is not None:
            self._register(run, key)
        return run

    async def find(self, context: RequestContext, thread_id: str) -> Run | None:
        """Return the active run of a thread, or one that has just ended; None when there is neither.

        A coroutine, since another implementation may have to ask other processes for the run.
        """
        key = (context.user_id, context.use_case, thread_id)
        run = self._by_thread.get(key)
        if run is not None and run.log.last > 0:
            return run
        return self._ended.find(key) or run  # a run without events may still be refused

    async def stop(self, context: RequestContext, thread_id: str, reason: StopReason) -> Run | None:
        """Stop the run of a thread, wait for its clean-up, and return it; None when there is none."""
        run = self._by_thread.get((context.user_id, context.use_case, thread_id))
        if run is not None:
            await run.stop(reason)
        return run

    async def drain(self, timeout_s: float) -> int:
        """Refuse new runs, wait `timeout_s` seconds for the active ones, then stop the rest.

        Returns:
            The number of runs that were stopped. Their text is stored, without the mark of a person's stop.
        """
        self.refuse_new_runs()
        if self._active:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
        rest = list(self._active)
        await asyncio.gather(*(run.stop("drain") for run in rest))
        return len(rest)

    def bind(self, run: Run, thread_id: str) -> None:
        """Register a run under the thread that it has created."""
        self._register(run, (run.context.user_id, run.context.use_case, thread_id))

    def on_ended(self, run: Run) -> None:
        """Free the thread of a run that has ended; the run can still be viewed for a while."""
        self._active.discard(run)
        if self._is_draining and not self._active:
            self._idle.set()
        if run.key is None or self._by_thread.get(run.key) is not run:
            return
        key = run.key
        del self._by_thread[key]
        if run.log.last > 0:
            self._ended.add(key, run)

    def on_first_event(self, run: Run) -> None:
        """Forget the previous run of the thread, now that the new one can be viewed."""
        if run.key is not None:
            self._ended.forget(run.key)

    def _register(self, run: Run, key: RunKey) -> None:
        run.key = key
        self._by_thread[key] = run
