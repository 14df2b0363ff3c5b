"""The parts of a server written for ChatKit, put together: what answers is its own, the rest is as for any server."""

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
from streaming.stock.server_context import given_to_server
from streaming.stock.stock_clicks import StockClicks
from streaming.stock.stock_delivery import StockDelivery
from streaming.stock.stock_responder import StockResponder
from turns.request_context import RequestContext


class StockHooks:
    """Asks a server what it thinks of feedback and dictation; what it does not override is done as anywhere.

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
        """Keep what the person thinks of some items, and tell the server."""
        await self._services.store.save_feedback(thread_id, item_ids, feedback, context)
        await self._server.add_feedback(thread_id, item_ids, feedback, given_to_server(context))

    async def transcribe(self, audio_input: AudioInput, context: RequestContext) -> TranscriptionResult:
        """Let the server turn speech into text, or the provider where it does not."""
        if type(self._server).transcribe is ChatKitServer.transcribe:
            return await transcribe_audio(self._services, audio_input)
        result: Any = await self._server.transcribe(audio_input, given_to_server(context))
        if not isinstance(result, TranscriptionResult):
            raise AgentError(
                "This could not be written down.",
                f"{type(self._server).__qualname__}.transcribe returned a {type(result).__qualname__}, and not a "
                "TranscriptionResult",
            )
        return result


@dataclass(frozen=True, slots=True)
class StockParts:
    """All that answers for such a server.

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
    # A server that names its threads looks whether they have a title.
    requests = ChatKitRequests(services, hooks, delivery, responder, clicks, names_threads=False)
    return StockParts(requests, RunOperations(services, requests))
