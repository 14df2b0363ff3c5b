"""The floor that Parlor is compared with: bare ASGI apps on uvicorn that send ChatKit's SSE bytes without a framework.

    uvicorn floor_asgi:canned --port 8100     # no model: answers from templates, one send per delta
    uvicorn floor_asgi:burst  --port 8100     # the same bytes in one send per turn: the limit of the load client
    uvicorn floor_asgi:relay  --port 8100     # relays the stub's /v1/responses stream over a raw socket (LLM_PORT)

The events have the same form and size as those of a chatkit-python server; nothing is stored or validated. `canned`
follows the n=, rate= and ts= directives of llm_stub.py in the user message.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import os
import re
import time

LLM_PORT = int(os.environ.get("LLM_PORT", "9100"))
DIRECTIVE = re.compile(rb"\b(n|rate|ts)=([0-9.]+)")
TEXT = re.compile(rb'"text": ?"((?:[^"\\]|\\.)*)"')
DELTA = re.compile(rb'"delta":("(?:[^"\\]|\\.)*")')
NOW = "2026-01-01T00:00:00.000000"
serial = itertools.count(1)
HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8")]


def sse_frame(obj) -> bytes:
    return b"data: " + json.dumps(obj, separators=(",", ":")).encode() + b"\n\n"


def thread_json(thread_id: str) -> dict:
    return {
        "id": thread_id,
        "created_at": NOW,
        "status": {"type": "active"},
        "metadata": {},
        "items": {"data": [], "has_more": False},
    }


def message_json(message_id: str, thread_id: str, text: str | None) -> dict:
    content = [] if text is None else [{"annotations": [], "text": text, "type": "output_text"}]
    return {
        "id": message_id,
        "thread_id": thread_id,
        "created_at": NOW,
        "type": "assistant_message",
        "content": content,
    }


def opening_events(thread_id: str, text: str) -> bytes:
    user = {
        "id": f"msg_{next(serial):08x}",
        "thread_id": thread_id,
        "created_at": NOW,
        "type": "user_message",
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    }
    return (
        sse_frame({"type": "thread.created", "thread": thread_json(thread_id)})
        + sse_frame({"type": "thread.item.done", "item": user})
        + sse_frame({"type": "stream_options", "stream_options": {"allow_cancel": True}})
    )


def delta_prefix(message_id: str) -> bytes:
    return (
        b'data: {"type":"thread.item.updated","item_id":"%s","update":{"type":"assistant_message.content_part.text_delta",'
        b'"content_index":0,"delta":' % message_id.encode()
    )


@functools.lru_cache(16)
def tokens(n: int) -> list[bytes]:
    return [b'" w%04d"' % (i % 10000) for i in range(n)]


async def read_body(receive) -> bytes:
    body = b""
    while True:
        m = await receive()
        body += m.get("body", b"")
        if not m.get("more_body"):
            return body


async def json_reply(send):
    """Answer requests without a stream with one page of 20 threads, always the same."""
    page = json.dumps(
        {"data": [thread_json(f"thr_{i:08x}") for i in range(20)], "has_more": True, "after": "thr_00000013"}
    ).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(page))],
        }
    )
    await send({"type": "http.response.body", "body": page})


def build_app(answer):
    async def asgi(scope, receive, send):
        if scope["type"] != "http":
            return None
        body = await read_body(receive)
        if b'"threads.create"' not in body and b'"threads.add_user_message"' not in body:
            return await json_reply(send)
        text = m[1].decode() if (m := TEXT.search(body)) else ""
        thread_id, message_id = f"thr_{next(serial):08x}", f"msg_{next(serial):024x}"
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})

        async def put(data: bytes):
            await send({"type": "http.response.body", "body": data, "more_body": True})

        await put(opening_events(thread_id, text))
        await put(sse_frame({"type": "thread.item.added", "item": message_json(message_id, thread_id, None)}))
        full = await answer(text, message_id, put)
        await put(sse_frame({"type": "thread.item.done", "item": message_json(message_id, thread_id, full)}))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return asgi


async def answer_from_templates(text, message_id, put):
    d = dict(DIRECTIVE.findall(text.encode()))
    n, rate, ts, pre = int(d.get(b"n", 50)), float(d.get(b"rate", 0)), d.get(b"ts") == b"1", delta_prefix(message_id)
    t0 = time.monotonic()
    for i, tok in enumerate(tokens(n)):
        if rate:
            late = time.monotonic() - (t0 + i / rate)
            if late < 0:
                await asyncio.sleep(-late)
        await put(pre + (b'"|%012d"' % (time.monotonic_ns() // 1000) if ts else tok) + b"}}\n\n")
    return b"".join(tokens(n)).replace(b'"', b"").decode()


async def answer_in_one_send(text, message_id, put):
    d = dict(DIRECTIVE.findall(text.encode()))
    ts, pre = tokens(int(d.get(b"n", 50))), delta_prefix(message_id)
    await put(b"".join([pre + t + b"}}\n\n" for t in ts]))
    return b"".join(ts).replace(b'"', b"").decode()


class Upstream(asyncio.Protocol):
    """A call of the model over a raw keep-alive socket, which queues the JSON strings of its deltas."""

    idle: list[Upstream] = []

    def __init__(self):
        self.alive = True

    def connection_made(self, t):
        self.t = t

    def connection_lost(self, exc):
        self.alive = False
        self.queue.put_nowait(None)

    def data_received(self, data):
        # Chunk framing is skipped by looking only for the end of each SSE event and of the body.
        *events, self.buf = (self.buf + data).split(b"\n\n")
        batch = [m[1] for e in events if b"output_text.delta" in e and (m := DELTA.search(e))]
        if batch:
            self.queue.put_nowait(batch)
        if b"0\r\n\r\n" in self.buf[-16:]:
            self.queue.put_nowait(None)

    @classmethod
    async def call(cls, body: bytes):
        while cls.idle and not cls.idle[-1].alive:
            cls.idle.pop()
        if cls.idle:
            c = cls.idle.pop()
        else:
            _, c = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", LLM_PORT)
        c.buf, c.queue = b"", asyncio.Queue()
        c.t.write(
            b"POST /v1/responses HTTP/1.1\r\nhost: llm\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        return c


async def answer_from_model(text, message_id, put):
    body = json.dumps(
        {"model": "stub", "stream": True, "input": [{"role": "user", "content": text}]}, separators=(",", ":")
    ).encode()
    c, pre, full = await Upstream.call(body), delta_prefix(message_id), []
    while (batch := await c.queue.get()) is not None:
        full += batch
        for d in batch:
            await put(pre + d + b"}}\n\n")
    if c.alive:
        Upstream.idle.append(c)
    return "".join(json.loads(b"[" + b",".join(full) + b"]"))


canned, burst, relay = build_app(answer_from_templates), build_app(answer_in_one_send), build_app(answer_from_model)
