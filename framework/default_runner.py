"""The runner behind the Agents SDK's `Runner.run`: one for the process, exchanged without a private name.

The SDK has the two functions and calls them experimental; there is no other way to see the runs of a file that calls
`Runner.run` itself. `tests/unit/framework/test_reliances.py` pins what is relied on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


def wrap_default_runner(kind: type, build: Callable[[Any], Any]) -> None:
    """Put a runner before the process's own, once: it may have others of ours before it by now.

    Args:
        kind: The class of the runner, by which it is known again.
        build: Makes it of the one that was there, which it keeps as its attribute `own`.
    """
    from agents.run import get_default_agent_runner, set_default_agent_runner

    first = get_default_agent_runner()
    runner: Any = first
    while runner is not None:
        if isinstance(runner, kind):
            return
        runner = getattr(runner, "own", None)
    set_default_agent_runner(build(first))


async def awaited_on(loop: asyncio.AbstractEventLoop, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Return what a call gives, made on `loop`: code of others may have made a loop of its own, in a thread."""
    if asyncio.get_running_loop() is loop:
        return await call()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), loop))


def waited_for_on(
    loop: asyncio.AbstractEventLoop, call: Callable[[], Coroutine[Any, Any, Any]], in_loop: Callable[[], Any]
) -> Any:
    """Return what a call gives, made on `loop` while this thread waits.

    Args:
        loop: Where connections belong to.
        call: The call.
        in_loop: Called instead on a thread that has a running loop, which must not wait.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run_coroutine_threadsafe(call(), loop).result()
    return in_loop()
