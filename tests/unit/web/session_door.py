"""An application with server keys and a real database, a server that opens sessions, and pages that use them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from attachments import create_attachment_store
from database import Base, Database
from files.file_urls import FileURLs
from main import STATIC_DIR
from plugins import UseCase
from process.lifecycle import Lifecycle
from process.use_case_loading import LoadedUseCases
from tests.unit.web.edge import Edge
from web.application import build_app

KEY = "k" * 32
OTHER_KEY = "o" * 32
SIGNING_KEY = "s" * 32
KEYS = f"shop:{KEY},desk:{OTHER_KEY}"
PAGE = "https://page.example"


class Door:
    """A door to the platform for a page's own server and for the page itself."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, body: Any, key: str | None = KEY, path: str = "/v1/chatkit/sessions") -> httpx.Response:
        headers = {"OpenAI-Beta": "chatkit_beta=v1"} | ({} if key is None else {"Authorization": f"Bearer {key}"})
        return await self.client.post(path, json=body, headers=headers)

    async def open(self, user: str = "ada", use_case: str = "todo", key: str = KEY, **fields: Any) -> dict[str, Any]:
        """Open a session."""
        workflow = {"id": use_case, **fields.pop("workflow", {})}
        response = await self.post({"user": user, "workflow": workflow, **fields}, key)
        assert response.status_code == 200, response.text
        opened: dict[str, Any] = response.json()
        return opened

    async def cancel(self, session_id: str, key: str = KEY) -> httpx.Response:
        return await self.post({}, key, f"/v1/chatkit/sessions/{session_id}/cancel")

    async def ask(
        self, secret: str | None, type_: str = "threads.list", use_case: str | None = "todo", **params: Any
    ) -> httpx.Response:
        """Ask as a page of another origin does."""
        headers = {"Origin": PAGE} | ({} if secret is None else {"Authorization": f"Bearer {secret}"})
        path = "/chatkit" if use_case is None else f"/chatkit/{use_case}"
        return await self.client.post(path, json={"type": type_, "params": params}, headers=headers)


def app_of(edge: Edge, database: Database, use_cases: Sequence[UseCase], **settings: Any) -> FastAPI:
    loaded = LoadedUseCases({each.name: each for each in use_cases}, ())
    known = {"server_api_keys": KEYS, "secret_key": SIGNING_KEY, **settings}
    known_settings = edge.settings(**known)
    files = create_attachment_store(known_settings, database, FileURLs(lambda: SIGNING_KEY.encode()))
    return build_app(known_settings, database, Lifecycle(lambda: loaded, database, Base.metadata), files, STATIC_DIR)


@asynccontextmanager
async def open_door(edge: Edge, folder: Path, *use_cases: UseCase, **settings: Any) -> AsyncIterator[Door]:
    """Start the application on the database in `folder`; as often as a test wants a restart."""
    app = app_of(edge, Database(f"sqlite+aiosqlite:///{folder / 'sessions.db'}"), use_cases, **settings)
    async with edge.client(app) as client:
        yield Door(client)
