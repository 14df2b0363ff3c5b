"""Updates of an answer in the framework: merged with the same meaning, and released at the end."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from agent_framework import (
    Agent,
    AgentResponse,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    ResponseStream,
)
from agent_framework.observability import OBSERVABILITY_SETTINGS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import ResponsesChatClient
from framework.merged_updates import MergedUpdates, merge_kept_updates, release_stream
from framework.text_updates import TextUpdate, build_text_piece, build_text_update
from tests.unit.provider_stub import Answer, Responses
from text.growing_text import GrowingText


def test_a_text_piece_is_a_content_in_every_respect() -> None:
    piece, content = build_text_piece("Hello"), Content.from_text("Hello", merge_mode="append")
    assert piece == content
    assert piece.to_dict() == content.to_dict()
    assert all(getattr(piece, name) == value for name, value in vars(content).items())
    assert (piece + content).text == "HelloHello"
    piece.merge_mode = None
    assert build_text_piece("x").merge_mode == "append"


def test_a_text_update_is_an_update_in_every_respect() -> None:
    update = build_text_update("Hello", "msg_1", "resp_1")
    real = ChatResponseUpdate(
        contents=[Content.from_text("Hello", merge_mode="append")],
        role="assistant",
        message_id="msg_1",
        response_id="resp_1",
    )
    assert all(getattr(update, name) == value for name, value in vars(real).items())
    assert update.to_dict() == real.to_dict()
    assert update.text == "Hello"


def text_update(text: str, message_id: str | None = "msg_1", **more: Any) -> ChatResponseUpdate:
    update: ChatResponseUpdate = build_text_update(text, message_id, "resp_1")
    for name, value in more.items():
        setattr(update, name, value)
    return update


def call_update(call_id: str) -> ChatResponseUpdate:
    call = Content.from_function_call(call_id=call_id, name="look", arguments="{}")
    return ChatResponseUpdate(contents=[call], role="assistant", message_id="msg_1", response_id="resp_1")


UPDATES = st.lists(
    st.one_of(
        st.builds(text_update, st.text(max_size=3), st.sampled_from(["msg_1", "msg_2", None])),
        st.builds(lambda text: text_update(text, finish_reason="stop"), st.text(max_size=3)),
        st.builds(lambda text: text_update(text, additional_properties={"seen": text}), st.text(max_size=3)),
        st.builds(
            lambda text: ChatResponseUpdate(contents=[Content.from_text(text)], role="assistant", message_id="msg_1"),
            st.text(max_size=3),
        ),
        st.builds(call_update, st.uuids().map(str)),
    ),
    max_size=12,
)


def describe(response: ChatResponse[Any] | AgentResponse[Any]) -> Any:
    parts = [(message.role, message.author_name, message.message_id, [c.to_dict() for c in message.contents])
             for message in response.messages]  # fmt: skip
    return parts, response.response_id, getattr(response, "finish_reason", None), response.additional_properties


# A busy machine makes updates slowly, which is nobody's mistake.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(UPDATES)
def test_merged_updates_mean_what_the_single_ones_do(updates: list[ChatResponseUpdate]) -> None:
    before = [update.to_dict() for update in updates]
    merged = MergedUpdates(updates)
    assert describe(ChatResponse.from_updates(merged)) == describe(ChatResponse.from_updates(updates))
    assert [update.to_dict() for update in updates] == before, "what was handed on is not changed"
    assert len(list(merged)) <= len(updates)


def test_text_continues_after_the_merged_updates_were_read() -> None:
    merged = MergedUpdates([text_update("a"), text_update("b")])
    assert [update.text for update in merged] == ["ab"]
    merged.append(text_update("c"))
    assert "".join(update.text for update in merged) == "abc"


def kept_updates(stream: Any) -> list[int]:
    """Return how many updates each of the streams keeps that a stream is made of."""
    sizes = []
    while isinstance(stream, ResponseStream):
        sizes.append(len(stream._updates))
        stream = stream._inner_stream or stream._stream_source
    return sizes


class Frames(httpx.AsyncByteStream):
    """An answer whose pieces arrive one by one, so that each becomes an update."""

    def __init__(self, answer: Answer) -> None:
        self._pieces = answer.pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    """An agent of the framework, with a client of ours whose model says 100 words."""
    answer = Responses.text(*WORDS)

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Frames(answer))

    connection = ProviderConnection("http://127.0.0.1:1", transport=httpx.MockTransport(handle))
    yield Agent(ResponsesChatClient(connection=connection, model="stub", path="/responses"), "You talk.")
    await connection.close()


OPENING = "response.created"

WORDS = [f"word {n} " for n in range(100)]


async def test_no_stream_of_an_answer_keeps_its_pieces_and_the_final_response_is_whole(agent: Agent) -> None:
    gc.collect()
    # Of tests before, which may still hold theirs.
    others = sum(type(each) is TextUpdate for each in gc.get_objects())
    stream = agent.run("Hello", stream=True)
    shown = []
    async for update in stream:
        merge_kept_updates(stream)
        shown.append(update.text)
        largest = max(kept_updates(stream))
        if update.text == WORDS[-1]:
            held = sum(type(each) is TextUpdate for each in gc.get_objects()) - others
            opening = [each for each in gc.get_objects() if type(each) is dict and each.get("type") == OPENING]
    assert [text for text in shown if text] == WORDS, "the updates themselves come as before"
    assert len(kept_updates(stream)) >= 3, "as the framework is built today; if not, look at `merge_kept_updates`"
    assert largest < 10
    assert held < 10, "nobody else on the way keeps them either"
    assert not opening, "nor the event that may repeat all that was asked"
    assert (await stream.get_final_response()).text == "".join(WORDS)


async def test_an_ended_stream_goes_without_the_garbage_collector(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only then do the framework's streams hold themselves.
    monkeypatch.setattr(OBSERVABILITY_SETTINGS, "enable_instrumentation", True)

    async def pieces_left(*, is_released: bool) -> int:
        gc.collect()
        gc.disable()
        try:
            stream = agent.run("Hello", stream=True)
            first = await anext(stream)
            left = weakref.ref(first)
            async for _ in stream:
                pass
            if is_released:
                release_stream(stream)
            del stream, first
            return int(left() is not None)
        finally:
            gc.enable()

    assert await pieces_left(is_released=False) == 1, "without help the framework's streams hold themselves"
    assert await pieces_left(is_released=True) == 0


@given(st.text(max_size=5), st.lists(st.text(max_size=4), max_size=300))
def test_a_growing_text_is_the_sum_of_its_pieces(start: str, pieces: list[str]) -> None:
    text = GrowingText(start)
    for number, piece in enumerate(pieces):
        text.add(piece)
        assert text.length == len(start) + sum(map(len, pieces[: number + 1]))
    assert str(text) == start + "".join(pieces)
    assert str(text) == start + "".join(pieces), "to look at it changes nothing"


def test_a_growing_text_is_hardly_larger_than_what_it_says() -> None:
    tracemalloc.start()
    try:
        text = GrowingText()
        for number in range(20_000):
            text.add(f"{number:05} ")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text.length == 120_000
    assert size < 1.2 * text.length
