"""An application with server keys and a real database, and the requests that open and use sessions."""

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
    """A client that sends the requests of an embedding page, and those of the page's own server."""

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
        """Send a ChatKit request from a page of another origin."""
        headers = {"Origin": PAGE} | ({} if secret is None else {"Authorization": f"Bearer {secret}"})
        path = "/chatkit" if use_case is None else f"/chatkit/{use_case}"
        return await self.client.post(path, json={"type": type_, "params": params}, headers=headers)


def build_session_app(edge: Edge, database: Database, use_cases: Sequence[UseCase], **settings: Any) -> FastAPI:
    loaded = LoadedUseCases({each.name: each for each in use_cases}, ())
    known = {"server_api_keys": KEYS, "secret_key": SIGNING_KEY, **settings}
    known_settings = edge.settings(**known)
    files = create_attachment_store(known_settings, database, FileURLs(lambda: SIGNING_KEY.encode()))
    return build_app(known_settings, database, Lifecycle(lambda: loaded, database, Base.metadata), files, STATIC_DIR)


@asynccontextmanager
async def open_door(edge: Edge, folder: Path, *use_cases: UseCase, **settings: Any) -> AsyncIterator[Door]:
    """Start the application on the database in `folder`; a second start is a restart."""
    app = build_session_app(edge, Database(f"sqlite+aiosqlite:///{folder / 'sessions.db'}"), use_cases, **settings)
    async with edge.client(app) as client:
        yield Door(client)
