"""Cancels tasks that run authors' code; a task that does not end is abandoned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

logger = logging.getLogger(__name__)

END_TIMEOUT_S = 3.0
"""How long cancelled work may take to clean up, in seconds."""

_MAX_CANCELS = 3


async def end_tasks(*tasks: asyncio.Task[Any], timeout_s: float = END_TIMEOUT_S) -> bool:
    """Cancel tasks and wait until they end; their results and exceptions are ignored.

    Code may swallow a cancellation, or wait in its clean-up for a peer that is gone. So the tasks are cancelled again,
    and finally abandoned with a line in the log.

    Args:
        tasks: The tasks; some may have ended already.
        timeout_s: How long to wait for all of them, in seconds.

    Returns:
        Whether all have ended.
    """
    running = {task for task in tasks if not task.done()}
    has_waited = False
    try:
        for _ in range(_MAX_CANCELS):
            if not running:
                break
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=timeout_s / _MAX_CANCELS)
        has_waited = True
    finally:
        if has_waited:
            _log_unended(running)
        elif running:
            # The caller was cancelled while it waited: which tasks end is known later.
            asyncio.get_running_loop().call_later(timeout_s, _log_unended, running)
    return not running


def _log_unended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        if not task.done():
            logger.error("a cancelled task does not end and is left behind", extra={"task": task.get_name()})
