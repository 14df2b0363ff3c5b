from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from sqlalchemy.exc import OperationalError

from databases.faults import FileReplacedError
from errors import (
    ConflictError,
    ModelError,
    NotFoundError,
    TooManyRequestsError,
    UnavailableError,
    UserFacingError,
)
from tests.unit.web.edge import JSON, Edge, FakeServer, logged_text, use_case
from turns.request_context import RequestContext


async def events(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


def fails_with(error: Exception) -> FakeServer:
    def answer(body: bytes, context: RequestContext) -> bytes:
        raise error

    return FakeServer(answer)


async def test_the_body_reaches_the_use_case_of_the_path_unchanged(edge: Edge) -> None:
    todo, weather = FakeServer(), FakeServer()
    async with edge.client(edge.app(use_case("todo", todo), use_case("weather", weather))) as client:
        response = await client.post("/chatkit/todo", content=b'{"type": "x"}', headers=JSON)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert response.headers["content-type"] == "application/json"
    assert [body for body, _ in todo.requests] == [b'{"type": "x"}']
    assert weather.requests == []


async def test_a_stream_is_answered_as_server_sent_events_that_no_proxy_holds_back(edge: Edge) -> None:
    server = FakeServer(lambda body, context: events(b"data: 1\n\n", b"data: 2\n\n"))
    async with edge.client(edge.app(use_case("todo", server))) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
    assert response.content == b"data: 1\n\ndata: 2\n\n"
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-length" not in response.headers


@pytest.mark.parametrize(
    ("names", "configured", "default"),
    [
        (["alpha", "weather"], None, "weather"),
        (["zeta", "alpha"], None, "alpha"),
        (["alpha", "weather"], "alpha", "alpha"),
    ],
)
async def test_the_default_use_case_answers_where_none_is_named(
    edge: Edge, names: list[str], configured: str | None, default: str
) -> None:
    servers = {name: FakeServer() for name in names}
    app = edge.app(*(use_case(*each) for each in servers.items()), settings={"default_use_case": configured})
    async with edge.client(app) as client:
        assert (await client.post("/chatkit", content=b"{}", headers=JSON)).status_code == 200
        listed = (await client.get("/api/use-cases")).json()["use_cases"]
    assert [name for name, server in servers.items() if server.requests] == [default]
    assert [each["name"] for each in listed if each["default"]] == [default]
    assert servers[default].requests[0][1].use_case == default


async def test_no_other_assistant_answers_in_the_place_of_a_missing_default(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("weather", server), settings={"default_use_case": "gone"})
    async with edge.client(app) as client:
        response = await client.post("/chatkit", content=b"{}", headers=JSON)
    assert (response.status_code, server.requests) == (404, [])


async def test_a_use_case_that_the_user_may_not_use_reads_as_missing(edge: Edge) -> None:
    asked: list[RequestContext] = []

    def is_allowed(context: RequestContext) -> bool:
        asked.append(context)
        return False

    hidden = FakeServer()
    app = edge.app(use_case("payroll", hidden, is_allowed=is_allowed), use_case("weather"))
    async with edge.client(app) as client:
        refused = await client.post("/chatkit/payroll", content=b"{}", headers=JSON)
        missing = await client.post("/chatkit/nothing", content=b"{}", headers=JSON)
        listed = await client.get("/api/use-cases")
    assert refused.status_code == missing.status_code == 404
    assert {**refused.json()["error"], "id": ""} == {**missing.json()["error"], "id": ""}
    assert [each["name"] for each in listed.json()["use_cases"]] == ["weather"]
    assert hidden.requests == []
    assert asked[0].user_id.startswith("anon_")
    assert asked[0].use_case == "payroll"


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
async def test_a_use_case_whose_access_check_fails_is_hidden_from_everybody(
    edge: Edge, error: type[BaseException]
) -> None:
    def is_allowed(context: RequestContext) -> bool:
        raise error

    async with edge.client(edge.app(use_case("broken", is_allowed=is_allowed), use_case("weather"))) as client:
        listed = await client.get("/api/use-cases")
        assert (await client.post("/chatkit/broken", content=b"{}", headers=JSON)).status_code == 404
    assert [each["name"] for each in listed.json()["use_cases"]] == ["weather"]


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_only_json_is_accepted(edge: Edge, content_type: str) -> None:
    server = FakeServer()
    async with edge.client(edge.app(use_case("todo", server))) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers={"Content-Type": content_type})
        accepted = await client.post(
            "/chatkit/todo", content=b"{}", headers={"Content-Type": "Application/JSON; charset=utf-8"}
        )
    assert (response.status_code, accepted.status_code) == (415, 200)
    assert len(server.requests) == 1


