"""Functions that start, read, leave, resume and stop the stream of an answer."""

from __future__ import annotations

import json
from typing import Any

from context import Services
from runs.registry import Runs
from runs.viewer import Viewer
from tests.unit.harness import Chat, user_input


def body(type_: str, resumable: bool = False, **params: Any) -> bytes:
    return json.dumps({"type": type_, "params": params, "metadata": {"resumable": resumable}}).encode()


async def start(chat: Chat, *, resumable: bool = True, text: str = "Go") -> Viewer:
    """Start a thread, and return the viewer of its first answer."""
    viewer = await chat.server.handle(body("threads.create", resumable, input=user_input(text)), chat.context())
    assert isinstance(viewer, Viewer)
    return viewer


async def read_until(viewer: Viewer, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        seen += await anext(viewer)
    return seen


async def read_rest(viewer: Viewer) -> bytes:
    return b"".join([chunk async for chunk in viewer])


async def attach(chat: Chat, **params: Any) -> Viewer | bytes:
    return await chat.server.handle(body("runs.attach", thread_id=chat.thread_id, **params), chat.context())


async def attach_viewer(chat: Chat, **params: Any) -> Viewer:
    viewer = await attach(chat, **params)
    assert isinstance(viewer, Viewer)
    return viewer


async def stop(chat: Chat) -> Any:
    answer = await chat.server.handle(body("runs.stop", thread_id=chat.thread_id), chat.context())
    assert isinstance(answer, bytes)
    return json.loads(answer)


def numbered_events(stream: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Return the events with their numbers."""
    frames = [f for f in stream.decode().split("\n\n") if f.startswith("id: ")]
    pairs = [frame.split("\n", 1) for frame in frames]
    return [(int(head.removeprefix("id: ")), json.loads(data.removeprefix("data: "))) for head, data in pairs]


def adopt_thread(chat: Chat, stream: bytes) -> None:
    chat.thread_id = next(e["thread"]["id"] for _, e in numbered_events(stream) if e["type"] == "thread.created")


async def texts_in_store(chat: Chat) -> list[str]:
    return [i["content"][0]["text"] for i in await chat.items() if i["type"] == "assistant_message"]


async def hidden_items(chat: Chat) -> list[str]:
    page = await chat.server.store.load_thread_items(chat.thread_id or "", None, 100, "asc", chat.context())
    return [item.type for item in page.data if item.type in ("sdk_hidden_context", "hidden_context_item")]


def with_runs(services: Services, **options: Any) -> Services:
    """Return services whose registry of runs has these options."""
    known: dict[str, Any] = {
        "max_total": 9,
        "max_per_user": 9,
        "max_log_bytes": 99_999,
        "timeout_s": 60,
        "linger_s": 60,
    }
    runs = Runs(**(known | options))
    return Services(**{field: getattr(services, field) for field in Services.__slots__} | {"runs": runs})
