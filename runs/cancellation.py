"""Cancels tasks that run authors' code; one that does not end is abandoned and delays nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

logger = logging.getLogger(__name__)

END_TIMEOUT_S = 3.0
"""How long cancelled work may take to clean up, in seconds."""

_CANCELS = 3


async def end_tasks(*tasks: asyncio.Task[Any], timeout_s: float = END_TIMEOUT_S) -> bool:
    """Cancel tasks and wait for their ends; what they return or raise is not looked at.

    Code may take a cancellation for something else and go on, or wait in its clean-up for a peer that is gone. So they
    are cancelled again, and in the end left to themselves, with a line in the log.

    Args:
        tasks: May have ended already.
        timeout_s: How long to wait for all of them, in seconds.

    Returns:
        Whether all have ended.
    """
    left = {task for task in tasks if not task.done()}
    is_over = False
    try:
        for _ in range(_CANCELS):
            if not left:
                break
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=timeout_s / _CANCELS)
        is_over = True
    finally:
        if is_over:
            _report(left)
        elif left:
            # Whoever waited was cancelled: nobody knows yet which of them ends.
            asyncio.get_running_loop().call_later(timeout_s, _report, left)
    return not left


def _report(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        if not task.done():
            logger.error("a cancelled task does not end and is left behind", extra={"task": task.get_name()})
