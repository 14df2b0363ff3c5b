from __future__ import annotations

import json
import logging
import sys
from contextvars import copy_context
from typing import Any

from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span
from pydantic import BaseModel, ValidationError

from process.log_lines import TRACE_MARK, JSONLines, TextLines, one_line, request_id_of_task
from tests.unit.process.test_command_line import run_python


def record_of(message: str, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("room", logging.ERROR, __file__, 1, message, (), info)
    vars(record).update(extra)
    return record


def test_a_traceback_can_be_read_and_no_line_of_it_passes_for_one_of_the_log() -> None:
    forged = "2026-05-01T10:00:00.000Z INFO    web: forged"
    try:
        raise ValueError(f"first\n{forged}\x1b[2K\u202e")
    except ValueError as exc:
        record = record_of("it failed", exc, request_id="r1")
    text = TextLines().format(record)
    first, *trace = text.split("\n")
    assert first.endswith("it failed request_id=r1")
    assert all(line.startswith(TRACE_MARK) for line in trace)
    assert trace[0] == f"{TRACE_MARK}Traceback (most recent call last):"
    assert trace[-2:] == [f"{TRACE_MARK}ValueError: first", TRACE_MARK + forged + r"\x1b[2K\u202e"]
    assert len(JSONLines().format(record).splitlines()) == 1
    assert json.loads(JSONLines().format(record))["exception"].startswith("Traceback")


def test_a_validation_error_does_not_repeat_what_a_person_wrote() -> None:
    class Payload(BaseModel):
        number: int

    written = {"number": "my\n" + "diagnosis"}  # the traceback quotes the line that raises
    try:
        Payload.model_validate(written)
    except ValidationError as exc:
        record = record_of("it failed", exc)
    for line in (TextLines().format(record), JSONLines().format(record)):
        assert "diagnosis" not in line
        assert "number" in line


def test_values_with_spaces_are_quoted_so_that_no_value_looks_like_a_pair() -> None:
    line = TextLines().format(record_of("m", path='/a b="c" status=200'))
    assert line.endswith(r' path="/a b=\"c\" status=200"')


def test_every_control_character_is_an_escape() -> None:
    hidden = [0x200B, 0x200E, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xD800, 0xDFFF, 0xE0041]
    for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *hidden]:
        assert one_line(chr(code)).isascii()
        assert one_line(chr(code)).startswith("\\")
    assert one_line("Zürich ☀") == "Zürich ☀"


def test_only_main_configures_logging_and_libraries_do_not_write_bodies() -> None:
    program = (
        "import logging; from process.log_lines import configure_logging; configure_logging('DEBUG', 'text');"
        "[logging.getLogger(n).debug('BODY') for n in ('openai._base_client', 'httpx', 'sqlalchemy.engine.Engine')];"
        "logging.getLogger('store').debug('ours')"
    )
    done = run_python("-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("DEBUG   store: ours")
    assert "BODY" not in done.stdout
    assert sys.flags.dev_mode or len(done.stdout.splitlines()) == 1


def test_every_line_of_a_request_has_its_id_and_that_of_its_trace() -> None:
    def line() -> dict[str, object]:
        record = logging.makeLogRecord({"name": "a", "msg": "b", "levelname": "INFO"})
        read: dict[str, object] = json.loads(JSONLines().format(record))
        return read

    def within_a_request() -> dict[str, object]:
        request_id_of_task.set("req1")
        span = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False))
        with use_span(span):
            return line()

    seen = copy_context().run(within_a_request)
    assert (seen["request_id"], seen["trace_id"]) == ("req1", f"{0xABC:032x}")
    assert not {"request_id", "trace_id"} & line().keys()
