"""Direct text: a piece of an answer's text goes from the model's connection straight to the run's log.

Through the agent, a piece passes the framework's streams, a task that reads them, the inbox, and the generators that
answer, guard and store: three tasks and some twenty-five suspended calls, for words that only continue the message
which is being written. Where nobody on that way has anything to say about it, such a piece is shown by a plain call, at
the moment it arrives. See ADR 0013.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chatkit.types import ThreadItemUpdatedEvent


class Guard(Protocol):
    """The guard between an answer and the store, as direct text knows it."""

    def allows_direct_text(self) -> bool:
        """Whether a piece of text may be shown with nothing else to do."""
        ...


Continue = Callable[[str, str | None], ThreadItemUpdatedEvent | None]
"""Adds a piece of the message with that id to the answer, and returns the event that says so; None if it cannot."""


class DirectText:
    """Shows pieces of text at once, as long as nothing that came before them is still on its way.

    It is open while the run's own task waits for the answer to go on: then all that came before is stored and shown.

    Args:
        show: Adds an event to the run's log and wakes those who view it.

    Attributes:
        guard: The guard of the answer that is being written; set by the generator that stores it.
    """

    def __init__(self, show: Callable[[ThreadItemUpdatedEvent], None]) -> None:
        self._show = show
        self.guard: Guard | None = None
        self._continue: Continue | None = None

    def take(self, text: str, message_id: str | None) -> bool:
        """Show a piece of text now; return whether it was possible.

        Args:
            text: The piece.
            message_id: The provider's id of its message.
        """
        if self._continue is None or self.guard is None or not self.guard.allows_direct_text():
            return False
        event = self._continue(text, message_id)
        if event is None:
            return False
        self._show(event)
        return True

    def open(self, continue_text: Continue) -> None:
        """Let pieces be taken, until `close`."""
        self._continue = continue_text

    def close(self) -> None:
        """Let pieces go through the agent again."""
        self._continue = None
