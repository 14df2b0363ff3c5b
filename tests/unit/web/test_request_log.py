from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from process.log_lines import JSONLines, TextLines, one_line
from tests.unit.web.edge import JSON, Edge, FakeServer, use_case


def requests_in(log: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in log.records if record.name == "web.request_log"]


async def test_a_request_is_one_line_with_ids_and_without_contents(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    server = FakeServer()
    async with edge.client(edge.app(use_case("todo", server))) as client:
        response = await client.post(
            "/chatkit/todo?token=s3cret", content=b'{"text": "my diagnosis"}', headers={**JSON, "X-Note": "s3cret"}
        )
    [record] = requests_in(log)
    line = TextLines().format(record)
    user_id = server.requests[0][1].user_id
    assert re.fullmatch(
        r"\S+Z INFO    web\.request_log: request method=POST path=/chatkit/todo status=200 ms=[\d.]+ "
        r"request_id=[0-9a-f]{16} user=[0-9a-f]{12} use_case=todo",
        line,
    )
    assert response.headers["x-request-id"] in line
    assert "diagnosis" not in line
    assert "s3cret" not in line
    assert user_id not in line
    as_json = json.loads(JSONLines().format(record))
    assert (as_json["path"], as_json["status"], as_json["message"]) == ("/chatkit/todo", 200, "request")


async def test_an_error_s_line_has_its_code_and_id(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        response = await client.post("/chatkit/nothing", content=b"{}", headers=JSON)
    [record] = requests_in(log)
    said = response.json()["error"]
    assert (record.error_code, record.error_id) == (said["code"], said["id"])  # type: ignore[attr-defined]


async def test_a_path_cannot_write_lines_of_its_own(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        await client.get("/a%0a2026-01-01T00:00:00.000Z%20INFO%20forged%1b[2J" + "b" * 5000)
    [record] = requests_in(log)
    for line in (TextLines().format(record), JSONLines().format(record)):
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line
        assert len(line) < 700


async def test_probes_that_succeed_are_no_news(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        await client.get("/healthz")
    assert [record.levelno for record in requests_in(log)] == [logging.DEBUG]


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
    from tests.unit.web.test_command_line import run_python

    done = run_python("-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith("DEBUG   store: ours")
    assert "BODY" not in done.stdout
    assert sys.flags.dev_mode or len(done.stdout.splitlines()) == 1
