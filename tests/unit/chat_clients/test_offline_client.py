"""The built-in model: its phrases, its default answers, and its part in the tool loop."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pytest
from agent_framework import Agent, Content, Message, tool
from PIL import Image

from chat_clients.offline.model import OfflineChatClient
from chat_clients.provider import ChatClients, build_chat_client
from config import Settings
from plugins import OfflinePhrase


@pytest.fixture(autouse=True)
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "COMPATIBLE_BASE_URL", "AZURE_OPENAI_ENDPOINT", "MODEL_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


class Desk:
    """Two tools that note how they were called, and one that breaks."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

        @tool
        async def get_forecast(city: Annotated[str, "The place."], days: int = 3, kind: str = "all") -> str:
            """Look up the weather to come.

            More for the model.
            """
            self.calls.append({"city": city, "days": days, "kind": kind})
            return f"{days} days of rain in {city}."

        @tool
        async def list_cities() -> str:
            """List the cities."""
            self.calls.append({})
            return "Bern, Zürich."

        @tool
        async def break_down(city: str = "") -> str:
            """Break."""
            raise RuntimeError("postgresql://user:secret@db")

        self.tools = [get_forecast, list_cities, break_down]


@pytest.fixture
def desk() -> Desk:
    return Desk()


FORECAST = OfflinePhrase(
    r"\b(?:weather|forecast) in (?P<city>[\w ]+?)(?: for (?P<days>\d+) days)?\s*[.?!]*$",
    tool="get_forecast",
    arguments={"kind": "rain"},
    example="What is the weather in Bern?",
)


def make_client(phrases: Sequence[OfflinePhrase] = (), **variables: Any) -> Any:
    settings = Settings(_env_file=None, **{"offline_token_delay_ms": 0, **variables})
    return build_chat_client(settings, phrases)


async def ask(
    phrases: Sequence[OfflinePhrase],
    messages: Any,
    tools: Sequence[Any] = (),
    options: Mapping[str, Any] | None = None,
    **variables: Any,
) -> str:
    agent = Agent(make_client(phrases, **variables), tools=list(tools))
    async with agent.run(messages, stream=True, options=dict(options or {})) as updates:
        text = "".join([update.text async for update in updates if update.role == "assistant"])
        assert (await updates.get_final_response()).text == text
    return text


async def test_a_phrase_calls_its_tool_and_the_result_is_the_answer(desk: Desk) -> None:
    text = await ask([FORECAST], "What is the WEATHER in New York for 5 days?", desk.tools)
    assert text == "5 days of rain in New York."
    assert desk.calls == [{"city": "New York", "days": 5, "kind": "rain"}]


async def test_groups_that_took_no_part_are_no_arguments(desk: Desk) -> None:
    assert await ask([FORECAST], "weather in Bern", desk.tools) == "3 days of rain in Bern."


async def test_the_first_phrase_that_matches_wins(desk: Desk) -> None:
    phrases = [OfflinePhrase("weather", say="First."), FORECAST]
    assert await ask(phrases, "weather in Bern", desk.tools) == "First."
    assert desk.calls == []


async def test_a_function_of_the_match_returns_the_arguments(desk: Desk) -> None:
    phrase = OfflinePhrase(
        "in (?P<place>.+)", tool="get_forecast", arguments=lambda match: {"city": match["place"].upper()}
    )
    assert await ask([phrase], "in Bern", desk.tools) == "3 days of rain in BERN."


async def test_several_calls_run_side_by_side_and_their_results_are_paragraphs(desk: Desk) -> None:
    def cities(match: re.Match[str]) -> list[dict[str, str]]:
        return [{"city": city.strip()} for city in match["cities"].split(" and ")]

    phrase = OfflinePhrase(r"compare (?P<cities>.+)", tool="get_forecast", arguments=cities)
    text = await ask([phrase], "Compare Bern and Zürich", desk.tools)
    assert text == "3 days of rain in Bern.\n\n3 days of rain in Zürich."


async def test_a_function_that_finds_nothing_to_call_leaves_it_to_the_next_phrase(desk: Desk) -> None:
    nothing = OfflinePhrase("weather", tool="get_forecast", arguments=lambda match: [])
    assert await ask([nothing, FORECAST], "weather in Bern", desk.tools) == "3 days of rain in Bern."


async def test_a_phrase_for_a_missing_tool_is_skipped(desk: Desk) -> None:
    phrases = [OfflinePhrase("weather", tool="absent"), OfflinePhrase("weather", say="Next.")]
    assert await ask(phrases, "weather in Bern", desk.tools) == "Next."


