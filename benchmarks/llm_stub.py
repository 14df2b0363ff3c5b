"""OpenAI-compatible LLM stub: POST /v1/chat/completions and POST /v1/responses.

It is written in plain asyncio without dependencies (uvloop is used when installed). Directives in the messages control
its answers, so that any chat server can be measured unchanged. The last directives in the request body win; flags and
defaults are in brackets:

    n=500      text deltas to stream                                   [--n 50]
    rate=20    deltas per second; 0 = the whole answer in one write    [--rate 0]
    ts=1       each delta is "|<CLOCK_MONOTONIC us>" so that a client on the same machine
               can measure its transit time; needs rate>0              [off]
    tool=NAME  call tool NAME (args "{}") first, answer after its result [none]

Without ts, a delta always has 6 characters (" w0042"), so that deltas can be counted in the text even if a server merges
them. Calls without a stream get a short title. GET /stats returns counters as JSON. Each event is sent in its own HTTP
chunk.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import functools
import itertools
import json
import os
import re
import time

DIRECTIVE = re.compile(rb"\b(n|rate|ts|tool)=([A-Za-z0-9_.\-]+)")
ID = b"%024x"
MARK = b"f" * 24  # replaced by a per-request id of the same length
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
PREVIOUS = re.compile(rb'"previous_response_id": ?"resp_([0-9a-f]{24})"')
ids = itertools.count(1)
# Directives of the last 10,000 responses with tool calls, by response id.
directives_by_response: collections.OrderedDict[bytes, dict] = collections.OrderedDict()
stats = {"requests": 0, "streams": 0, "deltas": 0, "tool_calls": 0, "open": 0, "max_open": 0, "late_ms_max": 0.0}
DEFAULTS = {"n": 50, "rate": 0.0}


def chunk(b: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(b), b)


def token(i: int) -> str:
    return f" w{i % 10000:04d}"


class Chat:
    """Stream events of the Chat Completions API."""

    @staticmethod
    def _sse(choice: dict | None, **extra) -> bytes:
        obj = {
            "id": "chatcmpl-" + MARK.decode(),
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": "stub",
            "choices": [] if choice is None else [choice],
            **extra,
        }
        return b"data: " + json.dumps(obj, separators=(",", ":")).encode() + b"\n\n"

    @classmethod
    def delta(cls, i: int, text: str) -> bytes:
        return cls._sse({"index": 0, "delta": {"content": text}, "finish_reason": None})

    @classmethod
    def opening(cls) -> list[bytes]:
        return [cls._sse({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None})]

    @classmethod
    def closing(cls, n: int, text: str, reason: str = "stop") -> list[bytes]:
        usage = {"prompt_tokens": 10, "completion_tokens": n, "total_tokens": 10 + n}
        return [
            cls._sse({"index": 0, "delta": {}, "finish_reason": reason}),
            cls._sse(None, usage=usage),
            b"data: [DONE]\n\n",
        ]

    @classmethod
    def tool(cls, name: str) -> list[bytes]:
        call = {
            "index": 0,
            "id": "call_" + MARK.decode(),
            "type": "function",
            "function": {"name": name, "arguments": "{}"},
        }
        return (
            cls.opening()
            + [cls._sse({"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None})]
            + cls.closing(1, "", "tool_calls")
        )

    @staticmethod
    def whole(text: str) -> dict:
        return {
            "id": "chatcmpl-x",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "stub",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
        }


class Responses:
    """Stream events of the Responses API."""

    MSG = "msg_" + MARK.decode()

    @staticmethod
    def _sse(type_: str, seq: int, **kw) -> bytes:
        body = json.dumps({"type": type_, "sequence_number": seq, **kw}, separators=(",", ":"))
        return f"event: {type_}\ndata: {body}\n\n".encode()

    @staticmethod
    def _response(status: str, output: list, n: int = 0) -> dict:
        usage = (
            None
            if status != "completed"
            else {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": n,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 10 + n,
            }
        )
        return {
            "id": "resp_" + MARK.decode(),
            "object": "response",
            "created_at": 1700000000,
            "status": status,
            "model": "stub",
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "temperature": 1.0,
            "top_p": 1.0,
            "usage": usage,
        }

    @classmethod
    def _message(cls, text: str | None) -> dict:
        content = [] if text is None else [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
        return {
            "id": cls.MSG,
            "type": "message",
            "role": "assistant",
            "content": content,
            "status": "in_progress" if text is None else "completed",
        }

    @classmethod
    def delta(cls, i: int, text: str) -> bytes:
        return cls._sse(
            "response.output_text.delta",
            4 + i,
            item_id=cls.MSG,
            output_index=0,
            content_index=0,
            delta=text,
            logprobs=[],
            obfuscation="aBcDeFgHiJ",
        )

    @classmethod
    def opening(cls) -> list[bytes]:
        r = cls._response("in_progress", [])
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return [
            cls._sse("response.created", 0, response=r),
            cls._sse("response.in_progress", 1, response=r),
            cls._sse("response.output_item.added", 2, output_index=0, item=cls._message(None)),
            cls._sse("response.content_part.added", 3, item_id=cls.MSG, output_index=0, content_index=0, part=part),
        ]

    @classmethod
    def closing(cls, n: int, text: str) -> list[bytes]:
        where = {"item_id": cls.MSG, "output_index": 0, "content_index": 0}
        msg = cls._message(text)
        return [
            cls._sse("response.output_text.done", n + 4, **where, text=text, logprobs=[]),
            cls._sse("response.content_part.done", n + 5, **where, part=msg["content"][0]),
            cls._sse("response.output_item.done", n + 6, output_index=0, item=msg),
            cls._sse("response.completed", n + 7, response=cls._response("completed", [msg], n)),
        ]

    @classmethod
    def tool(cls, name: str) -> list[bytes]:
        fc = "fc_" + MARK.decode()
        item = {
            "id": fc,
            "type": "function_call",
            "call_id": "call_" + MARK.decode(),
            "name": name,
            "arguments": "",
            "status": "in_progress",
        }
        done = {**item, "arguments": "{}", "status": "completed"}
        r = cls._response("in_progress", [])
        return [
            cls._sse("response.created", 0, response=r),
            cls._sse("response.in_progress", 1, response=r),
            cls._sse("response.output_item.added", 2, output_index=0, item=item),
            cls._sse("response.function_call_arguments.delta", 3, item_id=fc, output_index=0, delta="{}"),
            cls._sse("response.function_call_arguments.done", 4, item_id=fc, output_index=0, arguments="{}", name=name),
            cls._sse("response.output_item.done", 5, output_index=0, item=done),
            cls._sse("response.completed", 6, response=cls._response("completed", [done], 1)),
        ]

    @classmethod
    def whole(cls, text: str) -> dict:
        return cls._response("completed", [cls._message(text)], 3)


APIS = {b"/v1/chat/completions": Chat, b"/v1/responses": Responses}


@functools.lru_cache(64)
def canned(api, n: int, tool: str | None) -> tuple[bytes, tuple[bytes, ...], bytes, bytes]:
    """Return the opening, the deltas, the closing and all of these as HTTP chunks, with MARK as the id."""
    if tool:
        body = b"".join(map(chunk, api.tool(tool)))
        return body, (), b"0\r\n\r\n", body + b"0\r\n\r\n"
    opening = b"".join(map(chunk, api.opening()))
    deltas = tuple(chunk(api.delta(i, token(i))) for i in range(n))
    closing = b"".join(map(chunk, api.closing(n, "".join(map(token, range(n)))))) + b"0\r\n\r\n"
    return opening, deltas, closing, opening + b"".join(deltas) + closing


class Stub(asyncio.Protocol):
    """A connection of the stub server."""

    def connection_made(self, transport):
        self.t, self.buf, self.task = transport, b"", None

    def connection_lost(self, exc):
        if self.task:
            self.task.cancel()

    def data_received(self, data):
        self.buf += data
        while (end := self.buf.find(b"\r\n\r\n")) >= 0:
            head = self.buf[:end]
            m = re.search(rb"(?i)content-length: *(\d+)", head)
            total = end + 4 + (int(m[1]) if m else 0)
            if len(self.buf) < total:
                return
            body, self.buf = self.buf[end + 4 : total], self.buf[total:]
            self.handle(head.split(b" ", 2)[1], body)

    def send_json(self, obj):
        b = json.dumps(obj).encode()
        self.t.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(b), b))

    def handle(self, path: bytes, body: bytes):
        if path == b"/stats":
            return self.send_json({**stats, "pid": os.getpid()})
        api = APIS.get(path)
        if api is None:
            return self.t.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        stats["requests"] += 1
        if b'"stream":true' not in body and b'"stream": true' not in body:
            return self.send_json(
                json.loads(json.dumps(api.whole("Stub title")).replace(MARK.decode(), (ID % next(ids)).decode()))
            )
        # Only the directives of the newest message count, so search from the last "n=". A caller that continues with
        # previous_response_id does not repeat the messages: the directives were stored with that response.
        at = max(body.rfind(b" n="), body.rfind(b'"n='))
        tail = body[at:] if at >= 0 else b""
        d = dict(DIRECTIVE.findall(tail))
        if not d and (m := PREVIOUS.search(body)):
            d, tail = directives_by_response.pop(m[1], {}), body
        n = int(d.get(b"n", DEFAULTS["n"]))
        rate = float(d.get(b"rate", DEFAULTS["rate"]))
        tool = d.get(b"tool")
        if tool and (b"function_call_output" in tail or b'"role":"tool"' in tail or b'"role": "tool"' in tail):
            tool = None  # the request contains the result, so that the answer is due
        if tool:
            stats["tool_calls"] += 1
        stats["streams"] += 1
        opening, deltas, closing, everything = canned(api, n, tool.decode() if tool else None)
        rid = ID % next(ids)
        if tool:
            directives_by_response[rid] = d
            if len(directives_by_response) > 10_000:
                directives_by_response.popitem(last=False)
        if rate <= 0 or tool:
            stats["deltas"] += len(deltas)
            self.t.write(HEAD + everything.replace(MARK, rid))
        else:
            self.task = asyncio.ensure_future(
                self.paced(api, rid, opening, deltas, closing, rate, d.get(b"ts") == b"1")
            )

    async def paced(self, api, rid, opening, deltas, closing, rate, ts):
        stats["open"] += 1
        stats["max_open"] = max(stats["max_open"], stats["open"])
        try:
            # The first delta is sent with the opening, so that the time to the first delta is the server's share only.
            self.t.write(HEAD + opening.replace(MARK, rid))
            t0 = time.monotonic()
            for i, d in enumerate(deltas):
                late = time.monotonic() - (t0 + i / rate)
                if late < 0:
                    await asyncio.sleep(-late)
                elif late * 1000 > stats["late_ms_max"]:
                    stats["late_ms_max"] = round(late * 1000, 2)
                if self.t.is_closing():
                    return
                if ts:
                    d = chunk(api.delta(i, "|%012d" % (time.monotonic_ns() // 1000)))
                self.t.write(d.replace(MARK, rid))
                stats["deltas"] += 1
            self.t.write(closing.replace(MARK, rid))
        finally:
            stats["open"] -= 1


async def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=9100)
    ap.add_argument("--n", type=int, default=50)
    ap.add_argument("--rate", type=float, default=0)
    ap.add_argument("--max-seconds", type=float, default=7200, help="exit by itself after this long")
    a = ap.parse_args()
    DEFAULTS.update(n=a.n, rate=a.rate)
    server = await asyncio.get_running_loop().create_server(Stub, a.host, a.port, backlog=4096)
    async with server:
        await asyncio.sleep(a.max_seconds)


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
