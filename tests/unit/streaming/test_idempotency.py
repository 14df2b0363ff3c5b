"""Repeated requests count once, also across two processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.types import ClientToolCallItem, StructuredInputFreeform
from pydantic import BaseModel

from base_server import BaseChatKitServer, action
from context import ActionTurn, Services, Turn, turn_of
from errors import BadRequestError, ConflictError, NotFoundError, UserFacingError
from tests.unit.harness import Chat, done_items, errors, events_of, texts
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from turns.clock import utc_now


@tool
async def ask_name(ctx: FunctionInvocationContext) -> str:
    """Ask for the name."""
    return turn_of(ctx).ask(StructuredInputFreeform(id="name", question="What is your name?"))


def build_counter(value: int) -> dict[str, Any]:
    def button(type_: str) -> dict[str, Any]:
        return {"type": "Button", "label": type_, "onClickAction": {"type": type_}}

    buttons = [button("count.up"), button("count.fail"), button("count.remove"), button("count.add")]
    field = {"type": "Input", "name": "value", "onChangeAction": {"type": "count.set"}}
    return {"type": "Card", "id": "counter", "children": [{"type": "Text", "value": str(value)}, field, *buttons]}


class SetTo(BaseModel, extra="forbid"):
    value: int


class CountingServer(BaseChatKitServer):
    value = 0
    is_broken = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.is_adding, self.may_add = asyncio.Event(), asyncio.Event()

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[ask_name])

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        turn.widget(build_counter(0))

    @action("count.up")
    async def up(self, turn: ActionTurn) -> None:
        self.value += 1
        await asyncio.sleep(0)
        turn.replace(build_counter(self.value))

    @action("count.set")
    async def set_to(self, payload: SetTo, turn: ActionTurn) -> None:
        self.value += 1
        await self.wait_first_time()
        turn.replace(build_counter(payload.value))

    @action("count.add")
    async def add(self, turn: ActionTurn) -> None:
        """Add to what is shown; the first click takes as long as the test likes."""
        assert turn.sender is not None
        before = int(turn.sender.model_dump()["widget"]["children"][0]["value"])
        await self.wait_first_time()
        turn.replace(build_counter(before + 1))

    async def wait_first_time(self) -> None:
        if not self.is_adding.is_set():
            self.is_adding.set()
            await self.may_add.wait()

    @action("count.fail")
    async def fail(self, turn: ActionTurn) -> None:
        self.value += 1
        if self.is_broken:
            await self.wait_first_time()
            raise UserFacingError("Not now.")

    @action("count.remove")
    async def remove(self, turn: ActionTurn) -> None:
        assert turn.sender is not None
        self.value += 1
        turn.remove_item(turn.sender.id)


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[list[Chat]]:
    """One person's chat, through each of four processes that share a database."""
    async with AsyncExitStack() as stack:
        chats = []
        for _ in range(4):
            services = await stack.enter_async_context(open_services(tmp_path, ScriptedModel()))
            chats.append(Chat(CountingServer(services)))
        yield chats


async def click(
    chat: Chat, item_id: str, type_: str, key: Any = None, *, sync: bool = True, payload: Any = None
) -> Any:
    body = {
        "type": "threads.sync_custom_action" if sync else "threads.custom_action",
        "params": {"thread_id": chat.thread_id, "item_id": item_id, "action": {"type": type_, "payload": payload}},
        "metadata": {} if key is None else {"idempotency_key": key},
    }
    answer = await chat.server.handle(json.dumps(body).encode(), chat.context())
    if isinstance(answer, bytes):
        return json.loads(answer)
    return events_of(b"".join([chunk async for chunk in answer]))


async def click_meanwhile(chat: Chat, *clicks: Coroutine[Any, Any, Any]) -> list[Any]:
    """Click the first, and each of the others while it is still being handled."""
    server = chat.server
    assert isinstance(server, CountingServer)
    async with asyncio.timeout(10):
        tasks = []
        for each in clicks:
            tasks.append(asyncio.create_task(each))
            await server.is_adding.wait()
            # Long enough for it to get as far as it can.
            await asyncio.wait(tasks, timeout=0.2)
        server.may_add.set()
        return await asyncio.gather(*tasks, return_exceptions=True)


def total(chats: list[Chat]) -> int:
    return sum(chat.server.value for chat in chats)  # type: ignore[attr-defined]


def shown(item: dict[str, Any]) -> str:
    value: str = item["widget"]["children"][0]["value"]
    return value


