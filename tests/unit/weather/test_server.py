"""The weather assistant, used through the ChatKit protocol."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from chat_clients.provider import ChatClients
from context import Services
from errors import ConfigError, UserFacingError
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from tests.unit.weather.open_meteo_stub import OpenMeteoStub
from tests.unit.widget_catalogue import action_of, texts_of
from use_cases.weather.places.city_index import CityIndex
from use_cases.weather.plugin import WeatherServer, register_use_case
from use_cases.weather.settings import WeatherSettings


@pytest.fixture(autouse=True)
def _cities_are_there(tmp_path: Path, cities: CityIndex) -> None:
    (tmp_path / "cache").mkdir()
    shutil.copy(cities.path, tmp_path / "cache")


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    """Services whose chat client is the built-in model."""
    async with open_services(tmp_path, settings={"offline_token_delay_ms": 0}) as opened:
        clients = ChatClients(opened.settings)
        yield replace(opened, chat_client=clients.make)
        await clients.close()


@pytest.fixture
async def server(services: Services) -> AsyncIterator[WeatherServer]:
    server = WeatherServer(services, WeatherSettings(_env_file=None, source="sample"))
    await server.open()
    yield server
    await server.close()


@pytest.fixture
def chat(server: WeatherServer) -> Chat:
    return Chat(server, use_case="weather")


def the_widget(events: list[dict[str, Any]]) -> dict[str, Any]:
    [item] = done_items(events, "widget")
    return item


async def click(chat: Chat, item: dict[str, Any], name: str) -> dict[str, Any]:
    action = action_of(item["widget"], name)
    answer = await chat.act(item, name, action["payload"], sync=True)
    updated: dict[str, Any] = answer["updated_item"]
    return updated


async def test_current_weather_is_shown_described_and_labelled(chat: Chat) -> None:
    events = await chat.send("What's the weather like in Bern?")
    item = the_widget(events)
    [text] = texts(events)
    assert text.startswith("In Bern, Switzerland it is ")
    assert "sample data" in text
    assert item["widget"]["id"] == "weather.current"
    assert item["copy_text"] == text
    assert not errors(events)


async def test_the_first_question_after_the_first_start_of_all_is_answered(tmp_path: Path) -> None:
    folder = tmp_path / "what? 100% #1"
    folder.mkdir()
    model = ScriptedModel(turns=[calls("get_local_time", city="Bern"), says("Late.")])
    async with open_services(folder, model) as new:
        # To make the list takes seconds of a processor that a busy machine may not give within the usual bound.
        settings = WeatherSettings(_env_file=None, source="sample")
        server = WeatherServer(new, settings, list_timeout_s=new.settings.tool_timeout_s)
        await server.open()
        events = await Chat(server, use_case="weather").send("What time is it in Bern?")
        await server.close()
        assert texts(events) == ["Late."]
        assert "Bern, Switzerland" in str(model.requests[1][-1].to_dict()), "the model was told of the city"
        [file] = (folder / "cache").iterdir()
        assert CityIndex(file).find("Bern").city is not None


async def test_two_cities_are_looked_up_side_by_side(chat: Chat) -> None:
    events = await chat.send("weather in Paris and Rome")
    names = {item["widget"]["id"] + texts_of(item["widget"])[0] for item in done_items(events, "widget")}
    assert names == {"weather.currentParis", "weather.currentRome"}
    assert "Paris, France" in texts(events)[0]
    assert "Rome, Italy" in texts(events)[0]


@pytest.mark.parametrize(("asked", "rows"), [(1, 1), (3, 3), (7, 7), (12, 7)])
async def test_a_forecast_covers_one_to_seven_days(chat: Chat, asked: int, rows: int) -> None:
    events = await chat.send(f"{asked}-day forecast for Paris")
    text = texts(events)[0]
    assert text.count("\n- **") == rows
    assert ("at most 7 days" in text) == (asked > 7)
    assert the_widget(events)["widget"]["id"] == "weather.forecast"


async def test_the_local_time_is_given_with_its_zone(chat: Chat) -> None:
    [text] = texts(await chat.send("What time is it in Tokyo?"))
    assert text.startswith("In Tokyo, Japan it is ")
    assert text.endswith("(Asia/Tokyo, UTC+09:00).")
    assert "sample" not in text


async def test_an_ambiguous_city_is_asked_about_with_something_to_click(chat: Chat) -> None:
    events = await chat.send("weather in Springfield")
    assert "There are several places called “Springfield”" in texts(events)[0]
    item = the_widget(events)
    assert item["widget"]["id"] == "weather.cities"
    picked = await click(chat, item, "weather.pick_city")
    assert picked["widget"]["id"] == "weather.current"
    assert "Springfield" in picked["copy_text"]


async def test_an_unknown_city_is_answered_with_suggestions_or_advice(chat: Chat) -> None:
    assert "Did you mean: Zürich, Switzerland?" in texts(await chat.send("weather in Zurch"))[0]
    events = await chat.send("weather in Xyzzyplugh")
    assert "I do not know a city called “Xyzzyplugh”" in texts(events)[0]
    assert not done_items(events, "widget")
    assert not errors(events)


async def test_an_unknown_country_is_reported(chat: Chat) -> None:
    events = await chat.send("Show me cities in Narnia")
    assert "I know no cities for “Narnia”" in texts(events)[0]
    assert not done_items(events, "widget")


async def test_clicks_replace_the_widget_in_place_and_survive_a_reload(chat: Chat) -> None:
    item = the_widget(await chat.send("Show me cities in Switzerland"))
    seen = []
    for name in ("weather.pick_city", "weather.units", "weather.forecast", "weather.refresh", "weather.units"):
        updated = await click(chat, item, name)
        assert updated["id"] == item["id"]
        [stored] = [stored for stored in await chat.items() if stored["type"] == "widget"]
        assert stored == updated
        seen.append((updated["widget"]["id"], "°F" in updated["copy_text"]))
        item = stored
    assert seen == [
        ("weather.current", False),
        ("weather.current", True),
        ("weather.forecast", True),  # the choice of units goes along
        ("weather.forecast", True),
        ("weather.forecast", False),
    ]
    back = await click(chat, item, "weather.cities")
    assert back["widget"]["status"]["text"] == "Cities in Switzerland"


async def test_the_streaming_way_does_the_same(chat: Chat) -> None:
    item = the_widget(await chat.send("weather in Bern"))
    action = action_of(item["widget"], "weather.forecast")
    events = await chat.act(item, "weather.forecast", action["payload"])
    [replaced] = [event["item"] for event in events if event["type"] == "thread.item.replaced"]
    assert replaced["widget"]["id"] == "weather.forecast"
    assert [stored for stored in await chat.items() if stored["type"] == "widget"] == [replaced]


async def test_a_payload_that_the_widget_does_not_offer_changes_nothing(chat: Chat) -> None:
    item = the_widget(await chat.send("weather in Bern"))
    payload = action_of(item["widget"], "weather.refresh")["payload"]
    forged = [payload | {"city": payload["city"] | {"latitude": 0.0}}, payload | {"more": 1}, {}, None]
    for wrong in forged:
        with pytest.raises(UserFacingError):
            await chat.act(item, "weather.refresh", wrong, sync=True)
    assert [stored for stored in await chat.items() if stored["type"] == "widget"] == [item]


async def test_a_click_while_the_service_is_away_keeps_the_old_numbers(services: Services, stub: OpenMeteoStub) -> None:
    server = WeatherServer(services, WeatherSettings(_env_file=None, source="open-meteo"), transport=stub)
    await server.open()
    chat = Chat(server, use_case="weather")
    item = the_widget(await chat.send("weather in Bern"))
    assert "Weather data by Open-Meteo.com" in texts_of(item["widget"])
    assert "Sample data" not in texts_of(item["widget"])
    stub.failure = httpx.ConnectError("refused")
    stranger = Chat(server, use_case="weather")
    events = await stranger.send("weather in Rome")
    assert texts(events) == ["The weather service cannot be reached at the moment. Please try again later."]
    assert not done_items(events, "widget")
    units = await click(chat, item, "weather.units")
    assert "54\u00a0°F" in texts_of(units["widget"])
    await server.close()


async def test_the_model_is_told_to_describe_pictures_and_gets_four_tools(tmp_path: Path) -> None:
    model = ScriptedModel(turns=[calls("get_current_weather", city="Bern", units="fahrenheit"), says("Take a coat.")])
    async with open_services(tmp_path, model) as services:
        server = WeatherServer(services, WeatherSettings(_env_file=None, source="sample"))
        await server.open()
        events = await Chat(server, use_case="weather").send("Do I need a coat in Bern? I think in Fahrenheit.")
        await server.close()
    assert texts(events) == ["Take a coat."]
    assert any(word.endswith("°F") for word in texts_of(the_widget(events)["widget"]))
    options = model.options[0]
    assert "picture" in options["instructions"]
    tools = {tool.name: tool for tool in options["tools"]}
    assert set(tools) == {"get_current_weather", "get_forecast", "get_local_time", "list_cities"}
    for tool in tools.values():
        assert "ctx" not in tool.parameters()["properties"]
        assert len(tool.description) > 40


async def test_it_registers_as_a_stranger_would(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_SOURCE", "sample")
    use_case = register_use_case(services)
    assert (use_case.name, use_case.title) == ("weather", "Weather")
    assert len(use_case.prompts) == 4
    monkeypatch.setenv("WEATHER_SOURCE", "crystal-ball")
    with pytest.raises(ConfigError, match="WEATHER_SOURCE"):
        register_use_case(services)


async def test_every_prompt_of_the_start_screen_is_answered_with_the_built_in_model(
    services: Services, server: WeatherServer
) -> None:
    for prompt in register_use_case(services).prompts:
        events = await Chat(server, use_case="weather").send(prompt.prompt)
        assert not errors(events)
        assert "no model is configured" not in texts(events)[0].lower(), prompt
