"""A client that applies the events sees each frame of a streamed widget, at a low number of bytes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from chatkit.types import ThreadItemAddedEvent, ThreadItemUpdatedEvent, WidgetItem
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.chatkit_protocol import serialize
from runs.open_items import OpenItems
from turns.clock import utc_now
from widgets.documents import WidgetDocument, widget_root
from widgets.widget_stream import widget_json, widget_updates

IDS = st.sampled_from([None, "a", "b", "c"])
PROPS = st.fixed_dictionaries(
    {"type": st.sampled_from(["Text", "Markdown", "Title"]), "value": st.sampled_from(["", "a", "ab", "abc", "b"])},
    optional={"id": IDS, "key": IDS, "streaming": st.sampled_from([None, True, False]), "weight": st.just("bold")},
)


def containers(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many = st.fixed_dictionaries(
        {"type": st.sampled_from(["Row", "Col"]), "children": st.lists(below, max_size=3)},
        optional={"id": IDS, "gap": st.integers(0, 2)},
    )
    one = st.fixed_dictionaries({"type": st.just("Transition"), "children": st.none() | below}, optional={"id": IDS})
    return many | one


WIDGETS = st.fixed_dictionaries(
    {"type": st.just("Card"), "children": st.lists(st.recursive(PROPS, containers, max_leaves=6), max_size=4)},
    optional={"id": IDS, "status": st.just({"text": "x"})},
)


def documents(frames: list[dict[str, Any]]) -> list[WidgetDocument]:
    return [widget_root(frame) for frame in frames]


def replace_component(node: Any, component_id: str, change: Any) -> Any:
    """Apply a change as the client does: to each component with the id, the outermost first."""
    if not isinstance(node, dict):
        return node
    if node.get("id") == component_id:
        return change(node)
    children = node.get("children")
    below = (
        [replace_component(child, component_id, change) for child in children]
        if isinstance(children, list)
        else replace_component(children, component_id, change)
    )
    return {**node, "children": below} if "children" in node else node


def apply_sent(root: Any, sent: dict[str, Any]) -> Any:
    match sent["type"]:
        case "widget.root.updated":
            return sent["widget"]
        case "widget.component.updated":
            return replace_component(root, sent["component_id"], lambda _: sent["component"])
        case _:
            return replace_component(root, sent["component_id"], lambda node: append_delta(node, sent))


def append_delta(node: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    streaming = {} if sent["done"] and "streaming" not in node else {"streaming": not sent["done"]}
    return {**node, "value": node["value"] + sent["delta"], **streaming}


def json_of(document: WidgetDocument) -> Any:
    return json.loads(serialize(document))


@given(st.lists(WIDGETS, min_size=2, max_size=5))
@settings(max_examples=120, deadline=None)
def test_the_events_alone_give_each_frame(frames: list[dict[str, Any]]) -> None:
    made = documents(frames)
    shown = json_of(made[0])
    for before, after in pairwise(made):
        for update in widget_updates(before, after):
            sent = json.loads(serialize(ThreadItemUpdatedEvent(item_id="w", update=update)))["update"]
            shown = apply_sent(shown, sent)
        assert shown == json_of(after)


@given(st.lists(WIDGETS, min_size=2, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_stopped_stream_keeps_the_widget_as_it_was_shown(frames: list[dict[str, Any]]) -> None:
    made = documents(frames)
    items = OpenItems()
    items.apply(ThreadItemAddedEvent(item=item_of(made[0])))
    for before, after in pairwise(made):
        for update in widget_updates(before, after):
            items.apply(ThreadItemUpdatedEvent(item_id="w", update=update))
    [kept] = items.snapshot()
    assert isinstance(kept, WidgetItem)
    assert widget_json(kept.widget) == widget_json(made[-1])


def item_of(widget: WidgetDocument) -> WidgetItem:
    return WidgetItem(id="w", thread_id="t", created_at=utc_now(), widget=widget)


def rows(text: dict[str, Any], count: int = 30) -> dict[str, Any]:
    filler = [
        {"type": "Row", "key": f"row{at}", "children": [{"type": "Text", "value": f"Row {at}", "weight": "bold"}] * 2}
        for at in range(count)
    ]
    return {"type": "Card", "children": [*filler[:15], {"type": "Col", "children": [text]}, *filler[15:]]}


def sizes(frames: list[dict[str, Any]]) -> list[tuple[str, int]]:
    made = documents(frames)
    return [
        (update.type, len(serialize(ThreadItemUpdatedEvent(item_id="msg_" + "0" * 32, update=update))))
        for before, after in pairwise(made)
        for update in widget_updates(before, after)
    ]


def test_two_hundred_frames_of_growing_text_among_thirty_rows_are_small() -> None:
    frames = [rows({"type": "Text", "id": "t", "value": "word " * at, "streaming": True}) for at in range(201)]
    found = sizes(frames)
    assert {kind for kind, _ in found} == {"widget.streaming_text.value_delta"}
    # Of 181 bytes of an event, 36 are the item's id and 53 say that it is an update of an item.
    assert sum(size for _, size in found) <= 200 * 185


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({"id": "t", "value": "a"}, {"id": "t", "value": "a"}, []),
        ({"id": "t", "value": "a"}, {"id": "t", "value": "ab"}, ["widget.streaming_text.value_delta"]),
        ({"id": "t", "value": "ab"}, {"id": "t", "value": "a"}, ["widget.component.updated"]),
        ({"id": "t", "value": "a"}, {"id": "t", "value": "a", "weight": "bold"}, ["widget.component.updated"]),
        ({"value": "a"}, {"value": "ab"}, ["widget.root.updated"]),
        (
            {"id": "t", "value": "a", "streaming": True},
            {"id": "t", "value": "ab", "streaming": False},
            ["widget.component.updated"],
        ),
    ],
)
def test_the_smallest_event_is_sent(before: dict[str, Any], after: dict[str, Any], kinds: list[str]) -> None:
    assert [kind for kind, _ in sizes([rows({"type": "Text", **each}) for each in (before, after)])] == kinds


def test_a_component_keeps_what_chatkits_classes_do_not_know() -> None:
    box = {"type": "Text", "id": "t", "value": "a", "future": {"kept": [1]}}
    [update] = widget_updates(*documents([rows(box), rows({**box, "value": "b"})]))
    sent = json.loads(serialize(ThreadItemUpdatedEvent(item_id="w", update=update)))
    assert sent["update"]["component"] == {**box, "value": "b"}