@pytest.fixture
async def counter(replicas: list[Chat]) -> str:
    """The item id of a widget in a thread that all replicas know."""
    [widget] = done_items(await replicas[0].send("Count"), "widget")
    for chat in replicas:
        chat.thread_id = replicas[0].thread_id
    item_id: str = widget["id"]
    return item_id


async def test_a_question_is_answered_once(replicas: list[Chat]) -> None:
    first = replicas[0]
    first.server.chat_client.turns = [calls("ask_name"), says("I wait.")]  # type: ignore[attr-defined]
    [question] = done_items(await first.send("Hello"), "structured_input")
    for chat in replicas:
        chat.thread_id = first.thread_id
        chat.server.chat_client.turns = [says("Hello!")]  # type: ignore[attr-defined]

    async def submit(chat: Chat, name: str) -> str:
        answer = {"status": "answered", "answers": {"name": {"values": [name]}}}
        events = await chat.request(
            "threads.add_structured_input", thread_id=chat.thread_id, item_id=question["id"], input=answer
        )
        assert texts(events) == ["Hello!"]
        return name

    done = await asyncio.gather(
        *(submit(chat, f"Ada {n}") for n, chat in enumerate([*replicas, *replicas])), return_exceptions=True
    )
    [winner] = [each for each in done if isinstance(each, str)]
    assert all(isinstance(each, ConflictError) for each in done if each != winner), done
    items = await first.items()
    [stored] = [each for each in items if each["type"] == "structured_input"]
    assert stored["inputs"][0]["answer"]["values"] == [winner]
    assert [each["type"] for each in items].count("assistant_message") <= 2


async def test_the_output_of_a_client_tool_counts_once(replicas: list[Chat], counter: str) -> None:
    first = replicas[0]
    call = ClientToolCallItem(
        id="tc_1", thread_id=first.thread_id or "", created_at=utc_now(), call_id="call_1", name="locate", arguments={}
    )
    await first.server.store.add_thread_item(first.thread_id or "", call, context=first.context())
    done = await asyncio.gather(
        *(
            chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"n": n})
            for n, chat in enumerate([*replicas, *replicas])
        ),
        return_exceptions=True,
    )
    assert [isinstance(each, ConflictError) for each in done].count(False) == 1, done
    stored = await first.server.store.load_item(first.thread_id or "", "tc_1", first.context())
    assert isinstance(stored, ClientToolCallItem)
    assert (stored.status, stored.output) == ("completed", {"n": [isinstance(e, list) for e in done].index(True)})


async def test_an_action_with_a_key_is_carried_out_once(replicas: list[Chat], counter: str) -> None:
    one_process = [await click(replicas[0], counter, "count.up", "key_1") for _ in range(2)]
    assert [shown(each["updated_item"]) for each in one_process] == ["1", "1"], "the repeated one says how it is now"
    await asyncio.gather(*(click(chat, counter, "count.up", "key_2") for chat in [*replicas, *replicas]))
    assert total(replicas) == 2
    await click(replicas[1], counter, "count.up", "key_3")
    assert total(replicas) == 3, "another key is another click"


async def test_a_repeated_action_waits_for_the_first_and_answers_with_what_it_left(
    replicas: list[Chat], counter: str
) -> None:
    answers = await asyncio.gather(*(click(replicas[0], counter, "count.up", "key") for _ in range(5)))
    assert [shown(each["updated_item"]) for each in answers] == ["1"] * 5


@pytest.mark.parametrize("is_first_sync", [True, False])
async def test_of_two_clicks_each_sees_what_the_one_before_has_left(
    replicas: list[Chat], counter: str, is_first_sync: bool
) -> None:
    chat = replicas[0]
    server = chat.server
    assert isinstance(server, CountingServer)
    async with asyncio.timeout(10):
        first = asyncio.create_task(click(chat, counter, "count.add", "key_1", sync=is_first_sync))
        await server.is_adding.wait()
        second = asyncio.create_task(click(chat, counter, "count.add", "key_2", sync=not is_first_sync))
        # Long enough for it to get as far as it can.
        await asyncio.wait([second], timeout=0.2)
        server.may_add.set()
        await asyncio.gather(first, second)
    [widget] = [item for item in await chat.items() if item["id"] == counter]
    assert shown(widget) == "2"


