"""StockServer: a server written for ChatKit alone, taken as it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, final

from chatkit.server import ChatKitServer

from context import Services
from errors import ServerError
from runs.viewer import Viewer
from streaming.requests.handling import handle_body
from streaming.stock.construction import construct_server
from streaming.stock.sdk_runs import build_model_provider_factory, watch_runs
from streaming.stock.server_context import ServerContext, StockRequest, build_server_context, set_current_request
from streaming.stock.stock_parts import StockParts, build_stock_parts
from turns.request_context import RequestContext

if TYPE_CHECKING:
    from plugins import OfflinePhrase, UseCase

__all__ = ["ServerContext", "StockServer"]

logger = logging.getLogger(__name__)

_NOT_LOADED = "this StockServer is not loaded yet: a use case hands it to UseCase(server=…)"


@final
class StockServer:
    """Serves a subclass of `chatkit.server.ChatKitServer` that knows nothing of this platform.

    Its `respond`, `action`, `sync_action`, `add_feedback`, `transcribe`, `get_stream_options` and
    `handle_stream_cancelled` are called as ChatKit calls them. Conversations, files, runs, people and limits are the
    platform's; docs/migrate.md says what that means for it.

    Args:
        server: The class, or an object of it; or a function ``(store, attachments)`` that returns one, where its
            constructor wants more than these two.
        context: Builds the server's `context` from a `ServerContext`; by default the server gets that one.
        offline: The phrasings that the built-in model understands when no model is configured, for agents of the
            OpenAI Agents SDK that the server runs.
    """

    def __init__(
        self,
        server: type[ChatKitServer[Any]] | ChatKitServer[Any] | Callable[..., ChatKitServer[Any]],
        *,
        context: Callable[[ServerContext], Any] | None = None,
        offline: Sequence[OfflinePhrase] = (),
    ) -> None:
        self._server_or_factory = server
        self._make_context = context
        self._offline = offline
        self._services: Services | None = None
        self._parts: StockParts | None = None
        self._client: Any = None
        self._use_case: UseCase | None = None
        self.server: ChatKitServer[Any] | None = None
        self.notes: Sequence[str] = ()

    def bind(self, services: Services) -> None:
        """Construct the server with the platform's stores; called by the platform when it loads the use case.

        Raises:
            ServerError: When it cannot be constructed, or overrides what only the platform may do; the text says what.
        """
        constructed = construct_server(self._server_or_factory, services)
        self._services, self.server, self.notes = services, constructed.server, constructed.notes
        self._client = services.chat_client(self._offline)
        self._parts = build_stock_parts(services, constructed.server)
        watch_runs()
        for note in constructed.notes:
            name = type(constructed.server).__qualname__
            logger.warning("a server was taken over", extra={"server": name, "note": note})

    @property
    def use_case(self) -> UseCase | None:
        """The use case that was registered with this server; set by the platform."""
        return self._use_case

    @use_case.setter
    def use_case(self, use_case: UseCase | None) -> None:
        self._use_case = use_case
        if use_case is not None:
            self._require_parts().requests.composer = use_case.composer

    async def handle(self, body: bytes, context: RequestContext) -> bytes | Viewer:
        """Answer one ChatKit request: JSON, or an iterator of server-sent events."""
        parts = self._require_parts()
        request = StockRequest(context, self._build_context, loop=asyncio.get_running_loop())
        request.models = build_model_provider_factory(
            self._client, may_choose=self._may_choose_model(), request=request, store=self._require_services().store
        )
        # A context variable: the task of a run that starts here, and all that the server starts in it, inherit it.
        previous_request = set_current_request(request)
        try:
            return await handle_body(body, context, parts.requests, parts.runs)
        finally:
            set_current_request(previous_request)

    async def open(self) -> None:
        """Do nothing: a server written for ChatKit has nothing to open."""

    async def close(self) -> None:
        """Do nothing: a server written for ChatKit has nothing to close."""

    def _build_context(self, context: RequestContext) -> Any:
        server_context = build_server_context(context)
        return self._make_context(server_context) if self._make_context is not None else server_context

    def _may_choose_model(self) -> bool:
        return self._require_services().settings.is_openai

    def _require_services(self) -> Services:
        if self._services is None:
            raise ServerError(_NOT_LOADED)
        return self._services

    def _require_parts(self) -> StockParts:
        if self._parts is None:
            raise ServerError(_NOT_LOADED)
        return self._parts
