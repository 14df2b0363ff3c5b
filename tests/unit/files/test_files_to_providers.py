"""Files in real requests to providers, with each kind of agent."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import agents
import pytest
from agent_framework import Message

from base_server import BaseChatKitServer
from chat_clients.provider import ChatClients
from config import Settings
from context import Turn
from tests.unit.files.file_desk import Desk, Person, open_desk
from tests.unit.files.file_samples import DOCX, document, pdf, picture
from tests.unit.provider_stub import Chat, ProviderStub, Responses, error

PICTURE = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
DOCUMENT = f"data:application/pdf;base64,{base64.b64encode(pdf('Hello')).decode()}"

PROVIDERS: dict[str, dict[str, Any]] = {
    "openai": {"model_provider": "openai", "openai_api_key": "k"},
    "compatible": {"model_provider": "compatible", "compatible_model": "small"},
    "azure": {"model_provider": "azure", "azure_openai_model": "m", "azure_openai_api_key": "k"},
    "azure responses": {
        "model_provider": "azure", "azure_openai_model": "m", "azure_openai_api_key": "k",
        "azure_openai_api": "responses",
    },
}  # fmt: skip
ADDRESSES = {"openai": "openai_base_url", "compatible": "compatible_base_url", "azure": "azure_openai_endpoint"}


class Provider:
    """A provider that records what it was sent, and an application that asks it."""

    def __init__(self, kind: str, stub: ProviderStub, desk: Desk, ada: Person) -> None:
        self.kind = kind
        self.stub = stub
        self.desk = desk
        self.ada = ada

    @property
    def takes_pdf(self) -> bool:
        return self.kind in ("openai", "azure responses")

    def parts(self, at: int = -1) -> list[dict[str, Any]]:
        """Return the parts of the person's last message in a request."""
        body = self.stub.requests[at].body
        messages = body.get("input") or body["messages"]
        content = [each for each in messages if each.get("role") == "user"][-1]["content"]
        return content if isinstance(content, list) else [{"text": content}]


@pytest.fixture(params=PROVIDERS)
async def provider(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Provider]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    kind: str = request.param
    async with ProviderStub() as stub:
        address = stub.url if kind.startswith("azure") else f"{stub.url}/v1"
        known = PROVIDERS[kind] | {ADDRESSES[kind.partition(" ")[0]]: address, "thread_titles": "first_message"}
        clients = ChatClients(Settings(_env_file=None, data_dir=tmp_path, **known))  # type: ignore[call-arg]
        is_responses = kind in ("openai", "azure responses")
        stub.will_always(Responses.text("ok") if is_responses else Chat.text("ok"))
        async with (
            open_desk(tmp_path, model=clients.make(), takes_pdf=clients.takes_pdf, **known) as desk,
            desk.person() as ada,
        ):
            yield Provider(kind, stub, desk, ada)
        await clients.close()


async def test_each_provider_is_sent_a_form_that_it_takes(provider: Provider) -> None:
    ada = provider.ada
    files = [
        await ada.upload("sky.png", picture(), "image/png"), await ada.upload("a.pdf", pdf("Hello"), "application/pdf"),
        await ada.upload("a.csv", b"a,b", "text/csv"), await ada.upload("a.docx", document("Milk"), DOCX),
    ]  # fmt: skip
    await ada.send("Look", [each["id"] for each in files])
    sent = provider.parts()
    told = json.dumps(sent)
    image = next(part for part in sent if "image" in part["type"])
    assert PICTURE in (
        image["image_url"],
        *(image["image_url"].values() if isinstance(image["image_url"], dict) else ()),
    )
    assert '<file name=\\"a.csv\\">\\na,b\\n</file>' in told
    assert "# Plan\\nMilk" in told
    if provider.takes_pdf:
        [file] = [part for part in sent if part["type"] == "input_file"]
        assert (file["filename"], file["file_data"]) == ("a.pdf", DOCUMENT)
    else:
        assert "application/pdf" not in told
        assert "# Page 1\\nHello" in told


async def test_a_model_without_vision_gets_a_picture_only_once_and_the_person_one_message(
    provider: Provider,
) -> None:
    refusal = error(400, "This model does not support image input.")
    provider.stub.refuses = lambda asked: refusal if "image/png" in json.dumps(asked.body) else None
    sent = await provider.ada.upload("sky.png", picture(), "image/png")
    events = await provider.ada.send("What is this?", [sent["id"]])
    assert not [event for event in events if event["type"] == "error"]
    said = json.dumps(events)
    assert said.count("thread.item.done") >= 2
    assert len(provider.stub.requests) == 2
    assert "that you cannot see" in json.dumps(provider.parts())
    await provider.ada.send("And now?")
    assert len(provider.stub.requests) == 3, "it is not tried again"
    assert "image/png" not in json.dumps(provider.stub.requests[-1].body)


def kinds_of(messages: list[Message]) -> list[str]:
    return [content.type for content in messages[-1].contents]


class GeneratorServer(BaseChatKitServer):
    seen: list[list[str]]

    def get_agent(self, turn: Turn) -> Any:
        async def answer(messages: list[Message], turn: Turn) -> AsyncIterator[str]:
            files = [file.name for file in turn.attachments]
            yield f"{kinds_of(messages)} {files}"

        return answer


class SDKServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Any:
        return agents.Agent(name="sdk", instructions="Look")


async def test_a_generator_gets_files_as_every_agent_does(tmp_path: Path) -> None:
    async with open_desk(tmp_path, server=GeneratorServer) as desk, desk.person() as ada:
        sent = await ada.upload("sky.png", picture(), "image/png")
        events = await ada.send("Look", [sent["id"]])
        assert "['text', 'data'] ['sky.png']" in json.dumps(events, ensure_ascii=False)


async def test_an_agent_of_the_agents_sdk_gets_files_as_every_agent_does(tmp_path: Path) -> None:
    async with open_desk(tmp_path, server=SDKServer, takes_pdf=True) as desk, desk.person() as ada:
        sent = [
            await ada.upload("sky.png", picture(), "image/png"), await ada.upload("a.txt", b"words", "text/plain"),
            await ada.upload("a.pdf", pdf("Hello"), "application/pdf"),
        ]  # fmt: skip
        await ada.send("Look", [each["id"] for each in sent])
        contents = [content for message in desk.model.requests[-1] for content in message.contents]
        media = [content.media_type for content in contents if content.type in ("data", "uri")]
        assert media == ["image/png", "application/pdf"]
        assert any("words" in (content.text or "") for content in contents)
