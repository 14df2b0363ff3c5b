"""Waiting for a condition, with a bound: a test never waits for so many seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 60.0


async def until(holds: Callable[[], bool]) -> None:
    """Return as soon as something holds that sets no event.

    Raises:
        TimeoutError: When it does not hold within `PATIENCE_S`.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.001)
