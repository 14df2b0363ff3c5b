from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.types import ThreadItem, WidgetItem

from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from database import Database
from errors import ConflictError, NotFoundError, TooManyRequestsError, UnavailableError
from runs.registry import Runs
from store import ParlorStore
from tests.unit.harness import Chat, events_of, streamed_text, texts, with_store
from tests.unit.runs.running import (
    adopt_thread,
    attach,
    attach_viewer,
    hidden_items,
    numbered_events,
    read_rest,
    read_until,
    start,
    stop,
    texts_in_store,
)
from tests.unit.scripted_model import ScriptedModel, Step, calls, says
from tests.unit.services_for_tests import open_services
from turns.request_context import RequestContext

pytestmark = pytest.mark.usefixtures("text_path")


@tool
async def show(ctx: FunctionInvocationContext) -> str:
    """Show something."""
    turn_of(ctx).widget({"type": "Card", "id": "shown", "children": []}, copy_text="shown")
    return "Shown."


class TestServer(BaseChatKitServer):
    __test__ = False

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[show])

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        turn.widget({"type": "Card", "id": "closing", "children": []})


OpenChat = Callable[..., AbstractAsyncContextManager[Chat]]


@pytest.fixture
def open_chat(tmp_path: Path) -> OpenChat:
    @asynccontextmanager
    async def opened(*turns: list[Step], **settings: Any) -> AsyncIterator[Chat]:
        async with open_services(tmp_path, ScriptedModel(turns=turns), settings=settings) as services:
            yield Chat(TestServer(services))

    return opened


async def test_a_resumable_stream_is_numbered_and_a_stock_one_is_not(open_chat: OpenChat) -> None:
    async with open_chat(says("Hello"), says("Hello")) as chat:
        events = numbered_events(await read_rest(await start(chat)))
        assert events[0][0] == 1
        assert sorted(n for n, _ in events) == [n for n, _ in events]
        stock = await read_rest(await start(chat, resumable=False))
        assert b"id: " not in stock
        assert [e["type"] for e in events_of(stock)][:2] == ["thread.created", "thread.item.done"]


async def test_a_lost_connection_does_not_touch_a_resumable_answer(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("Once "), gate, *says("upon a time")]) as chat:
        viewer = await start(chat)
        seen = await read_until(viewer, b"Once ")
        adopt_thread(chat, seen)
        await viewer.aclose()
        later = await attach_viewer(chat, after=numbered_events(seen)[-1][0])
        gate.set()
        rest = await read_rest(later)
        assert streamed_text([e for _, e in numbered_events(seen + rest)]) == "Once upon a time"
        assert await texts_in_store(chat) == ["Once upon a time"]
        assert await hidden_items(chat) == [], "nobody pressed stop"


async def test_viewers_who_attach_early_late_and_twice_see_the_same_answer(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("One. "), gate, *says("Two.")]) as chat:
        first = await start(chat)
        seen = await read_until(first, b"One.")
        adopt_thread(chat, seen)
        others = [await attach_viewer(chat), await attach_viewer(chat, after=0), await attach_viewer(chat, after=1)]
        gate.set()
        whole = seen + await read_rest(first)
        for viewer in others:
            assert texts([e for _, e in numbered_events(await read_rest(viewer))]) == ["One. Two."]
        after_the_end = await read_rest(await attach_viewer(chat))
        assert texts([e for _, e in numbered_events(after_the_end)]) == ["One. Two."]
        assert numbered_events(after_the_end)[-1] == numbered_events(whole)[-1]
        last = numbered_events(whole)[-1][0]
        assert await read_rest(await attach_viewer(chat, after=last)) == b""


async def test_events_after_a_number_are_exactly_those_that_came_later(open_chat: OpenChat) -> None:
    async with open_chat(says("Some text")) as chat:
        whole = await read_rest(await start(chat))
        adopt_thread(chat, whole)
        events = numbered_events(whole)
        for index, (number, _) in enumerate(events):
            assert numbered_events(await read_rest(await attach_viewer(chat, after=number))) == events[index + 1 :]


