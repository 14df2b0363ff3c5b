"""Pictures sent to the weather assistant: described by a vision model, or answered without one."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from chat_clients.provider import ChatClients
from config import Settings
from context import Services
from tests.unit.files.file_desk import open_desk
from tests.unit.files.file_samples import picture
from tests.unit.files.seeing_desk import PROVIDERS, open_seeing_desk
from use_cases.weather.plugin import WeatherServer
from use_cases.weather.settings import WeatherSettings


def weather(services: Services) -> WeatherServer:
    return WeatherServer(services, WeatherSettings(_env_file=None, source="sample"))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_picture_is_described_by_the_vision_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with open_seeing_desk(tmp_path, provider, weather) as seeing:
        seeing.stub.will(seeing.protocol.text("Dark clouds over a lake."))
        sent = await seeing.ada.upload("sky.png", picture(), "image/png")
        events = await seeing.ada.send("What is this?", [sent["id"]])
    asked = json.dumps(seeing.stub.requests[0].body)
    assert f"data:image/png;base64,{base64.b64encode(picture()).decode()}" in asked
    assert "describe what you see" in asked
    assert "Dark clouds over a lake." in json.dumps(events)


async def test_without_a_model_the_answer_says_what_is_known_of_the_picture(tmp_path: Path) -> None:
    clients = ChatClients(Settings(_env_file=None, data_dir=tmp_path, model_provider="offline"))
    async with open_desk(tmp_path, server=weather, model=clients.make()) as desk, desk.person() as ada:
        sent = await ada.upload("sky.png", picture(), "image/png")
        told = json.dumps(await ada.send("What is this?", [sent["id"]]), ensure_ascii=False)
    await clients.close()
    assert "PNG image of" in told
    assert "main color" in told
    assert "no vision model is configured" in told
