"""Files for tools: reading them whole, as a stream, as text or by path, and creating new ones."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool

from base_server import BaseChatKitServer
from context import Turn, turn_of
from errors import UserFacingError
from tests.unit.files.file_desk import Desk, Person, open_desk
from tests.unit.files.file_samples import document, pdf, picture
from tests.unit.scripted_model import calls, says


@tool
async def look_at_files(ctx: FunctionInvocationContext, earlier: bool = False) -> str:
    """Read all files in each way."""
    seen = []
    turn = turn_of(ctx)
    for file in await turn.earlier_attachments() if earlier else turn.attachments:
        streamed = b"".join([piece async for piece in file.stream()])
        async with file.path() as path:
            on_disk, suffix = path.read_bytes(), path.suffix
        assert not path.exists()
        assert streamed == on_disk == await file.read()
        assert file.size == len(streamed)
        has_text = file.width is None
        seen.append(
            [file.name, file.media_type, len(streamed), suffix, (await file.text()) if has_text else file.width]
        )
    return json.dumps(seen)


@tool
async def make_files(ctx: FunctionInvocationContext) -> str:
    """Make files in each way."""
    turn = turn_of(ctx)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a,b\n"
        yield b"1,2\n"

    local = turn.services.settings.data_dir / "made.pdf"
    local.write_bytes(pdf("Made"))
    made = [
        await turn.file("../report.md", "# Größe"), await turn.file("table.csv", pieces()),
        await turn.file("chart.html", picture("PNG", (800, 600))), await turn.file("paper", local, is_shown=False),
        await turn.file("x.bin", b"\x00\x01", media_type="application/x-thing"),
    ]  # fmt: skip
    with pytest.raises(UserFacingError, match="empty"):
        await turn.file("empty.txt", "")
    return json.dumps([[each.name, each.media_type, each.size] for each in made])


class ToolServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[look_at_files, make_files])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, server=ToolServer) as desk:
        yield desk


def result_of(desk: Desk) -> Any:
    return json.loads(str(desk.model.requests[-1][-1].contents[0].result))


async def test_a_tool_reads_the_files_of_the_message_and_those_of_earlier_ones(desk: Desk, ada: Person) -> None:
    first = await ada.upload("notes.txt", "größer".encode(), "text/plain")
    desk.model.turns = [says("ok")]
    await ada.send("Keep this", [first["id"]])
    sent = [
        await ada.upload("plan.docx", document("Buy milk"), "application/octet-stream"),
        await ada.upload("sky.png", picture(), "image/png"),
    ]
    desk.model.turns = [calls("look_at_files"), says("done")]
    await ada.send("Look", [each["id"] for each in sent])
    assert result_of(desk) == [
        ["plan.docx", sent[0]["mime_type"], len(document("Buy milk")), ".docx", "# Plan\nBuy milk"],
        ["sky.png", "image/png", len(picture()), ".png", 60],
    ]
    desk.model.turns = [calls("look_at_files", earlier=True), says("done")]
    await ada.send("And all of them")
    assert [seen[0] for seen in result_of(desk)] == ["sky.png", "plan.docx", "notes.txt"]
    assert result_of(desk)[2][4] == "größer"


async def test_a_file_that_a_tool_makes_can_be_had_and_goes_with_the_thread(desk: Desk, ada: Person) -> None:
    desk.model.turns = [calls("make_files"), says("done")]
    events = await ada.send("Make some")
    chart, paper = picture("PNG", (800, 600)), pdf("Made")
    assert result_of(desk) == [
        ["report.md", "text/markdown", 9], ["table.csv", "text/csv", 8],
        ["chart.html.png", "image/png", len(chart)], ["paper.pdf", "application/pdf", len(paper)],
        ["x.bin", "application/x-thing", 2],
    ]  # fmt: skip
    shown = [event["item"] for event in events if event["type"] == "thread.item.done"]
    cards = [item for item in shown if item["type"] == "widget"]
    assert len(cards) == 4, "one was not to be shown"
    stored = (await ada.ask("items.list", thread_id=ada.thread_id, order="asc", limit=100)).json()["data"]
    for card in (cards[0], next(item for item in stored if item["id"] == cards[0]["id"])):
        link = card["widget"]["children"][-1]["children"][-1]["value"]
        url = link.removeprefix("[Download](").removesuffix(")")
        had = await ada.anybody.get(url)
        assert (had.text, had.headers["content-type"]) == ("# Größe", "text/plain; charset=utf-8")
        assert 'filename="report.md"' in had.headers["content-disposition"]
    assert (await ada.anybody.get(cards[2]["widget"]["children"][0]["src"])).headers["content-type"] == "image/webp"
    async with desk.person() as bob:
        assert (await bob.page.get(url.partition("?")[0])).status_code == 404
    await ada.ask("threads.delete", thread_id=ada.thread_id)
    assert (await desk.keys(), await desk.rows()) == ([], 0)
    assert (await ada.anybody.get(url)).status_code == 404


async def test_a_file_for_a_thread_that_is_gone_leaves_nothing(desk: Desk, ada: Person) -> None:
    await ada.send("Hello")
    thread = ada.thread_id or ""
    [item] = (await ada.ask("threads.list")).json()["data"]
    assert item["id"] == thread
    sent = await ada.upload("a.txt", b"x", "text/plain")
    file = await desk.files.find(sent["id"])
    from turns.request_context import RequestContext

    context = RequestContext(file.owner_id, "files", "req_1")
    await ada.ask("threads.delete", thread_id=thread)
    with pytest.raises(UserFacingError):
        await desk.files.create_file("a.txt", b"words", thread, context)
    await desk.files.sweep()
    assert await desk.keys() == [file.content_key]
