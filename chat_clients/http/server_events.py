"""Server-sent events, as model providers send them: bytes in, JSON objects out."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from pydantic_core import from_json

Event = dict[str, Any]

DONE: Final[Event] = {"type": "[DONE]"}
"""The event of the line ``data: [DONE]``, which ends a stream of Chat Completions. Compare by identity."""

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""The largest event: the last one of the Responses API repeats the whole answer, its pictures included."""

LINE_OVERHEAD_BYTES = 64
"""Bytes that each line and each read count in addition to their length, which bounds their number too."""


class BrokenStreamError(Exception):
    """A provider has sent something other than a stream of JSON events, or an event that is too large."""


class EventParser:
    """Parses a stream of events from bytes that arrive in pieces of any size.

    Args:
        max_event_bytes: A longer event ends the stream.

    Attributes:
        failure: The reason why nothing more can be parsed, once there is one. Events before it are still returned.

    Source: HTML Living Standard, 9.2.6.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.failure: BrokenStreamError | None = None
        self._max_event_bytes = max_event_bytes
        self._unfinished_line: list[bytes] = []
        self._data: list[bytes] = []
        self._unfinished_bytes = 0
        self._data_bytes = 0
        self._ends_with_cr = False
        self._is_first = True
        self._name = b""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order; check `failure` after it."""
        events: list[Event] = []
        if self.failure is None:
            try:
                self._feed(data, events)
            except BrokenStreamError as exc:
                self.failure = exc
        return events

    def close(self) -> list[Event]:
        """Return the last event if only the empty line after it is missing; an event that was cut off is dropped."""
        events: list[Event] = []
        if self.failure is None:
            with suppress(BrokenStreamError):
                self._feed(b"\n\n", events)
        return events

    def _feed(self, received: bytes, events: list[Event]) -> None:
        if not received:
            return
        if self._is_first:
            self._is_first = False
            received = received.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in received or self._ends_with_cr:
            received = self._normalize_newlines(received)
        first, *lines = received.split(b"\n")
        if not lines:
            self._hold_unfinished(first)
            return
        if self._unfinished_line:
            first = b"".join((*self._unfinished_line, first))
            self._unfinished_line.clear()
            self._unfinished_bytes = 0
        rest = lines.pop()
        for line in (first, *lines):
            # Not split into methods: this runs twice for each delta, and a call costs as much as the work.
            if not line:
                if self._data:
                    self._finish_event(events)
                continue
            if line.startswith(b"data:"):
                data = line[5:]
            elif line.startswith(b"event:"):
                self._name = line
                continue
            elif line.startswith(b"error:"):
                # Not in the standard: until 2025, llama.cpp reported a failure like this, followed by [DONE].
                data = b'{"error":%b}' % line[6:]
            else:
                continue
            self._data.append(data)
            self._data_bytes += len(data) + LINE_OVERHEAD_BYTES
            if self._unfinished_bytes + self._data_bytes > self._max_event_bytes:
                self._check_event_size()
        if rest:
            self._hold_unfinished(rest)

    def _normalize_newlines(self, data: bytes) -> bytes:
        """Return `data` with LF as the only line ending; a CR at its end may belong to an LF that is yet to come."""
        if self._ends_with_cr:
            data = data.removeprefix(b"\n")
        self._ends_with_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _hold_unfinished(self, rest: bytes) -> None:
        self._unfinished_line.append(rest)
        self._unfinished_bytes += len(rest) + LINE_OVERHEAD_BYTES
        self._check_event_size()

    def _check_event_size(self) -> None:
        if self._unfinished_bytes + self._data_bytes > self._max_event_bytes:
            raise BrokenStreamError(f"an event is longer than {self._max_event_bytes} bytes")

    def _finish_event(self, events: list[Event]) -> None:
        """Append the event that has ended, unless it is empty and only keeps the stream alive."""
        lines, self._data, self._data_bytes = self._data, [], 0
        name, self._name = self._name, b""
        data = lines[0] if len(lines) == 1 else b"\n".join(lines)
        try:
            event = from_json(data, cache_strings="keys")
        except ValueError:
            event = None
        if type(event) is not dict:
            self._finish_irregular_event(lines, data.strip(), name, events)
            return
        if name and "type" not in event:
            _add_type(event, name)
        events.append(event)

    def _finish_irregular_event(self, lines: list[bytes], data: bytes, name: bytes, events: list[Event]) -> None:
        """Append an event that is not simply a JSON object."""
        if data == b"[DONE]":
            events.append(DONE)
            return
        if not data or data == b"null":
            return
        try:
            event = parse_object(data)
        except BrokenStreamError:
            if len(lines) > 1:
                # Some servers leave out the empty line between events.
                events += [parse_object(line) if line.strip() != b"[DONE]" else DONE for line in lines if line.strip()]
                return
            if data.startswith(b"data:"):
                # A proxy has wrapped the server's event into one of its own.
                self._data, self._name = [data[5:]], name
                self._finish_event(events)
                return
            raise
        _add_type(event, name)
        events.append(event)


def _add_type(event: Event, name: bytes) -> None:
    """Set the type of an event from the line ``event: …``, if its JSON has none."""
    event_type = name.removeprefix(b"event:").strip()
    if "type" not in event and event_type.startswith((b"response.", b"error")):
        event["type"] = event_type.decode(errors="replace")


def parse_object(data: bytes) -> Event:
    """Parse a JSON object.

    Raises:
        BrokenStreamError: When `data` is anything else.
    """
    try:
        # Takes a third of the time of `json.loads`, which accepts more, such as lone surrogates.
        event = from_json(data, cache_strings="keys")
    except ValueError:
        event = _parse_leniently(data)
    if isinstance(event, list) and len(event) == 1 and isinstance(event[0], dict) and "error" in event[0]:
        return event[0]  # Google's form of an error
    if not isinstance(event, dict):
        raise BrokenStreamError(f"an event is a JSON {type(event).__name__}, not an object")
    return event


def _parse_leniently(data: bytes) -> Any:
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError) as exc:
        # Not chained: the `doc` of a JSON error is a piece of the answer, which must not be logged.
        raise BrokenStreamError(f"{type(exc).__name__} in an event of {len(data)} bytes") from None
