"""A picture or file of a list becomes to-dos, with a model that can read it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.unit.files.file_samples import picture
from tests.unit.files.seeing_desk import PROVIDERS, open_seeing_desk
from tests.unit.provider_stub import Call
from use_cases.todo.items import TodoBase, TodoItems
from use_cases.todo.plugin import TodoServer

PICTURE = base64.b64encode(picture()).decode()
FILES = {
    "picture": ("list.png", picture(), "image/png", f"data:image/png;base64,{PICTURE}"),
    "text": ("list.md", b"- Buy milk\n- Call Ada", "text/markdown", "- Buy milk\\n- Call Ada"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("file", FILES)
async def test_a_list_in_a_file_becomes_todos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, provider: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    name, data, media_type, shown = FILES[file]
    async with open_seeing_desk(tmp_path, provider, TodoServer, [TodoBase.metadata]) as seeing:
        found = {"title": "Buy milk", "more_titles": ["Call Ada"]}
        protocol = seeing.protocol
        seeing.stub.will(protocol.calls(Call("call_1", "add_todo", found)), protocol.text("I added both."))
        sent = await seeing.ada.upload(name, data, media_type)
        events = await seeing.ada.send("Put this on my list", [sent["id"]])
        owner = (await seeing.desk.files.find(sent["id"])).owner_id
        todos = await TodoItems(seeing.desk.services.database).load(owner)
    assert shown in json.dumps(seeing.stub.requests[0].body)
    assert sorted(each.title for each in todos.items) == ["Buy milk", "Call Ada"]
    assert "I added both." in json.dumps(events)
