"""A gateway that ends every request after a while, as cloud gateways do: the answer continues where it was cut.

What a gateway counts in seconds (240 at Azure) is events here, so that no clock decides.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.unit.files.file_desk import Desk, open_desk
from tests.unit.harness import user_input
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.web.test_event_stream import served

EVENTS_PER_REQUEST = 9
MAX_REQUESTS = 60
WORDS = [f"word{number} " for number in range(80)]
PATIENCE_S = 60


@asynccontextmanager
async def cutting_gateway(port: int) -> AsyncIterator[str]:
    """Yield the address of a gateway that passes on so many events of an answer, and then hangs up on both sides."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        asking = asyncio.create_task(_pass_on(reader, inner_writer))
        passed = 0
        try:
            while (piece := await inner_reader.read(65_536)) and passed < EVENTS_PER_REQUEST:
                passed += len(re.findall(rb"^id: ", piece, re.MULTILINE))
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            asking.cancel()
            writer.close()
            inner_writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()


class Reader:
    """A client that comes back, as our element does.

    Args:
        client: Knows the person's cookie.
        was_read: Set one by one, as the words of the answer arrive.

    Attributes:
        events: Events that the client has read, over all requests.
        numbers: Numbers of the events, in the order of their arrival.
        requests: Number of requests that the client had to make.
    """

    def __init__(self, client: httpx.AsyncClient, was_read: Sequence[asyncio.Event]) -> None:
        self._client = client
        self._was_read = was_read
        self._run_id = ""
        self.events: list[dict[str, Any]] = []
        self.numbers: list[int] = []
        self.requests = 0

    @property
    def thread_id(self) -> str:
        return str(self.events[0]["thread"]["id"])

    @property
    def text(self) -> str:
        updates = [event["update"] for event in self.events if event["type"] == "thread.item.updated"]
        return "".join(update.get("delta", "") for update in updates)

    async def read_all(self) -> None:
        is_whole = await self._read("threads.create", {"input": user_input("Count")})
        while not is_whole:
            assert self.requests < MAX_REQUESTS
            params = {"thread_id": self.thread_id, "after": self.numbers[-1], "run_id": self._run_id}
            is_whole = await self._read("runs.attach", params)

    async def _read(self, type_: str, params: dict[str, Any]) -> bool:
        """Return whether the answer was read to its end."""
        self.requests += 1
        body = {"type": type_, "params": params, "metadata": {"resumable": True}}
        number = 0
        try:
            async with self._client.stream("POST", "/chatkit/files", json=body) as response:
                assert response.status_code == 200, await response.aread()
                self._run_id = response.headers["Parlor-Run"]
                async for line in response.aiter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        number = int(value)
                    elif name == "data":
                        self.events.append(json.loads(value))
                        self.numbers.append(number)
                        for gate in self._was_read[: self.text.count(" ")]:
                            gate.set()
        except (httpx.RemoteProtocolError, httpx.ReadError):
            return False
        return True


async def test_an_answer_arrives_whole_through_a_gateway_that_cuts_every_request(tmp_path: Path) -> None:
    # The next word is written when the one before was read: so none are merged, and each request has some to cut.
    was_read = [asyncio.Event() for _ in WORDS]
    turn = [step for word, gate in zip(WORDS, was_read, strict=True) for step in (*says(word), gate)]
    async with open_desk(tmp_path, model=ScriptedModel(turns=[turn])) as desk, _browser(desk) as client:
        reader = Reader(client, was_read)
        await reader.read_all()
        body = {"type": "items.list", "params": {"thread_id": reader.thread_id, "order": "asc", "limit": 10}}
        stored = (await client.post("/chatkit/files", json=body)).json()["data"]
    assert reader.requests > 2
    assert reader.numbers == sorted(set(reader.numbers)), "no event twice"
    assert [event for event in reader.events if event["type"] == "error"] == []
    assert reader.text == "".join(WORDS)
    [message] = [item for item in stored if item["type"] == "assistant_message"]
    assert message["content"][0]["text"] == reader.text


@asynccontextmanager
async def _browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """Open a browser that reaches the application through the gateway alone, with one connection for each request."""
    async with (
        served(desk.app, lifespan="off") as (port, _),
        cutting_gateway(port) as url,
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False, headers={"Connection": "close"}) as client,
    ):
        assert (await client.get("/")).status_code == 200
        yield client
