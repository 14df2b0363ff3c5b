"""A server that answers exactly as scripted: cut frames, wrong order, broken JSON, errors, silence."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.browser.servers.pages import build_page_routes

VISIT = re.compile(r"[?&]visit=(\d+)")
LONGEST_HOLD_S = 60.0
ARRIVAL_TIMEOUT_S = 30.0
THREAD: dict[str, Any] = {
    "id": "thr_1", "title": None, "created_at": "2026-11-20T10:00:00", "status": {"type": "active"}, "metadata": {},
    "items": {"data": [], "has_more": False, "after": None},
}  # fmt: skip


class Gate:
    """Delays an answer until the test opens it."""

    def __init__(self) -> None:
        self._is_open = False

    def open(self) -> None:
        """Let the answer continue; can be called from any thread."""
        self._is_open = True

    async def passed(self) -> None:
        """Wait until the gate is open, at most `LONGEST_HOLD_S`, so that a failed test leaves nothing behind."""
        for _ in range(int(LONGEST_HOLD_S / 0.01)):
            if self._is_open:
                return
            await asyncio.sleep(0.01)


class Cut:
    """A point in a stream at which the connection breaks."""


@dataclass
class Stream:
    """An answer of `text/event-stream`.

    Attributes:
        parts: Events (dicts), raw bytes, which are sent in separate chunks, gates to wait at, and `Cut`.
        repeat: Whether the last part is repeated until the client disconnects.
        gone: Set when the client has disconnected, or the whole answer has been sent.
    """

    parts: Sequence[dict[str, Any] | bytes | Gate | Cut]
    repeat: bool = False
    gone: Event = field(default_factory=Event)


@dataclass
class Answer:
    """An answer without a stream."""

    body: Any = field(default_factory=dict)
    status: int = 200
    media_type: str = "application/json"


@dataclass
class Asked:
    """A request that the server has received."""

    type: str
    params: dict[str, Any]
    headers: dict[str, str]
    body: dict[str, Any]


class ScriptedServer:
    """Answers each operation with its scripted answers in order; the last one is repeated."""

    url: str
    visit = 0
    """The number of the running test. Requests of a page with another number in its `?visit=…` are refused."""

    def __init__(self) -> None:
        self._arrival = Condition()
        self.reset()
        self.app = Starlette(
            routes=[
                Route("/chatkit", self._answer, methods=["POST"]),
                Route("/upload", self._take_file, methods=["POST"]),
                *build_page_routes(),
            ]
        )

    def reset(self) -> None:
        """Clear the script and the recorded requests."""
        self.asked: list[Asked] = []
        self.uploads: list[bytes] = []
        self._answers: dict[str, deque[Stream | Answer]] = defaultdict(deque)

    def on(self, operation: str, *answers: Stream | Answer) -> None:
        """Script the next answers to `operation`."""
        self._answers[operation].extend(answers)

    def asked_for(self, operation: str, at_least: int = 1) -> list[Asked]:
        """Wait until enough requests of an operation have arrived, and return them.

        After `ARRIVAL_TIMEOUT_S`, return the requests that have arrived by then.
        """

        def matching() -> list[Asked]:
            return [asked for asked in self.asked if asked.type == operation]

        with self._arrival:
            self._arrival.wait_for(lambda: len(matching()) >= at_least, ARRIVAL_TIMEOUT_S)
            return matching()

    async def _answer(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if self._is_of_earlier_test(request):
            return Response(status_code=410)
        asked = Asked(body.get("type", ""), body.get("params", {}), dict(request.headers), body)
        with self._arrival:
            self.asked.append(asked)
            self._arrival.notify_all()
        answers = self._answers[asked.type]
        answer = (answers.popleft() if len(answers) > 1 else answers[0]) if answers else self._default_answer(asked)
        if isinstance(answer, Stream):
            return StreamingResponse(_pieces(answer), media_type="text/event-stream")
        content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return Response(content, answer.status, media_type=answer.media_type)

    async def _take_file(self, request: Request) -> Response:
        body = await request.body()
        if self._is_of_earlier_test(request):
            return Response(status_code=410)
        self.uploads.append(body)
        return Response("{}", media_type="application/json")

    def _is_of_earlier_test(self, request: Request) -> bool:
        visit = VISIT.search(request.headers.get("referer", ""))
        return visit is not None and int(visit[1]) != self.visit

    def _default_answer(self, asked: Asked) -> Answer | Stream:
        empty = {"data": [], "has_more": False, "after": None}
        if asked.type in ("threads.list", "items.list"):
            return Answer(empty)
        if asked.type == "threads.get_by_id":
            return Answer({**THREAD, "id": asked.params["thread_id"]})
        if asked.type == "attachments.create":
            described = {key: asked.params[key] for key in ("name", "mime_type")}
            place = {"url": "/upload", "method": "POST", "headers": {}}
            return Answer({"type": "file", "id": "atc_1", "upload_descriptor": place, **described})
        if asked.type in ("threads.create", "threads.add_user_message"):
            number = len(self.asked)
            text = "".join(part["text"] for part in asked.params["input"]["content"])
            events = message_events(
                "A scripted answer.", f"msg_usual_{number}", user=text, user_id=f"usr_usual_{number}"
            )
            return Stream(events if asked.type == "threads.create" else events[1:])
        return Answer({})


async def _pieces(stream: Stream) -> AsyncIterator[bytes]:
    try:
        for part in stream.parts:
            if isinstance(part, Gate):
                await part.passed()
            elif isinstance(part, Cut):
                # The server closes the connection in the middle of a chunked body.
                raise ConnectionResetError
            else:
                yield frame(part)
                if isinstance(part, bytes):
                    await asyncio.sleep(0)  # sends the bytes in a separate chunk
        while stream.repeat:
            yield frame(stream.parts[-1])  # type: ignore[arg-type]
            await asyncio.sleep(0.01)
    finally:
        stream.gone.set()


def frame(part: dict[str, Any] | bytes) -> bytes:
    """Return an event as chatkit-python writes it."""
    return part if isinstance(part, bytes) else b"data: " + json.dumps(part, ensure_ascii=False).encode() + b"\n\n"


def message_events(
    text: str, item_id: str = "msg_1", *, user: str = "hi", user_id: str = "usr_1"
) -> list[dict[str, Any]]:
    """Return the events of a new thread with one finished answer."""
    return [
        {"type": "thread.created", "thread": THREAD},
        {"type": "thread.item.done", "item": user_item(user, user_id)},
        {"type": "thread.item.done", "item": assistant_item(text, item_id)},
    ]


def user_item(text: str, item_id: str = "usr_1") -> dict[str, Any]:
    return {
        "type": "user_message", "id": item_id, "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00",
        "content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {},
    }  # fmt: skip


def assistant_item(text: str | None, item_id: str = "msg_1") -> dict[str, Any]:
    content = [] if text is None else [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "type": "assistant_message", "id": item_id, "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00",
        "content": content,
    }  # fmt: skip


def text_delta(delta: str, item_id: str = "msg_1", index: int = 0) -> dict[str, Any]:
    update = {"type": "assistant_message.content_part.text_delta", "content_index": index, "delta": delta}
    return {"type": "thread.item.updated", "item_id": item_id, "update": update}
