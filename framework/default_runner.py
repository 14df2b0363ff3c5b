"""The runner behind the Agents SDK's `Runner.run`: one for the process, exchanged without a private name.

The SDK has the two functions and calls them experimental; there is no other way to see the runs of a file that calls
`Runner.run` itself. `tests/unit/framework/test_reliances.py` pins what is relied on.
"""

from __future__ import annotations

from collections.abc import Callable
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
