"""A server in a process of its own, as operators run it: reached over HTTP and stopped by signals."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.preloaded.commands import preloaded_python

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 90.0
PATIENCE_S = 300.0

COUNTING = '''
import asyncio
import time
from typing import Annotated

from agent_framework import Agent, tool

from base_server import BaseChatKitServer
from plugins import OfflinePhrase, UseCase, hookimpl


@tool
async def count(last: Annotated[int, "The last number"]) -> str:
    """Count from 1."""
    return " ".join(str(number) for number in range(1, int(last) + 1))


@tool(additional_properties={"timeout_s": 0.5})
def block() -> str:
    """Wait in a thread, where nobody can be told to stop."""
    time.sleep(60)


@tool
async def cling() -> str:
    """Wait in the loop, and do not let go."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass


class Server(BaseChatKitServer):
    def __init__(self, services):
        phrases = [
            OfflinePhrase(r"^count to (?P<last>\\\\d+)$", "count"),
            OfflinePhrase("^block$", "block"),
            OfflinePhrase("^cling$", "cling"),
        ]
        super().__init__(services, offline=phrases)

    def get_agent(self, turn):
        return Agent(self.chat_client, tools=[count, block, cling])


@hookimpl
def register_use_case(services):
    return UseCase(name="counting", title="Counting", server=Server(services))
'''.replace("\\\\", "\\")


class Story:
    """The events of an answer, as a client receives them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._came = asyncio.Event()

    def add(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self._came.set()

    async def until(self, condition: Callable[[Story], bool]) -> None:
        """Wait until a condition is true, which is checked after each event.

        Raises:
            TimeoutError: When the condition is not true within `PATIENCE_S`.
        """
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self):
                self._came.clear()
                await self._came.wait()

    async def another_event(self) -> None:
        """Wait for the next event."""
        seen = len(self.events)
        await self.until(lambda story: len(story.events) > seen)

    @property
    def thread_id(self) -> str:
        thread_id: str = self.events[0]["thread"]["id"]
        return thread_id

    @property
    def text(self) -> str:
        return "".join(e["update"].get("delta", "") for e in self.events if e["type"] == "thread.item.updated")

    @property
    def has_steps(self) -> bool:
        return any(event["type"] == "thread.item.updated" for event in self.events)

    @property
    def error(self) -> dict[str, Any] | None:
        return next((event for event in self.events if event["type"] == "error"), None)

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        return [event["item"] for event in self.events if event["type"] == "thread.item.done"]


class ServerProcess:
    """A running server and a person's browser, whose cookie can be kept for the next process."""

    def __init__(self, process: Process, client: httpx.AsyncClient) -> None:
        self.process = process
        self.client = client

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def exit_code(self, timeout_s: float = PATIENCE_S) -> int:
        async with asyncio.timeout(timeout_s):
            return await self.process.wait()

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def ask(self, type_: str, **params: Any) -> httpx.Response:
        return await self.client.post("/chatkit/counting", json={"type": type_, "params": params})

    async def items(self, thread_id: str) -> list[dict[str, Any]]:
        response = await self.ask("items.list", thread_id=thread_id, order="asc", limit=100)
        data: list[dict[str, Any]] = response.json()["data"]
        return data

    async def read(self, story: Story, message: str, *, resumable: bool = False) -> None:
        """Send a message in a new thread and read the answer to its end."""
        body = {
            "type": "threads.create",
            "params": {"input": user_input(message)},
            "metadata": {"resumable": resumable},
        }
        async with self.client.stream("POST", "/chatkit/counting", json=body) as response:
            assert response.status_code == 200, await response.aread()
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    story.add(json.loads(line.removeprefix("data: ")))


def user_input(message: str) -> dict[str, Any]:
    return {"content": [{"type": "input_text", "text": message}], "attachments": [], "inference_options": {}}


@asynccontextmanager
async def running(
    folder: Path,
    cookies: httpx.Cookies | None = None,
    *,
    python: Callable[..., list[str]] = preloaded_python,
    program: Sequence[str] = ("-m", "main", "run"),
    **settings: str,
) -> AsyncIterator[ServerProcess]:
    """Run a server on the data in `folder`; it is killed at the end if it is still running.

    Args:
        folder: The folder of its data and its log.
        cookies: The cookies of a person who used an earlier process.
        python: Returns the command that runs Python; `own_python` if the test kills the server.
        program: Arguments for Python that name the server.
        settings: Environment variables of the server.
    """
    plugin = folder / "use_cases" / "counting" / "plugin.py"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(COUNTING)
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX") if name in os.environ
    }
    environment |= {
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(folder / "data"),
        "USE_CASES_PATH": str(folder / "use_cases"),
        "WEATHER_SOURCE": "sample",
        "MODEL_PROVIDER": "offline",
        "OFFLINE_TOKEN_DELAY_MS": "25",
        "RUNS_MAX_PER_USER": "50",
        "PORT": "0",
    }
    with (folder / "server.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *python(*program),
            cwd=folder, env=environment | settings, stdout=PIPE, stderr=log,
        )  # fmt: skip
    reader: asyncio.Task[None] | None = None
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                line = (await process.stdout.readline()).decode()
                assert line, (folder / "server.log").read_text()[-2000:]
                if found := re.fullmatch(r"Parlor is ready: (\S+)\n", line):
                    break
        reader = asyncio.create_task(_discard_output(process.stdout))
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(
            base_url=found[1], cookies=cookies, timeout=PATIENCE_S, limits=limits, trust_env=False
        ) as client:
            await client.get("/api/use-cases")  # one cookie for all that follows
            yield ServerProcess(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reader is not None:
            await reader


async def _discard_output(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass


def query_database(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    """Query the database file directly, since no API shows hidden items."""
    connection = sqlite3.connect(folder / "data" / "parlor.db")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
