"""A local server that speaks the protocols of model providers, as scripted by the test, and records the requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An HTTP response.

    Attributes:
        status: The status code.
        headers: The headers.
        pieces: Chunks of the body.
        then: What follows the pieces: the proper end, a closed socket, or silence.
        pause_s: Pause between two pieces, in seconds.
        hold: Awaited before each piece, with its number.
        wait_s: Wait before the first piece, in seconds.
        has_early_head: Whether the status and headers are sent before that wait.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()
    then: Literal["end", "close", "silence"] = "end"
    pause_s: float = 0
    hold: Callable[[int], Awaitable[None]] | None = None
    wait_s: float = 0
    has_early_head: bool = False


@dataclass(frozen=True)
class Call:
    call_id: str
    name: str
    arguments: Mapping[str, Any]


class ProviderStub:
    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.refuses: Callable[[Received], Answer | None] | None = None
        """Returns an answer to a request that the server refuses, instead of the script."""
        self._script: deque[Answer] = deque()
        self._by_words: dict[str, Answer] = {}
        self._always: Answer | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def will(self, *answers: Answer) -> None:
        self._script.extend(answers)

    def will_answer(self, words: str, answer: Answer) -> None:
        """Script the answer to the request that contains this text, for concurrent requests in any order."""
        self._by_words[json.dumps(words)] = answer

    def will_always(self, answer: Answer) -> None:
        self._always = answer

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                request = await _read_request(reader)
                self.requests.append(request)
                if not await self._answer(request, reader, writer):
                    break
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()
        self._tasks.discard(task)

    def _choose(self, request: Received) -> Answer:
        if self.refuses is not None and (refusal := self.refuses(request)) is not None:
            return refusal
        asked = json.dumps(request.body)
        named = next((words for words in self._by_words if words in asked), None)
        if named is not None:
            return self._by_words.pop(named)
        answer = self._script.popleft() if self._script else self._always
        return answer or error(500, "the script has ended", headers={"x-should-retry": "false"})

    async def _answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        answer = self._choose(request)
        if answer.then == "close" and not answer.pieces:
            return False
        if answer.then == "silence" and not answer.pieces:
            await reader.read()
            return False
        if answer.wait_s and not answer.has_early_head:
            await asyncio.sleep(answer.wait_s)
        writer.write(f"HTTP/1.1 {answer.status} Scripted\r\ntransfer-encoding: chunked\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in answer.headers.items()).encode() + b"\r\n")
        if answer.wait_s and answer.has_early_head:
            await writer.drain()
            await asyncio.sleep(answer.wait_s)
        for number, piece in enumerate(answer.pieces):
            if answer.hold is not None:
                await answer.hold(number)
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            if answer.pause_s:
                await asyncio.sleep(answer.pause_s)
        if answer.then == "silence":
            await reader.read()  # until the client gives up
        if answer.then != "end":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, headers, json.loads(body or b"{}"))


def error(status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    body = {"error": {"message": message, "type": "scripted", "param": None, "code": code}}
    return Answer(status, {"content-type": "application/json", **(headers or {})}, (json.dumps(body).encode(),))


def busy() -> Answer:
    return error(429, "slow down", headers={"retry-after": "0.001"})


def whole(body: dict[str, Any]) -> Answer:
    return Answer(200, {"content-type": "application/json"}, (json.dumps(body).encode(),))


def _events(pieces: Iterable[bytes], then: Literal["end", "close", "silence"]) -> Answer:
    return Answer(200, {"content-type": "text/event-stream"}, tuple(pieces), then)


class Chat:
    """Chat Completions."""

    @staticmethod
    def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stub"}
        return f"data: {json.dumps({**body, 'choices': choices, **more})}\n\n".encode()

    @classmethod
    def _closing(cls, finish: str) -> list[bytes]:
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        return [cls.chunk({}, finish), cls.chunk(None, usage=usage), b"data: [DONE]\n\n"]

    @classmethod
    def text(cls, *words: str, finish: str = "stop") -> Answer:
        opening = cls.chunk({"role": "assistant", "content": ""})
        return _events([opening, *(cls.chunk({"content": word}) for word in words), *cls._closing(finish)], "end")

    @classmethod
    def reasoned(cls, thought: str, *words: str) -> Answer:
        """Answer with the model's thoughts in a separate field, as some servers do."""
        thoughts = cls.chunk({"role": "assistant", "content": None, "reasoning_content": thought})
        return _events([thoughts, *(cls.chunk({"content": word}) for word in words), *cls._closing("stop")], "end")

    @classmethod
    def calls(cls, *calls: Call) -> Answer:
        """Answer with calls whose arguments arrive in interleaved halves."""
        pieces = [cls.chunk({"role": "assistant", "content": None})]
        for index, call in enumerate(calls):
            head = {"name": call.name, "arguments": ""}
            pieces.append(
                cls.chunk({"tool_calls": [{"index": index, "id": call.call_id, "type": "function", "function": head}]})
            )
        texts = [json.dumps(call.arguments) for call in calls]
        for half in (slice(None, 5), slice(5, None)):
            for index, text in enumerate(texts):
                pieces.append(cls.chunk({"tool_calls": [{"index": index, "function": {"arguments": text[half]}}]}))
        return _events([*pieces, *cls._closing("tool_calls")], "end")

    @classmethod
    def part(cls, *words: str, then: Literal["end", "close", "silence"]) -> Answer:
        return _events([cls.chunk({"role": "assistant", "content": word}) for word in words], then)

    @classmethod
    def half_call(cls, call: Call) -> Answer:
        """Answer with a complete call, but without the end of the stream."""
        function = {"name": call.name, "arguments": json.dumps(call.arguments)}
        delta = {"tool_calls": [{"index": 0, "id": call.call_id, "type": "function", "function": function}]}
        return _events([cls.chunk(delta)], "end")

    @staticmethod
    def whole(text: str) -> Answer:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return whole({"id": "c", "object": "chat.completion", "created": 1, "model": "stub", "choices": [choice]})

    @staticmethod
    def failure(message: str) -> Answer:
        return _events(
            [f"data: {json.dumps({'error': {'message': message, 'code': 'server_error'}})}\n\n".encode()], "end"
        )