async def test_answers_of_phrases_are_filled_with_their_groups() -> None:
    phrase = OfflinePhrase(
        r"my name is (?P<name>\w+)(?P<rest> .*)?", say="Hello {name}{rest}, {other} {name.__class__}!"
    )
    assert await ask([phrase], "My name is Ada") == "Hello Ada, {other} {name.__class__}!"


async def test_a_failed_tool_is_reported_in_one_sentence_without_internals(desk: Desk) -> None:
    phrase = OfflinePhrase("break", tool="break_down")
    text = await ask([phrase], "break", desk.tools)
    assert text == "The tool `break_down` failed, so I have no answer from it."


async def test_tool_choice_none_calls_no_tool(desk: Desk) -> None:
    text = await ask([FORECAST], "weather in Bern", desk.tools, {"tool_choice": "none"})
    assert desk.calls == []
    assert "no model is configured" in text


async def test_a_required_tool_is_the_one_that_is_called(desk: Desk) -> None:
    both = [FORECAST, OfflinePhrase("weather", tool="list_cities")]
    choice = {"mode": "required", "required_function_name": "list_cities"}
    assert await ask(both, "weather in Bern", desk.tools, {"tool_choice": choice}) == "Bern, Zürich."


async def test_a_required_tool_is_called_without_a_phrase_only_if_it_needs_no_arguments(desk: Desk) -> None:
    choice = {"mode": "required", "required_function_name": "list_cities"}
    assert await ask([], "whatever", desk.tools, {"tool_choice": choice}) == "Bern, Zürich."
    choice = {"mode": "required", "required_function_name": "get_forecast"}
    assert "no model is configured" in await ask([], "whatever", desk.tools, {"tool_choice": choice})
    assert desk.calls == [{}]


async def test_results_of_an_earlier_turn_are_not_shown_again(desk: Desk) -> None:
    history = [
        Message("user", ["weather in Bern"]),
        Message("assistant", [Content.from_function_call("c1", "get_forecast", arguments="{}")]),
        Message("tool", [Content.from_function_result("c1", result="Old rain.")]),
        Message("assistant", ["Old rain."]),
        Message("user", ["forecast in Zürich"]),
    ]
    assert await ask([FORECAST], history, desk.tools) == "3 days of rain in Zürich."


async def test_anything_else_gets_an_honest_answer_with_examples(desk: Desk) -> None:
    text = await ask([FORECAST], "Write me a poem", desk.tools)
    assert "no model is configured" in text
    assert "- What is the weather in Bern?" in text
    for variable in ("OPENAI_API_KEY", "COMPATIBLE_BASE_URL", "COMPATIBLE_MODEL", "AZURE_OPENAI_ENDPOINT"):
        assert f"`{variable}`" in text
    assert "MODEL_PROVIDER" not in text


async def test_a_chosen_offline_model_says_how_to_choose_another() -> None:
    assert "remove `MODEL_PROVIDER=offline`" in await ask([], "Write me a poem", model_provider="offline")


async def test_without_phrases_the_tools_are_named(desk: Desk) -> None:
    text = await ask([], "Write me a poem", desk.tools)
    assert "- `get_forecast`\n- `list_cities`" in text


@pytest.mark.parametrize("greeting", ["Hello!", "hi there", "Good morning.", "help", "What can you do?"])
async def test_a_greeting_is_answered_briefly_with_examples(greeting: str) -> None:
    text = await ask([FORECAST], greeting)
    assert "No model is configured here" in text
    assert "- What is the weather in Bern?" in text
    assert "cannot answer" not in text


async def test_thanks_are_taken() -> None:
    assert await ask([FORECAST], "Thank you very much!") == "You are welcome!"


async def test_a_phrase_comes_before_a_greeting() -> None:
    assert await ask([OfflinePhrase("^hello", say="Ours.")], "hello") == "Ours."


async def test_only_the_beginning_of_a_long_message_is_searched(desk: Desk) -> None:
    assert "no model is configured" in await ask([FORECAST], "x" * 2_000 + " weather in Bern", desk.tools)


def picture(color: str = "red") -> Content:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 16), color).save(buffer, "PNG")
    return Content.from_data(buffer.getvalue(), "image/png")


async def test_a_picture_is_described_and_the_missing_model_named() -> None:
    text = await ask([FORECAST], Message("user", ["What is in this picture?", picture()]))
    assert "PNG image of 32 × 16 pixels. Its main color is red." in text
    assert "no vision model is configured" in text
    assert "`OPENAI_API_KEY`" in text


async def test_a_picture_with_a_known_phrase_gets_both_answers(desk: Desk) -> None:
    text = await ask([FORECAST], Message("user", ["weather in Bern", picture()]), desk.tools)
    assert "Its main color is red." in text
    assert text.endswith("3 days of rain in Bern.")


