"""A keep-alive HTTP client that counts server-sent events as they arrive, and the stamps that the stub puts in them."""

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
    """One request's times and counts (seconds on `clock`)."""

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


class Conn(asyncio.Protocol):
    """Keep-alive HTTP/1.1 connection; counts SSE events as they arrive."""

    def __init__(self):
        self.reply = self.fut = None
        self.alive = False

    def connection_made(self, transport):
        self.t, self.alive = transport, True

    def connection_lost(self, exc):
        self.alive = False
        if self.fut and not self.fut.done():
            if self.reply.status and self.mode == "close":
                self.finish()
            else:
                self.fail(f"connection lost: {exc}")

    def send(self, raw: bytes) -> asyncio.Future:
        self.buf, self.sse, self.mode = b"", b"", "head"
        self.reply, self.fut = Reply(), asyncio.get_running_loop().create_future()
        self.t.write(raw)
        return self.fut

    def fail(self, why):
        self.reply.error = self.reply.error or why
        if self.alive:
            self.t.abort()
        self.alive = False
        if not self.fut.done():
            self.fut.set_result(self.reply)

    def finish(self):
        r = self.reply
        r.t_end = clock()
        if r.status != 200:
            r.error = r.error or f"HTTP {r.status}"
        if not self.fut.done():
            self.fut.set_result(r)

    def data_received(self, data):
        if self.fut is None or self.fut.done():
            return None
        now = clock()
        r = self.reply
        r.nbytes += len(data)
        buf = self.buf + data if self.buf else data
        pos = 0
        if self.mode == "head":
            end = buf.find(b"\r\n\r\n")
            if end < 0:
                self.buf = buf
                return None
            head = buf[:end].lower()
            r.status = int(head[9:12])
            self.is_sse = b"text/event-stream" in head
            pos = end + 4
            if b"transfer-encoding: chunked" in head:
                self.mode = "chunked"
            elif m := re.search(rb"content-length: *(\d+)", head):
                self.mode, self.left = "length", int(m[1])
            else:
                self.mode = "close"
        if self.mode == "chunked":
            parts, size = [], len(buf)
            while True:
                nl = buf.find(b"\r\n", pos)
                if nl < 0:
                    break
                n = int(buf[pos:nl], 16)
                if nl + n + 4 > size:
                    break
                parts.append(buf[nl + 2 : nl + 2 + n])
                pos = nl + n + 4
                if n == 0:
                    self.body(b"".join(parts), now)
                    self.buf = b""
                    return self.finish()
            self.buf = buf[pos:]
            if parts:
                self.body(b"".join(parts), now)
        else:
            part = buf[pos:]
            self.buf = b""
            self.body(part, now)
            if self.mode == "length":
                self.left -= len(part)
                if self.left <= 0:
                    self.finish()

    def body(self, data: bytes, now: float):
        r = self.reply
        if not self.is_sse:
            r.body += data
            return
        data = self.sse + data
        if b"\r" in data:  # CRLF-framed streams are as valid
            data = data.replace(b"\r\n", b"\n")
        *events, self.sse = data.split(b"\n\n")
        for e in events:
            if e.startswith(b":"):
                continue  # comment, keep-alive
            r.events += 1
            if r.t_event is None:
                r.t_event = now
            if b"text_delta" in e and (m := DELTA.search(e)):
                d = m[1]
                r.delta_events += 1
                r.chars += len(d)
                r.text.append(d)
                if r.t_delta is None:
                    r.t_delta = now
                if d[:1] == b"|":
                    got = [now * 1e6 - int(s) for s in STAMP.findall(d)]
                    r.transit += got
                    r.arrivals += [now] * len(got)  # one per model delta, merged or not
            else:
                r.other.append(e)


class Client:
    """Pool of connections to one URL."""

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

    async def connect(self) -> Conn:
        _, c = await asyncio.get_running_loop().create_connection(Conn, self.host, self.port)
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
            # A kept-alive connection that the server closed under us is worth one fresh try.
            if reply.error and "connection lost" in reply.error and not reply.status and not fresh and attempt == 1:
                continue
            break
        if c.alive:
            self.idle.append(c)
        return reply
