"""Direct uploads to a bucket: files are examined before anybody sees them, and immutable afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from errors import ConfigError
from process.doctor import _examine_files
from tests.unit.files.file_desk import Desk, Person, code_of, open_desk
from tests.unit.files.file_samples import picture
from tests.unit.harness import user_input


@pytest.fixture(params=["s3", "azure", "google"])
def storage_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def desk(tmp_path: Path, storage_url: str) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, storage_url=storage_url, storage_direct_uploads=True) as desk:
        yield desk


async def put(announced: dict[str, Any], data: bytes) -> httpx.Response:
    """Send bytes as a browser does, over the network."""
    to = announced["upload_descriptor"]
    async with httpx.AsyncClient(trust_env=False, timeout=300) as browser:
        return await browser.request(to["method"], to["url"], content=data, headers=to["headers"])


def message_of(*ids: str) -> dict[str, Any]:
    return user_input("Look", attachments=list(ids))


async def test_a_file_goes_to_the_bucket_and_is_taken_over_with_its_message(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("sky.png", picture(), "image/png")).json()
    assert "parlor.test" not in announced["upload_descriptor"]["url"]
    early = await ada.ask("threads.create", input=message_of(announced["id"]))
    assert code_of(early) == (409, "attachments.not_uploaded")
    assert (await put(announced, picture())).status_code in (200, 201)
    assert [key.partition("/")[0] for key in await desk.keys()] == ["incoming"]
    await ada.send("Look", [announced["id"]])
    assert desk.model.requests[-1][0].contents[1].media_type == "image/png"
    [key] = await desk.keys()
    assert f"{announced['id']}/content-" in key
    # The URL is still good; what it brings is seen by nobody.
    assert (await put(announced, picture("PNG", (60, 40), "red"))).status_code in (200, 201)
    described = (await ada.page.get(f"/api/attachments/{announced['id']}")).json()
    assert (await ada.anybody.get(described["download_url"])).content == picture()
    await ada.ask("threads.delete", thread_id=ada.thread_id)
    assert (await desk.keys(), await desk.rows()) == ([], 0)


LIES = {
    "larger": ("a.txt", b"0123456789", 5, "text/plain", "attachments.size_mismatch"),
    "smaller": ("a.txt", b"01234", 10, "text/plain", "attachments.size_mismatch"),
    "another type": ("a.png", b"<svg onload='alert(1)'/>", 24, "image/png", "attachments.type_mismatch"),
    "a program": ("a.txt", b"MZ\0\0\0\0", 6, "text/plain", "attachments.type_mismatch"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_found_before_anybody_sees_it_and_leaves_nothing(desk: Desk, ada: Person, lie: str) -> None:
    name, data, size, media_type, code = LIES[lie]
    announced = (await ada.announce(name, data, media_type, size=size)).json()
    assert (await put(announced, data)).status_code in (200, 201)
    assert (await ada.page.get(f"/api/attachments/{announced['id']}/file")).status_code == 404
    refused = await ada.ask("threads.create", input=message_of(announced["id"]))
    assert refused.json()["error"]["code"] == code
    assert (await desk.keys(), await desk.rows()) == ([], 0)
    assert (await ada.ask("threads.list")).json()["data"] == []


async def test_a_file_that_is_taken_back_leaves_nothing_in_the_bucket(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    await put(announced, b"words")
    assert (await ada.ask("attachments.delete", attachment_id=announced["id"])).status_code == 200
    assert (await desk.keys(), await desk.rows()) == ([], 0)


async def test_a_signed_url_of_google_allows_one_operation_on_one_object_for_its_time(
    google_url: str, tmp_path: Path
) -> None:
    async with open_desk(tmp_path, storage_url=google_url, storage_direct_uploads=True) as desk, desk.person() as ada:
        url = (await ada.announce("a.txt", b"words", "text/plain")).json()["upload_descriptor"]["url"]
        async with httpx.AsyncClient(trust_env=False, timeout=300) as browser:
            altered = [
                ("PUT", url.replace("incoming/", "incoming/x")),
                ("PUT", url.replace("Expires=900", "Expires=9999")),
            ]
            for method, each in [*altered, ("DELETE", url), ("GET", url)]:
                assert (await browser.request(method, each)).status_code == 403, (method, each)
            assert (await browser.put(url, content=b"words")).status_code == 200


async def test_a_file_in_the_bucket_is_registered_so_that_a_reload_keeps_it(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("sky.png", picture(), "image/png")).json()
    place = f"/api/attachments/{announced['id']}"
    assert (await ada.page.get(place)).json()["state"] == "pending"
    await put(announced, picture()[:-1])
    assert (await ada.page.get(place)).json()["state"] == "pending", "it is not whole"
    await put(announced, picture())
    described = (await ada.page.get(place)).json()
    assert (described["state"], "preview_url" in described) == ("uploaded", False), "nobody has looked at it yet"
    await ada.send("Look", [announced["id"]])
    described = (await ada.page.get(place)).json()
    assert (described["state"], "preview_url" in described) == ("bound", True)


async def test_two_messages_at_once_do_not_both_get_it(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    await put(announced, b"words")
    sent = [ada.ask("threads.create", input=message_of(announced["id"])) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_the_page_may_reach_the_bucket_and_the_doctor_says_whether_the_bucket_lets_it(
    desk: Desk, ada: Person
) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    origin = "/".join(announced["upload_descriptor"]["url"].split("/")[:3])
    policy = (await ada.page.get("/")).headers["content-security-policy"]
    assert f"connect-src 'self' {origin};" in policy
    files, cors = await _examine_files(desk.services)
    assert files.is_well
    assert cors.subject == "bucket CORS"


async def test_a_disk_takes_no_direct_uploads(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="STORAGE_DIRECT_UPLOADS: needs a bucket"):
        async with open_desk(tmp_path, storage_direct_uploads=True):
            pass
