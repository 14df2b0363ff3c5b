"""Uploads by form, from pages of other origins, within the limits of a session and of a use case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.files.file_desk import BASE, Desk, Person, code_of, open_desk
from tests.unit.files.file_samples import picture

KEY = "k" * 32
PAGE = "https://page.example"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, server_api_keys=f"shop:{KEY}") as desk:
        yield desk


async def open_session(page: httpx.AsyncClient, **upload: Any) -> dict[str, str]:
    body = {"user": "ada", "workflow": {"id": "files"}, "chatkit_configuration": {"file_upload": upload}}
    answer = await page.post("/v1/chatkit/sessions", json=body, headers={"Authorization": f"Bearer {KEY}"})
    return {"Authorization": f"Bearer {answer.json()['client_secret']}", "Origin": PAGE}


async def announce(page: httpx.AsyncClient, headers: dict[str, str], size: int = 5) -> httpx.Response:
    params = {"name": "a.txt", "size": size, "mime_type": "text/plain"}
    return await page.post("/chatkit/files", json={"type": "attachments.create", "params": params}, headers=headers)


async def test_a_file_in_a_form_is_taken_as_the_direct_strategy_sends_it(desk: Desk, ada: Person) -> None:
    sent = await ada.page.post("/chatkit/files/attachments", files={"file": ("sky.png", picture(), "image/png")})
    attachment = sent.json()
    assert (attachment["type"], attachment["name"]) == ("image", "sky.png")
    assert (await ada.anybody.get(attachment["preview_url"])).status_code == 200
    await ada.send("Look", [attachment["id"]])
    assert desk.model.requests[-1][0].contents[1].media_type == "image/png"
    for data, media_type, expected in (
        (b"MZ\0", "image/png", 415), (b"", "text/plain", 400), (bytes(21 * 1024 * 1024), "text/plain", 413),
    ):  # fmt: skip
        answer = await ada.page.post("/chatkit/files/attachments", files={"file": ("a.png", data, media_type)})
        assert answer.status_code == expected, answer.text
    assert await desk.rows() == 1


async def test_a_form_is_taken_at_the_url_of_two_phases_too(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    url = announced["upload_descriptor"]["url"]
    assert (await ada.anybody.post(url, files={"file": ("a.txt", b"words", "text/plain")})).status_code == 200
    await ada.send("Read", [announced["id"]])


async def test_a_page_of_another_origin_sends_to_a_signed_url_and_to_nothing_else(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    url = announced["upload_descriptor"]["url"]
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    preflight = await ada.anybody.options(url, headers=asked)
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    sent = await ada.anybody.put(url, content=b"words", headers={"Origin": PAGE})
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, "*")
    assert "set-cookie" not in sent.headers, "an upload makes nobody known"
    assert "access-control-allow-credentials" not in sent.headers
    forged = await ada.page.post(
        "/chatkit/files/attachments", files={"file": ("a.txt", b"words")}, headers={"Origin": PAGE}
    )
    assert code_of(forged) == (403, "cross_origin")
    had = await ada.page.get(f"/api/attachments/{announced['id']}/file", headers={"Origin": PAGE})
    assert "access-control-allow-origin" not in had.headers


async def test_a_session_accepts_files_only_as_its_server_allows(desk: Desk) -> None:
    async with desk.person() as nobody:
        page = nobody.anybody
        page.base_url = httpx.URL(BASE)
        without = await open_session(page)
        assert code_of(await announce(page, without)) == (403, "session.no_uploads")
        form = {"file": ("a.txt", b"words", "text/plain")}
        answer = await page.post("/chatkit/files/attachments", files=form, headers=without)
        assert code_of(answer) == (403, "session.no_uploads")
        listed = (await page.get("/api/use-cases", headers=without)).json()["use_cases"][0]
        assert "attachments" not in listed["composer"]

        few = await open_session(page, enabled=True, max_files=3, max_file_size=1)
        assert code_of(await announce(page, few, 2 * 1024 * 1024)) == (413, "session.file_too_large")
        # One that is refused when its bytes are there leaves its place to another, once.
        refused = (await announce(page, few)).json()["upload_descriptor"]["url"]
        sent = await asyncio.gather(*(page.put(refused, content=b"%PDF-", headers={"Origin": PAGE}) for _ in range(3)))
        assert all(answer.status_code in (404, 409, 415) for answer in sent)
        announced = (await announce(page, few)).json()
        sent = await page.put(announced["upload_descriptor"]["url"], content=b"words", headers={"Origin": PAGE})
        assert sent.status_code == 200, sent.text
        large = {"file": ("a.txt", b"x" * (1024 * 1024 + 1), "text/plain")}
        answer = await page.post("/chatkit/files/attachments", files=large, headers=few)
        assert code_of(answer) == (413, "attachments.too_large")
        for _ in range(2):
            assert (await page.post("/chatkit/files/attachments", files=form, headers=few)).status_code == 200
        answer = await page.post("/chatkit/files/attachments", files=form, headers=few)
        assert code_of(answer) == (403, "session.too_many_files")
        answer = await page.post("/chatkit/other/attachments", files=form, headers=few)
        assert answer.status_code == 404

        described = await page.get(f"/api/attachments/{announced['id']}", headers=few)
        assert described.json()["name"] == "a.txt"
        other = await open_session(page, enabled=True)
        assert (await page.get(f"/api/attachments/{announced['id']}", headers=other)).status_code == 200, (
            "the same person"
        )


async def test_a_use_case_accepts_the_files_that_its_client_is_told(tmp_path: Path) -> None:
    option = {"maxSize": {"image/*": 2000, "*": 10}, "maxCount": 1, "accept": {"image/*": [".png"], "text/plain": []}}
    async with open_desk(tmp_path, attachments=option) as desk, desk.person() as ada:
        listed = (await ada.page.get("/api/use-cases")).json()["use_cases"][0]["composer"]["attachments"]
        assert listed["maxCount"] == 1
        assert listed["accept"] == option["accept"]
        assert listed["maxSize"] == {"*": 20 * 1024 * 1024, "image/*": 2000, "": 10}
        assert code_of(await ada.announce("a.pdf", b"%PDF-", "application/pdf")) == (415, "attachments.type_refused")
        assert code_of(await ada.announce("a.txt", bytes(11), "text/plain")) == (413, "attachments.too_large")
        first = await ada.upload("a.png", picture(), "image/png")
        second = await ada.upload("b.txt", b"words", "text/plain")
        message = {"content": [], "attachments": [first["id"], second["id"]], "inference_options": {}}
        assert (await ada.ask("threads.create", input=message)).status_code == 400
        # Declared as unknown, it is looked at when it is there.
        announced = await ada.announce("a.txt", b"%PDF-1.4 x", "text/plain")
        assert code_of(await ada.put(announced.json(), b"%PDF-1.4 x")) == (415, "attachments.type_mismatch")


async def test_where_no_files_are_taken_none_are(tmp_path: Path) -> None:
    async with open_desk(tmp_path, attachments={"enabled": False}) as desk, desk.person() as ada:
        assert code_of(await ada.announce("a.txt", b"x", "text/plain")) == (403, "attachments.off")
        answer = await ada.page.post("/chatkit/files/attachments", files={"file": ("a.txt", b"x", "text/plain")})
        assert code_of(answer) == (403, "attachments.off")


@pytest.mark.parametrize(
    ("headers", "settings", "expected"),
    [
        ({}, {}, "http://parlor.test"),
        ({"Origin": "https://parlor.test"}, {}, "https://parlor.test"),
        ({"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"}, {}, "http://127.0.0.1:8000"),
        ({}, {"public_url": "https://chat.example/"}, "https://chat.example"),
    ],
)
async def test_urls_have_the_address_that_the_browser_knows(
    tmp_path: Path, headers: dict[str, str], settings: dict[str, Any], expected: str
) -> None:
    async with open_desk(tmp_path, **settings) as desk, desk.person() as ada:
        body = {"type": "attachments.create", "params": {"name": "a.txt", "size": 1, "mime_type": "text/plain"}}
        answer = await ada.page.post("/chatkit/files", json=body, headers=headers)
        assert answer.json()["upload_descriptor"]["url"].startswith(f"{expected}/api/attachments/")
