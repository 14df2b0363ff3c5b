"""RunLog: the interface of a log of one run's numbered events, which the run writes and viewers read.

The only implementation is in memory, see `runs/memory_log.py`. Another, which other processes can read, would be passed
to `Runs(create_log=…)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chatkit.types import ThreadItem


class ViewedLog(Protocol):
    """The numbered events of one run, as viewers read them.

    Attributes:
        last: The number of the last event; 0 before the first.
        is_closed: Whether no more events will come.
    """

    @property
    def last(self) -> int: ...  # noqa: D102 - above

    @property
    def is_closed(self) -> bool: ...  # noqa: D102 - above

    async def read(self, after: int, *, with_ids: bool) -> tuple[bytes, int]:
        """Return the events after the event `after`, as server-sent events, and the number of the last one.

        A log that is written with a delay waits here for events that `last` already counts.

        Args:
            after: The number of the last event that the reader has seen.
            with_ids: Whether to send the numbers, as ``id:`` lines.
        """
        ...

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Start calling `wake` whenever there is more to read, and at the end."""
        ...

    def unsubscribe(self, wake: Callable[[], None]) -> None:
        """Stop calling `wake`."""
        ...


class RunLog(ViewedLog, Protocol):
    """The numbered events of one run, as the run writes them.

    The methods that write are synchronous, since a piece of text goes from the model's connection to the log without a
    task in between (ADR 0013). A log that waits for I/O must queue events, and write them in a task of its own.
    """

    @property
    def size(self) -> int:
        """The approximate memory that the log takes in this process, in bytes."""
        ...

    def append(self, event: Any) -> None:
        """Add an event under the next number; add nothing if it cannot be serialized."""
        ...

    def open_items(self) -> list[ThreadItem]:
        """Return copies of the unfinished items, each with its content so far."""
        ...

    def close(self) -> None:
        """Mark the log as complete, and wake all subscribers."""
        ...


Serialize = Callable[[Any], bytes]
"""Returns the JSON of an event."""

CreateLog = Callable[[Serialize], RunLog]
"""Creates the log of a new run."""
