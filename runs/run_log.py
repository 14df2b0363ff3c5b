"""RunLog: the numbered events of one run, as viewers read them, wherever they are kept.

Today's only one is in memory; see `runs/memory_log.py`. One that other processes can read has the same verbs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class RunLog(Protocol):
    """The numbered events of one run.

    Attributes:
        last: The number of the last event; 0 before the first.
        is_closed: Whether no more events will come.
    """

    @property
    def last(self) -> int: ...  # noqa: D102 - above

    @property
    def is_closed(self) -> bool: ...  # noqa: D102 - above

    async def read(self, after: int, *, with_ids: bool) -> tuple[bytes, int]:
        """Return all that came after the event `after`, as server-sent events, and the number of the last of them.

        Args:
            after: The last number that the reader has seen.
            with_ids: Whether to send the numbers, as ``id:`` lines.
        """
        ...

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there is more to read, and at the end."""
        ...

    def unsubscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` no more."""
        ...
