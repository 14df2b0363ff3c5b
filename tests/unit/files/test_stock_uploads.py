"""Uploads as OpenAI's own client makes them, from a page of another origin: both of its documented strategies.

It cannot be had here, as it runs in a frame of theirs. What it sends is taken from its documents: a descriptor's method
and headers are used as they are, `PUT` with the raw bytes, `POST` with a form; `direct` posts one to its `uploadUrl`.
Its answers are read by the types of OpenAI's own Python package. A browser's preflights are asked here, and heeded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from chatkit.types import Attachment, AttachmentUploadDescriptor, FileAttachment, ImageAttachment
from pydantic import TypeAdapter

from tests.unit.files.file_desk import BASE, Desk, open_desk
from tests.unit.files.file_samples import picture
from tests.unit.harness import events_of, user_input

KEY = "k" * 32
PAGE = "https://page.example"
ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)
SIMPLE_TYPES = ("multipart/form-data", "text/plain", "application/x-www-form-urlencoded")
"""Types of bodies for which a browser asks nobody first. Source: Fetch Standard, 2.2.2."""


class StockClient:
    """OpenAI's client on a page of another origin: `api.fetch` is the browser's, with the secret where it is ours."""

    def __init__(self, browser: httpx.AsyncClient, secret: str) -> None:
        self._browser = browser
        self._own = {"Authorization": f"Bearer {secret}"}

    async def fetch(self, method: str, url: str, headers: dict[str, str], **body: Any) -> httpx.Response:
        """Send a request as a browser does: only after a preflight has allowed it, and read what may be read."""
        kind = headers.get("Content-Type", "multipart/form-data").partition(";")[0]
        asked = sorted(name.lower() for name in headers if name != "Content-Type" or kind not in SIMPLE_TYPES)
        if method not in ("GET", "POST") or asked:
            named = {"Access-Control-Request-Headers": ",".join(asked)} if asked else {}
            preflight = await self._browser.options(
                url, headers={"Origin": PAGE, "Access-Control-Request-Method": method, **named}
            )
            allowed = preflight.headers.get("access-control-allow-headers", "").lower().replace(" ", "").split(",")
            assert preflight.is_success
            assert method in preflight.headers["access-control-allow-methods"]
            assert set(asked) <= set(allowed)
            assert preflight.headers["access-control-allow-origin"] in (PAGE, "*")
        answer = await self._browser.request(method, url, headers={**headers, "Origin": PAGE}, **body)
        assert answer.headers["access-control-allow-origin"] in (PAGE, "*"), "the page may not read it"
        return answer

    async def ask(self, type_: str, **params: Any) -> httpx.Response:
        headers = {**self._own, "Content-Type": "application/json"}
        return await self.fetch("POST", f"{BASE}/chatkit/files", headers, json={"type": type_, "params": params})

    async def two_phase(self, name: str, data: bytes, media_type: str, method: str | None = None) -> Attachment:
        created = await self.ask("attachments.create", name=name, size=len(data), mime_type=media_type)
        announced = ATTACHMENT.validate_json(created.content)
        to = announced.upload_descriptor
        assert isinstance(to, AttachmentUploadDescriptor)
        if (method or to.method) == "PUT":
            answer = await self.fetch("PUT", str(to.url), {"Content-Type": media_type, **to.headers}, content=data)
        else:
            answer = await self.fetch("POST", str(to.url), {}, files={"file": (name, data, media_type)})
        assert answer.is_success, answer.text
        uploaded = ATTACHMENT.validate_json(answer.content)
        assert (uploaded.id, uploaded.upload_descriptor) == (announced.id, None)
        return uploaded

    async def direct(self, upload_url: str, name: str, data: bytes, media_type: str) -> Attachment:
        answer = await self.fetch("POST", upload_url, self._own, files={"file": (name, data, media_type)})
        return ATTACHMENT.validate_json(answer.content)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[tuple[StockClient, Desk]]:
    async with open_desk(tmp_path, server_api_keys=f"shop:{KEY}") as desk:
        transport = httpx.ASGITransport(app=desk.app)
        body = {"user": "ada", "workflow": {"id": "files"}, "chatkit_configuration": {"file_upload": {"enabled": True}}}
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as browser:
            key = {"Authorization": f"Bearer {KEY}"}
            session = await browser.post("/v1/chatkit/sessions", json=body, headers=key)
            yield StockClient(browser, session.json()["client_secret"]), desk


async def test_both_strategies_of_the_stock_client_bring_files_from_another_origin(
    client: tuple[StockClient, Desk],
) -> None:
    stock, desk = client
    sky = await stock.two_phase("sky.png", picture(), "image/png")
    notes = await stock.two_phase("notes.txt", b"words", "text/plain", method="POST")
    form = await stock.direct(f"{BASE}/chatkit/files/attachments", "more.md", b"# More", "text/markdown")
    taken_back = await stock.two_phase("oops.txt", b"oops", "text/plain")
    assert (await stock.ask("attachments.delete", attachment_id=taken_back.id)).is_success
    assert isinstance(sky, ImageAttachment)
    assert isinstance(notes, FileAttachment)

    message = user_input("Look", attachments=[sky.id, notes.id, form.id])
    events = events_of((await stock.ask("threads.create", input=message)).content)
    [shown] = [event["item"] for event in events if event.get("item", {}).get("type") == "user_message"]
    assert [each["name"] for each in shown["attachments"]] == ["sky.png", "notes.txt", "more.md"]
    [request] = desk.model.requests[-1]
    assert [content.type for content in request.contents] == ["text", "data", "text", "text"]

    # As an `<img>` of that page: without the secret, and without a question.
    thread = {"thread_id": events[0]["thread"]["id"], "order": "asc"}
    again = (await stock.ask("items.list", **thread)).json()["data"][0]["attachments"][0]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app)) as image:
        preview = await image.get(again["preview_url"], headers={"Sec-Fetch-Mode": "no-cors"})
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/webp")
    assert preview.headers["cross-origin-resource-policy"] == "cross-origin"
