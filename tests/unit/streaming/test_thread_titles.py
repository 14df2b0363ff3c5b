"""Titles of new threads: written by the model, and never in the place of a person's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, Content
from chatkit.types import InferenceOptions, ThreadMetadata, UserMessageItem, UserMessageTextContent

from base_server import BaseChatKitServer
from context import Turn
from errors import ModelError
from runs.registry import Runs
from store import ParlorStore
from streaming.answers.thread_titles import MAX_QUESTION_CHARS, MAX_RUNS_WITH_TITLES, ThreadTitle, clean_title
from tests import waiting
from tests.unit.harness import Chat, errors, texts, with_store
from tests.unit.runs.running import adopt_thread, read_rest, read_until, start, stop
from tests.unit.scripted_model import ScriptedModel, gives, says
from tests.unit.services_for_tests import open_services
from turns.clock import utc_now
from turns.request_context import RequestContext

pytestmark = pytest.mark.usefixtures("text_path")

QUESTION = "What should I pack for three days in Bern in late November?\nI have one small bag."
FIRST_LINE = "What should I pack for three days in Bern in late November?"


class TalkingServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, "You talk.")


@asynccontextmanager
async def open_chat(folder: Path, model: ScriptedModel, **settings: Any) -> AsyncIterator[Chat]:
    provider = {"model_provider": "openai", "openai_api_key": "none"}
    async with open_services(folder, model, settings={**provider, **settings}) as services:
        yield Chat(TalkingServer(services))


@pytest.fixture
async def model() -> ScriptedModel:
    return ScriptedModel(turns=[says("A coat."), says("And gloves.")])


async def title_of(chat: Chat) -> Any:
    return (await chat.request("threads.get_by_id", thread_id=chat.thread_id))["title"]


def title_updates(events: list[dict[str, Any]]) -> list[str]:
    return [event["thread"]["title"] for event in events if event["type"] == "thread.updated"]


async def test_the_model_writes_the_title_of_a_new_thread_once(tmp_path: Path, model: ScriptedModel) -> None:
    model.titles = ["Packing for Bern"]
    async with open_chat(tmp_path, model) as chat:
        events = await chat.send(QUESTION)
        assert events[0]["thread"]["title"] == FIRST_LINE
        assert title_updates(events) == ["Packing for Bern"]
        assert await title_of(chat) == "Packing for Bern"
        assert title_updates(await chat.send("And else?")) == []
        [(instructions, question)] = model.title_requests
        assert (instructions.role, question.role, question.text) == ("system", "user", QUESTION)


async def test_the_usage_of_the_title_counts_for_the_first_answer_only(tmp_path: Path, model: ScriptedModel) -> None:
    model.titles = ["Packing"]
    model.title_usage = {"input_token_count": 40, "output_token_count": 3}
    answers = [Content.from_usage({"input_token_count": 7, "cached": 2}), Content.from_usage({"input_token_count": 9})]
    model.turns = [[*says("A coat."), *gives(answers[0])], [*says("And gloves."), *gives(answers[1])]]
    async with open_chat(tmp_path, model) as chat:
        await chat.send(QUESTION)
        await chat.send("And else?")
        later, first = await chat.server.store.load_runs(chat.thread_id or "", 20, chat.context())
    assert first.usage == {"input_token_count": 47, "output_token_count": 3, "cached": 2}
    assert later.usage == {"input_token_count": 9}


async def test_a_long_message_is_not_sent_whole_for_its_title(tmp_path: Path, model: ScriptedModel) -> None:
    async with open_chat(tmp_path, model) as chat:
        await chat.send("x" * (MAX_QUESTION_CHARS + 1))
        assert len(model.title_requests[0][1].text) == MAX_QUESTION_CHARS


@pytest.mark.parametrize(
    "settings", [{"thread_titles": "first_message"}, {"model_provider": "offline"}], ids=["unwanted", "offline"]
)
async def test_without_a_model_for_it_the_first_line_is_the_title(
    tmp_path: Path, model: ScriptedModel, settings: dict[str, Any]
) -> None:
    model.titles = ["Packing for Bern"]
    async with open_chat(tmp_path, model, **settings) as chat:
        assert title_updates(await chat.send(QUESTION)) == []
        assert await title_of(chat) == FIRST_LINE
        assert model.title_requests == []


@pytest.mark.parametrize("answer", [ModelError("Busy.", code="model.busy"), RuntimeError("s3cret"), "  \n "])
async def test_an_answer_does_not_fail_for_want_of_a_title(
    tmp_path: Path, model: ScriptedModel, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model.titles = [answer]
    async with open_chat(tmp_path, model) as chat:
        events = await chat.send(QUESTION)
        assert (texts(events), errors(events), title_updates(events)) == (["A coat."], [], [])
        assert await title_of(chat) == FIRST_LINE
        assert "s3cret" not in caplog.text


async def begin_title(chat: Chat, model: ScriptedModel, *, wait_s: float) -> None:
    """Begin the title of a new thread, and wait for it as a whole answer does."""
    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    message = UserMessageItem(
        id="msg_1",
        thread_id=thread.id,
        created_at=utc_now(),
        content=[UserMessageTextContent(text=QUESTION)],
        inference_options=InferenceOptions(),
    )
    turn = Turn(thread, chat.context(), chat.server.services, message)
    turn.context.answer.mark_thread_as_new()
    async with ThreadTitle(turn, model, wait_s=wait_s) as title:
        title.begin()


def titles_being_written() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("title ")]


async def test_a_title_that_takes_too_long_is_not_waited_for(tmp_path: Path, model: ScriptedModel) -> None:
    model.titles = [asyncio.Event(), "Too late"]
    async with open_chat(tmp_path, model) as chat, asyncio.timeout(10):
        await begin_title(chat, model, wait_s=0.01)
        assert model.is_asked_for_title.is_set()
        assert titles_being_written() == []


async def test_a_stop_while_a_whole_answer_waits_for_its_title_leaves_nothing_running(
    tmp_path: Path, model: ScriptedModel
) -> None:
    model.titles = [asyncio.Event()]
    async with open_chat(tmp_path, model) as chat, asyncio.timeout(10):
        answering = asyncio.create_task(begin_title(chat, model, wait_s=60.0))
        await model.is_asked_for_title.wait()
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert titles_being_written() == []


async def test_a_stop_behind_the_last_word_leaves_no_mark(tmp_path: Path, model: ScriptedModel) -> None:
    model.titles = [asyncio.Event()]
    async with open_chat(tmp_path, model) as chat, asyncio.timeout(20):
        viewer = await start(chat, text=QUESTION)
        adopt_thread(chat, await read_until(viewer, b"A coat."))
        run = await chat.server.services.runs.find(chat.context(), chat.thread_id or "")
        assert run is not None
        await waiting.until(lambda: run.context.answer.is_whole)
        await stop(chat)
        await read_rest(viewer)
        page = await chat.server.store.load_thread_items(chat.thread_id or "", None, 20, "asc", chat.context())
        assert [item.type for item in page.data] == ["user_message", "assistant_message"]


class BusyRuns(Runs):
    """A registry that counts more runs than titles are written beside."""

    @property
    def active(self) -> int:
        return MAX_RUNS_WITH_TITLES + 1


async def test_a_busy_process_asks_for_no_titles(tmp_path: Path, model: ScriptedModel) -> None:
    async with open_chat(tmp_path, model) as chat:
        services = chat.server.services
        chat.server = TalkingServer(replace(services, runs=BusyRuns.from_settings(services.settings)))
        assert title_updates(await chat.send(QUESTION)) == []
        assert model.title_requests == []


async def test_a_title_that_a_person_gives_meanwhile_is_kept(tmp_path: Path, model: ScriptedModel) -> None:
    title_is_due, answer_goes_on = asyncio.Event(), asyncio.Event()
    model.titles = [title_is_due, "Packing for Bern"]
    model.turns = [[*says("A "), answer_goes_on, *says("coat.")]]
    async with open_chat(tmp_path, model) as chat, asyncio.timeout(10):
        sending = asyncio.create_task(chat.send(QUESTION))
        await model.is_asked_for_title.wait()
        [thread] = (await chat.request("threads.list"))["data"]
        await chat.request("threads.update", thread_id=thread["id"], title="My trip")
        title_is_due.set()
        answer_goes_on.set()
        await sending
        assert await title_of(chat) == "My trip"


async def test_a_title_that_the_use_case_gives_is_kept(tmp_path: Path, model: ScriptedModel) -> None:
    is_due = asyncio.Event()
    model.titles = [is_due, "Packing for Bern"]
    async with open_chat(tmp_path, model) as chat, asyncio.timeout(10):

        class NotingStore(ParlorStore):
            is_saved = asyncio.Event()

            async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
                await super().save_thread(thread, context)
                self.is_saved.set()

        class Naming(TalkingServer):
            async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
                thread.title = "The use case's own"
                turn.notice("Named")
                await NotingStore.is_saved.wait()
                is_due.set()

        chat.server = Naming(chat.server.services)
        with_store(chat, NotingStore(chat.server.services.database))
        assert set(title_updates(await chat.send(QUESTION))) == {"The use case's own"}
        assert await title_of(chat) == "The use case's own"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('"Packing for Bern."\n\nI chose this because …', "Packing for Bern"),
        ("\n  **Packing   for Bern**", "Packing for Bern"),
        ("# Über Bern", "Über Bern"),
        ("What now?", "What now?"),
        ('"Learning C#".', "Learning C#"),
        (".NET or Java", ".NET or Java"),
        ("...", None),
        ("", None),
        ("<think>A title?\nLet me see.</think>\n\nPacking for Bern", "Packing for Bern"),
        ("A title?\nLet me see.\n</think>\n\nPacking for Bern", "Packing for Bern"),
        ("<think>A title?</think>", None),
        ("<think>A title? It never", None),
        ("Packing </b> and `</think>` tags", "Packing </b> and `</think>` tags"),
        ("Title: Packing for Bern", "Packing for Bern"),
        ("**Title:** Packing for Bern", "Packing for Bern"),
        ('Conversation title: "Packing for Bern"', "Packing for Bern"),
        ("Sure! Here's a title:\n\n**Packing for Bern**", "Packing for Bern"),
        ("Titel：Packen für Bern", "Packen für Bern"),
        ("Book title: how to choose one", "Book title: how to choose one"),
        ("Titles of books", "Titles of books"),
        ("```\nPacking for Bern\n```", "Packing for Bern"),
        ("```text\nPacking\n```", "Packing"),
        ('{"title": "Packing for Bern"}', "Packing for Bern"),
        ('```json\n{\n  "title": "Packing for Bern"\n}\n```', "Packing for Bern"),
        ("- **Packing** for *Bern*", "Packing for Bern"),
        ("## [Packing](https://a.example/) for Bern", "Packing for Bern"),
        ("<title>Packing for Bern</title>", "Packing for Bern"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("1. FC Köln", "1. FC Köln"),
        ("«Packing for Bern»", "Packing for Bern"),
        ("\u200b\ufeff", None),
        ("\ufeffPacking for Bern\u200b", "Packing for Bern"),
        ("word " * 400, None),
        ("Title:", None),
        ('""', None),
        ("**", None),
    ],
)
def test_a_title_is_one_short_line(written: str, title: str | None) -> None:
    assert clean_title(written) == title


def test_a_title_that_is_too_long_is_cut() -> None:
    title = clean_title("word " * 30)
    assert title is not None
    assert len(title) <= 60
    assert title.startswith("word word")


@pytest.mark.parametrize("is_renamed", [True, False])
async def test_a_first_title_that_comes_with_a_later_message_never_takes_the_place_of_a_persons(
    tmp_path: Path, model: ScriptedModel, is_renamed: bool
) -> None:
    gate, is_asked = asyncio.Event(), asyncio.Event()

    class Noting(TalkingServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            is_asked.set()
            return super().get_agent(turn)

    async with open_chat(tmp_path, model) as chat:
        await chat.send(QUESTION)
        chat.server = Noting(chat.server.services)
        context = chat.context()
        thread = await chat.server.store.load_thread(chat.thread_id or "", context)
        thread.title = None  # as if it had begun with a file and no words
        await chat.server.store.save_thread(thread, context)
        model.turns = [[gate, *says("And gloves.")]]
        answering = asyncio.create_task(chat.send("And else?"))
        async with asyncio.timeout(10):
            await is_asked.wait()
        if is_renamed:
            await chat.request("threads.update", thread_id=chat.thread_id, title="Mine")
        gate.set()
        assert title_updates(await answering) == ["And else?"]
        assert await title_of(chat) == ("Mine" if is_renamed else "And else?")
