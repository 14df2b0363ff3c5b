"""Server-sent events, as model providers send them: bytes in, JSON objects out."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from pydantic_core import from_json

Event = dict[str, Any]

DONE: Final[Event] = {"type": "[DONE]"}
"""Stands for the line ``data: [DONE]``, by which Chat Completions end. Compare by identity."""

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""The size of one event: the last one of the Responses API repeats the whole answer, its pictures included."""

PIECE_BYTES = 64
"""The bytes that an empty line, or an empty read, is counted as: an event may not consist of too many either."""


class BrokenStreamError(Exception):
    """A provider has sent no stream of JSON events, or one of them is beyond all bounds."""


class EventParser:
    """Takes a stream's bytes as they arrive, however they are cut, and gives the events that are whole.

    Args:
        max_event_bytes: A longer event ends the stream.

    Attributes:
        failure: Why nothing more can be read, once that is so. What came before it is still given.

    Source: HTML Living Standard, 9.2.6.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.failure: BrokenStreamError | None = None
        self._max_event_bytes = max_event_bytes
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._rest_bytes = 0
        self._data_bytes = 0
        self._ends_with_cr = False
        self._is_first = True
        self._name = b""

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order; look at `failure` then."""
        events: list[Event] = []
        if self.failure is None:
            try:
                self._feed(data, events)
            except BrokenStreamError as exc:
                self.failure = exc
        return events

    def close(self) -> list[Event]:
        """Return the last event where only the empty line behind it is missing; what is no JSON yet is cut off."""
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
            received = self._with_newlines(received)
        first, *lines = received.split(b"\n")
        if not lines:
            self._hold_rest(first)
            return
        if self._rest:
            first = b"".join((*self._rest, first))
            self._rest.clear()
            self._rest_bytes = 0
        rest = lines.pop()
        for line in (first, *lines):
            # All in one place: it is done twice for each piece of an answer, and a call costs as much as the work.
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
                # Not in the standard: so llama.cpp said until 2025 that it failed, and then that the answer is done.
                data = b'{"error":%b}' % line[6:]
            else:
                continue
            self._data.append(data)
            self._data_bytes += len(data) + PIECE_BYTES
            if self._rest_bytes + self._data_bytes > self._max_event_bytes:
                self._refuse_endless()
        if rest:
            self._hold_rest(rest)

    def _with_newlines(self, data: bytes) -> bytes:
        """Return `data` with plain line feeds; a CR at its end may belong to an LF that is still to come."""
        if self._ends_with_cr:
            data = data.removeprefix(b"\n")
        self._ends_with_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _hold_rest(self, rest: bytes) -> None:
        self._rest.append(rest)
        self._rest_bytes += len(rest) + PIECE_BYTES
        self._refuse_endless()

    def _refuse_endless(self) -> None:
        if self._rest_bytes + self._data_bytes > self._max_event_bytes:
            raise BrokenStreamError(f"an event is longer than {self._max_event_bytes} bytes")

    def _finish_event(self, events: list[Event]) -> None:
        """Add the event that has ended; nothing for an empty one, which only keeps the stream alive."""
        lines, self._data, self._data_bytes = self._data, [], 0
        name, self._name = self._name, b""
        data = lines[0] if len(lines) == 1 else b"\n".join(lines)
        try:
            event = from_json(data, cache_strings="keys")
        except ValueError:
            event = None
        if type(event) is not dict:
            self._finish_odd_event(lines, data.strip(), name, events)
            return
        if name and "type" not in event:
            _add_type(event, name)
        events.append(event)

    def _finish_odd_event(self, lines: list[bytes], data: bytes, name: bytes, events: list[Event]) -> None:
        """Add an event that is no JSON object at first sight."""
        if data == b"[DONE]":
            events.append(DONE)
            return
        if not data or data == b"null":
            return
        try:
            event = parse_object(data)
        except BrokenStreamError:
            if len(lines) > 1:
                # Some servers put no empty line between two events.
                events += [parse_object(line) if line.strip() != b"[DONE]" else DONE for line in lines if line.strip()]
                return
            if data.startswith(b"data:"):
                self._data, self._name = [data[5:]], name  # of a server behind another that has made it an event too
                self._finish_event(events)
                return
            raise
        _add_type(event, name)
        events.append(event)


def _add_type(event: Event, name: bytes) -> None:
    """Give an event the type that its name says, where only the name does."""
    said = name.removeprefix(b"event:").strip()
    if "type" not in event and said.startswith((b"response.", b"error")):
        # All else that a name says, the JSON says too.
        event["type"] = said.decode(errors="replace")


def parse_object(data: bytes) -> Event:
    """Return the JSON object that `data` is.

    Raises:
        BrokenStreamError: When it is anything else.
    """
    try:
        # A third of the time that `json.loads` needs, which takes more, such as half of a surrogate pair.
        event = from_json(data, cache_strings="keys")
    except ValueError:
        event = _parse_leniently(data)
    if isinstance(event, list) and len(event) == 1 and isinstance(event[0], dict) and "error" in event[0]:
        return event[0]  # as Google says that it failed
    if not isinstance(event, dict):
        raise BrokenStreamError(f"an event is a JSON {type(event).__name__}, not an object")
    return event


def _parse_leniently(data: bytes) -> Any:
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError) as exc:
        # Not chained: the message of a JSON error holds nothing, but its `doc` is a piece of the answer.
        raise BrokenStreamError(f"{type(exc).__name__} in an event of {len(data)} bytes") from None