async def test_open_streams_and_the_time_to_the_first_text_are_measured(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([gate, *says("Late")], says("Again")) as chat:
        runs = chat.server.services.runs
        first = await start(chat)
        adopt_thread(chat, await read_until(first, b"thread.created"))
        second = await attach_viewer(chat)
        assert runs.open_streams == 2
        gate.set()
        await read_rest(first)
        await read_rest(second)
        assert runs.open_streams == 0
        [known] = runs.statistics.by_use_case.values()
        assert dict(known.first_texts.cumulative_counts())["+Inf"] == 1
        assert 0 < known.first_texts.sum_s <= known.durations.sum_s
        assert chat.server.services.store.transaction_times.by_kind


async def test_a_viewer_says_which_run_it_views_and_how_far_that_had_come(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("A"), gate]) as chat:
        first = await start(chat)
        seen = await read_until(first, b'"A"')
        adopt_thread(chat, seen)
        second = await attach_viewer(chat)
        assert second.headers["Parlor-Run"] == first.headers["Parlor-Run"]
        assert second.headers["Parlor-Run-Last"] == str(numbered_events(seen)[-1][0])
        gate.set()
        await read_rest(first)
        await read_rest(second)


async def test_numbers_of_an_older_run_do_not_hide_events_of_the_new_one(open_chat: OpenChat) -> None:
    async with open_chat(says("First"), says("Second")) as chat:
        await chat.send("Go")
        await chat.send("Again")
        for wanted in ({"after": 5, "run_id": "run_of_yesterday"}, {"after": 10**30}):
            viewer = await attach_viewer(chat, **wanted)
            assert texts([e for _, e in numbered_events(await read_rest(viewer))]) == ["Second"]


async def test_a_refused_request_leaves_the_run_before_it_to_those_who_come_back(open_chat: OpenChat) -> None:
    async with open_chat(says("First"), says("Second")) as chat:
        await chat.send("Go")
        with pytest.raises(NotFoundError):
            await chat.send("And this?", attachments=["atc_missing"])
        assert texts([e for _, e in numbered_events(await read_rest(await attach_viewer(chat)))]) == ["First"]
        await chat.send("Again")
        assert texts([e for _, e in numbered_events(await read_rest(await attach_viewer(chat)))]) == ["Second"]


async def test_without_a_run_there_is_nothing_to_attach_to(open_chat: OpenChat) -> None:
    async with open_chat(says("Hello"), run_linger_s=0) as chat:
        await chat.send("Go")
        async with asyncio.timeout(30):
            while await chat.server.services.runs.find(chat.context(), chat.thread_id or "") is not None:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert json.loads(await attach(chat)) == {"run": None}  # type: ignore[arg-type]
        assert await stop(chat) == {"run": None}


async def test_another_users_run_reads_as_missing(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([*says("Secret"), never]) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"Secret"))
        for stranger in (Chat(chat.server, user="user_b"), Chat(chat.server, use_case="other")):
            stranger.thread_id = chat.thread_id
            with pytest.raises(NotFoundError):
                await attach(stranger)
            with pytest.raises(NotFoundError):
                await stop(stranger)
        assert chat.server.services.runs.active == 1
        await stop(chat)


async def test_stop_keeps_the_text_so_far_and_marks_it_for_the_model(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([*says("Half a sent"), never], says("OK")) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"Half"))
        answer = await stop(chat)
        assert answer["run"]["status"] == "stopped"
        assert await read_rest(viewer) == b""
        assert await texts_in_store(chat) == ["Half a sent"]
        assert await hidden_items(chat) == ["sdk_hidden_context"]
        assert chat.server.chat_client.open_streams == 0  # type: ignore[attr-defined]
        assert texts(await chat.send("Go on")) == ["OK"], "the thread is free again"


async def test_stop_during_a_tool_keeps_the_workflow_and_what_tools_did(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat(calls("show"), [never]) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b'"status_indicator":"complete"'))
        await stop(chat)
        assert [i["type"] for i in await chat.items()] == ["user_message", "workflow", "widget"]
        assert await hidden_items(chat) == ["hidden_context_item", "sdk_hidden_context"]


