"""ServerContext: what a server written for ChatKit gets as its `context`, and the request that it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from starlette.datastructures import Headers

from errors import AgentError
from turns.request_context import RequestContext


class ServerContext(dict[str, Any]):
    """Context of a request as a dictionary, whose keys are attributes too.

    ``context["user_id"]``, ``context.get("user_id")`` and ``context.user_id`` are the same. The keys are `user_id`,
    `use_case`, `request_id`, `locale`, `time_zone`, `metadata`, `variables`, `headers` and `request`, which has the
    headers as well.
    A server may add keys of its own: they last as long as the request.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(self)
            raise AttributeError(f"the context has no '{name}'; it has {known}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


@dataclass(slots=True)
class StockRequest:
    """A request that such a server answers.

    Attributes:
        context: The platform's context of the request.
        make: Makes the server's own context from the platform's.
        models: Makes the provider of models for agents of the SDK that the server runs.
        thread_id: The thread that is answered.
        message_id: The message that is answered, if one is.
        runs: The runs of the Agents SDK that the server has begun for it, each with its context and its readers.
        given: The server's own context, once it was made.
        loop: The loop on which it is answered; None outside of one.
    """

    context: RequestContext
    make: Callable[[RequestContext], Any]
    models: Callable[[bool], Any] = lambda goes_on: None
    thread_id: str | None = None
    message_id: str | None = None
    runs: list[tuple[Any, Any, Any]] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None


_CURRENT: ContextVar[StockRequest | None] = ContextVar("stock_request", default=None)
"""Set before a request is answered, so that tasks which the server begins have it too."""


def build_server_context(context: RequestContext) -> ServerContext:
    """Return the context that a server gets for a request."""
    headers = Headers(dict(context.headers))  # whatever the case of the name that is asked for
    return ServerContext(
        user_id=context.user_id,
        use_case=context.use_case,
        request_id=context.request_id,
        locale=context.locale,
        time_zone=context.time_zone,
        metadata=dict(context.metadata),
        variables=dict(context.variables),
        headers=headers,
        request=SimpleNamespace(headers=headers),
    )


def begin_request(request: StockRequest | None) -> StockRequest | None:
    """Take `request` for the current one from here on, also in tasks begun from here; return the one before."""
    before = _CURRENT.get()
    _CURRENT.set(request)
    return before


def current_request() -> StockRequest | None:
    """Return the request that is answered here; None outside of any."""
    return _CURRENT.get()


def given_to_server(context: RequestContext) -> Any:
    """Return the context that the server is given: the same object throughout a request.

    Args:
        context: The platform's context of the request.
    """
    request = _CURRENT.get()
    if request is None:
        return build_server_context(context)
    if not request.given:
        request.given.append(request.make(context))
    return request.given[0]


def current_context() -> RequestContext:
    """Return the context of the current request.

    It is not looked for in the context that a server hands to its store: that may be a copy, a dictionary of its own,
    or, by mistake, somebody else's.

    Raises:
        AgentError: When no request is being answered here.
    """
    request = _CURRENT.get()
    if request is None:
        raise AgentError(
            "This assistant cannot answer at the moment.",
            "the store of a StockServer was asked outside of a request: it holds the conversations of the person who "
            "asks, and here nobody does",
        )
    return request.context
