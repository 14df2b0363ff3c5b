from __future__ import annotations

import json
import logging
import re

import pytest

from process.log_lines import JSONLines, TextLines
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
