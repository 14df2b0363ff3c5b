"""The form of an answer's body, told by its first bytes and not by its content type, which proxies lose or change.

Events are what is asked for. A server that does not stream sends one JSON object, some send one in each line, and what
is no server of models sends a page.
"""

from __future__ import annotations

from typing import Protocol

from chat_clients.http.server_events import BrokenStreamError, Event, EventParser, parse_object

MAX_JSON_BYTES = 64 * 1024 * 1024
"""An answer in one piece, pictures included."""

MAX_SHOWN_BYTES = 200
"""How much of a body that is no answer is told to the operator."""

_BLANK = b"\xef\xbb\xbf \t\r\n"


class NoAnswerError(BrokenStreamError):
    """A server has answered well, and with something else than an answer, such as a page.

    Attributes:
        begins: The beginning of what it has sent, in one line.
    """

    def __init__(self, begins: str) -> None:
        super().__init__("the answer is neither a stream of events nor JSON")
        self.begins = begins


class BodyParser(Protocol):
    """Takes a body's bytes as they arrive, and gives the events that are whole.

    Attributes:
        failure: Why nothing more can be read, once that is so. What came before it is still given.
    """

    failure: BrokenStreamError | None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order; look at `failure` then."""
        ...

    def close(self) -> list[Event]:
        """Return what the end of the body completes; look at `failure` then."""
        ...


class AnswerBodyParser:
    """Reads a body of any form; see `BodyParser`."""

    def __init__(self) -> None:
        self._parser: BodyParser | None = None
        self._first = b""
        self._has_events = False

    @property
    def failure(self) -> BrokenStreamError | None:
        """Why nothing more can be read, if that is so."""
        return None if self._parser is None else self._parser.failure

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order."""
        if self._has_events and self._parser is not None:
            return self._parser.feed(data)
        if len(self._first) < MAX_SHOWN_BYTES:
            self._first = (self._first + data[:MAX_SHOWN_BYTES]).lstrip(_BLANK)[:MAX_SHOWN_BYTES]
        if self._parser is None:
            if not self._first:
                return []  # blanks, by which some servers keep a connection alive
            self._parser = JsonParser() if self._first[:1] in (b"{", b"[") else EventParser()
        events = self._parser.feed(data)
        if events:
            self._has_events, self._first = True, b""
        return events

    def close(self) -> list[Event]:
        """Return what the end of the body completes.

        Raises:
            NoAnswerError: There was nothing in it that is read, and it was not empty.
        """
        if self._parser is None:
            return []
        events = self._parser.close()
        has_comments_only = self._first.startswith((b":", b"data:", b"event:", b"id:", b"retry:"))
        if not (events or self._has_events or self._parser.failure or has_comments_only):
            begins = " ".join(self._first.decode(errors="replace").split())
            raise NoAnswerError("".join(each if each.isprintable() else "\ufffd" for each in begins))
        return events


class JsonParser:
    """Reads one JSON object, or one in each line; see `BodyParser`."""

    def __init__(self, *, max_bytes: int = MAX_JSON_BYTES) -> None:
        self.failure: BrokenStreamError | None = None
        self._max_bytes = max_bytes
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._are_lines: bool | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the objects whose lines `data` completes, where each line is one."""
        if self.failure is not None:
            return []
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > self._max_bytes:
            self.failure = BrokenStreamError(f"the answer is longer than {self._max_bytes} bytes")
            return []
        if b"\n" not in data or self._are_lines is False:
            return []
        *lines, rest = b"".join(self._held).lstrip(_BLANK).split(b"\n")
        if self._are_lines is None:
            self._are_lines = bool(lines) and _is_whole(lines[0])
            if not self._are_lines:
                return []
        self._held, self._held_bytes = [rest], len(rest)
        return self._read(lines)

    def close(self) -> list[Event]:
        """Return what has no end of a line behind it."""
        return [] if self.failure is not None else self._read([b"".join(self._held)])

    def _read(self, texts: list[bytes]) -> list[Event]:
        events: list[Event] = []
        try:
            events += [parse_object(text) for each in texts if (text := each.strip(_BLANK))]
        except BrokenStreamError as exc:
            self.failure = exc
        return events


def _is_whole(line: bytes) -> bool:
    try:
        parse_object(line.strip(_BLANK))
    except BrokenStreamError:
        return False
    return True
