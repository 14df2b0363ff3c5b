"""Assembles the parts of a server written for ChatKit: its own methods answer, the rest is as for any server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chatkit.server import ChatKitServer
from chatkit.types import AudioInput, FeedbackKind, TranscriptionResult

from context import Services
from errors import AgentError
from streaming.requests.chatkit_requests import ChatKitRequests
from streaming.requests.dictation import transcribe_audio
from streaming.requests.run_operations import RunOperations
from streaming.stock.server_context import current_server_context
from streaming.stock.stock_clicks import StockClicks
from streaming.stock.stock_delivery import StockDelivery
from streaming.stock.stock_responder import StockResponder
from turns.request_context import RequestContext


class StockHooks:
    """Calls a server's methods for feedback and dictation, with the platform's defaults.

    Args:
        services: The platform's services.
        server: The server.
    """

    def __init__(self, services: Services, server: ChatKitServer[Any]) -> None:
        self._services = services
        self._server = server

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: RequestContext
    ) -> None:
        """Store the person's feedback on some items, and pass it to the server."""
        await self._services.store.save_feedback(thread_id, item_ids, feedback, context)
        await self._server.add_feedback(thread_id, item_ids, feedback, current_server_context(context))

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Return the server's transcript of a recording, or the provider's if the server does not transcribe."""
        if type(self._server).transcribe is ChatKitServer.transcribe:
            return await transcribe_audio(self._services, audio_input)
        result: Any = await self._server.transcribe(audio_input, current_server_context(context))
        if not isinstance(result, TranscriptionResult):
            raise AgentError(
                "This could not be written down.",
                f"{type(self._server).__qualname__}.transcribe returned a {type(result).__qualname__}, and not a "
                "TranscriptionResult",
            )
        return result


@dataclass(frozen=True, slots=True)
class StockParts:
    """The parts that answer for a server written for ChatKit.

    Attributes:
        requests: Answers ChatKit's requests.
        runs: Starts, finds and stops the runs of streaming requests.
    """

    requests: ChatKitRequests
    runs: RunOperations


def build_stock_parts(services: Services, server: ChatKitServer[Any]) -> StockParts:
    """Return the parts of a server written for ChatKit."""
    responder = StockResponder(services, server)
    delivery = StockDelivery(services, server)
    clicks = StockClicks(services, server, delivery, responder)
    hooks = StockHooks(services, server)
    # A server may set the title of its threads, if they have none yet.
    requests = ChatKitRequests(services, hooks, delivery, responder, clicks, names_threads=False)
    return StockParts(requests, RunOperations(services, requests))
