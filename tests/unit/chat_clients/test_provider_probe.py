"""The check of the provider by `parlor doctor`."""

from __future__ import annotations

import asyncio

import pytest

from chat_clients.provider import ChatClients
from config import Settings


async def problem_of(base_url: str) -> str | None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        model_provider="compatible", compatible_base_url=base_url, compatible_model="any", compatible_api_key="hunter2",
    )  # fmt: skip
    clients = ChatClients(settings)
    try:
        return await clients.find_problem()
    finally:
        await clients.close()


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, None), (404, None), (401, "refuses the key"), (403, "refuses the key"), (502, "in trouble")],
)
async def test_a_provider_is_asked_for_its_models_with_the_key(
    monkeypatch: pytest.MonkeyPatch, status: int, expected: str | None
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(b"HTTP/1.1 %d Any\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}" % status)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        problem = await problem_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    [request] = asked
    assert request.startswith("get /v1/models ")
    assert "authorization: bearer hunter2" in request
    assert (problem is None) == (expected is None)
    assert expected is None or expected in (problem or "")
    assert "hunter2" not in (problem or "")


async def test_an_unreachable_provider_is_reported() -> None:
    told = await problem_of("http://me:s3cret@127.0.0.1:1/v1") or ""
    assert told.startswith("http://127.0.0.1:1/v1 cannot be reached: ")
