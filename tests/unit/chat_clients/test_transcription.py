from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chat_clients.provider import ChatClients
from config import Settings
from errors import ModelError


class Listener:
    """A server for one kind of request: a form with a recording."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.status, self.answer = 200, b'{"text": " Hello there. "}'

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(
            next(line for line in head.lower().split("\r\n") if line.startswith("content-length")).split(":")[1]
        )
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(length))
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (self.status, len(self.answer), self.answer)
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(**settings: Any) -> AsyncIterator[tuple[Listener, ChatClients]]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    known = {key: value.format(url=url) if isinstance(value, str) else value for key, value in settings.items()}
    clients = ChatClients(Settings(_env_file=None, **known))  # type: ignore[call-arg]
    try:
        yield listener, clients
    finally:
        await clients.close()
        server.close()


OPENAI = {"model_provider": "openai", "openai_api_key": "sk-1", "openai_base_url": "{url}/v1"}
COMPATIBLE = {"model_provider": "compatible", "compatible_base_url": "{url}/v1", "compatible_model": "m"}
AZURE = {
    "model_provider": "azure",
    "azure_openai_endpoint": "{url}",
    "azure_openai_model": "m",
    "azure_openai_api_key": "k",
}


@pytest.mark.parametrize(
    ("settings", "line", "model"),
    [
        (OPENAI, "POST /v1/audio/transcriptions ", "gpt-4o-mini-transcribe"),
        ({**COMPATIBLE, "transcription_model": "whisper"}, "POST /v1/audio/transcriptions ", "whisper"),
        ({**AZURE, "transcription_model": "wh 1"}, "POST /openai/deployments/wh%201/audio/transcriptions?", "wh 1"),
    ],
)
async def test_a_recording_goes_to_the_providers_transcription(settings: dict[str, Any], line: str, model: str) -> None:
    async with listening(**settings) as (listener, clients):
        assert clients.can_transcribe
        assert await clients.transcribe(b"OggS-bytes", "audio/ogg") == "Hello there."
        assert listener.heads[0].startswith(line)
        assert b"OggS-bytes" in listener.bodies[0]
        assert b'filename="speech.ogg"' in listener.bodies[0]
        assert model.encode() in listener.bodies[0]


@pytest.mark.parametrize("settings", [{"model_provider": "offline"}, COMPATIBLE, AZURE])
async def test_without_a_model_for_it_there_is_no_dictation(settings: dict[str, Any]) -> None:
    async with listening(**settings) as (_, clients):
        assert not clients.can_transcribe
        with pytest.raises(ModelError):
            await clients.transcribe(b"x", "audio/webm")


async def test_a_refusal_is_one_sentence_without_internals() -> None:
    async with listening(**OPENAI) as (listener, clients):
        listener.status, listener.answer = 401, json.dumps({"error": {"message": "key sk-1 is wrong"}}).encode()
        with pytest.raises(ModelError, match="refused the access") as caught:
            await clients.transcribe(b"x", "audio/webm")
        assert "sk-1" not in str(caught.value)
