"""Parses an answer's body in the form that its first bytes show: proxies lose or change its content type.

We ask for server-sent events. A server that does not stream sends one JSON object, some servers send one per line, and
anything that is not a model server sends a web page.
"""

from __future__ import annotations

from typing import Protocol

from chat_clients.http.server_events import BrokenStreamError, Event, EventParser, parse_object

MAX_JSON_BYTES = 64 * 1024 * 1024
"""The largest answer in one piece, pictures included."""

MAX_SHOWN_BYTES = 200
"""How much of a body that is no answer is logged for the operator."""

_BLANK = b"\xef\xbb\xbf \t\r\n"


class NoAnswerError(BrokenStreamError):
    """A server has answered with status 200 and something other than a model's answer, such as a web page.

    Attributes:
        begins: The beginning of the body, on one line.
    """

    def __init__(self, begins: str) -> None:
        super().__init__("the answer is neither a stream of events nor JSON")
        self.begins = begins


class BodyParser(Protocol):
    """Parses a body from bytes that arrive in pieces of any size.

    Attributes:
        failure: The reason why nothing more can be parsed, once there is one. Events before it are still returned.
    """

    failure: BrokenStreamError | None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order; check `failure` after it."""
        ...

    def close(self) -> list[Event]:
        """Return the events that the end of the body completes; check `failure` after it."""
        ...


class AnswerBodyParser:
    """Parses a body of any of the forms; see `BodyParser`."""

    def __init__(self) -> None:
        self._parser: BodyParser | None = None
        self._beginning = b""
        self._has_events = False

    @property
    def failure(self) -> BrokenStreamError | None:
        """The reason why nothing more can be parsed, or None."""
        return None if self._parser is None else self._parser.failure

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order."""
        if self._has_events and self._parser is not None:
            return self._parser.feed(data)
        if len(self._beginning) < MAX_SHOWN_BYTES:
            self._beginning = (self._beginning + data[:MAX_SHOWN_BYTES]).lstrip(_BLANK)[:MAX_SHOWN_BYTES]
        if self._parser is None:
            if not self._beginning:
                return []  # white space, by which some servers keep a connection alive
            self._parser = JsonParser() if self._beginning[:1] in (b"{", b"[") else EventParser()
        events = self._parser.feed(data)
        if events:
            self._has_events, self._beginning = True, b""
        return events

    def close(self) -> list[Event]:
        """Return the events that the end of the body completes.

        Raises:
            NoAnswerError: The body is not empty and has none of the forms.
        """
        if self._parser is None:
            return []
        events = self._parser.close()
        has_comments_only = self._beginning.startswith((b":", b"data:", b"event:", b"id:", b"retry:"))
        if not (events or self._has_events or self._parser.failure or has_comments_only):
            begins = " ".join(self._beginning.decode(errors="replace").split())
            raise NoAnswerError("".join(char if char.isprintable() else "\ufffd" for char in begins))
        return events


class JsonParser:
    """Parses one JSON object, or one per line; see `BodyParser`."""

    def __init__(self, *, max_bytes: int = MAX_JSON_BYTES) -> None:
        self.failure: BrokenStreamError | None = None
        self._max_bytes = max_bytes
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0
        self._is_line_delimited: bool | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the objects that `data` completes, if each line is an object."""
        if self.failure is not None:
            return []
        self._buffer.append(data)
        self._buffered_bytes += len(data)
        if self._buffered_bytes > self._max_bytes:
            self.failure = BrokenStreamError(f"the answer is longer than {self._max_bytes} bytes")
            return []
        if b"\n" not in data or self._is_line_delimited is False:
            return []
        *lines, rest = b"".join(self._buffer).lstrip(_BLANK).split(b"\n")
        if self._is_line_delimited is None:
            self._is_line_delimited = bool(lines) and _is_json_object(lines[0])
            if not self._is_line_delimited:
                return []
        self._buffer, self._buffered_bytes = [rest], len(rest)
        return self._parse_lines(lines)

    def close(self) -> list[Event]:
        """Return the object that no line ending follows."""
        return [] if self.failure is not None else self._parse_lines([b"".join(self._buffer)])

    def _parse_lines(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        try:
            events += [parse_object(text) for line in lines if (text := line.strip(_BLANK))]
        except BrokenStreamError as exc:
            self.failure = exc
        return events


def _is_json_object(line: bytes) -> bool:
    try:
        parse_object(line.strip(_BLANK))
    except BrokenStreamError:
        return False
    return True
