"""Malformed requests of all operations over a real socket: a clean 4xx without leaks."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.processes.server_process import ServerProcess, running, user_input

DEPTH = 100_000
DIGITS = "9" * 5_000
REFUSED_AS_MISSING = {"dictation.unavailable", "attachments.unavailable"}
"""Codes of refusals for things that this server does not offer, which are a 503."""

OPERATIONS: dict[str, dict[str, Any]] = {
    "threads.create": {"input": user_input("help")},
    "threads.add_user_message": {"thread_id": "THREAD", "input": user_input("help")},
    "threads.add_client_tool_output": {"thread_id": "THREAD", "result": {}},
    "threads.add_structured_input": {"thread_id": "THREAD", "item_id": "ITEM", "input": {"answers": []}},
    "threads.retry_after_item": {"thread_id": "THREAD", "item_id": "ITEM"},
    "threads.custom_action": {"thread_id": "THREAD", "item_id": "ITEM", "action": {"type": "a.b", "payload": {}}},
    "threads.sync_custom_action": {"thread_id": "THREAD", "item_id": "ITEM", "action": {"type": "a.b", "payload": {}}},
    "threads.get_by_id": {"thread_id": "THREAD"},
    "threads.list": {"limit": 5, "after": "THREAD", "order": "desc"},
    "items.list": {"thread_id": "THREAD", "limit": 5, "after": "ITEM", "order": "asc"},
    "items.feedback": {"thread_id": "THREAD", "item_ids": ["ITEM"], "kind": "positive"},
    "threads.update": {"thread_id": "THREAD", "title": "new"},
    "threads.delete": {"thread_id": "GONE"},
    "input.transcribe": {"audio_base64": "AAAA", "mime_type": "audio/wav"},
    "attachments.create": {"name": "a", "size": 1, "mime_type": "text/plain"},
    "attachments.delete": {"attachment_id": "atc_1"},
    "runs.attach": {"thread_id": "THREAD", "after": 0, "run_id": "r"},
    "runs.stop": {"thread_id": "THREAD"},
}

STRANGE: list[Any] = [
    "", "x" * 5_000, "\ud800", "\x00", "thr_" + "0" * 32, "../../etc", 0, -1, 1.5, 10**30, -(10**20), True, None,
    [], {}, [[]], {"a": {}}, "%00", "\u202e", "null",
]  # fmt: skip


def broken(request: str) -> Iterator[bytes]:
    """Yield what is no JSON, or no JSON that anybody would write."""
    texts = [
        request.replace('"THREAD"', "[" * DEPTH + "]" * DEPTH),
        '{"a":' * DEPTH + "1" + "}" * DEPTH,
        request.replace("5", DIGITS).replace("0", f"-{DIGITS}"),
        request.replace("{}", "NaN").replace("[]", "-Infinity"),
        request.replace("{}", "1e999"),
        request.replace('"THREAD"', r'"\ud800"').replace('"ITEM"', r'"\udc00x"').replace('"help"', r'"\ud83d"'),
        f'{request[:-1]}, "params": {{}}}}',
        f'{request[:-1]}, "type": "threads.list"}}',
        f'{request[:-1]}, "metadata": {"[" * 3_000 + "]" * 3_000}}}',
        f'{request[:-1]}, "metadata": {{"idempotency_key": "\\ud800", "resumable": "x"}}}}',
        f'{request[:-1]}, "metadata": {{"idempotency_key": {DIGITS}}}}}',
        request[: len(request) // 2],
        f"[{request}]",
        request * 2,
    ]
    yield from (text.encode() for text in texts)
    yield request.encode("utf-16")
    yield b"\xff\xfe" + request.encode()


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in below:
        yield from places(each, (*way, key))


def with_strange(value: Any, way: tuple[Any, ...], strange: Any) -> Any:
    if not way:
        return strange
    copy = value.copy()
    copy[way[0]] = with_strange(value[way[0]], way[1:], strange)
    return copy


def mutated(chance: random.Random, count: int) -> Iterator[bytes]:
    """Yield requests with one or two values that nobody would send."""
    for _ in range(count):
        name = chance.choice(list(OPERATIONS))
        request: Any = {"type": name, "params": OPERATIONS[name]}
        for _ in range(chance.randint(1, 2)):
            request = with_strange(request, chance.choice(list(places(request))), chance.choice(STRANGE))
        yield json.dumps(request).encode()


def check(response: httpx.Response) -> None:
    text = response.text
    assert "Traceback" not in text
    assert "sqlalchemy" not in text.lower()
    if response.status_code == 200:
        assert "went wrong" not in text
        return
    error = response.json()["error"]
    assert error["id"].startswith("err_")
    assert 400 <= response.status_code < 500 or error["code"] in REFUSED_AS_MISSING, (response.status_code, error)


async def thread_of(server: ServerProcess) -> tuple[str, str]:
    """Return a new thread and its message."""
    created = await server.ask("threads.create", input=user_input("help"))
    events = [json.loads(line[6:]) for line in created.text.splitlines() if line.startswith("data: ")]
    return events[0]["thread"]["id"], events[1]["item"]["id"]


async def test_no_request_of_any_operation_is_the_servers_failure(tmp_path: Path) -> None:
    chance = random.Random(20)
    async with running(tmp_path, OFFLINE_TOKEN_DELAY_MS="0") as server:
        (thread, item), (gone, _) = await thread_of(server), await thread_of(server)
        await server.ask("threads.delete", thread_id=gone)
        hostile = [
            each for name, params in OPERATIONS.items() for each in broken(json.dumps({"type": name, "params": params}))
        ]
        for body in (*hostile, *mutated(chance, 500)):
            known = body.replace(b"THREAD", thread.encode()).replace(b"ITEM", item.encode())
            headers = {"Content-Type": "application/json"}
            check(
                await server.client.post(
                    "/chatkit/counting", content=known.replace(b"GONE", gone.encode()), headers=headers
                )
            )


async def test_a_deleted_conversation_or_message_is_no_page_cursor(tmp_path: Path) -> None:
    async with running(tmp_path, OFFLINE_TOKEN_DELAY_MS="0") as server:
        (thread, _), (gone, lost) = await thread_of(server), await thread_of(server)
        await server.ask("threads.delete", thread_id=gone)
        for response in (
            await server.ask("threads.list", after=gone, limit=5),
            await server.ask("items.list", thread_id=thread, after=lost, limit=5),
        ):
            assert response.status_code == 404
            check(response)
