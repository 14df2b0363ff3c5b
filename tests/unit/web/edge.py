"""The web application with fake use cases, a fake database and fake runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData

from attachments import create_attachment_store
from config import Settings
from files.file_urls import FileURLs
from main import STATIC_DIR
from plugins import UseCase
from process.lifecycle import Lifecycle
from process.log_lines import TextLines
from process.use_case_loading import DisabledUseCase, LoadedUseCases
from turns.request_context import RequestContext
from web.application import build_app
from web.event_stream import Chunks

JSON = {"Content-Type": "application/json"}

Answer = Callable[[bytes, RequestContext], bytes | Chunks]


class FakeServer:
    def __init__(self, answer: Answer = lambda body, context: b'{"ok":true}') -> None:
        self.answer = answer
        self.requests: list[tuple[bytes, RequestContext]] = []

    async def handle(self, body: bytes, context: RequestContext) -> bytes | Chunks:
        self.requests.append((body, context))
        return self.answer(body, context)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass


class FakeDatabase:
    dialect = "sqlite"

    def __init__(self) -> None:
        self.is_up = True
        self.is_closed = False

    async def create_tables(self, *metadata: MetaData) -> None:
        pass

    async def run_write(self, work: object, *arguments: object) -> int:
        return 0

    async def run_read(self, work: object, *arguments: object) -> list[object]:
        return []

    async def find_fault(self, timeout_s: float) -> str | None:
        return None if self.is_up else "does not answer"

    async def close(self) -> None:
        self.is_closed = True


class FakeRuns:
    """A registry of runs that is always empty."""

    def refuse_new_runs(self) -> None:
        pass

    async def drain(self, timeout_s: float) -> int:
        return 0


def use_case(name: str, server: FakeServer | None = None, **details: Any) -> UseCase:
    return UseCase(name=name, title=name.title(), server=server or FakeServer(), **details)  # type: ignore[arg-type]


def lifecycle_of(
    use_cases: Sequence[UseCase], disabled: Sequence[DisabledUseCase] = (), database: FakeDatabase | None = None
) -> Lifecycle:
    loaded = LoadedUseCases({each.name: each for each in use_cases}, tuple(disabled))
    return Lifecycle(lambda: loaded, database or FakeDatabase(), FakeRuns())  # type: ignore[arg-type]


class Edge:
    """Builds the application, and opens HTTP clients for it without a network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def settings(self, **values: Any) -> Settings:
        return Settings(_env_file=None, data_dir=self._folder, **values)  # type: ignore[call-arg]

    def app(
        self,
        *use_cases: UseCase,
        disabled: Sequence[DisabledUseCase] = (),
        database: FakeDatabase | None = None,
        lifecycle: Lifecycle | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> FastAPI:
        database = database or FakeDatabase()
        lifecycle = lifecycle or lifecycle_of(use_cases, disabled, database)
        known = self.settings(**(settings or {}))
        files = create_attachment_store(known, database, FileURLs(lambda: b"k" * 32))  # type: ignore[arg-type]
        return build_app(known, database, lifecycle, files, STATIC_DIR)  # type: ignore[arg-type]

    @asynccontextmanager
    async def client(
        self, app: FastAPI, base_url: str = "http://parlor.test", *, waits: bool = True
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=base_url) as client,
        ):
            if waits:
                await app.state.lifecycle.wait_until_started(10)
            yield client


def logged_text(log: pytest.LogCaptureFixture) -> str:
    return "\n".join(TextLines().format(record) for record in log.records)
