"""A run: the owner task of one answer, and the log that HTTP responses view.

An answer's generator must be driven by one task from start to end: what it iterates may set context variables, which
another task may not reset, and its clean-up after a cancellation awaits the store, which a web framework's cancel scope
would cancel again.
The owner task never waits for a viewer: outside of the generator a cancellation could not reach the clean-up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Literal, Protocol

from chatkit.types import ThreadCreatedEvent, ThreadStreamEvent

from errors import ConflictError, UnavailableError
from runs.error_events import error_event
from runs.run_log import RunLog
from runs.viewer import Viewer
from turns.direct_text import DirectText
from turns.request_context import RequestContext
from turns.run_record import StopReason

logger = logging.getLogger(__name__)

RunKey = tuple[str, str, str]
"""The key of a run: user, use case, thread."""

RunStatus = Literal["running", "done", "failed", "stopped"]

RESTARTING = "The server is restarting. Please try again in a moment."

_STOP_MESSAGES: dict[str, str] = {
    "timeout": "This answer took too long and was stopped. What was said so far is kept.",
    "drain": "The server is restarting. What was said so far is kept; please try again in a moment.",
}


class RunOwner(Protocol):
    """The registry that a run belongs to, as the run sees it.

    Attributes:
        is_draining: Whether the server is about to stop.
        heartbeat_s: A comment is sent to viewers after so many seconds of silence.
        cleanup_timeout_s: How long a stopped run may clean up, in seconds; then it is left behind.
    """

    heartbeat_s: float
    cleanup_timeout_s: float

    @property
    def is_draining(self) -> bool: ...  # noqa: D102 - above

    def bind(self, run: Run, thread_id: str) -> None:
        """Note the thread that a run has created."""
        ...

    def on_begun(self, run: Run) -> None:
        """Note that a run has its first event."""
        ...

    def on_over(self, run: Run) -> None:
        """Note that a run has ended."""
        ...


class Run:
    """One answer in the making.

    Args:
        owner: The registry that it belongs to.
        events: The answer.
        context: Who asks.
        log: The log that the events go to.
        timeout_s: How long the answer may take, in seconds.

    Attributes:
        id: The id of the run, for the log and for clients that come back.
        status: Whether the run goes on, or how it ended.
        log: All its events.
    """

    def __init__(
        self,
        owner: RunOwner,
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
        self._owner = owner
        self._events = events
        self._viewers = 0
        self._failure: Exception | None = None
        self._started = asyncio.Event()
        self._over = asyncio.Event()
        self._answer = context.answer
        self._answer.open_items = log.open_items
        self._answer.direct_text = DirectText(log.append)
        self._task = asyncio.create_task(self._drive(), name=self.id)
        self._timers = [asyncio.get_running_loop().call_later(timeout_s, self._ask_to_stop, "timeout")]

    @property
    def is_over(self) -> bool:
        """Whether no more events will come."""
        return self.status != "running"

    @property
    def viewers(self) -> int:
        """How many responses are sending it."""
        return self._viewers

    async def first_event(self) -> None:
        """Return when there is an event to show.

        Raises:
            Exception: The failure that ended the run before its first event: it can still become an HTTP status.
        """
        try:
            await self._started.wait()
        except asyncio.CancelledError:
            await self.stop("drain" if self._owner.is_draining else "disconnect")
            raise
        if self.log.last > 0 or self.status == "done":
            return
        if self._failure is not None:
            raise self._failure
        match self._answer.stop_reason:
            case "drain":
                raise UnavailableError(RESTARTING, code="runs.draining")
            case "timeout":
                raise UnavailableError("This took too long. Please try again.", code="run.timeout")
            case _:
                raise ConflictError("This answer was stopped before it began.", code="run.stopped")

    def view(self, after: int, *, with_ids: bool, keeps_run: bool) -> Viewer:
        """Return an iterator of the events after number `after`.

        Args:
            after: 0 for all of them.
            with_ids: Whether to send their numbers, as ``id:`` lines.
            keeps_run: Whether the run goes on when this viewer leaves; the last one who does not keep it stops it.
        """

        async def leave() -> None:
            # While the server is about to stop, connections are cut by whoever is in front of it: nobody's stop.
            self._viewers -= 1
            if not keeps_run and not self._viewers and not self.is_over and not self._owner.is_draining:
                await self.stop("disconnect")

        self._viewers += 1
        return Viewer(self.id, self.log, after, self._owner.heartbeat_s, with_ids=with_ids, leave=leave)

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
        if not self._answer.request_stop(reason):
            return
        loop, timeout_s = asyncio.get_running_loop(), self._owner.cleanup_timeout_s
        # What a use case does in its own clean-up may wait for a peer that is gone: a second cancellation ends that.
        self._timers.append(loop.call_later(timeout_s * 0.6, self._answer.cancel))
        self._timers.append(loop.call_later(timeout_s, self._give_up))

    def _give_up(self) -> None:
        logger.error("a stopped run does not end and is left behind", extra={"run_id": self.id})
        self._finish("stopped")

    async def _drive(self) -> None:
        log, answer = self.log, self._answer
        try:
            if answer.stop_reason is not None:
                return
            answer.begin(self._task.cancel)
            async for event in self._events:
                if self.is_over:
                    await self._events.aclose()  # it was left behind, and nobody is there any more
                    return
                try:
                    log.append(event)
                except Exception as exc:  # noqa: BLE001 - told by the generator, which is not to be left at its `yield`
                    event = await self._events.athrow(exc)
                    log.append(event)
                if isinstance(event, ThreadCreatedEvent):
                    self._owner.bind(self, event.thread.id)
                if log.last == 1:
                    self._begin()
            self._finish("done" if answer.error_id is None else "failed")
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
        """Note that there is something to show."""
        self._owner.on_begun(self)
        self._started.set()

    def _finish(self, status: RunStatus) -> None:
        """Note what became of the run, once, and let everybody know who waits for it."""
        if self.is_over:
            return
        self.status = status
        for timer in self._timers:
            timer.cancel()
        if status == "stopped" and self.log.last and (text := _STOP_MESSAGES.get(self._answer.stop_reason or "")):
            self.log.append(error_event(text))
        self._owner.on_over(self)
        self._started.set()
        self._over.set()
        self.log.close()