async def test_a_body_that_announces_too_much_is_refused_unread(edge: Edge) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(4):
            read += 1
            yield b"x" * 1024

    app = edge.app(use_case("todo"), settings={"max_body_bytes": 2048})
    async with edge.client(app) as client:
        response = await client.post("/chatkit/todo", content=body(), headers={**JSON, "Content-Length": "4096"})
    assert (response.status_code, response.json()["error"]["code"], read) == (413, "too_large", 0)
    assert response.headers["connection"] == "close"


async def test_a_body_that_announces_nothing_is_read_up_to_the_bound(edge: Edge) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b"x" * 1024

    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"max_body_bytes": 2048})
    async with edge.client(app) as client:
        response = await client.post("/chatkit/todo", content=body(), headers=JSON)
    assert (response.status_code, read, server.requests) == (413, 3, [])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFoundError("There is no such thread.", code="thread.not_found"), 404, "thread.not_found"),
        (ConflictError("An answer is being written."), 409, "conflict"),
        (ModelError("The model cannot be reached."), 502, "model.failed"),
    ],
)
async def test_an_error_for_people_keeps_its_status_and_its_words(
    edge: Edge, log: pytest.LogCaptureFixture, error: UserFacingError, status: int, code: str
) -> None:
    async with edge.client(edge.app(use_case("todo", fails_with(error)))) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
    said = response.json()["error"]
    assert (response.status_code, said["code"], said["message"]) == (status, code, error.message)
    assert said["id"] in logged_text(log)


async def test_a_temporary_refusal_says_when_to_retry(edge: Edge) -> None:
    patient = TooManyRequestsError("Too many answers.")
    patient.retry_after_s = 17
    said = []
    for error in (patient, UnavailableError("Not now."), ConflictError("Not like this.")):
        async with edge.client(edge.app(use_case("todo", fails_with(error)))) as client:
            response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
        said.append((response.status_code, response.headers.get("retry-after")))
    assert said == [(429, "17"), (503, "5"), (409, None)]


async def test_a_database_that_does_not_come_back_by_itself_is_no_reason_to_try_again_soon(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    full = sqlite3.OperationalError()
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    said = []
    for cause in (full, FileReplacedError()):
        failure = OperationalError("BEGIN", None, cause)
        async with edge.client(edge.app(use_case("todo", fails_with(failure)))) as client:
            response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
        said.append((response.status_code, response.json()["error"]["message"].rpartition("moment. ")[2]))
    assert said == [
        (503, "Try again soon."),
        (503, "Whoever runs this server has to put it right first: its log says how."),
    ]
    logged = logged_text(log)
    assert "restart the server" in logged
    assert "Traceback" not in logged


async def test_a_bug_is_answered_with_one_sentence_and_an_id_that_the_log_explains_once(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    async with edge.client(edge.app(use_case("todo", fails_with(KeyError("s3cret detail"))))) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
    said = response.json()["error"]
    assert (response.status_code, said["code"]) == (500, "internal")
    assert "s3cret" not in response.text
    assert said["id"].startswith("err_")
    explained = [record for record in log.records if record.exc_info]
    assert [record.error_id for record in explained] == [said["id"]]  # type: ignore[attr-defined]


async def test_the_use_case_gets_the_user_the_language_and_the_request_id(edge: Edge) -> None:
    server = FakeServer()
    async with edge.client(edge.app(use_case("todo", server))) as client:
        response = await client.post(
            "/chatkit/todo", content=b"{}", headers={**JSON, "Accept-Language": "de-CH,de;q=0.9"}
        )
    _, context = server.requests[0]
    assert (context.use_case, context.locale) == ("todo", "de-CH")
    assert context.request_id == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/chatkit"), ("DELETE", "/chatkit/todo"), ("GET", "/api/nothing")]
)
async def test_unknown_routes_answer_with_the_same_form_of_error(edge: Edge, method: str, path: str) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        response = await client.request(method, path)
    assert response.status_code in (404, 405)
    assert set(response.json()["error"]) == {"code", "message", "id"}