class Responses:
    """The Responses API."""

    @staticmethod
    def event(kind: str, **more: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': 0, **more})}\n\n".encode()

    @staticmethod
    def response(status: str, output: Iterable[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
        usage = {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 5,
        }
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": status,
            "model": "stub",
            "output": list(output),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "error": None,
            "incomplete_details": None,
            "metadata": {},
            "usage": usage if status == "completed" else None,
            **more,
        }

    @staticmethod
    def _message(text: str) -> dict[str, Any]:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}

    @classmethod
    def _deltas(cls, words: Iterable[str]) -> list[bytes]:
        created = cls.event("response.created", response=cls.response("in_progress"))
        message = {**cls._message(""), "status": "in_progress", "content": []}
        added = cls.event("response.output_item.added", output_index=0, item=message)
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
        return [created, added, *(cls.event("response.output_text.delta", **where, delta=word) for word in words)]

    @classmethod
    def text(cls, *words: str) -> Answer:
        """Answer with a text as the real API does: the deltas, then the whole text again, three times."""
        message = cls._message("".join(words))
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        return _events(
            [
                *cls._deltas(words),
                cls.event("response.output_text.done", **where, text="".join(words), logprobs=[]),
                cls.event("response.content_part.done", **where, part=message["content"][0]),
                cls.event("response.output_item.done", output_index=0, item=message),
                cls.event("response.completed", response=cls.response("completed", [message])),
            ],
            "end",
        )

    @classmethod
    def calls(cls, *calls: Call) -> Answer:
        pieces = [cls.event("response.created", response=cls.response("in_progress"))]
        items = []
        for index, call in enumerate(calls):
            arguments = json.dumps(call.arguments)
            item = {"id": f"fc_{index}", "type": "function_call", "call_id": call.call_id, "name": call.name}
            done = {**item, "arguments": arguments, "status": "completed"}
            where = {"item_id": item["id"], "output_index": index}
            started = {**item, "arguments": "", "status": "in_progress"}
            pieces += [
                cls.event("response.output_item.added", output_index=index, item=started),
                cls.event("response.function_call_arguments.delta", **where, delta=arguments[:5]),
                cls.event("response.function_call_arguments.delta", **where, delta=arguments[5:]),
                cls.event("response.function_call_arguments.done", **where, arguments=arguments, name=call.name),
                cls.event("response.output_item.done", output_index=index, item=done),
            ]
            items.append(done)
        return _events([*pieces, cls.event("response.completed", response=cls.response("completed", items))], "end")

    @classmethod
    def part(cls, *words: str, then: Literal["end", "close", "silence"]) -> Answer:
        return _events(cls._deltas(words), then)

    @classmethod
    def ended(cls, kind: Literal["failed", "incomplete"], *words: str, **more: Any) -> Answer:
        end = cls.event(f"response.{kind}", response=cls.response(kind, **more))
        return _events([*cls._deltas(words), end], "end")

    @classmethod
    def failure(cls, message: str, code: str = "server_error") -> Answer:
        return _events([*cls._deltas(["Half"]), cls.event("error", code=code, message=message, param=None)], "end")

    @classmethod
    def whole(cls, text: str, status: str = "completed", **more: Any) -> Answer:
        return whole(cls.response(status, [cls._message(text)], **more))
