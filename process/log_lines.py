"""Log formatters: one line per event, as text or JSON; line breaks and control characters in messages are escaped."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from opentelemetry.trace import format_trace_id, get_current_span

from text.visible import HIDDEN

request_id_of_task: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that the current task belongs to; every log line of the task includes it."""

_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

# Everything that a terminal or a log collector may interpret as a line break or a command, that reverses or hides part
# of the line, or that cannot be encoded.
_CONTROL = re.compile(f"[{HIDDEN}]")
TRACE_MARK = "    | "
_NEEDS_QUOTES = re.compile(r'[\s="]|^$')
# Errors of Pydantic and SQLAlchemy quote people's input.
_QUOTED_INPUT = re.compile(r"(?<=input_value=).*?(?=, input_type=)", re.DOTALL)
_SQL_PARAMETERS = re.compile(r"^\[parameters: .*\]$", re.MULTILINE)

# These log bodies, parameters or whole URLs below the level of a warning.
_VERBOSE_LOGGERS = ("agent_framework", "aiosqlite", "chatkit", "httpcore", "httpx", "openai", "sqlalchemy", "uvicorn")


def configure_logging(level: str, style: Literal["text", "json"]) -> None:
    """Send all log lines to stdout; called by `main` only.

    Args:
        level: The least serious level that is logged, e.g. ``"INFO"``.
        style: Format of each line: text, or a JSON object.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def one_line(text: str) -> str:
    r"""Return `text` with line breaks and invisible characters as escapes, e.g. ``\n``."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class TextLines(logging.Formatter):
    """Formatter of text, e.g. ``2026-05-01T10:00:00.000Z INFO    web.request_log: request method=GET status=200``.

    The lines of a traceback follow, each with a prefix, so that no text in it can be taken for a log line.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, followed by the prefixed lines of its traceback."""
        pairs = "".join(f" {name}={_format_value(value)}" for name, value in _extra_fields(record).items())
        line = f"{_format_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{pairs}"
        traceback = _format_traceback(record).splitlines()
        return "\n".join((one_line(line), *(f"{TRACE_MARK}{one_line(each)}" for each in traceback)))


class JSONLines(logging.Formatter):
    """Formatter of JSON, one object per line; a traceback is its field ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, Any] = {
            "time": _format_time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra_fields(record),
        }
        traceback = _format_traceback(record)
        if traceback:
            line["exception"] = traceback
        # ASCII only, so that no character is taken for a line break.
        return json.dumps(line, default=str)


def _extra_fields(record: logging.LogRecord) -> dict[str, Any]:
    extras = {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
    if (request_id := request_id_of_task.get()) is not None:
        extras.setdefault("request_id", request_id)
    span = get_current_span().get_span_context()
    if span.is_valid:
        extras.setdefault("trace_id", format_trace_id(span.trace_id))
    return extras


def _format_time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _format_value(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if _NEEDS_QUOTES.search(text) else text


def _format_traceback(record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    traceback = logging.Formatter().formatException(record.exc_info)
    return _SQL_PARAMETERS.sub("[parameters: …]", _QUOTED_INPUT.sub("…", traceback))
