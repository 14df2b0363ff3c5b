"""Run: the task that produces one answer, and the log of events that HTTP responses read from.

One task must drive an answer's generator from start to end. Code inside it may set context variables, which another
task could not reset; and its clean-up after a cancellation awaits the store, where a web framework's cancel scope would
cancel it a second time.
The task never waits for a viewer: a cancellation at that point, outside of the generator, would skip the clean-up.
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
from turns.request_context import RequestContext
from turns.run_record import StopReason

logger = logging.getLogger(__name__)

RunKey = tuple[str, str, str]
"""Identity of a run: the ids of the user and the use case, and of the thread."""

RunStatus = Literal["running", "done", "failed", "stopped"]

RESTARTING = "The server is restarting. Please try again in a moment."

_STOP_MESSAGES: dict[str, str] = {
    "timeout": "This answer took too long and was stopped. What was said so far is kept.",
    "drain": "The server is restarting. What was said so far is kept; please try again in a moment.",
}


class RunOwner(Protocol):
    """The part of the registry `Runs` that a run uses.

    Attributes:
        is_draining: Whether the server is shutting down.
        heartbeat_s: Seconds of silence after which viewers are sent a comment.
        cleanup_timeout_s: How long a stopped run may clean up, in seconds; after that it is abandoned.
    """

    heartbeat_s: float
    cleanup_timeout_s: float

    @property
    def is_draining(self) -> bool: ...  # noqa: D102 - above

    def bind(self, run: Run, thread_id: str) -> None:
        """Register a run under the thread that it has created."""
        ...

    def on_first_event(self, run: Run) -> None:
        """Handle the first event of a run."""
        ...

    def on_ended(self, run: Run) -> None:
        """Handle the end of a run."""
        ...


class Run:
    """One answer in the making; its task starts at once.

    Args:
        owner: The registry that the run belongs to.
        events: The generator of the answer's events.
        context: The context of the request.
        log: The log that receives the events.
        timeout_s: How long the answer may take, in seconds.

    Attributes:
        id: The id of the run, for the log and for clients that reconnect.
        status: Whether the run is active, or how it ended.
        log: The events of the run.
        context: The context of the request.
        key: The identity of the run; None until its thread is known.
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
        self._ended = asyncio.Event()
        self._answer = context.answer
        self._answer.connect_to_log(log.open_items, log.append)
        self._task = asyncio.create_task(self._drive(), name=self.id)
        self._timers = [asyncio.get_running_loop().call_later(timeout_s, self._request_stop, "timeout")]

    @property
    def is_over(self) -> bool:
        """Whether the run has ended and no more events will come."""
        return self.status != "running"

    @property
    def viewers(self) -> int:
        """The number of HTTP responses that are streaming the run."""
        return self._viewers

    async def wait_for_first_event(self) -> None:
        """Wait until there is an event, or the run has ended without one; stop the run if cancelled meanwhile.

        Raises:
            Exception: The failure that ended the run before its first event; it can still become an HTTP status.
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
        """Return an iterator of the events that follow the event `after`.

        Args:
            after: The number of the last event that the client has seen; 0 for none.
            with_ids: Whether to send the numbers of the events, as ``id:`` lines.
            keeps_run: Whether the run continues when this viewer leaves. If not, the last viewer to leave stops it.
        """

        async def leave() -> None:
            # During a shutdown, proxies in front of the server cut connections; that is not the person's stop.
            self._viewers -= 1
            if not keeps_run and not self._viewers and not self.is_over and not self._owner.is_draining:
                await self.stop("disconnect")

        self._viewers += 1
        return Viewer(self.id, self.log, after, self._owner.heartbeat_s, with_ids=with_ids, leave=leave)

    async def stop(self, reason: StopReason) -> None:
        """Stop the run and wait for its clean-up, which stores what was said and shown so far.

        A clean-up that takes longer than `Runs.cleanup_timeout_s` is abandoned.

        Args:
            reason: The cause. A stop by the person leaves a note for the model; a deadline or a restart does not.
        """
        if not self.is_over:
            self._request_stop(reason)
            await self._ended.wait()

    def _request_stop(self, reason: StopReason) -> None:
        if not self._answer.request_stop(reason):
            return
        loop, timeout_s = asyncio.get_running_loop(), self._owner.cleanup_timeout_s
        # A use case's clean-up may wait for a peer that is gone; a second cancellation ends that wait.
        self._timers.append(loop.call_later(timeout_s * 0.6, self._answer.cancel))
        self._timers.append(loop.call_later(timeout_s, self._abandon))

    def _abandon(self) -> None:
        logger.error("a stopped run does not end and is left behind", extra={"run_id": self.id})
        self._finish("stopped")

    async def _drive(self) -> None:
        """Append the answer's events to the log until it ends; the body of the run's task."""
        log, answer = self.log, self._answer
        try:
            if answer.stop_reason is not None:
                return
            answer.set_cancel(self._task.cancel)
            async for event in self._events:
                if self.is_over:
                    await self._events.aclose()  # the run was abandoned and has no viewers
                    return
                try:
                    log.append(event)
                except Exception as exc:  # noqa: BLE001 - the generator answers with an error event
                    event = await self._events.athrow(exc)
                    log.append(event)
                if isinstance(event, ThreadCreatedEvent):
                    self._owner.bind(self, event.thread.id)
                if log.last == 1:
                    self._owner.on_first_event(self)
                    self._started.set()
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

    def _finish(self, status: RunStatus) -> None:
        """Set the final status of the run and wake all that wait for its end; later calls do nothing."""
        if self.is_over:
            return
        self.status = status
        for timer in self._timers:
            timer.cancel()
        if status == "stopped" and self.log.last and (text := _STOP_MESSAGES.get(self._answer.stop_reason or "")):
            self.log.append(error_event(text))
        self._owner.on_ended(self)
        self._started.set()
        self._ended.set()
        self.log.close()
