"""Runs: one owner task per answer; HTTP responses only view its log.

An answer's generator must be driven by one task from start to end: what it iterates may set context variables, which
another task may not reset, and its clean-up after a cancellation awaits the store, which a web framework's cancel scope
would cancel again.
The owner task never waits for a viewer: outside of the generator a cancellation could not reach the clean-up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from chatkit.types import ErrorEvent, ThreadCreatedEvent, ThreadStreamEvent

from context import RequestContext, StopReason
from errors import ConflictError, TooManyRequestsError, UnavailableError
from streaming.runs.direct_text import ShortWay
from streaming.runs.ended_runs import Lingering
from streaming.runs.run_log import RunLog
from streaming.runs.viewer import Viewer

if TYPE_CHECKING:
    from config import Settings

logger = logging.getLogger(__name__)

CLEANUP_TIMEOUT_S = 8.0
"""How long a stopped run may clean up. Longer than what it waits for itself; see `streaming/runs/cancellation.py`."""

RunKey = tuple[str, str, str]
"""User, use case, thread."""

RunStatus = Literal["running", "done", "failed", "stopped"]

_RESTARTING = "The server is restarting. Please try again in a moment."

_STOP_MESSAGES: dict[str, str] = {
    "timeout": "This answer took too long and was stopped. What was said so far is kept.",
    "drain": "The server is restarting. What was said so far is kept; please try again in a moment.",
}


class Run:
    """One answer in the making.

    Args:
        runs: Whom it belongs to.
        events: The answer.
        context: Who asks.
        log: Where the events go.
        timeout_s: How long it may take.

    Attributes:
        id: For the log and for clients that come back.
        status: What became of it.
        log: All its events.
    """

    def __init__(
        self,
        runs: Runs,
        events: AsyncGenerator[ThreadStreamEvent, None],
        context: RequestContext,
        log: RunLog,
        timeout_s: float,
    ) -> None:
        self.id = context.run_id
        self.status: RunStatus = "running"
        self.log = log
        self.context = context
        self.key: RunKey | None = None
        self._runs = runs
        self._events = events
        self._viewers: set[Viewer] = set()
        self._failure: Exception | None = None
        self._started = asyncio.Event()
        self._over = asyncio.Event()
        context.open_items = log.open_items
        context.short_way = ShortWay(self._show)
        # A task that is cancelled before its first step never runs: until then a stop only leaves its reason.
        context.is_stoppable = False
        self._task = asyncio.create_task(self._drive(), name=self.id)
        self._timers = [asyncio.get_running_loop().call_later(timeout_s, self._ask_to_stop, "timeout")]

    @property
    def is_over(self) -> bool:
        """Whether no more events will come."""
        return self.status != "running"

    async def first_event(self) -> None:
        """Return when there is an event to show.

        Raises:
            Exception: What stopped the run before its first event, so that it can still become an HTTP status.
        """
        try:
            await self._started.wait()
        except asyncio.CancelledError:
            await self.stop("drain" if self._runs.is_draining else "disconnect")
            raise
        if self.log.last > 0 or self.status == "done":
            return
        if self._failure is not None:
            raise self._failure
        match self.context.stop_reason:
            case "drain":
                raise UnavailableError(_RESTARTING, code="runs.draining")
            case "timeout":
                raise UnavailableError("This took too long. Please try again.", code="run.timeout")
            case _:
                raise ConflictError("This answer was stopped before it began.", code="run.stopped")

    def view(self, after: int, *, with_ids: bool, keeps_run: bool) -> Viewer:
        """Return an iterator of the events after number `after`.

        Args:
            after: 0 for all of them.
            with_ids: Whether to send their numbers, as ``id:`` lines.
            keeps_run: Whether the run goes on when this viewer leaves.
        """
        viewer = Viewer(self, after, self._runs.heartbeat_s, with_ids=with_ids, keeps_run=keeps_run)
        self._viewers.add(viewer)
        return viewer

    async def leave(self, viewer: Viewer, *, keep: bool) -> None:
        """Forget a viewer; the last one who does not keep the run stops it.

        While the server is about to stop, connections are cut by whoever is in front of it: that is nobody's stop.
        """
        self._viewers.discard(viewer)
        if not keep and not self._viewers and not self.is_over and not self._runs.is_draining:
            await self.stop("disconnect")

    async def stop(self, reason: StopReason) -> None:
        """Stop the run and return when its clean-up is done. What was said and shown is kept.

        A clean-up that takes longer than `Runs.cleanup_timeout_s` is not waited for.

        Args:
            reason: A person's stop leaves a mark for the model; a deadline or a restart does not.
        """
        if not self.is_over:
            self._ask_to_stop(reason)
            await self._over.wait()

    def _ask_to_stop(self, reason: StopReason) -> None:
        if self.context.stop_reason is not None:
            return
        self.context.stop_reason = reason
        self._cancel()
        loop, timeout_s = asyncio.get_running_loop(), self._runs.cleanup_timeout_s
        # What a use case does in its own clean-up may wait for a peer that is gone: a second cancellation ends that.
        self._timers.append(loop.call_later(timeout_s * 0.6, self._cancel))
        self._timers.append(loop.call_later(timeout_s, self._give_up))

    def _cancel(self) -> None:
        if self.context.is_stoppable:
            self._task.cancel()

    def _give_up(self) -> None:
        logger.error("a stopped run does not end and is left behind", extra={"run_id": self.id})
        self._finish("stopped")

    def _show(self, event: ThreadStreamEvent) -> None:
        self.log.append(event)
        for viewer in self._viewers:
            viewer.wake()

    async def _drive(self) -> None:
        log, context = self.log, self.context
        try:
            if context.stop_reason is not None:
                return
            context.is_stoppable = True
            async for event in self._events:
                if self.is_over:
                    await self._events.aclose()  # it was left behind, and nobody is there any more
                    return
                try:
                    self._show(event)
                except Exception as exc:  # noqa: BLE001 - told by the generator, which is not to be left at its `yield`
                    event = await self._events.athrow(exc)
                    self._show(event)
                if isinstance(event, ThreadCreatedEvent):
                    self._runs.bind(self, event.thread.id)
                if log.last == 1:
                    self._begin()
            self._finish("done" if context.error_id is None else "failed")
        except asyncio.CancelledError:
            self._finish("stopped")
        except Exception as exc:
            self._failure = exc
            if log.last:
                logger.error("run failed", extra={"run_id": self.id}, exc_info=exc)
            self._finish("failed")
        finally:
            self._finish("stopped")

    def _begin(self) -> None:
        """Note that there is something to show; a stop that had to wait for it takes effect now."""
        self._runs.on_begun(self)
        self._started.set()
        self.context.is_stoppable = True
        if self.context.stop_reason is not None:
            self._cancel()

    def _finish(self, status: RunStatus) -> None:
        """Note what became of the run, once, and let everybody know who waits for it."""
        if self.is_over:
            return
        self.status = status
        for timer in self._timers:
            timer.cancel()
        if status == "stopped" and self.log.last and (text := _STOP_MESSAGES.get(self.context.stop_reason or "")):
            self.log.append(ErrorEvent(code="custom", message=text, allow_retry=True))
        self._runs.on_over(self)
        self._started.set()
        self._over.set()
        for viewer in self._viewers:
            viewer.wake()


class Runs:
    """All runs of this process.

    Args:
        max_total: How many at once.
        max_per_user: How many at once for one user.
        max_log_bytes: How much of an answer is kept for viewers who come late.
        timeout_s: How long one may take.
        linger_s: How long a finished one can still be viewed.
        heartbeat_s: A comment is sent after so many seconds of silence: proxies close connections that seem idle.
        cleanup_timeout_s: How long a stopped one may clean up; then it is left behind, and its thread is free.
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
    ) -> None:
        self._max_total = max_total
        self._max_per_user = max_per_user
        self._max_log_bytes = max_log_bytes
        self._timeout_s = timeout_s
        self.heartbeat_s = heartbeat_s
        self.cleanup_timeout_s = cleanup_timeout_s
        self._active: set[Run] = set()
        self._by_thread: dict[RunKey, Run] = {}
        self._lingering = Lingering(linger_s)
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
        """Whether no new runs are taken."""
        return self._is_draining

    def refuse(self) -> None:
        """Take no new runs from now on, and take a lost connection for nobody's stop. May be called by a signal."""
        self._is_draining = True

    @property
    def active(self) -> int:
        """How many runs are going on."""
        return len(self._active)

    def start(
        self,
        events: Callable[[], AsyncGenerator[ThreadStreamEvent, None]],
        context: RequestContext,
        thread_id: str | None,
        serialize: Callable[[Any], bytes],
    ) -> Run:
        """Return a new run; `first_event` says what becomes of it.

        Args:
            events: Makes the generator of the answer's events. What is thrown into it, because an event of its cannot
                be sent, it answers with an error event.
            context: Who asks.
            thread_id: The thread; None when the run creates it.
            serialize: Makes the JSON of an event.

        Raises:
            ConflictError: When a run is going on in this thread.
            TooManyRequestsError: When this user has too many runs.
            UnavailableError: When there are too many runs, or the server is about to stop.
        """
        key = (context.user_id, context.use_case, thread_id) if thread_id is not None else None
        if self._is_draining:
            raise UnavailableError(_RESTARTING, code="runs.draining")
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
        run = Run(self, events(), context, RunLog(serialize, self._max_log_bytes), self._timeout_s)
        self._active.add(run)
        if key is not None:
            self._register(run, key)
        return run

    def find(self, context: RequestContext, thread_id: str) -> Run | None:
        """Return the run of a thread that is going on, or that has just ended."""
        key = (context.user_id, context.use_case, thread_id)
        run = self._by_thread.get(key)
        if run is not None and run.log.last > 0:
            return run
        return self._lingering.find(key) or run  # what has no event yet may still be refused

    async def stop(self, context: RequestContext, thread_id: str, reason: StopReason) -> Run | None:
        """Stop the run of a thread and return it when its clean-up is done; None when there is none."""
        run = self._by_thread.get((context.user_id, context.use_case, thread_id))
        if run is not None:
            await run.stop(reason)
        return run

    async def drain(self, timeout_s: float) -> int:
        """Take no new runs, give those that are going on `timeout_s` seconds, then stop the rest.

        Returns:
            How many had to be stopped. What they had said is kept, without a mark of the user's.
        """
        self.refuse()
        if self._active:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
        rest = list(self._active)
        await asyncio.gather(*(run.stop("drain") for run in rest))
        return len(rest)

    def bind(self, run: Run, thread_id: str) -> None:
        """Note the thread that a run has created."""
        self._register(run, (run.context.user_id, run.context.use_case, thread_id))

    def on_over(self, run: Run) -> None:
        """Note that a run has ended; it can be viewed for a while."""
        self._active.discard(run)
        if self._is_draining and not self._active:
            self._idle.set()
        if run.key is None or self._by_thread.get(run.key) is not run:
            return
        key = run.key
        del self._by_thread[key]
        if run.log.last > 0:
            self._lingering.add(key, run)

    def on_begun(self, run: Run) -> None:
        """Note that a run has its first event: the one before it is not viewed any more."""
        if run.key is not None:
            self._lingering.forget(run.key)

    def _register(self, run: Run, key: RunKey) -> None:
        run.key = key
        self._by_thread[key] = run
