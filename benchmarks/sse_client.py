"""A keep-alive HTTP client that counts server-sent events as they arrive, and reads the stub's time stamps in them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from urllib.parse import urlsplit

DELTA = re.compile(rb'"delta": ?"((?:[^"\\]|\\.)*)"')
STAMP = re.compile(rb"\|(\d{12,})")
clock = time.perf_counter  # CLOCK_MONOTONIC on Linux, the stub's clock too


class Reply:
    """The response to one request, with its counts and its times in seconds of `clock`."""

    __slots__ = (
        "t0",
        "t_event",
        "t_delta",
        "t_end",
        "status",
        "events",
        "chars",
        "delta_events",
        "nbytes",
        "text",
        "other",
        "transit",
        "arrivals",
        "body",
        "error",
        "wrong",
    )

    def __init__(self):
        self.t0 = clock()
        self.t_event = self.t_delta = self.t_end = None
        self.status = self.events = self.chars = self.delta_events = self.nbytes = 0
        self.text, self.other, self.transit, self.arrivals, self.body = [], [], [], [], b""
        self.error = self.wrong = None


class Connection(asyncio.Protocol):
    """A keep-alive HTTP/1.1 connection that counts server-sent events as they arrive."""

    def __init__(self):
        self.reply = self.future = None
        self.alive = False

    def connection_made(self, transport):
        self.transport, self.alive = transport, True

    def connection_lost(self, exc):
        self.alive = False
        if self.future and not self.future.done():
            if self.reply.status and self.mode == "close":
                self.finish()
            else:
                self.fail(f"connection lost: {exc}")

    def send(self, raw: bytes) -> asyncio.Future:
        self.buffer, self.incomplete_event, self.mode = b"", b"", "head"
        self.reply, self.future = Reply(), asyncio.get_running_loop().create_future()
        self.transport.write(raw)
        return self.future

    def fail(self, why):
        self.reply.error = self.reply.error or why
        if self.alive:
            self.transport.abort()
        self.alive = False
        if not self.future.done():
            self.future.set_result(self.reply)

    def finish(self):
        reply = self.reply
        reply.t_end = clock()
        if reply.status != 200:
            reply.error = reply.error or f"HTTP {reply.status}"
        if not self.future.done():
            self.future.set_result(reply)

    def data_received(self, data):
        if self.future is None or self.future.done():
            return None
        now = clock()
        reply = self.reply
        reply.nbytes += len(data)
        buffer = self.buffer + data if self.buffer else data
        pos = 0
        if self.mode == "head":
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self.buffer = buffer
                return None
            head = buffer[:end].lower()
            reply.status = int(head[9:12])
            self.is_sse = b"text/event-stream" in head
            pos = end + 4
            if b"transfer-encoding: chunked" in head:
                self.mode = "chunked"
            elif m := re.search(rb"content-length: *(\d+)", head):
                self.mode, self.remaining = "length", int(m[1])
            else:
                self.mode = "close"
        if self.mode == "chunked":
            parts, size = [], len(buffer)
            while True:
                line_end = buffer.find(b"\r\n", pos)
                if line_end < 0:
                    break
                chunk_size = int(buffer[pos:line_end], 16)
                if line_end + chunk_size + 4 > size:
                    break
                parts.append(buffer[line_end + 2 : line_end + 2 + chunk_size])
                pos = line_end + chunk_size + 4
                if chunk_size == 0:
                    self.feed_body(b"".join(parts), now)
                    self.buffer = b""
                    return self.finish()
            self.buffer = buffer[pos:]
            if parts:
                self.feed_body(b"".join(parts), now)
        else:
            part = buffer[pos:]
            self.buffer = b""
            self.feed_body(part, now)
            if self.mode == "length":
                self.remaining -= len(part)
                if self.remaining <= 0:
                    self.finish()

    def feed_body(self, data: bytes, now: float):
        reply = self.reply
        if not self.is_sse:
            reply.body += data
            return
        data = self.incomplete_event + data
        if b"\r" in data:  # CRLF-framed streams are as valid
            data = data.replace(b"\r\n", b"\n")
        *events, self.incomplete_event = data.split(b"\n\n")
        for e in events:
            if e.startswith(b":"):
                continue  # a comment, sent as a heartbeat
            reply.events += 1
            if reply.t_event is None:
                reply.t_event = now
            if b"text_delta" in e and (m := DELTA.search(e)):
                d = m[1]
                reply.delta_events += 1
                reply.chars += len(d)
                reply.text.append(d)
                if reply.t_delta is None:
                    reply.t_delta = now
                if d[:1] == b"|":
                    transit = [now * 1e6 - int(stamp) for stamp in STAMP.findall(d)]
                    reply.transit += transit
                    reply.arrivals += [now] * len(transit)  # one per delta of the model, merged or not
            else:
                reply.other.append(e)


class Client:
    """A pool of connections to one URL."""

    def __init__(self, url: str, headers: list[str], timeout: float):
        u = urlsplit(url)
        self.host, self.port, self.path = u.hostname, u.port or 80, u.path or "/"
        self.extra = "".join(h.strip() + "\r\n" for h in headers)
        self.timeout, self.idle = timeout, []

    def encode(self, obj: dict) -> bytes:
        body = json.dumps(obj).encode()
        return (
            f"POST {self.path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\naccept: text/event-stream\r\n"
            f"content-type: application/json\r\n{self.extra}content-length: {len(body)}\r\n\r\n"
        ).encode() + body

    async def connect(self) -> Connection:
        _, c = await asyncio.get_running_loop().create_connection(Connection, self.host, self.port)
        return c

    async def call(self, obj: dict) -> Reply:
        raw, reply = self.encode(obj), None
        for attempt in (1, 2):
            while self.idle and not self.idle[-1].alive:
                self.idle.pop()
            fresh = not self.idle
            try:
                c = await self.connect() if fresh else self.idle.pop()
            except OSError as e:
                reply = Reply()
                reply.error, reply.t_end = f"connect: {e}", clock()
                return reply
            try:
                reply = await asyncio.wait_for(c.send(raw), self.timeout)
            except TimeoutError:
                c.fail("timeout")
                reply = c.reply
            if reply.t_end is None:
                reply.t_end = clock()
            # The server may have closed an idle connection, so that one retry on a new connection is fair.
            if reply.error and "connection lost" in reply.error and not reply.status and not fresh and attempt == 1:
                continue
            break
        if c.alive:
            self.idle.append(c)
        return reply
