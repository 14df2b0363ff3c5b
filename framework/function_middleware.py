"""The function middleware of a chat client: all that its tools go through, whichever agent calls them.

The framework takes it when a client is built, and each run may bring more. A client that is there already, an author's
among them, is reached by the attribute that `FunctionInvocationLayer` reads at each request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_framework import FunctionMiddleware


def function_middleware_of(client: object) -> Sequence[Any]:
    """Return the middleware of the tools that `client` calls, outermost first; empty when it calls none."""
    return tuple(getattr(client, "function_middleware", ()))


def add_function_middleware(client: object, middleware: FunctionMiddleware) -> None:
    """Let the tools that `client` calls go through `middleware` as well, last of its own and before that of a run.

    Nothing happens to a client that calls no tools.
    """
    installed = getattr(client, "function_middleware", None)
    if installed is not None:
        installed.append(middleware)
