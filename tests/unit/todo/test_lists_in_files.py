"""A picture or a file of a list becomes to-dos, where a model is there that looks at it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from chat_clients.provider import ChatClients
from config import Settings
from tests.unit.files.file_desk import open_desk
from tests.unit.files.file_samples import picture
from tests.unit.provider_stub import Call, Chat, ProviderStub, Responses
from use_cases.todo.items import TodoBase, TodoItems
from use_cases.todo.plugin import TodoServer

PICTURE = base64.b64encode(picture()).decode()
FILES = {
    "picture": ("list.png", picture(), "image/png", f"data:image/png;base64,{PICTURE}"),
    "text": ("list.md", b"- Buy milk\n- Call Ada", "text/markdown", "- Buy milk\\n- Call Ada"),
}
PROVIDERS: dict[str, tuple[Any, dict[str, str]]] = {
    "openai": (Responses, {"openai_api_key": "k"}),
    "compatible": (Chat, {"compatible_model": "seeing"}),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("file", FILES)
async def test_a_list_in_a_file_becomes_todos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, provider: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    name, data, media_type, shown = FILES[file]
    protocol, settings = PROVIDERS[provider]
    async with ProviderStub() as stub:
        address = {f"{provider}_base_url": f"{stub.url}/v1", "thread_titles": "first_message"}
        known: dict[str, Any] = {"model_provider": provider, **settings, **address}
        found = {"title": "Buy milk", "more_titles": ["Call Ada"]}
        stub.will(protocol.calls(Call("call_1", "add_todo", found)), protocol.text("I added both."))
        clients = ChatClients(Settings(_env_file=None, data_dir=tmp_path, **known))
        async with (
            open_desk(tmp_path, server=TodoServer, model=clients.make(), tables=[TodoBase.metadata], **known) as desk,
            desk.person() as ada,
        ):
            sent = await ada.upload(name, data, media_type)
            events = await ada.send("Put this on my list", [sent["id"]])
            owner = (await desk.files.find(sent["id"])).owner_id
            todos = await TodoItems(desk.services.database).load(owner)
        await clients.close()
    assert shown in json.dumps(stub.requests[0].body)
    assert sorted(each.title for each in todos.items) == ["Buy milk", "Call Ada"]
    assert "I added both." in json.dumps(events)
