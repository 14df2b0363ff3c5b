"""A chat client that plays a script in the place of a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
    UsageDetails,
)
from agent_framework.observability import ChatTelemetryLayer

from chat_clients.protocols.text_relay import TextRelay
from framework.response_streams import build_response_stream
from framework.text_updates import TEXT_SINK_KWARG, TextUpdate, build_text_piece, build_text_update

Step = ChatResponseUpdate | Exception | asyncio.Event


def says(*pieces: str, message_id: str | None = "m1", **properties: Any) -> list[Step]:
    """Return the steps of a text in pieces, in the form of our own chat clients; others use `Content.from_text`."""
    if not properties:
        return [build_text_update(piece, message_id, None) for piece in pieces]
    return [
        ChatResponseUpdate(role="assistant", contents=[build_text_piece(piece)], message_id=message_id, **properties)
        for piece in pieces
    ]


def gives(*contents: Content, message_id: str | None = None, **properties: Any) -> list[Step]:
    return [ChatResponseUpdate(role="assistant", contents=list(contents), message_id=message_id, **properties)]


def calls(name: str, call_id: str = "call_1", **arguments: Any) -> list[Step]:
    return gives(Content.from_function_call(call_id, name, arguments=json.dumps(arguments)), message_id="m1")


class RawScriptedModel(BaseChatClient[Any]):
    OTEL_PROVIDER_NAME = "scripted"
    tries_direct_text = False
    direct_text_tries = 8
    """How often, every millisecond, a piece is offered as direct text; tests that depend on it need more."""

    def __init__(self, *, turns: Sequence[Sequence[Step]] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = "scripted"
        self.turns = list(turns)
        self.requests: list[list[Message]] = []
        self.options: list[dict[str, Any]] = []
        self.open_streams = 0
        self.direct_texts = 0
        self.titles: list[Step | str] = []
        self.title_usage: UsageDetails | None = None
        self.title_requests: list[list[Message]] = []
        self.is_asked_for_title = asyncio.Event()

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        if not stream:
            return self._write_title(messages)
        self.requests.append(list(messages))
        self.options.append(dict(options))
        steps = self.turns.pop(0) if self.turns else says("(the script is over)")

        relay = TextRelay(kwargs.get(TEXT_SINK_KWARG) if self.tries_direct_text else None)

        async def play() -> AsyncIterator[ChatResponseUpdate]:
            self.open_streams += 1
            try:
                for step in steps:
                    if isinstance(step, Exception):
                        raise step
                    if isinstance(step, asyncio.Event):
                        await step.wait()
                        continue
                    if self.tries_direct_text and await _arrives_directly(step, relay, self.direct_text_tries):
                        self.direct_texts += 1
                        continue
                    for again in relay.replay_shown():
                        yield again
                    yield step
                for again in relay.replay_shown():
                    yield again
            finally:
                self.open_streams -= 1

        return build_response_stream(play())

    async def _write_title(self, messages: Sequence[Message]) -> ChatResponse[Any]:
        # The platform requests only titles without a stream.
        self.title_requests.append(list(messages))
        self.is_asked_for_title.set()
        for step in self.titles:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
        text = next((step for step in self.titles if isinstance(step, str)), "")
        return ChatResponse(messages=[Message("assistant", [text])], usage_details=self.title_usage)


async def _arrives_directly(update: ChatResponseUpdate, relay: TextRelay, tries: int) -> bool:
    # The events before may still be on their way to the store.
    for _ in range(tries):
        if relay.take(update):
            return True
        if type(update) is not TextUpdate:
            break
        await asyncio.sleep(0.001)
    return False


class ScriptedModel(FunctionInvocationLayer, ChatMiddlewareLayer, ChatTelemetryLayer, RawScriptedModel):
    """The scripted model inside the framework's tool loop."""

    takes_text_sink = True
