"""The life cycle of a file on every object store, uploaded through the server and directly to the bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.unit.files.file_desk import Desk, Person, open_desk
from tests.unit.files.file_samples import DOCX, document, picture
from tests.unit.files.test_ends_of_files import age
from tests.unit.files.test_files_for_tools import ToolServer, result_of
from tests.unit.scripted_model import calls, says

WAYS = ["disk", "memory", "s3", "azure", "google", "s3 direct", "azure direct", "google direct"]
LARGE = picture("PNG", (2000, 1000))


@pytest.fixture(params=WAYS)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    kind, _, is_direct = str(request.param).partition(" ")
    local = {"disk": None, "memory": "memory:///"}
    url = local[kind] if kind in local else request.getfixturevalue(f"{kind}_url")
    async with open_desk(tmp_path, server=ToolServer, storage_url=url, storage_direct_uploads=bool(is_direct)) as desk:
        yield desk


async def _upload(desk: Desk, ada: Person, name: str, data: bytes, media_type: str) -> str:
    announced = (await ada.announce(name, data, media_type)).json()
    to = announced["upload_descriptor"]
    if not desk.files.is_direct:
        assert (await ada.put(announced, data)).status_code == 200
    else:
        async with httpx.AsyncClient(trust_env=False, timeout=300) as browser:
            sent = await browser.request(to["method"], to["url"], content=data, headers=to["headers"])
            assert sent.status_code in (200, 201)
    file_id: str = announced["id"]
    return file_id


async def test_a_file_lives_and_ends_as_it_does_on_every_other_store(desk: Desk, ada: Person) -> None:
    never_came = (await ada.announce("a.txt", b"words", "text/plain")).json()["id"]
    never_sent = await _upload(desk, ada, "b.txt", b"words", "text/plain")
    taken_back = await _upload(desk, ada, "c.txt", b"words", "text/plain")
    assert (await ada.ask("attachments.delete", attachment_id=taken_back)).status_code == 200
    sent = [
        await _upload(desk, ada, "sky.png", LARGE, "image/png"),
        await _upload(desk, ada, "plan.docx", document("Milk"), DOCX),
    ]
    desk.model.turns = [calls("look_at_files"), calls("make_files"), says("done")]
    await ada.send("Look", sent)
    shown = next(message for message in desk.model.requests[0] if str(message.role) == "user")
    assert [content.media_type for content in shown.contents if content.type == "data"] == ["image/jpeg"]
    assert "# Plan\nMilk" in str(shown.contents[-1].text)
    assert [made[0] for made in result_of(desk)] == ["report.md", "table.csv", "chart.html.png", "paper.pdf", "x.bin"]
    for each in sent:
        described = (await ada.page.get(f"/api/attachments/{each}")).json()
        assert described["state"] == "bound"
        part = await ada.anybody.get(described["download_url"], headers={"Range": "bytes=1-3"})
        assert (part.status_code, len(part.content)) == (206, 3)
    assert (await ada.page.get(f"/api/attachments/{sent[0]}/preview")).headers["content-type"] == "image/webp"
    # Two sent with their model picture, text and preview, five made, and one that was never sent.
    assert (len(await desk.keys()), await desk.rows()) == (2 + 3 + 5 + 1, 2 + 5 + 2)

    for each in (never_came, never_sent, sent[0]):
        await age(desk, each, hours=25)
    await desk.files.sweep()
    assert (len(await desk.keys()), await desk.rows()) == (2 + 3 + 5, 2 + 5)
    await ada.ask("threads.delete", thread_id=ada.thread_id)
    assert (await desk.keys(), await desk.rows()) == ([], 0)
