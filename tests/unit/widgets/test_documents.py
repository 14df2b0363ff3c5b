"""Widget documents keep every property, and every accepted widget can be clicked."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import WidgetItem
from chatkit.widgets import Box, Card, Text

from framework.chatkit_protocol import serialize
from streaming.actions.offered_actions import is_offered
from turns.clock import utc_now
from widgets.documents import MAX_WIDGET_DEPTH, stored_widget, walk_components, widget_root

ROOT = Path(__file__).resolve().parents[3]
BUTTON = {"type": "Button", "label": "Go", "onClickAction": {"type": "go", "payload": {"step": 1}}}


def nested(depth: int, innermost: dict[str, Any], *, is_list: bool = True) -> dict[str, Any]:
    """Return a card in which `innermost` stands `depth` levels below the root."""
    component = innermost
    for _ in range(depth - 1):
        component = {"type": "Box", "children": [component] if is_list else component}
    return {"type": "Card", "children": [component] if is_list else component}


@pytest.mark.parametrize("is_list", [True, False])
@pytest.mark.parametrize("depth", [1, 41, MAX_WIDGET_DEPTH])
def test_whatever_is_accepted_is_offered(depth: int, is_list: bool) -> None:
    widget = nested(depth, BUTTON, is_list=is_list)
    stored = widget_root(widget).model_dump()
    assert {key: value for key, value in stored.items() if value is not None} == widget
    assert is_offered(stored, "go", {"step": 1})
    assert not is_offered(stored, "go", {"step": 2})


@pytest.mark.parametrize("is_list", [True, False])
def test_one_level_more_is_refused_and_the_text_says_where(is_list: bool) -> None:
    with pytest.raises(ValueError, match="64 levels of components below the root") as refused:
        widget_root(nested(MAX_WIDGET_DEPTH + 1, BUTTON, is_list=is_list))
    assert str(refused.value).startswith("widget › Card › Box › … › Box › Box › Box: 'Button' is more than")


def test_the_deepest_widget_with_the_deepest_value_can_be_sent_and_read_again() -> None:
    value: Any = 1
    for _ in range(32):
        value = [value]
    button = {**BUTTON, "onClickAction": {"type": "go", "payload": value}}
    with pytest.raises(ValueError, match="Button: a property is more than 32 levels deep"):
        widget_root(nested(MAX_WIDGET_DEPTH, button))
    button["onClickAction"] = {"type": "go", "payload": value[0][0]}
    widget = widget_root(nested(MAX_WIDGET_DEPTH, button))
    item = WidgetItem(id="w", thread_id="t", created_at=utc_now(), widget=widget)
    assert WidgetItem.model_validate_json(item.model_dump_json(exclude_none=True)).id == "w"


def test_stored_widgets_are_read_unchecked_at_any_depth() -> None:
    stored = nested(MAX_WIDGET_DEPTH + 9, {"type": "Text", "value": "deep"}) | {"id": "old"}
    with pytest.raises(ValueError, match="levels of components"):
        widget_root(stored)
    assert stored_widget(stored).model_dump(exclude_none=True) == stored


def test_the_client_draws_as_many_levels_as_are_accepted() -> None:
    source = (ROOT / "frontend/src/protocol/widget-depth.ts").read_text()
    assert re.findall(r"MAX_WIDGET_DEPTH = (\d+);", source) == [str(MAX_WIDGET_DEPTH)]


def test_models_and_mappings_may_be_mixed_and_nulls_are_left_out() -> None:
    widget = {
        "type": "Card",
        "id": None,
        "children": [Box(children=[Text(value="a")]), None, {"type": "Text", "value": None, "day": date(2026, 5, 1)}],
    }
    kinds = [component["type"] for component in walk_components(widget_root(widget).model_dump())]
    assert kinds == ["Card", "Box", "Text", "Text"]
    assert widget_root(widget).model_dump()["children"][1] == {"type": "Text", "day": "2026-05-01"}
    assert widget_root(Card(children=[Text(value="a")])).type == "Card"


@pytest.mark.parametrize(
    ("widget", "text"),
    [
        ({"type": "Row"}, "a widget's root must be one of Card, ListView, Basic, not 'Row'"),
        ({"type": "Card", "children": "x"}, "widget › Card: a child is not a component with a 'type'"),
        (
            {"type": "Card", "children": [{"type": "Row", "children": [{}]}]},
            "widget › Card › Row: a child is not a component with a 'type'",
        ),
        ({"type": "Card", "children": [{"type": "Text", "value": {1}}]}, "widget › Card › Text: a set is not JSON"),
    ],
)
def test_an_invalid_widget_is_refused_with_its_place(widget: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        widget_root(widget)


def test_a_payload_may_have_children_that_are_no_components() -> None:
    click = {"type": "go", "payload": {"children": 3}}
    widget = {"type": "Card", "children": [{"type": "Button", "onClickAction": click}]}
    assert is_offered(widget_root(widget).model_dump(), "go", {"children": 3})


def test_half_a_character_in_a_name_stops_no_widget() -> None:
    item = WidgetItem(
        id="w",
        thread_id="t",
        created_at=utc_now(),
        widget=widget_root({"type": "Card", "\ud800": 1, "size": {"\udc00w": [{"\ud83d": 2}]}}),
    )
    sent = json.loads(serialize(item))["widget"]
    assert (sent["\ufffd"], sent["size"]) == (1, {"\ufffdw": [{"\ufffd": 2}]})
