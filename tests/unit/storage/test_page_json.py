"""The JSON of pages equals what ChatKit itself would send, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    DurationSummary,
    EndOfTurnItem,
    EntitySource,
    FileAttachment,
    FileSource,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    ImageAttachment,
    InferenceOptions,
    LockedStatus,
    Page,
    SDKHiddenContextItem,
    SearchTask,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    TaskItem,
    ThoughtTask,
    Thread,
    ThreadItem,
    ThreadMetadata,
    ToolChoice,
    URLSource,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import update

from database import Database, new_id
from storage.rows import ITEM_TYPES, ItemRow
from store import ParlorStore
from tests.unit.sample_items import TICK, assistant_message, user_message, widget
from turns.request_context import RequestContext
from widgets.documents import widget_root

ADA = RequestContext(user_id="ada", use_case="weather", request_id="req_1")
AT: dict[str, Any] = {"thread_id": "ignored", "created_at": TICK}


@pytest.fixture
def store(any_database: Database) -> ParlorStore:
    return ParlorStore(any_database)


@pytest.fixture
async def thread(store: ParlorStore) -> ThreadMetadata:
    return await _new_thread(store)


async def _new_thread(store: ParlorStore, *items: ThreadItem, **fields: Any) -> ThreadMetadata:
    thread = ThreadMetadata(id=store.generate_thread_id(ADA), created_at=TICK, **fields)
    await store.save_thread(thread, context=ADA)
    for item in items:
        await store.add_thread_item(thread.id, item, context=ADA)
    return thread


def _as_chatkit_sends(value: BaseModel) -> Any:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True, context={"exclude_metadata": True})


def _all_kinds_of_items() -> list[ThreadItem]:
    """Return every kind of item, as bare and as full as it can be."""
    source = URLSource(title="A page", url='https://example.org/?a="b"', attribution="example.org")
    entity = EntitySource(title="Bern", id="city:bern", icon="map-pin", data={"zip": 3000, "state": None})
    noted = {"metadata": {"path": "/srv/secret"}, "thread_id": "thr_1"}
    return [
        user_message("msg_bare"),
        UserMessageItem(
            id="msg_full",
            content=[UserMessageTextContent(text="null"), UserMessageTagContent(id="t", text="@b", data={"n": None})],
            attachments=[
                FileAttachment(id="atc_1", name="a.txt", mime_type="text/plain", **noted),
                ImageAttachment(id="atc_2", name="a.png", mime_type="image/png", preview_url="https://example.org/a"),
            ],
            quoted_text="before",
            inference_options=InferenceOptions(tool_choice=ToolChoice(id="search"), model="large"),
            **AT,
        ),
        UserMessageItem(
            id="msg_noted",
            content=[UserMessageTextContent(text="See there")],
            attachments=[FileAttachment(id="atc_3", name="a.txt", mime_type="text/plain", **noted)],
            inference_options=InferenceOptions(),
            **AT,
        ),
        assistant_message("msg_\"quoted\"", 'A key "metadata", null and \\ \u2028 😀'),
        AssistantMessageItem(
            id="msg_cited",
            content=[
                AssistantMessageContent(
                    text="Rain.",
                    annotations=[
                        Annotation(source=source, index=3),
                        Annotation(source=entity),
                        Annotation(source=FileSource(title="A file", filename="a.txt")),
                    ],
                )
            ],
            **AT,
        ),
        ClientToolCallItem(id="tc_1", call_id="call_1", name="look", arguments={}, **AT),
        ClientToolCallItem(
            id="tc_2", call_id="call_2", name="look", arguments={"where": None}, status="completed",
            output={"found": [None, {"metadata": 1}]}, **AT,
        ),
        widget("wdg_1"),
        WidgetItem(
            id="wdg_2", widget=widget_root({"type": "ListView", "children": [{"type": "ListViewItem"}]}), **AT
        ),
        GeneratedImageItem(id="img_1", **AT),
        GeneratedImageItem(id="img_2", image=GeneratedImage(id="i", url="data:image/png;base64,AA=="), **AT),
        StructuredInputItem(id="inp_1", inputs=[StructuredInputFreeform(id="a", question="How many?")], **AT),
        StructuredInputItem(
            id="inp_2",
            status="answered",
            inputs=[
                StructuredInputMultipleChoice(
                    id="a",
                    question="Which?",
                    options=[StructuredInputMultipleChoiceOption(value="one")],
                    answer=StructuredInputAnswer(values=["one"]),
                )
            ],
            **AT,
        ),
        TaskItem(id="tsk_1", task=CustomTask(title="Looking", icon="search", content="*now*"), **AT),
        TaskItem(id="tsk_2", task=SearchTask(queries=["rain"], sources=[source], status_indicator="loading"), **AT),
        WorkflowItem(id="wf_1", workflow=Workflow(type="custom", tasks=[]), **AT),
        WorkflowItem(
            id="wf_2",
            workflow=Workflow(
                type="reasoning", tasks=[ThoughtTask(content="Hm.")], summary=DurationSummary(duration=3)
            ),
            **AT,
        ),
        WorkflowItem(
            id="wf_3", workflow=Workflow(type="custom", tasks=[], summary=CustomSummary(title="Done")), **AT
        ),
        EndOfTurnItem(id="end_1", **AT),
        HiddenContextItem(id="hid_1", content=None, **AT),
        SDKHiddenContextItem(id="shcx_1", content="cancelled", **AT),
    ]  # fmt: skip


def test_every_kind_of_item_is_tried() -> None:
    assert {item.type for item in _all_kinds_of_items()} == ITEM_TYPES


async def test_every_kind_of_item_is_loaded_as_it_was_and_shown_as_chatkit_sends_it(store: ParlorStore) -> None:
    thread = await _new_thread(
        store, *_all_kinds_of_items(), title='"Rain", null', metadata={"note": "the server's own"}
    )
    loaded = await store.load_thread_items(thread.id, None, 100, "asc", ADA)
    expected = [item.model_copy(update={"thread_id": thread.id}) for item in _all_kinds_of_items()]
    assert [item.model_dump() for item in loaded.data] == [item.model_dump() for item in expected]

    visible = Page(data=[item for item in expected if not item.id.startswith(("hid_", "shcx_"))])
    whole = Thread(**{**thread.model_dump(), "metadata": {}}, items=visible)
    assert json.loads(await store.thread_json(thread.id, ADA)) == _as_chatkit_sends(whole)
    page = json.loads(await store.items_json(thread.id, None, 100, "asc", ADA))
    assert page == _as_chatkit_sends(visible)
    assert "secret" not in json.dumps(page)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), tail=st.text('nul"\\{}:, '))
async def test_any_text_is_shown_unchanged(database: Database, words: str, tail: str) -> None:
    store = ParlorStore(database)
    item_id = f"{new_id('msg')}{tail}"
    thread = await _new_thread(store, assistant_message(item_id, words), user_message("msg_2"), title=words or None)
    shown = json.loads(await store.thread_json(thread.id, ADA))
    (loaded, _) = (await store.load_thread_items(thread.id, None, 2, "asc", ADA)).data
    assert shown["items"]["data"][0] == _as_chatkit_sends(loaded)
    assert shown["items"]["data"][0]["content"][0]["text"] == words
    assert shown["items"]["data"][0]["id"] == item_id
    assert shown.get("title") == (words or None)
    assert json.loads(await store.threads_json(1, None, "desc", ADA))["data"][0].get("title") == (words or None)


async def test_a_browsers_list_is_that_of_the_store_without_metadata(
    store: ParlorStore, thread: ThreadMetadata
) -> None:
    thread.title = "Rain"
    thread.status = LockedStatus(reason="Done.")
    thread.allowed_image_domains = ["example.org"]
    thread.metadata = {"note": "the server's own"}
    await store.save_thread(thread, ADA)
    for n in range(3):
        await store.save_thread(ThreadMetadata(id=f"thr_more_{n}", created_at=TICK), ADA)
    for after, order in ((None, "asc"), (thread.id, "asc"), ("thr_more_2", "desc")):
        own = await store.load_threads(2, after, order, ADA)
        whole = [Thread(**{**mine.model_dump(), "metadata": {}}, items=Page()) for mine in own.data]
        expected = _as_chatkit_sends(Page(data=whole, has_more=own.has_more, after=own.after))
        assert json.loads(await store.threads_json(2, after, order, ADA)) == expected


async def test_a_browser_gets_of_an_item_that_cannot_be_read_nothing_and_of_the_others_all(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata, caplog: pytest.LogCaptureFixture
) -> None:
    for item in (*(assistant_message(f"msg_{n}", "secret") for n in range(1, 6)),):
        await store.add_thread_item(thread.id, item, context=ADA)
    async with any_database.write() as session:
        broken = {"type": "hologram", "document": {"type": "hologram"}}
        await session.execute(update(ItemRow).where(ItemRow.id == "msg_2").values(broken))
        broken = {"document": {"type": "assistant_message", "content": None}}
        await session.execute(update(ItemRow).where(ItemRow.id == "msg_4").values(broken))
    with caplog.at_level(logging.WARNING):
        first = json.loads(await store.items_json(thread.id, None, 2, "asc", ADA))
        rest = json.loads(await store.items_json(thread.id, first["after"], 20, "asc", ADA))
    assert [[item["id"] for item in page["data"]] for page in (first, rest)] == [["msg_1"], ["msg_3", "msg_5"]]
    assert [record.__dict__["item_id"] for record in caplog.records] == ["msg_2", "msg_4"]
    assert "secret" not in caplog.text


async def test_a_browser_gets_an_item_that_was_stored_with_nulls_without_them(
    store: ParlorStore, any_database: Database, thread: ThreadMetadata
) -> None:
    for item in (user_message("msg_1"),):
        await store.add_thread_item(thread.id, item, context=ADA)
    with_nulls = user_message("msg_1").model_dump(mode="json", exclude={"id", "thread_id", "created_at"})
    assert with_nulls["quoted_text"] is None
    async with any_database.write() as session:
        await session.execute(update(ItemRow).values(document=with_nulls))
    (shown,) = json.loads(await store.items_json(thread.id, None, 20, "asc", ADA))["data"]
    assert shown == _as_chatkit_sends(user_message("msg_1").model_copy(update={"thread_id": thread.id}))


async def test_a_locked_thread_is_shown_with_its_state_and_without_nulls(store: ParlorStore) -> None:
    thread = await _new_thread(store, status=LockedStatus())
    assert json.loads(await store.thread_json(thread.id, ADA)) == {
        "id": thread.id,
        "created_at": TICK.isoformat().replace("+00:00", "Z"),
        "status": {"type": "locked"},
        "metadata": {},
        "items": {"data": [], "has_more": False},
    }
