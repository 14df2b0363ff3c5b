"""Waiting for a condition, with a time limit that is long enough for a busy machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 60.0


async def until(condition: Callable[[], bool]) -> None:
    """Poll a condition until it is true, where there is no event to wait for.

    Raises:
        TimeoutError: When the condition is not true within `PATIENCE_S`.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.001)
