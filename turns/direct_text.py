"""Direct text: a piece of an answer's text goes from the model's connection straight to the run's log.

Through the agent, a piece passes the framework's streams, a task that reads them, the inbox, and the generators that
answer, guard and store: three tasks and some twenty-five suspended calls, for text that only continues the current
message. Where nothing on that path needs to see the text, it is shown by a plain call as soon as it arrives. See ADR
0013.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatkit.types import ThreadItemUpdatedEvent


class DirectTextGuard(Protocol):
    """The part of the guard between an answer and the store that direct text uses."""

    def allows_direct_text(self) -> bool:
        """Return whether a piece of text may be shown without any other step."""
        ...


ContinueText = Callable[[str, str | None], ThreadItemUpdatedEvent | None]
"""Adds a piece of text to the message with that id, and returns the event to send; None if it cannot."""


class DirectText:
    """Shows pieces of text at once, while no earlier event is still being processed.

    It is open while the run's task waits for the next event: then all earlier events are stored and shown.

    Args:
        show: Appends an event to the run's log and wakes its viewers.

    Attributes:
        guard: The guard of the current answer; set by the generator that stores it.
    """

    def __init__(self, show: Callable[[ThreadItemUpdatedEvent], None]) -> None:
        self._show = show
        self.guard: DirectTextGuard | None = None
        self._continue_text: ContinueText | None = None

    def take(self, text: str, message_id: str | None) -> bool:
        """Show a piece of text now, if possible; return whether it was shown.

        Args:
            text: The piece.
            message_id: The provider's id of its message.
        """
        if self._continue_text is None or self.guard is None or not self.guard.allows_direct_text():
            return False
        event = self._continue_text(text, message_id)
        if event is None:
            return False
        self._show(event)
        return True

    def open(self, continue_text: ContinueText) -> None:
        """Show pieces directly from now on, until `close`."""
        self._continue_text = continue_text

    def close(self) -> None:
        """Let pieces pass through the agent again."""
        self._continue_text = None
