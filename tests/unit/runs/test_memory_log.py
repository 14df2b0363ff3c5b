"""The log of an answer in memory: each read continues what a viewer has seen."""

from __future__ import annotations

import json
from typing import Any

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ProgressUpdateEvent,
    ThreadItemAddedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)
from hypothesis import given
from hypothesis import strategies as st

from runs.memory_log import MemoryLog
from turns.clock import utc_now


def serialize(event: Any) -> bytes:
    return event.model_dump_json(exclude_none=True).encode()  # type: ignore[no-any-return]


def delta(item_id: str, index: int, text: str) -> ThreadStreamEvent:
    update = AssistantMessageContentPartTextDelta(content_index=index, delta=text)
    return ThreadItemUpdatedEvent(item_id=item_id, update=update)


def item_added(item_id: str) -> ThreadStreamEvent:
    return ThreadItemAddedEvent(
        item=AssistantMessageItem(id=item_id, thread_id="thr_1", created_at=utc_now(), content=[])
    )


EVENTS = st.lists(
    st.one_of(
        st.builds(delta, st.sampled_from(["msg_1", "msg_2"]), st.sampled_from([0, 1]), st.text(max_size=4)),
        st.builds(lambda text: ProgressUpdateEvent(text=text), st.text(max_size=3)),
    ),
    max_size=12,
)
Seen = list[tuple[str, Any]]


def frames(data: bytes) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for frame in data.decode().split("\n\n")[:-1]:
        number, event = frame.split("\n")
        found.append((int(number.removeprefix("id: ")), json.loads(event.removeprefix("data: "))))
    return found


def merge_texts(events: list[dict[str, Any]]) -> Seen:
    """Return the events with neighbouring deltas of one part merged, as a client sees them."""
    seen: Seen = []
    for event in events:
        update = event.get("update")
        if update is None:
            seen.append(("progress", event["text"]))
            continue
        part = (event["item_id"], update["content_index"])
        if seen and seen[-1][0] == "text" and seen[-1][1][0] == part:
            seen[-1] = ("text", (part, seen[-1][1][1] + update["delta"]))
        else:
            seen.append(("text", (part, update["delta"])))
    return seen


def read_now(log: MemoryLog, after: int) -> tuple[bytes, int]:
    """Return the events that a log in memory returns without a wait."""
    try:
        log.read(after, with_ids=True).send(None)
    except StopIteration as done:
        found: tuple[bytes, int] = done.value
        return found
    raise AssertionError("it waits")


def as_json(events: list[ThreadStreamEvent]) -> list[dict[str, Any]]:
    return [json.loads(serialize(event)) for event in events]


@given(EVENTS, st.integers(0, 150), st.data())
def test_reading_after_any_event_gives_the_events_after_it(
    events: list[ThreadStreamEvent], repeated: int, data: st.DataObject
) -> None:
    events = [*events, *(delta("msg_1", 0, f"{n},") for n in range(repeated)), *events]
    log = MemoryLog(serialize, max_bytes=10**6)
    for event in events:
        log.append(event)
    after = data.draw(st.integers(0, len(events)))
    read, last = read_now(log, after)
    assert last == len(events)
    found = frames(read)
    assert merge_texts([event for _, event in found]) == merge_texts(as_json(events[after:]))
    numbers = [number for number, _ in found]
    assert numbers == sorted(set(numbers))
    assert not numbers or (numbers[0] > after and numbers[-1] == last)


@given(EVENTS, st.data())
def test_reading_now_and_then_shows_each_event_once(events: list[ThreadStreamEvent], data: st.DataObject) -> None:
    log = MemoryLog(serialize, max_bytes=10**6)
    cursor, seen = 0, []
    for event in events:
        log.append(event)
        if data.draw(st.booleans()):
            read, cursor = read_now(log, cursor)
            seen += [shown for _, shown in frames(read)]
    read, cursor = read_now(log, cursor)
    seen += [shown for _, shown in frames(read)]
    assert merge_texts(seen) == merge_texts(as_json(events))


def test_the_log_is_bounded_in_bytes_in_any_alphabet() -> None:
    sizes = []
    for letter in "a\u00e4\u4e2d\U0001f600":
        log = MemoryLog(serialize, max_bytes=10**6)
        for _ in range(200):
            log.append(delta("msg_1", 0, letter * 10))
        sizes.append(log.size)
    envelopes = sizes[0] - 2_000
    assert [size - envelopes for size in sizes] == [2_000, 4_000, 6_000, 8_000]


def test_open_items_always_have_their_complete_text() -> None:
    log = MemoryLog(serialize, max_bytes=10**6)
    log.append(item_added("msg_1"))
    for n in range(200):
        log.append(delta("msg_1", 0, f"{n},"))
        if n % 70 == 0:
            [item] = log.open_items()
            assert isinstance(item, AssistantMessageItem)
            assert item.content[0].text == "".join(f"{each}," for each in range(n + 1))
    log.append(delta("msg_1", 1, "another part\r\n"))
    [item] = log.open_items()
    assert isinstance(item, AssistantMessageItem)
    assert [part.text for part in item.content] == ["".join(f"{n}," for n in range(200)), "another part\r\n"]