async def test_of_a_double_click_without_a_key_the_second_gets_what_the_first_brought(
    replicas: list[Chat], counter: str
) -> None:
    chat = replicas[0]
    answers = await click_meanwhile(chat, *(click(chat, counter, "count.add") for _ in range(3)))
    assert [shown(each["updated_item"]) for each in answers] == ["1"] * 3
    assert shown((await click(chat, counter, "count.add"))["updated_item"]) == "2", "one after the other counts twice"


async def test_of_a_double_click_without_a_key_both_get_the_failure(replicas: list[Chat], counter: str) -> None:
    chat = replicas[0]
    done = await click_meanwhile(chat, *(click(chat, counter, "count.fail") for _ in range(2)))
    assert [isinstance(each, UserFacingError) for each in done] == [True, True]
    assert total(replicas) == 1
    chat.server.is_broken = False  # type: ignore[attr-defined]
    await click(chat, counter, "count.fail")
    assert total(replicas) == 2


async def test_clicks_without_a_key_that_differ_or_come_in_turns_all_count(replicas: list[Chat], counter: str) -> None:
    chat = replicas[0]
    # On, off, on: the third is what the person wants, though the first is still being handled.
    await click_meanwhile(chat, *(click(chat, counter, "count.set", payload={"value": str(n)}) for n in (1, 0, 1)))
    [widget] = [item for item in await chat.items() if item["id"] == counter]
    assert (shown(widget), total(replicas)) == ("1", 3)


async def test_a_click_without_a_key_takes_over_when_the_one_before_is_given_up(
    replicas: list[Chat], counter: str
) -> None:
    chat = replicas[0]
    server = chat.server
    assert isinstance(server, CountingServer)
    async with asyncio.timeout(10):
        first = asyncio.create_task(click(chat, counter, "count.add"))
        await server.is_adding.wait()
        second = asyncio.create_task(click(chat, counter, "count.add"))
        await asyncio.wait([second], timeout=0.2)
        first.cancel()
        assert shown((await second)["updated_item"]) == "1"


async def test_a_streamed_action_with_a_key_is_carried_out_once(replicas: list[Chat], counter: str) -> None:
    chat = replicas[0]
    first = await click(chat, counter, "count.up", "key", sync=False)
    again = await click(chat, counter, "count.up", "key", sync=False)
    assert [each["type"] for each in first] == ["stream_options", "thread.item.replaced"]
    assert [each["type"] for each in again] == ["stream_options"]
    racing = await asyncio.gather(*(click(each, counter, "count.up", "key_2", sync=False) for each in replicas))
    assert sorted(len(each) for each in racing) == [1, 1, 1, 2]
    assert total(replicas) == 2


@pytest.mark.parametrize("is_sync", [True, False])
async def test_an_action_that_failed_may_be_tried_again_under_its_key(
    replicas: list[Chat], counter: str, is_sync: bool
) -> None:
    chat = replicas[0]
    chat.server.may_add.set()  # type: ignore[attr-defined]
    if is_sync:
        with pytest.raises(UserFacingError, match="Not now"):
            await click(chat, counter, "count.fail", "key")
    else:
        assert errors(await click(chat, counter, "count.fail", "key", sync=False))
    chat.server.is_broken = False  # type: ignore[attr-defined]
    for _ in range(2):
        await click(chat, counter, "count.fail", "key", sync=is_sync)
    assert total(replicas) == 2


async def test_a_repeated_action_whose_widget_is_gone_is_no_error(replicas: list[Chat], counter: str) -> None:
    assert [await click(replicas[0], counter, "count.remove", "key") for _ in range(2)] == [{}, {}]
    assert total(replicas) == 1


async def test_a_strangers_key_is_missing_like_their_thread(replicas: list[Chat], counter: str) -> None:
    await click(replicas[0], counter, "count.up", "key")
    stranger = Chat(replicas[1].server, user="user_b")
    stranger.thread_id = replicas[0].thread_id
    for is_sync in (True, False):
        with pytest.raises(NotFoundError):
            await click(stranger, counter, "count.up", "key", sync=is_sync)


@pytest.mark.parametrize("key", ["", "x" * 129, 7, {"a": 1}])
@pytest.mark.parametrize("is_sync", [True, False])
async def test_a_key_has_bounds(replicas: list[Chat], counter: str, key: Any, is_sync: bool) -> None:
    with pytest.raises(BadRequestError, match="idempotency_key"):
        await click(replicas[0], counter, "count.up", key, sync=is_sync)
    await click(replicas[0], counter, "count.up", "x" * 128, sync=is_sync)
    assert total(replicas) == 1
