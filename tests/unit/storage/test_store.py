"""The store's contract, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest
from chatkit.types import (
    ActiveStatus,
    AssistantMessageItem,
    Attachment,
    AttachmentUploadDescriptor,
    ClientToolCallItem,
    FileAttachment,
    InferenceOptions,
    LockedStatus,
    Page,
    SDKHiddenContextItem,
    Thread,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot
from sqlalchemy import Engine, event, func, select, text, update
from sqlalchemy.exc import IntegrityError

from database import Database
from errors import BadRequestError, NotFoundError, UnavailableError
from storage.rows import FeedbackRow, ItemRow, RequestKeyRow, RunRow, ThreadRow
from store import (
    MAX_PAGE_ITEMS,
    MAX_REQUEST_KEYS,
    REQUEST_KEY_LIFE,
    ParlorStore,
)
from tests.unit.sample_items import TICK, assistant_message, hidden_item, user_message, widget
from turns.request_context import RequestContext
from turns.run_record import RunRecord

ADA = RequestContext(user_id="ada", use_case="weather", request_id="req_1")
OTHERS = {
    "another user": RequestContext(user_id="bob", use_case="weather", request_id="req_2"),
    "another use case": RequestContext(user_id="ada", use_case="todo", request_id="req_3"),
    "their halves swapped": RequestContext(user_id="weather", use_case="ada", request_id="req_4"),
}


@pytest.fixture
def store(any_database: Database) -> ParlorStore:
    return ParlorStore(any_database)


@pytest.fixture
async def thread(store: ParlorStore) -> ThreadMetadata:
    return await _new_thread(store)


async def _new_thread(store: ParlorStore, context: RequestContext = ADA, **fields: Any) -> ThreadMetadata:
    thread = ThreadMetadata(id=store.generate_thread_id(context), created_at=TICK, **fields)
    await store.save_thread(thread, context=context)
    return thread


def _file(attachment_id: str = "atc_1", **fields: Any) -> FileAttachment:
    return FileAttachment(id=attachment_id, name="a.txt", mime_type="text/plain", **fields)


async def _fill(store: ParlorStore, thread: ThreadMetadata, *items: ThreadItem) -> None:
    for item in items:
        await store.add_thread_item(thread.id, item, context=ADA)


def _ids(page: Page[Any]) -> list[str]:
    return [each.id for each in page.data]


async def _all_ids(load: Callable[[str | None], Awaitable[Page[Any]]]) -> list[str]:
    ids: list[str] = []
    page = await load(None)
    while True:
        ids += _ids(page)
        if not page.has_more:
            assert page.after is None
            return ids
        assert page.data
        page = await load(page.after)


# Owners

Call = Callable[[ParlorStore, str, RequestContext], Awaitable[Any]]

CALLS_ON_A_THREAD: dict[str, Call] = {
    "load_thread": lambda s, t, c: s.load_thread(t, context=c),
    "rename_thread": lambda s, t, c: s.rename_thread(t, "stolen", c),
    "load_threads": lambda s, t, c: s.load_threads(20, t, "desc", context=c),
    "threads_json": lambda s, t, c: s.threads_json(20, t, "desc", c),
    "delete_thread": lambda s, t, c: s.delete_thread(t, context=c),
    "load_thread_items": lambda s, t, c: s.load_thread_items(t, None, 20, "asc", context=c),
    "items_json": lambda s, t, c: s.items_json(t, None, 20, "asc", c),
    "load_history": lambda s, t, c: s.load_history(t, 20, c),
    "load_widgets": lambda s, t, c: s.load_widgets(t, "todo.list", 20, c),
    "load_item": lambda s, t, c: s.load_item(t, "msg_1", context=c),
    "reserve_position": lambda s, t, c: s.reserve_position(t, "msg_9", c),
    "add_message": lambda s, t, c: s.add_message(t, user_message("msg_9"), c),
    "add_thread_item": lambda s, t, c: s.add_thread_item(t, assistant_message("msg_1", "stolen"), context=c),
    "add_half_answer": lambda s, t, c: s.add_half_answer(
        t, assistant_message("msg_1", "stolen"), assistant_message("msg_9"), c
    ),
    "save_item": lambda s, t, c: s.save_item(t, assistant_message("msg_1", "stolen"), context=c),
    "delete_thread_item": lambda s, t, c: s.delete_thread_item(t, "msg_1", context=c),
    "swap_item": lambda s, t, c: s.swap_item(t, assistant_message("msg_1"), assistant_message("msg_1", "stolen"), c),
    "delete_items_after": lambda s, t, c: s.delete_items_after(t, "msg_1", c),
    "thread_json": lambda s, t, c: s.thread_json(t, c),
    "update_item_if": lambda s, t, c: s.update_item_if(t, "pending", assistant_message("msg_1", "stolen"), c),
    "save_feedback": lambda s, t, c: s.save_feedback(t, ["msg_1"], "negative", c),
    "load_runs": lambda s, t, c: s.load_runs(t, 20, c),
    "claim_action": lambda s, t, c: s.claim_action(t, "key", c),
    "claim_request_key": lambda s, t, c: s.claim_request_key(t, "key", c),
    "load_attachment": lambda s, t, c: s.load_attachment("atc_1", context=c),
    "delete_attachment": lambda s, t, c: s.delete_attachment("atc_1", context=c),
}
CALLS_THAT_WRITE_BY_ID = {"create_thread", "save_thread", "save_attachment"}
CALLS_THAT_FIND_NOTHING = {"has_item", "save_run", "release_request_key", "release_action"}
"""Methods that a stranger calls in vain, without an error; each has a test of its own below."""
CALLS_WITHOUT_AN_ID = {"generate_thread_id", "generate_item_id"}
CALLS_WITH_A_CONDITION = {"retitle_thread"}


def test_every_method_of_the_store_is_tried_by_strangers() -> None:
    methods = {name for name, member in vars(ParlorStore).items() if callable(member) and not name.startswith("_")}
    tried = CALLS_ON_A_THREAD.keys() | CALLS_THAT_WRITE_BY_ID | CALLS_THAT_FIND_NOTHING | CALLS_WITHOUT_AN_ID
    tried |= CALLS_WITH_A_CONDITION
    assert methods == tried


@pytest.mark.parametrize("first_title", [None, "Rain"])
async def test_a_title_takes_the_place_of_the_one_that_was_known_and_of_no_other(
    store: ParlorStore, thread: ThreadMetadata, first_title: str | None
) -> None:
    thread.title = first_title
    thread.metadata = {"note": 1}
    await store.save_thread(thread, ADA)
    thread.metadata = {"note": 2}
    assert await store.retitle_thread(thread, "Rain in Bern", ADA)
    assert thread.title == "Rain in Bern"
    renamed = await store.rename_thread(thread.id, "Mine", ADA)
    await store.save_thread(thread, ADA)
    assert (thread.title, thread.metadata) == ("Mine", {"note": 2}), "a rename meanwhile is not undone"
    stale = renamed.model_copy(update={"title": "Rain in Bern"})
    assert not await store.retitle_thread(stale, "Theirs", ADA)
    for stranger in OTHERS.values():
        assert not await store.retitle_thread(renamed, "Stolen", stranger)
    assert (await store.load_thread(thread.id, ADA)).title == "Mine"


@pytest.mark.parametrize("method", CALLS_ON_A_THREAD)
async def test_another_persons_data_reads_as_missing_and_stays_unchanged(
    store: ParlorStore, thread: ThreadMetadata, method: str
) -> None:
    await _fill(store, thread, assistant_message("msg_1"), widget("msg_2"))
    await store.save_attachment(_file(), context=ADA)
    before = await store.load_thread(thread.id, ADA), await store.load_thread_items(thread.id, None, 9, "asc", ADA)

    refusals = set()
    for stranger in OTHERS.values():
        with pytest.raises(NotFoundError) as foreign:
            await CALLS_ON_A_THREAD[method](store, thread.id, stranger)
        refusals.add(str(foreign.value))

    after = await store.load_thread(thread.id, ADA), await store.load_thread_items(thread.id, None, 9, "asc", ADA)
    assert after == before
    assert (await store.load_attachment("atc_1", ADA)).name == "a.txt"
    await store.delete_attachment("atc_1", ADA)
    await store.delete_thread(thread.id, ADA)
    with pytest.raises(NotFoundError) as missing:
        await CALLS_ON_A_THREAD[method](store, thread.id, ADA)
    assert refusals == {str(missing.value)}


@pytest.mark.parametrize("stranger", OTHERS)
async def test_a_stranger_who_writes_under_the_same_ids_gets_separate_items(
    store: ParlorStore, thread: ThreadMetadata, stranger: str
) -> None:
    other = OTHERS[stranger]
    await _fill(store, thread, assistant_message("msg_1", "mine"))
    await store.save_attachment(_file(), context=ADA)

    await store.save_thread(ThreadMetadata(id=thread.id, created_at=TICK, title="theirs"), context=other)
    await store.add_thread_item(thread.id, assistant_message("msg_1", "theirs"), context=other)
    # A file's id is ours alone to give.
    with pytest.raises(NotFoundError):
        await store.save_attachment(_file(thread_id="thr_theirs"), context=other)

    assert (await store.load_thread(thread.id, ADA)).title is None
    assert _ids(await store.load_threads(20, None, "desc", ADA)) == [thread.id]
    item = await store.load_item(thread.id, "msg_1", ADA)
    assert isinstance(item, AssistantMessageItem)
    assert item.content[0].text == "mine"
    assert (await store.load_attachment("atc_1", ADA)).thread_id is None


@pytest.mark.parametrize("method", CALLS_ON_A_THREAD)
async def test_an_id_that_cannot_be_is_merely_missing(store: ParlorStore, method: str) -> None:
    for odd_id in ("", "thr_' OR 1=1 --", "nul\x00", "half \ud83d pair", "x" * 5_000):
        with pytest.raises(NotFoundError):
            await CALLS_ON_A_THREAD[method](store, odd_id, RequestContext("ada", "weather", "req_1"))


async def test_an_item_of_another_thread_of_mine_is_not_in_this_one(store: ParlorStore, thread: ThreadMetadata) -> None:
    other = await _new_thread(store)
    await _fill(store, other, assistant_message("msg_1"))
    for call in ("load_item", "delete_items_after"):
        with pytest.raises(NotFoundError):
            await CALLS_ON_A_THREAD[call](store, thread.id, ADA)
    await store.delete_thread_item(thread.id, "msg_1", ADA)
    assert (await store.load_item(other.id, "msg_1", ADA)).thread_id == other.id


# Pages


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_lose_no_item_when_clocks_tie(
    store: ParlorStore, thread: ThreadMetadata, order: str, limit: int
) -> None:
    expected = [f"msg_{n:02}" for n in (5, 3, 9, 1, 7, 2, 8)]
    await _fill(store, thread, *(assistant_message(each) for each in expected))
    ids = await _all_ids(lambda after: store.load_thread_items(thread.id, after, limit, order, context=ADA))
    assert ids == (expected if order == "asc" else expected[::-1])


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_threads_are_listed_by_creation_when_clocks_tie(store: ParlorStore, order: str) -> None:
    created = [(await _new_thread(store)).id for _ in range(5)]
    await store.add_thread_item(created[0], assistant_message("msg_1"), context=ADA)  # activity moves nothing
    ids = await _all_ids(lambda after: store.load_threads(2, after, order, context=ADA))
    assert ids == (created if order == "asc" else created[::-1])


async def test_a_list_of_threads_that_grows_while_it_is_read_repeats_none(store: ParlorStore) -> None:
    created = [(await _new_thread(store)).id for _ in range(4)]
    first = await store.load_threads(2, None, "desc", ADA)
    await _new_thread(store)
    rest = await store.load_threads(2, first.after, "desc", ADA)
    assert _ids(first) + _ids(rest) == created[::-1]


@pytest.mark.parametrize(("limit", "size"), [(None, 20), (0, 20), (-5, 20), (1, 1), (100, 100), (10**9, 100)])
async def test_a_page_is_never_larger_than_the_bound(
    store: ParlorStore, thread: ThreadMetadata, limit: Any, size: int
) -> None:
    await _fill(store, thread, *(assistant_message(f"msg_{n}") for n in range(MAX_PAGE_ITEMS + 1)))
    page = await store.load_thread_items(thread.id, None, limit, "desc", ADA)
    assert (len(page.data), page.has_more) == (size, True)


async def test_an_unknown_cursor_is_an_error_and_not_the_first_page(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"))
    with pytest.raises(NotFoundError):
        await store.load_thread_items(thread.id, "msg_gone", 20, "asc", ADA)
    with pytest.raises(NotFoundError):
        await store.load_threads(20, "thr_gone", "asc", ADA)


async def test_hidden_items_fill_no_page_of_the_browser_and_no_page_is_short(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    items: list[ThreadItem] = []
    for n in range(5):
        items += [assistant_message(f"msg_{n}"), *(hidden_item(f"hid_{n}_{m}") for m in range(7))]
    marker = SDKHiddenContextItem(id="shcx_1", thread_id="ignored", created_at=TICK, content="cancelled")
    await _fill(store, thread, *items, marker)

    pages = []
    after = None
    while True:
        page = json.loads(await store.items_json(thread.id, after, 2, "asc", ADA))
        pages.append([item["id"] for item in page["data"]])
        after = page.get("after")
        assert page["has_more"] == (after is not None)
        if after is None:
            break
    assert pages == [["msg_0", "msg_1"], ["msg_2", "msg_3"], ["msg_4"]]
    assert _ids(await store.load_thread_items(thread.id, None, 1, "desc", ADA)) == ["shcx_1"]
    assert len(await store.load_history(thread.id, 1_000, ADA)) == 41


async def test_the_history_is_the_newest_items_newest_first(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"), hidden_item("hid_1"), assistant_message("msg_2"))
    assert [item.id for item in await store.load_history(thread.id, 2, ADA)] == ["msg_2", "hid_1"]


# Items


async def test_an_item_that_is_saved_again_keeps_its_place(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"), assistant_message("msg_2"), assistant_message("msg_3"))
    await store.add_thread_item(thread.id, assistant_message("msg_1", "again"), context=ADA)
    await store.save_item(thread.id, assistant_message("msg_2", "better"), context=ADA)
    page = await store.load_thread_items(thread.id, None, 20, "asc", ADA)
    words = [item.content[0].text for item in page.data if isinstance(item, AssistantMessageItem)]
    assert (_ids(page), words) == (["msg_1", "msg_2", "msg_3"], ["again", "better", "hello"])


async def test_an_item_saved_as_hidden_disappears_from_the_browser(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"))
    await store.save_item(thread.id, hidden_item("msg_1"), context=ADA)
    assert json.loads(await store.items_json(thread.id, None, 20, "asc", ADA)) == {"data": [], "has_more": False}


async def test_an_item_takes_the_place_where_it_was_first_shown(store: ParlorStore, thread: ThreadMetadata) -> None:
    context = RequestContext("ada", "weather", "req_1")
    await store.reserve_position(thread.id, "msg_long", context)
    await store.reserve_position(thread.id, "msg_long", context)  # once is enough
    await store.add_thread_item(thread.id, assistant_message("msg_short"), context=context)
    await store.add_thread_item(thread.id, assistant_message("msg_long"), context=context)
    await store.add_thread_item(thread.id, assistant_message("msg_long", "again"), context=context)
    assert _ids(await store.load_thread_items(thread.id, None, 20, "asc", ADA)) == ["msg_long", "msg_short"]


async def test_items_added_at_once_are_all_kept(store: ParlorStore, thread: ThreadMetadata) -> None:
    ids = {f"msg_{n}" for n in range(40)}
    async with asyncio.TaskGroup() as tasks:
        for each in ids:
            tasks.create_task(store.add_thread_item(thread.id, assistant_message(each), context=ADA))
    loaded = await _all_ids(lambda after: store.load_thread_items(thread.id, after, 7, "asc", context=ADA))
    assert (len(loaded), set(loaded)) == (40, ids)


async def test_deleting_an_item_twice_is_no_error(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"), assistant_message("msg_2"))
    for _ in range(2):
        await store.delete_thread_item(thread.id, "msg_1", context=ADA)
    assert _ids(await store.load_thread_items(thread.id, None, 20, "asc", ADA)) == ["msg_2"]


async def test_a_retry_deletes_all_behind_the_message_and_nothing_else(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    await _fill(
        store,
        thread,
        assistant_message("msg_0"),
        user_message("msg_1"),
        *(hidden_item(f"hid_{n}") for n in range(30)),
        assistant_message("m"),
    )
    await store.delete_items_after(thread.id, "msg_1", ADA)
    await store.add_thread_item(thread.id, assistant_message("msg_new"), context=ADA)
    assert _ids(await store.load_thread_items(thread.id, None, 20, "asc", ADA)) == ["msg_0", "msg_1", "msg_new"]


async def test_naive_local_times_come_back_aware_and_in_utc(store: ParlorStore) -> None:
    local = datetime(2025, 6, 1, 12, 30)  # noqa: DTZ001 - as ChatKit makes them
    thread = ThreadMetadata(id="thr_1", created_at=local)
    await store.save_thread(thread, context=ADA)
    await store.add_thread_item(
        "thr_1", assistant_message("msg_1").model_copy(update={"created_at": local}), context=ADA
    )
    for loaded in (await store.load_thread("thr_1", ADA), await store.load_item("thr_1", "msg_1", ADA)):
        assert loaded.created_at == local.astimezone(UTC)
        assert loaded.created_at.utcoffset() == timedelta(0)


async def test_every_kind_of_item_is_loaded_as_it_was_stored(store: ParlorStore, thread: ThreadMetadata) -> None:
    items: list[ThreadItem] = [
        assistant_message("a", "äöü 😀 \\u0000"),
        user_message("b"),
        hidden_item("c"),
        widget("d"),
    ]
    await _fill(store, thread, *items)
    page = await store.load_thread_items(thread.id, None, 20, "asc", ADA)
    expected = [item.model_copy(update={"thread_id": thread.id}) for item in items]
    assert [item.model_dump() for item in page.data] == [item.model_dump() for item in expected]


async def test_an_item_of_an_unknown_type_is_left_out_and_paging_continues(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata, caplog: pytest.LogCaptureFixture
) -> None:
    await _fill(
        store, thread, assistant_message("msg_1", "secret"), assistant_message("msg_2"), assistant_message("msg_3")
    )
    async with any_database.write() as session:
        await session.execute(
            update(ItemRow).where(ItemRow.id == "msg_1").values(type="hologram", document={"type": "hologram"})
        )
    with caplog.at_level(logging.WARNING):
        ids = await _all_ids(lambda after: store.load_thread_items(thread.id, after, 2, "asc", context=ADA))
    assert ids == ["msg_2", "msg_3"]
    assert [record.__dict__["item_id"] for record in caplog.records] == ["msg_1"]
    with pytest.raises(NotFoundError):
        await store.load_item(thread.id, "msg_1", ADA)


# Feedback


async def _load_feedback(store: ParlorStore, thread: ThreadMetadata, after: str | None = None) -> Any:
    return json.loads(await store.items_json(thread.id, after, 9, "asc", ADA)).get("feedback")


async def _fill_with_three_answers(store: ParlorStore, thread: ThreadMetadata) -> None:
    answers = [assistant_message(f"msg_{n}") for n in (2, 3, 4)]
    await _fill(store, thread, user_message("msg_1"), *answers)


async def test_feedback_is_loaded_with_the_page_of_its_item(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill_with_three_answers(store, thread)
    await store.save_feedback(thread.id, ["msg_2", "msg_4", "msg_2"], "positive", ADA)
    await store.save_feedback(thread.id, ["msg_4"], "negative", ADA)
    first = json.loads(await store.items_json(thread.id, None, 3, "asc", ADA))
    assert ([item["id"] for item in first["data"]], first["feedback"]) == (
        ["msg_1", "msg_2", "msg_3"],
        {"msg_2": "positive"},
    )
    assert await _load_feedback(store, thread, first["after"]) == {"msg_4": "negative"}
    whole = json.loads(await store.thread_json(thread.id, ADA))
    assert whole["feedback"] == {"msg_2": "positive", "msg_4": "negative"}
    assert "feedback" not in whole["items"]


async def test_feedback_with_an_item_of_another_thread_is_refused_entirely(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    other = await _new_thread(store)
    await _fill(store, thread, assistant_message("msg_1"))
    await _fill(store, other, assistant_message("msg_2"))
    for missing in ("msg_2", "msg_9", "nul\x00"):
        with pytest.raises(NotFoundError):
            await store.save_feedback(thread.id, ["msg_1", missing], "positive", ADA)
    assert await _load_feedback(store, thread) is None


async def test_feedback_goes_with_its_item_and_stays_when_the_item_is_written_again(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata
) -> None:
    await _fill_with_three_answers(store, thread)
    await store.save_feedback(thread.id, ["msg_1", "msg_2", "msg_3", "msg_4"], "positive", ADA)
    await store.save_item(thread.id, assistant_message("msg_2", "better"), context=ADA)
    await store.delete_items_after(thread.id, "msg_3", ADA)
    await store.delete_thread_item(thread.id, "msg_1", ADA)
    assert await _load_feedback(store, thread) == {"msg_2": "positive", "msg_3": "positive"}
    await store.delete_thread(thread.id, ADA)
    async with any_database.read() as session:
        assert await session.scalar(select(func.count()).select_from(FeedbackRow)) == 0


# Ended answers


def _build_run(number: int, **details: Any) -> RunRecord:
    return RunRecord(f"run_{number}", TICK, TICK + timedelta(seconds=number), "done", **details)


async def test_ended_answers_come_back_newest_first(store: ParlorStore, thread: ThreadMetadata) -> None:
    stopped = RunRecord("run_1", TICK, TICK, "stopped", stop_reason="user")
    failed = RunRecord("run_1", TICK, TICK, "failed", error_id="err_1", usage={"input_token_count": 3})
    for run in (stopped, failed, _build_run(3)):
        await store.save_run(thread.id, run, ADA)
    assert await store.load_runs(thread.id, 20, ADA) == [_build_run(3), failed, stopped]
    assert await store.load_runs(thread.id, 1, ADA) == [_build_run(3)]


async def test_an_answer_whose_thread_is_a_strangers_or_gone_is_noted_nowhere(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata
) -> None:
    for stranger in OTHERS.values():
        await store.save_run(thread.id, _build_run(1), stranger)
    assert await store.load_runs(thread.id, 20, ADA) == []
    await store.save_run(thread.id, _build_run(2), ADA)
    await store.delete_thread(thread.id, ADA)
    await store.save_run(thread.id, _build_run(3), ADA)
    async with any_database.read() as session:
        assert await session.scalar(select(func.count()).select_from(RunRow)) == 0


# What counts once


def _build_call(status: Literal["pending", "completed"], output: Any = None) -> ClientToolCallItem:
    return ClientToolCallItem(
        id="tc_1", thread_id="ignored", created_at=TICK, call_id="call_1", name="look", arguments={}, status=status,
        output=output,
    )  # fmt: skip


async def test_of_many_who_finish_an_item_one_succeeds(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, _build_call("pending"), assistant_message("msg_2"))
    done = await asyncio.gather(
        *(store.update_item_if(thread.id, "pending", _build_call("completed", n), ADA) for n in range(10))
    )
    assert done.count(True) == 1
    page = await store.load_thread_items(thread.id, None, 9, "asc", ADA)
    assert _ids(page) == ["tc_1", "msg_2"]
    assert isinstance(page.data[0], ClientToolCallItem)
    assert page.data[0].output == done.index(True)


async def test_of_many_who_swap_an_item_one_succeeds(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"), assistant_message("msg_2"))
    before = await store.load_item(thread.id, "msg_1", context=ADA)
    done = await asyncio.gather(
        *(store.swap_item(thread.id, before, assistant_message("msg_1", str(n)), ADA) for n in range(10)),
        store.swap_item(thread.id, assistant_message("msg_9"), assistant_message("msg_9", "missing"), ADA),
    )
    assert done.count(True) == 1
    page = await store.load_thread_items(thread.id, None, 9, "asc", ADA)
    assert page.data[0].model_dump()["content"][0]["text"] == str(done.index(True))
    assert _ids(page) == ["msg_1", "msg_2"]


@pytest.mark.parametrize("kind", ["request_key", "action"])
async def test_a_claim_is_given_to_one_of_many_and_again_after_a_failure(
    store: ParlorStore, thread: ThreadMetadata, kind: str
) -> None:
    claim, release = getattr(store, f"claim_{kind}"), getattr(store, f"release_{kind}")
    claims = await asyncio.gather(*(claim(thread.id, "key", ADA) for _ in range(10)))
    assert claims.count(True) == 1
    await release(thread.id, "key", OTHERS["another user"])
    assert not await claim(thread.id, "key", ADA), "a stranger releases nothing"
    await release(thread.id, "key", ADA)
    assert await claim(thread.id, "key", ADA)
    assert await claim((await _new_thread(store)).id, "key", ADA), "claims are a thread's own"


async def test_keys_are_forgotten_after_a_day_and_beyond_the_bound(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata
) -> None:
    now = datetime.now(UTC)
    async with any_database.write() as session:
        key = await session.scalar(select(ThreadRow.key))
        await session.execute(
            any_database.insert(RequestKeyRow),
            [
                {"thread_key": key, "key": f"key_{n}", "created_at": now - timedelta(hours=23, seconds=n)}
                for n in range(MAX_REQUEST_KEYS)
            ]
            + [{"thread_key": key, "key": "old", "created_at": now - REQUEST_KEY_LIFE}],
        )
    assert await store.claim_request_key(thread.id, "old", ADA)
    async with any_database.read() as session:
        assert await session.scalar(select(func.count()).select_from(RequestKeyRow)) == MAX_REQUEST_KEYS
    assert not await store.claim_request_key(thread.id, "key_0", ADA), "the newest are the last to go"
    assert await store.claim_request_key(thread.id, f"key_{MAX_REQUEST_KEYS - 1}", ADA)


async def test_an_item_is_there_for_its_owner_only(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, assistant_message("msg_1"))
    assert await store.has_item(thread.id, "msg_1", ADA)
    assert not await store.has_item(thread.id, "msg_2", ADA)
    for stranger in OTHERS.values():
        assert not await store.has_item(thread.id, "msg_1", stranger)


# Widgets

RICH_WIDGET = {
    "type": "Card",
    "id": "todo.list",
    "border": {"size": 2, "color": "#abc"},
    "futureProp": [1, {"deep": True}],
    "children": [
        {"type": "Hologram", "spin": 3, "children": [{"type": "Text", "value": "hi", "sparkle": "yes"}]},
        {"type": "Button", "onClickAction": {"type": "todo.add", "payload": {"n": 0}, "streaming": False}},
    ],
}


async def test_a_widget_keeps_every_property_through_save_and_load(store: ParlorStore, thread: ThreadMetadata) -> None:
    await _fill(store, thread, widget("msg_1", RICH_WIDGET))
    for _ in range(2):
        item = await store.load_item(thread.id, "msg_1", ADA)
        assert isinstance(item, WidgetItem)
        assert isinstance(item.widget, DynamicWidgetRoot)
        assert item.widget.model_dump(exclude_none=True) == RICH_WIDGET
        await store.save_item(thread.id, item, context=ADA)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_widget_of_a_typed_class_loads_as_one_that_loses_nothing(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    from chatkit.widgets import Card, Text

    typed = Card(id="todo.list", children=[Text(value="hi")])
    await _fill(store, thread, WidgetItem(id="msg_1", thread_id=thread.id, created_at=TICK, widget=typed))
    item = await store.load_item(thread.id, "msg_1", ADA)
    assert isinstance(item, WidgetItem)
    assert isinstance(item.widget, DynamicWidgetRoot)
    assert item.widget.model_dump(exclude_none=True) == typed.model_dump(exclude_none=True)


async def test_widgets_are_found_by_their_root_newest_first(store: ParlorStore, thread: ThreadMetadata) -> None:
    other = widget("msg_2", {"type": "Card", "id": "weather.now", "children": []})
    nameless = widget("msg_3", {"type": "Card", "children": []})
    await _fill(store, thread, widget("msg_1"), other, nameless, widget("msg_4"), assistant_message("msg_5"))
    assert [item.id for item in await store.load_widgets(thread.id, "todo.list", 20, ADA)] == ["msg_4", "msg_1"]
    assert [item.id for item in await store.load_widgets(thread.id, "todo.list", 1, ADA)] == ["msg_4"]


# Threads


async def test_all_fields_of_a_thread_come_back(store: ParlorStore) -> None:
    thread = await _new_thread(
        store,
        title="Bern",
        status=LockedStatus(reason="over"),
        allowed_image_domains=["a.example"],
        metadata={"k": [1, None]},
    )
    assert await store.load_thread(thread.id, ADA) == thread


async def test_a_loaded_thread_is_a_fresh_object_each_time(store: ParlorStore) -> None:
    thread = await _new_thread(store, metadata={"k": {"deep": 1}})
    first = await store.load_thread(thread.id, ADA)
    first.metadata["k"]["deep"] = 2
    assert (await store.load_thread(thread.id, ADA)).metadata == {"k": {"deep": 1}}


async def test_the_first_turn_may_save_a_thread_with_items(store: ParlorStore) -> None:
    thread = Thread(id="thr_1", created_at=TICK, items=Page(data=[assistant_message("msg_1")]))
    await store.save_thread(ThreadMetadata(**thread.model_dump(exclude={"items"})), context=ADA)
    thread.title = "Bern"
    await store.save_thread(thread, context=ADA)
    loaded = await store.load_thread("thr_1", ADA)
    assert (type(loaded), loaded.title) == (ThreadMetadata, "Bern")
    assert _ids(await store.load_thread_items("thr_1", None, 20, "asc", ADA)) == []


async def test_a_rename_during_an_answer_survives_the_answer(store: ParlorStore, thread: ThreadMetadata) -> None:
    answering = await store.load_thread(thread.id, ADA)
    await store.rename_thread(thread.id, "  My title ", ADA)
    answering.metadata["tokens"] = 12
    answering.status = LockedStatus()
    await store.save_thread(answering, context=ADA)
    loaded = await store.load_thread(thread.id, ADA)
    assert (loaded.title, loaded.status, loaded.metadata) == ("My title", LockedStatus(), {"tokens": 12})
    assert answering.title == "My title"  # or the stream would tell the browser the old one


async def test_a_rename_in_the_very_first_answer_survives_too(store: ParlorStore) -> None:
    thread = Thread(id="thr_1", created_at=TICK, items=Page())
    await store.save_thread(ThreadMetadata(id=thread.id, created_at=TICK), context=ADA)
    await store.rename_thread(thread.id, "Mine", ADA)
    thread.metadata["tokens"] = 12
    await store.save_thread(thread, context=ADA)
    loaded = await store.load_thread(thread.id, ADA)
    assert (loaded.title, loaded.metadata) == ("Mine", {"tokens": 12})


async def test_an_answer_saves_its_title_once_and_not_over_a_later_rename(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    answering = await store.load_thread(thread.id, ADA)
    answering.title = "Proposed"
    await store.save_thread(answering, context=ADA)
    assert (await store.load_thread(thread.id, ADA)).title == "Proposed"
    await store.rename_thread(thread.id, "Mine", ADA)
    answering.metadata["tokens"] = 12
    await store.save_thread(answering, context=ADA)
    assert (await store.load_thread(thread.id, ADA)).title == "Mine"


async def test_two_requests_that_note_different_things_keep_both(store: ParlorStore) -> None:
    thread = await _new_thread(store, metadata={"old": 1, "gone": 1})
    first, second = await store.load_thread(thread.id, ADA), await store.load_thread(thread.id, ADA)
    first.metadata["a"] = 1
    second.metadata["b"] = 2
    del second.metadata["gone"]
    await store.save_thread(first, context=ADA)
    await store.save_thread(second, context=ADA)
    assert (await store.load_thread(thread.id, ADA)).metadata == {"old": 1, "a": 1, "b": 2}


async def test_a_field_can_be_set_back_to_its_default(store: ParlorStore) -> None:
    thread = await _new_thread(store, title="Bern", status=LockedStatus(), allowed_image_domains=["a.example"])
    loaded = await store.load_thread(thread.id, ADA)
    loaded.title, loaded.status, loaded.allowed_image_domains = None, ActiveStatus(), None
    await store.save_thread(loaded, context=ADA)
    assert await store.load_thread(thread.id, ADA) == ThreadMetadata(id=thread.id, created_at=TICK)


@pytest.mark.parametrize("is_deep", [False, True])
async def test_of_a_copy_of_a_thread_that_is_written_which_was_changed_in_it(store: ParlorStore, is_deep: bool) -> None:
    thread = await _new_thread(
        store, title="Bern", status=LockedStatus(), allowed_image_domains=["a.example"], metadata={"old": 1, "gone": 1}
    )
    loaded = await store.load_thread(thread.id, ADA)
    for _ in range(2):  # and of a copy of a copy
        loaded = loaded.model_copy(update={"metadata": {**loaded.metadata}}, deep=is_deep)
    await store.rename_thread(thread.id, "Mine", ADA)
    other = await store.load_thread(thread.id, ADA)
    other.metadata["other"] = 1
    await store.save_thread(other, ADA)

    loaded.status, loaded.allowed_image_domains = ActiveStatus(), None
    loaded.metadata["own"] = 1
    del loaded.metadata["gone"]
    await store.save_thread(loaded, ADA)

    stored = await store.load_thread(thread.id, ADA)
    assert (stored.title, stored.status, stored.allowed_image_domains) == ("Mine", ActiveStatus(), None)
    assert stored.metadata == {"old": 1, "other": 1, "own": 1}
    assert loaded.title == "Mine"


async def test_a_copy_and_its_original_are_saved_independently(store: ParlorStore, thread: ThreadMetadata) -> None:
    copy = thread.model_copy(deep=True)
    thread.title, copy.metadata["note"] = "Bern", 1
    await store.save_thread(thread, ADA)
    await store.save_thread(copy, ADA)
    assert copy.title == "Bern"
    copy.title = None
    await store.save_thread(copy, ADA)
    await store.save_thread(thread, ADA)
    loaded = await store.load_thread(thread.id, ADA)
    assert (loaded.title, loaded.metadata) == (None, {"note": 1})


async def test_a_copy_of_a_thread_that_was_deleted_does_not_bring_it_back(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    copy = thread.model_copy(update={"title": "Back"})
    await store.delete_thread(thread.id, ADA)
    with pytest.raises(NotFoundError):
        await store.save_thread(copy, ADA)


async def test_the_store_leaves_no_trace_in_the_fields_of_a_thread(store: ParlorStore, thread: ThreadMetadata) -> None:
    loaded = await store.load_thread(thread.id, ADA)
    built = ThreadMetadata(id=thread.id, created_at=TICK)
    assert loaded == built
    assert (loaded.model_dump_json(), repr(loaded)) == (built.model_dump_json(), repr(built))
    known = loaded.model_copy(deep=True)
    loaded.title = "Bern"
    await store.save_thread(loaded, ADA)
    assert loaded.__dict__ == {**known.__dict__, "title": "Bern"}, "or an answer would save it again"


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
async def test_a_title_has_bounds(store: ParlorStore, thread: ThreadMetadata, title: str) -> None:
    with pytest.raises(BadRequestError, match="1 to 200"):
        await store.rename_thread(thread.id, title, ADA)


async def test_a_title_is_stored_on_one_line(store: ParlorStore, thread: ThreadMetadata) -> None:
    assert (await store.rename_thread(thread.id, " Rain \n in\tBern ", ADA)).title == "Rain in Bern"


async def test_a_deleted_thread_takes_its_items_along(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata
) -> None:
    kept = await _new_thread(store)
    await _fill(store, thread, assistant_message("msg_1"), hidden_item("hid_1"))
    await _fill(store, kept, assistant_message("msg_1"))
    await store.delete_thread(thread.id, context=ADA)
    async with any_database.read() as session:
        assert await session.scalar(select(func.count()).select_from(ItemRow)) == 1
    assert _ids(await store.load_threads(20, None, "desc", ADA)) == [kept.id]


async def test_an_answer_cannot_bring_a_deleted_thread_back(store: ParlorStore, thread: ThreadMetadata) -> None:
    answering = await store.load_thread(thread.id, ADA)
    await store.delete_thread(thread.id, context=ADA)
    answering.title = "Back"
    with pytest.raises(NotFoundError):
        await store.save_thread(answering, context=ADA)
    with pytest.raises(NotFoundError):
        await store.add_thread_item(thread.id, assistant_message("msg_1"), context=ADA)


# Ids


@pytest.mark.parametrize(
    ("item_type", "prefix"),
    [
        ("message", "msg"),
        ("msg", "msg"),
        ("tool_call", "tc"),
        ("workflow", "wf"),
        ("task", "tsk"),
        ("sdk_hidden_context", "shcx"),
        ("hologram", "itm"),
    ],
)
async def test_ids_have_their_types_prefix_and_sort_as_made(
    store: ParlorStore, thread: ThreadMetadata, item_type: str, prefix: str
) -> None:
    ids = [store.generate_item_id(item_type, thread, ADA) for _ in range(100)]
    assert all(each.startswith(f"{prefix}_") and len(each) == len(prefix) + 33 for each in ids)
    assert all(earlier < later for earlier, later in pairwise(ids))


# Attachments


async def test_an_attachment_is_bound_to_its_thread_by_saving_it_again(store: ParlorStore) -> None:
    await store.save_attachment(_file(metadata={"pages": 3}), context=ADA)
    bound = (await store.load_attachment("atc_1", ADA)).model_copy(update={"thread_id": "thr_1"})
    await store.save_attachment(bound, context=ADA)
    assert await store.load_attachment("atc_1", ADA) == _file(metadata={"pages": 3}, thread_id="thr_1")


async def test_the_secret_upload_url_is_neither_stored_nor_loaded(store: ParlorStore, any_database: Database) -> None:
    descriptor = AttachmentUploadDescriptor.model_validate(
        {"url": "https://up.example/x", "method": "PUT", "headers": {"x-sig": "s3cret"}}
    )
    attachment: Attachment = _file(upload_descriptor=descriptor)
    await store.save_attachment(attachment, context=ADA)
    assert (await store.load_attachment("atc_1", ADA)).upload_descriptor is None
    assert attachment.upload_descriptor == descriptor  # the browser still gets it
    async with any_database.read() as session:
        stored = await session.scalar(text("SELECT CAST(document AS text) FROM files"))
    assert "s3cret" not in stored


# Failure and speed


async def test_a_database_that_is_down_reads_as_unavailable() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError):
        await ParlorStore(database).load_thread("thr_1", ADA)
    await database.close()


async def test_ten_thousand_threads_are_read_through_indexes(database: Database) -> None:
    store = ParlorStore(database)
    async with database.write() as session:
        await session.execute(
            database.insert(ThreadRow),
            [
                {
                    "owner_id": "ada", "use_case": "weather", "id": f"thr_{n}", "created_at": TICK, "updated_at": TICK,
                    "status": {"type": "active"}, "details": {}, "last_position": 0,
                }
                for n in range(10_000)
            ],
        )  # fmt: skip
    await store.add_thread_item("thr_5000", widget("msg_1"), context=ADA)

    statements: list[tuple[str, Any]] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    await store.load_thread("thr_5000", ADA)
    await store.load_threads(20, "thr_5000", "desc", ADA)
    await store.load_thread_items("thr_5000", "msg_1", 20, "desc", ADA)
    await store.items_json("thr_5000", "msg_1", 20, "desc", ADA)
    await store.threads_json(20, "thr_5000", "desc", ADA)
    await store.load_widgets("thr_5000", "todo.list", 20, ADA)
    await store.load_item("thr_5000", "msg_1", ADA)
    await store.thread_json("thr_5000", ADA)
    await store.load_runs("thr_5000", 20, ADA)
    event.remove(Engine, "before_cursor_execute", note)

    assert len(statements) == 18
    async with database.read() as session:
        connection = await session.connection()
        for statement, parameters in statements:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [tuple(row)[-1] for row in plan]
            assert not any("SCAN" in step or "TEMP B-TREE" in step for step in steps), (statement, steps)


async def test_a_thread_is_created_with_its_first_message_or_not_at_all(
    any_database: Database, context: RequestContext
) -> None:
    store = ParlorStore(any_database)
    thread = ThreadMetadata(id="thr_new", created_at=datetime.now(UTC))
    message = UserMessageItem(
        id="msg_first", thread_id="thr_new", created_at=datetime.now(UTC), content=[], attachments=[],
        inference_options=InferenceOptions(),
    )  # fmt: skip
    await store.create_thread(thread, message, context)
    await store.add_thread_item("thr_new", assistant_message("msg_second"), context=context)
    page = await store.load_thread_items("thr_new", None, 20, "asc", context=context)
    assert [item.id for item in page.data] == ["msg_first", "msg_second"]
    with pytest.raises(IntegrityError):
        await store.create_thread(thread, message, context)