async def test_an_unreadable_picture_is_reported() -> None:
    broken = Content.from_data(b"no picture", "image/png")
    linked = Content.from_uri("https://example.com/cat.png", media_type="image/png")
    text = await ask([], Message("user", [broken, linked]))
    assert "I cannot read this picture" in text
    assert "only linked" in text


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ('{"title": "Gr\\u00fcezi", "links": [1, 2]}', "- title: Grüezi\n- links: [1, 2]"),
        ('["Bern", {"a": null}]', '- Bern\n- {"a": null}'),
        ('"Hello"', "Hello"),
        ("22", "22"),
        ("true", "true"),
        ("null", "Done."),
        ("{}", "Done."),
        ("{not json}", "{not json}"),
        ("[" * 5_000, "[" * 5_000),
    ],
)
async def test_json_of_a_tool_or_the_page_is_described_in_words(result: str, said: str) -> None:
    history = [
        Message("user", ["Read the page"]),
        Message("assistant", [Content.from_function_call("c1", "read_page", arguments="{}")]),
        Message("tool", [Content.from_function_result("c1", result=result)]),
    ]
    assert await ask([], history) == said


async def test_a_picture_that_a_tool_returns_is_presented() -> None:
    @tool
    async def photo() -> Content:
        """Take a picture."""
        return picture()

    assert await ask([OfflinePhrase("photo", tool="photo")], "photo", [photo]) == "Here it is."


async def test_more_than_a_few_pictures_are_counted_only() -> None:
    text = await ask([], Message("user", [picture() for _ in range(7)]))
    assert text.count("Its main color is red.") == 4
    assert "3 more pictures" in text


async def test_words_stream_one_by_one_with_one_id_and_usage_at_the_end() -> None:
    client = make_client([OfflinePhrase("go", say="One two\n\n- three")])
    updates = [update async for update in client.get_response([Message("user", ["go"])], stream=True)]
    assert [update.text for update in updates] == ["One ", "two\n\n", "- ", "three", ""]
    assert len({update.message_id for update in updates}) == 1
    assert updates[0].message_id
    assert updates[-1].finish_reason == "stop"
    [usage] = updates[-1].contents
    assert usage.usage_details == {"input_token_count": 1, "output_token_count": 4, "total_token_count": 5}


async def test_the_same_question_gets_the_same_ids_and_another_question_others(desk: Desk) -> None:
    async def ids(text: str) -> list[str | None]:
        stream = make_client([FORECAST])._inner_get_response(
            messages=[Message("user", [text])], stream=True, options={"tools": desk.tools}
        )
        return [value async for u in stream for value in (u.message_id, *(c.call_id for c in u.contents))]

    assert await ids("weather in Bern") == await ids("weather in Bern")
    assert set(await ids("weather in Bern")) & set(await ids("weather in Basel")) <= {None}


async def test_it_answers_in_one_piece_too(desk: Desk) -> None:
    agent = Agent(make_client([FORECAST]), tools=desk.tools)
    response = await agent.run("weather in Bern")
    assert response.text == "3 days of rain in Bern."
    assert response.finish_reason == "stop"
    assert response.usage_details


async def test_there_is_a_pause_between_words_but_not_before_the_first() -> None:
    pauses: list[float] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def note(delay: float, *args: Any, **options: Any) -> Any:
        pauses.append(delay)
        return call_later(0, *args, **options)

    loop.call_later = note  # type: ignore[assignment,method-assign]
    try:
        assert await ask([OfflinePhrase("go", say="one two three")], "go", offline_token_delay_ms=40) == "one two three"
        assert pauses == [0.04, 0.04]
        pauses.clear()
        await ask([OfflinePhrase("go", say="word " * 500)], "go")
        assert pauses == []
    finally:
        loop.call_later = call_later  # type: ignore[method-assign]


async def test_a_long_answer_lets_others_run() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    neighbour = asyncio.create_task(other())
    await ask([OfflinePhrase("go", say="word " * 1_000)], "go")
    neighbour.cancel()
    assert turns >= 20


def test_a_phrase_that_cannot_work_is_named_whatever_the_provider() -> None:
    with pytest.raises(ValueError, match="offline phrase '\\(': "):
        make_client([OfflinePhrase("(", say="x")])
    clients = ChatClients(Settings(_env_file=None, openai_api_key="sk-test"))
    with pytest.raises(ValueError, match="offline phrase 'x': it names neither"):
        clients.make([OfflinePhrase("x")])


async def test_the_offline_model_needs_nothing_and_closes_twice() -> None:
    clients = ChatClients(Settings(_env_file=None))
    assert isinstance(clients.make(), OfflineChatClient)
    await clients.close()
    await clients.close()
