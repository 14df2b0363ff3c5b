"""Frames of a growing widget: how many events are sent, and when."""

from __future__ import annotations

from typing import Any

from chatkit.types import ThreadItemUpdatedEvent, WidgetItem

from tests.unit.sample_items import TICK
from tests.waiting import until
from turns.inbox import Inbox
from turns.widget_frames import WidgetFrames
from widgets.documents import widget_root

FOREVER_S = 300.0


def frame(words: int, title: str = "One") -> WidgetItem:
    text = {"type": "Text", "id": "t", "value": "word " * words, "streaming": True}
    root = widget_root({"type": "Card", "children": [{"type": "Title", "value": title}, text]})
    return WidgetItem(id="msg_1", thread_id="thr_1", created_at=TICK, widget=root)


def drained(inbox: Inbox) -> list[Any]:
    """Return the events that a reader gets now, with deltas as their text."""
    events = inbox.drain()
    return [
        event.update.delta if isinstance(event, ThreadItemUpdatedEvent) and hasattr(event.update, "delta") else event
        for event in events
    ]


async def test_quick_deltas_are_merged_and_never_sent_after_later_events() -> None:
    inbox = Inbox()
    frames = WidgetFrames(inbox, FOREVER_S)
    await frames.show(frame(0))
    assert len(drained(inbox)) == 1
    await frames.show(frame(1))
    assert drained(inbox) == ["word "], "the first at once"
    for words in range(2, 200):
        await frames.show(frame(words))
        assert drained(inbox) == []
    await frames.show(frame(199, title="Two"))
    grown, changed = drained(inbox)
    assert grown == "word " * 198
    assert changed.update.type == "widget.root.updated"
    await frames.show(frame(200, title="Two"))
    assert drained(inbox) == [], "growth was sent a moment ago"
    frames.flush()
    assert drained(inbox) == ["word "]
    frames.flush()
    assert drained(inbox) == []


async def test_growth_that_nothing_follows_is_sent_by_itself() -> None:
    inbox = Inbox()
    frames = WidgetFrames(inbox, 0.01)
    await frames.show(frame(0))
    drained(inbox)
    for words in range(1, 4):
        await frames.show(frame(words))
    seen: list[str] = []

    def has_all() -> bool:
        seen.extend(drained(inbox))
        return "".join(seen) == "word " * 3

    await until(has_all)
