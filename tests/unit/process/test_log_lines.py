from __future__ import annotations

import json
import logging
import sys
from typing import Any

from pydantic import BaseModel, ValidationError

from process.log_lines import JSONLines, TextLines, one_line
from tests.unit.process.test_command_line import run_python


def record_of(message: str, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("room", logging.ERROR, __file__, 1, message, (), info)
    vars(record).update(extra)
    return record


def test_a_traceback_is_folded_into_its_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError as exc:
        record = record_of("it failed", exc, request_id="r1")
    text = TextLines().format(record)
    assert len(text.splitlines()) == 1
    assert "it failed request_id=r1 | Traceback" in text
    assert r"ValueError: first\nsecond" in text
    assert json.loads(JSONLines().format(record))["exception"].endswith("ValueError: first\nsecond")


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
    for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]:
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
