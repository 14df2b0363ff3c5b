"""An application that accepts files, and people who upload them as a stock ChatKit client does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from agent_framework import Agent
from fastapi import FastAPI
from sqlalchemy import MetaData, func, select

from attachments import ParlorAttachmentStore
from base_server import BaseChatKitServer
from context import Services, Turn
from files.object_store import ObjectStore
from main import STATIC_DIR
from plugins import Composer, UseCase
from process.lifecycle import Lifecycle
from process.use_case_loading import LoadedUseCases
from storage.file_records import CLAIM_LIFE
from storage.file_rows import FILES
from tests.unit.harness import events_of, user_input
from tests.unit.scripted_model import ScriptedModel
from tests.unit.services_for_tests import open_services
from web.application import build_app

BASE = "http://parlor.test"


class FileServer(BaseChatKitServer):
    """Answers with an agent that has nothing but its model."""

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)


class ReplaceableObjects:
    """An object store that passes all calls on to `current`, which a test may replace by one that fails or waits."""

    def __init__(self, objects: ObjectStore) -> None:
        self.current: Any = objects

    def __getattr__(self, name: str) -> Any:
        return getattr(self.current, name)


@dataclass(slots=True)
class Desk:
    """The application, with its services, its model, and its object store."""

    app: FastAPI
    services: Services
    model: Any
    objects: ReplaceableObjects

    @property
    def files(self) -> ParlorAttachmentStore:
        return self.services.attachments

    async def keys(self) -> list[str]:
        """Return the keys of all objects."""
        return sorted(await self.files.objects.keys())

    async def rows(self) -> int:
        """Return how many rows of files there are."""
        return await self.services.database.run_read(lambda c: c.scalar(select(func.count()).select_from(FILES)) or 0)

    @asynccontextmanager
    async def person(self) -> AsyncIterator[Person]:
        """Open a browser of somebody who has not been here."""
        transport = httpx.ASGITransport(app=self.app)
        async with (
            httpx.AsyncClient(transport=transport, base_url=BASE) as page,
            httpx.AsyncClient(transport=transport) as anybody,
        ):
            await page.get("/")
            yield Person(page, anybody)


class Person:
    """A person's browser.

    Args:
        page: The HTTP client with the person's cookie.
        anybody: An HTTP client without a cookie.
    """

    def __init__(self, page: httpx.AsyncClient, anybody: httpx.AsyncClient) -> None:
        self.page = page
        self.anybody = anybody
        self.thread_id: str | None = None

    async def ask(self, type_: str, use_case: str = "files", **params: Any) -> httpx.Response:
        return await self.page.post(f"/chatkit/{use_case}", json={"type": type_, "params": params})

    async def announce(
        self, name: str, data: bytes, media_type: str, size: int | None = None, use_case: str = "files"
    ) -> httpx.Response:
        size = len(data) if size is None else size
        return await self.ask("attachments.create", use_case, name=name, size=size, mime_type=media_type)

    async def put(self, announced: dict[str, Any], data: bytes | AsyncIterator[bytes]) -> httpx.Response:
        """Send the bytes to the place in the upload descriptor."""
        to = announced["upload_descriptor"]
        return await self.anybody.request(to["method"], to["url"], content=data, headers=to["headers"])

    async def upload(self, name: str, data: bytes, media_type: str, use_case: str = "files") -> dict[str, Any]:
        """Send a file in two phases, and return the record of it."""
        announced = await self.announce(name, data, media_type, use_case=use_case)
        assert announced.status_code == 200, announced.text
        sent = await self.put(announced.json(), data)
        assert sent.status_code == 200, sent.text
        attachment: dict[str, Any] = sent.json()
        return attachment

    async def send(self, text: str, attachments: Iterable[str] = (), use_case: str = "files") -> list[dict[str, Any]]:
        """Send a message, in a new thread the first time, and return the events of the answer."""
        message = user_input(text, attachments=list(attachments))
        if self.thread_id is None:
            answer = await self.ask("threads.create", use_case, input=message)
        else:
            answer = await self.ask("threads.add_user_message", use_case, thread_id=self.thread_id, input=message)
        assert answer.status_code == 200, answer.text
        events = events_of(answer.content)
        if self.thread_id is None:
            self.thread_id = events[0]["thread"]["id"]
        return events

    async def shown(self) -> list[dict[str, Any]]:
        """Return the attachments of the thread as a reload shows them."""
        page = await self.ask("items.list", thread_id=self.thread_id, limit=100, order="asc")
        return [each for item in page.json()["data"] for each in item.get("attachments", ())]


@asynccontextmanager
async def open_desk(
    folder: Path, *, attachments: dict[str, Any] | None = None,
    server: Callable[[Services], BaseChatKitServer] = FileServer,
    database_url: str | None = None, model: Any = None, takes_pdf: bool = False, tables: Iterable[MetaData] = (),
    claim_life: timedelta = CLAIM_LIFE, **settings: Any,
) -> AsyncIterator[Desk]:  # fmt: skip
    """Open the application with two use cases, `files` and `other`."""
    model = model or ScriptedModel()
    opened: list[ReplaceableObjects] = []

    def wrap(objects: ObjectStore) -> ReplaceableObjects:
        opened.append(ReplaceableObjects(objects))
        return opened[-1]

    async with open_services(
        folder, model, *tables, settings=settings, database_url=database_url, takes_pdf=takes_pdf, wrap_objects=wrap,
        claim_life=claim_life,
    ) as services:  # fmt: skip
        option = {"enabled": True, **(attachments or {})}
        use_cases = {
            name: UseCase(name=name, title=name, server=server(services), composer=Composer(attachments=option))
            for name in ("files", "other")
        }
        for use_case in use_cases.values():
            use_case.server.use_case = use_case
        loaded = LoadedUseCases(use_cases, ())
        lifecycle = Lifecycle(lambda: loaded, services.database, services.runs, parts=[services.attachments])
        app = build_app(services.settings, services.database, lifecycle, services.attachments, STATIC_DIR)
        async with app.router.lifespan_context(app):
            await lifecycle.wait_until_started(10)
            yield Desk(app, services, model, opened[0])


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(json.loads(answer.content)["error"]["code"])
