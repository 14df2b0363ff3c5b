"""The function middleware of a chat client, which applies to its tools whichever agent calls them.

The framework accepts it when a client is built, and each run may add more. An existing client, such as an author's, is
changed through the attribute that `FunctionInvocationLayer` reads at each request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_framework import FunctionMiddleware


def function_middleware_of(client: object) -> Sequence[Any]:
    """Return the middleware of the tools that `client` calls, outermost first; empty for a client without tools."""
    return tuple(getattr(client, "function_middleware", ()))


def add_function_middleware(client: object, middleware: FunctionMiddleware) -> None:
    """Append `middleware` to that of the tools that `client` calls; it runs before the middleware of a run.

    A client that calls no tools is not changed.
    """
    installed = getattr(client, "function_middleware", None)
    if installed is not None:
        installed.append(middleware)
