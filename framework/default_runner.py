"""The runner behind the Agents SDK's `Runner.run`: one for the process, exchanged without a private name.

The SDK has the two functions and calls them experimental; there is no other way to see the runs of a file that calls
`Runner.run` itself. `tests/unit/framework/test_reliances.py` pins what is relied on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def wrap_default_runner(kind: type, build: Callable[[Any], Any]) -> None:
    """Put a runner in the place of the process's own, once.

    Args:
        kind: The class of the runner, by which it is known again.
        build: Makes it of the one that was there.
    """
    from agents.run import get_default_agent_runner, set_default_agent_runner

    own = get_default_agent_runner()
    if not isinstance(own, kind):
        set_default_agent_runner(build(own))
