"""A picture for the weather: the vision model that is configured describes it, or the answer says what is known."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from chat_clients.provider import ChatClients
from config import Settings
from context import Services
from tests.unit.files.file_desk import open_desk
from tests.unit.files.file_samples import picture
from tests.unit.provider_stub import Chat, ProviderStub, Responses
from use_cases.weather.plugin import WeatherServer
from use_cases.weather.settings import WeatherSettings

PROVIDERS: dict[str, tuple[Any, dict[str, str]]] = {
    "openai": (Responses, {"openai_api_key": "k"}),
    "compatible": (Chat, {"compatible_model": "seeing"}),
}


def weather(services: Services) -> WeatherServer:
    return WeatherServer(services, WeatherSettings(_env_file=None, source="sample"))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_picture_is_described_by_the_vision_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    protocol, settings = PROVIDERS[provider]
    async with ProviderStub() as stub:
        address = {f"{provider}_base_url": f"{stub.url}/v1", "thread_titles": "first_message"}
        known: dict[str, Any] = {"model_provider": provider, **settings, **address}
        stub.will(protocol.text("Dark clouds over a lake."))
        clients = ChatClients(Settings(_env_file=None, data_dir=tmp_path, **known))
        async with (
            open_desk(tmp_path, server=weather, model=clients.make(), **known) as desk,
            desk.person() as ada,
        ):
            sent = await ada.upload("sky.png", picture(), "image/png")
            events = await ada.send("What is this?", [sent["id"]])
        await clients.close()
    body = stub.requests[0].body
    assert f"data:image/png;base64,{base64.b64encode(picture()).decode()}" in json.dumps(body)
    assert "describe what you see" in json.dumps(body)
    assert "Dark clouds over a lake." in json.dumps(events)