class HoldingStore(ParlorStore):
    """Does not get on with the second widget, the first time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.is_holding = asyncio.Event()
        self.widgets = 0

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        self.widgets += isinstance(item, WidgetItem)
        if self.widgets == 2 and not self.is_holding.is_set():
            self.is_holding.set()
            await asyncio.Event().wait()
        await super().add_thread_item(thread_id, item, context)


async def test_stop_while_an_item_is_being_stored_keeps_what_tools_did_before(open_chat: OpenChat) -> None:
    async with open_chat(calls("show"), calls("show", call_id="call_2"), says("Shown twice.")) as chat:
        store = with_store(chat, HoldingStore(chat.server.services.database))
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"thread.created"))
        async with asyncio.timeout(10):
            await store.is_holding.wait()
        await stop(chat)
        assert await hidden_items(chat) == ["hidden_context_item", "sdk_hidden_context"]


@pytest.mark.parametrize(("on_disconnect", "goes_on"), [("cancel", False), ("continue", True)])
async def test_a_stock_clients_disconnect_is_its_stop_unless_configured(
    open_chat: OpenChat, on_disconnect: str, goes_on: bool
) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("Once "), gate, *says("more")], on_disconnect=on_disconnect) as chat:
        viewer = await start(chat, resumable=False)
        seen = await read_until(viewer, b"Once")
        chat.thread_id = events_of(seen)[0]["thread"]["id"]
        other = await attach_viewer(chat)
        await viewer.aclose()
        assert chat.server.services.runs.active == 1, "somebody else is still watching"
        await other.aclose()
        viewer = await attach_viewer(chat)
        gate.set()
        await read_rest(viewer)
        assert await texts_in_store(chat) == ["Once more"]


async def test_a_stock_clients_disconnect_cancels_when_nobody_else_watches(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([*says("Once "), never]) as chat:
        viewer = await start(chat, resumable=False)
        chat.thread_id = events_of(await read_until(viewer, b"Once"))[0]["thread"]["id"]
        await viewer.aclose()
        assert chat.server.services.runs.active == 0
        assert await texts_in_store(chat) == ["Once "]
        assert await hidden_items(chat) == ["sdk_hidden_context"]


async def test_a_viewer_that_was_never_read_stops_a_stock_run_too(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([never]) as chat:
        viewer = await start(chat, resumable=False)
        await viewer.aclose()
        assert chat.server.services.runs.active == 0


async def test_one_run_per_thread(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("A"), gate], says("B")) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b'"A"'))
        with pytest.raises(ConflictError, match="still being written"):
            await chat.send("Me too")
        user_item = (await chat.items())[0]["id"]
        with pytest.raises(ConflictError):
            await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=user_item)
        gate.set()
        await read_rest(viewer)
        assert texts(await chat.send("Now?")) == ["B"]
        assert [i["type"] for i in await chat.items()].count("user_message") == 2


async def test_runs_are_bounded_per_user_and_in_total_each_with_its_own_words(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([never], [never], [never], runs_max_per_user=2, runs_max_total=3) as chat:
        viewers = [await start(chat), await start(chat)]
        with pytest.raises(TooManyRequestsError, match="You have 2 answers"):
            await start(chat)
        viewers.append(await start(Chat(chat.server, user="user_b")))
        with pytest.raises(UnavailableError, match="Too many answers"):
            await start(Chat(chat.server, user="user_c"))
        await chat.server.services.runs.drain(0)
        for viewer in viewers:
            await viewer.aclose()


async def test_a_run_that_takes_too_long_is_stopped_and_says_so(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([*says("Hm"), never], run_timeout_s=1) as chat:
        stream = await read_rest(await start(chat))
        adopt_thread(chat, stream)
        assert numbered_events(stream)[-1][1]["message"].startswith("This answer took too long")
        assert await texts_in_store(chat) == ["Hm"]
        assert await hidden_items(chat) == [], "no person stopped it"


async def test_drain_refuses_new_runs_waits_for_the_rest_and_then_keeps_what_there_is(open_chat: OpenChat) -> None:
    gate, never = asyncio.Event(), asyncio.Event()
    async with open_chat([*says("Done "), gate, *says("in time")], [*says("Too long"), never]) as chat:
        slow = Chat(chat.server)
        in_time, too_long = await start(chat), await start(slow)
        adopt_thread(chat, await read_until(in_time, b"Done "))
        adopt_thread(slow, await read_until(too_long, b"Too long"))
        draining = asyncio.create_task(chat.server.services.runs.drain(1.5))
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="restarting"):
            await chat.send("One more")
        gate.set()
        assert await draining == 1
        assert await texts_in_store(chat) == ["Done in time"]
        assert await texts_in_store(slow) == ["Too long"]
        assert await hidden_items(slow) == [], "a restart is nobody's stop"
        last = numbered_events(await read_rest(too_long))[-1][1]
        assert (last["type"], last["allow_retry"]) == ("error", True)
        assert "restarting" in last["message"]


async def test_a_stock_connection_lost_after_the_signal_is_no_stop(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("Once "), gate, *says("more")]) as chat:
        viewer = await start(chat, resumable=False)
        chat.thread_id = events_of(await read_until(viewer, b"Once"))[0]["thread"]["id"]
        runs = chat.server.services.runs
        runs.refuse_new_runs()
        await viewer.aclose()
        assert runs.active == 1
        draining = asyncio.create_task(runs.drain(10))
        gate.set()
        assert await draining == 0
        assert await texts_in_store(chat) == ["Once more"]


async def test_silence_is_filled_with_comments_that_no_client_takes_for_an_event(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with open_services(tmp_path, ScriptedModel(turns=[[gate, *says("Finally")]])) as services:
        quick = Runs(
            max_total=9, max_per_user=9, max_log_bytes=9999, timeout_s=60, linger_s=60, heartbeat_s=0.02
        )  # fmt: skip
        chat = Chat(TestServer(Services(**{f: getattr(services, f) for f in Services.__slots__} | {"runs": quick})))
        viewer = await start(chat)
        seen = await read_until(viewer, b": keep-alive\n\n: keep-alive\n\n")
        gate.set()
        events = [e for _, e in numbered_events(seen + await read_rest(viewer))]
        assert texts(events) == ["Finally"]
        assert not [e for e in events if e["type"] == "error"]


async def test_a_viewer_after_a_cut_of_the_log_gets_complete_items(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    first, second = [f"{n} " for n in range(2000)], [f"{n}; " for n in range(2000)]
    both = [*says(*first, message_id="m1"), *says(*second, message_id="m2"), gate, *says("end", message_id="m2")]
    async with open_chat(both, run_log_max_bytes=16_384) as chat:
        viewer = await start(chat)
        seen = await read_until(viewer, b"1999; ")
        adopt_thread(chat, seen)
        late = await attach_viewer(chat, after=3)
        snapshot = await anext(late)
        assert len(snapshot) < 25_000, "what is open comes once and not as thousands of deltas"
        gate.set()
        expected = ["".join(first), "".join(second) + "end"]
        assert texts([e for _, e in numbered_events(snapshot + await read_rest(late))]) == expected
        assert texts([e for _, e in numbered_events(seen + await read_rest(viewer))]) == expected
        [open_item] = [e["item"] for _, e in numbered_events(snapshot) if e["type"] == "thread.item.added"]
        assert open_item["content"][0]["text"].endswith("1999; ")


async def test_a_viewer_who_lags_gets_neighbouring_deltas_as_one(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says(*["x"] * 100), gate, *says(*["y"] * 100)]) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"x"))
        gate.set()
        watcher = await attach_viewer(chat)
        await read_rest(watcher)  # the run is over; the first viewer has not read on
        deltas = [e for _, e in numbered_events(await read_rest(viewer)) if e.get("update", {}).get("delta")]
        assert len(deltas) <= 2


async def test_a_rename_during_a_stream_is_kept(open_chat: OpenChat) -> None:
    gate = asyncio.Event()
    async with open_chat([*says("A"), gate, *says("B")]) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b'"A"'))
        await chat.request("threads.update", thread_id=chat.thread_id, title="Mine")
        gate.set()
        await read_rest(viewer)
        assert (await chat.request("threads.get_by_id", thread_id=chat.thread_id))["title"] == "Mine"


async def test_deleting_a_thread_stops_its_answer(open_chat: OpenChat) -> None:
    never = asyncio.Event()
    async with open_chat([*says("A"), never]) as chat:
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b'"A"'))
        await chat.request("threads.delete", thread_id=chat.thread_id)
        assert chat.server.services.runs.active == 0
        await read_rest(viewer)
        assert (await chat.request("threads.list"))["data"] == []


class SlowStore(ParlorStore):
    """A database that takes its time for every call."""

    async def _pause(self) -> None:
        await asyncio.sleep(0.025)  # before and after: 50 ms per call


def _slow(name: str) -> Callable[..., Awaitable[Any]]:
    async def slowly(self: SlowStore, *args: Any, **kwargs: Any) -> Any:
        await self._pause()
        result = await getattr(super(SlowStore, self), name)(*args, **kwargs)
        await self._pause()
        return result

    return slowly


for _name in (
    "load_thread",
    "save_thread",
    "add_thread_item",
    "save_item",
    "load_history",
    "reserve_position",
    "create_thread",
    "has_item",
    "update_item_if",
    "save_run",
):
    setattr(SlowStore, _name, _slow(_name))


@pytest.mark.parametrize("killed_after", range(1, 17))
async def test_killed_at_any_event_nothing_acknowledged_is_lost(tmp_path: Path, killed_after: int) -> None:
    turns = [calls("show"), says("It was ", "shown.", message_id="m2")]
    async with open_services(tmp_path, ScriptedModel(turns=turns)) as services:
        slow = Services(
            **{f: getattr(services, f) for f in Services.__slots__} | {"store": SlowStore(services.database)}
        )
        chat = Chat(TestServer(slow))
        viewer = await start(chat, resumable=False)
        seen: list[dict[str, Any]] = []
        async for chunk in viewer:
            seen += events_of(chunk)
            if len(seen) >= killed_after:
                break
        await viewer.aclose()
        chat.thread_id = seen[0]["thread"]["id"]
        stored = {item["id"]: item for item in await chat.items()}
        acknowledged = [e["item"] for e in seen if e["type"] == "thread.item.done"]
        for item in acknowledged:
            assert stored[item["id"]] == item
        assert len(stored) == len(await chat.items()), "no item is repeated"
        said = streamed_text(seen)
        kept = "".join(i["content"][0]["text"] for i in stored.values() if i["type"] == "assistant_message")
        assert kept.startswith(said)
        whole_turn = ["user_message", "workflow", "widget", "assistant_message", "widget"]
        # Beside what was shown stands that the answer was cut, where it was.
        kinds = [i["type"] for i in stored.values() if i["type"] != "task"]
        assert kinds == whole_turn[: len(kinds)], "in the order of their appearance"
        assert chat.server.chat_client.open_streams == 0  # type: ignore[attr-defined]
        assert services.runs.active == 0


async def test_a_viewer_who_missed_finished_items_is_told_to_read_the_thread(open_chat: OpenChat) -> None:
    async with open_chat(says("x" * 30_000), run_log_max_bytes=16_384) as chat:
        viewer = await start(chat)
        stream = await read_until(viewer, b"thread.created")
        adopt_thread(chat, stream)
        events = [e for _, e in numbered_events(stream + await read_rest(viewer))]
        late = [e for _, e in numbered_events(await read_rest(await attach_viewer(chat)))]
        assert late[0] == {"type": "run.gap"}
        assert "run.gap" not in [e["type"] for e in events] or texts(events) == []
