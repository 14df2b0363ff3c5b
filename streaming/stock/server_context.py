"""ServerContext: the default `context` of a server written for ChatKit, and the request that it belongs to."""

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
    """Context of a request as a dictionary whose keys are also attributes.

    ``context["user_id"]``, ``context.get("user_id")`` and ``context.user_id`` are the same. The keys are `user_id`,
    `use_case`, `request_id`, `locale`, `time_zone`, `metadata`, `variables`, `headers` and `request`, which has the
    headers as well.
    A server may add keys of its own: they last as long as the request.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            keys = ", ".join(self)
            raise AttributeError(f"the context has no '{name}'; it has {keys}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


@dataclass(slots=True)
class StockRequest:
    """A request that a server written for ChatKit answers.

    Attributes:
        context: The platform's context of the request.
        make_context: Creates the server's own context from the platform's.
        models: Creates the model provider for agents of the SDK that the server runs.
        thread_id: The thread that is answered.
        message_id: The message that is answered, if there is one.
        runs: The runs of the Agents SDK that the server has started, each with its context and its readers.
        made_contexts: The server's own context, once it was created; else empty.
        loop: The event loop of the request; None outside of one.
    """

    context: RequestContext
    make_context: Callable[[RequestContext], Any]
    models: Callable[[bool], Any] = lambda continues_response: None
    thread_id: str | None = None
    message_id: str | None = None
    runs: list[tuple[Any, Any, Any]] = field(default_factory=list)
    made_contexts: list[Any] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None


_current_request: ContextVar[StockRequest | None] = ContextVar("stock_request", default=None)
"""The request that is being answered, also in tasks that the server starts."""


def build_server_context(context: RequestContext) -> ServerContext:
    """Return the default context of a server for a request."""
    headers = Headers(dict(context.headers))  # case-insensitive
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


def set_current_request(request: StockRequest | None) -> StockRequest | None:
    """Set the current request, also for tasks that are started from here, and return the previous one."""
    previous = _current_request.get()
    _current_request.set(request)
    return previous


def current_request() -> StockRequest | None:
    """Return the request that is being answered; None outside of a request."""
    return _current_request.get()


def current_server_context(context: RequestContext) -> Any:
    """Return the server's own context, which is the same object throughout a request.

    Args:
        context: The platform's context of the request.
    """
    request = _current_request.get()
    if request is None:
        return build_server_context(context)
    if not request.made_contexts:
        request.made_contexts.append(request.make_context(context))
    return request.made_contexts[0]


def current_context() -> RequestContext:
    """Return the context of the current request.

    The context that a server passes to its store is not used: it may be a copy, a dictionary of the server's own or, by
    mistake, another person's.

    Raises:
        AgentError: When no request is being answered here.
    """
    request = _current_request.get()
    if request is None:
        raise AgentError(
            "This assistant cannot answer at the moment.",
            "the store of a StockServer was asked outside of a request: it holds the conversations of the person who "
            "asks, and here nobody does",
        )
    return request.context
