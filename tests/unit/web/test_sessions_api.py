from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent

from context import Turn
from errors import BadRequestError
from plugins import UseCase
from tests.unit.harness import PlainServer, events_of, texts
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services
from tests.unit.web.edge import Edge, FakeServer, logged_text, use_case
from tests.unit.web.session_door import KEY, OTHER_KEY, PAGE, SIGNING_KEY, Door, open_door
from turns.request_context import RequestContext
from web import sessions_api as api
from web.client_secrets import ClientSecrets, new_session_id
from web.identity import Cookies, new_user_id

ROOT = Path(__file__).resolve().parents[3]
SIMPLE = {"user": "ada", "workflow": {"id": "todo"}}


@pytest.fixture
def todo() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def door(edge: Edge, tmp_path: Path, todo: FakeServer) -> AsyncIterator[Door]:
    async with open_door(edge, tmp_path, use_case("todo", todo), use_case("weather")) as opened:
        yield opened


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


# Opening


async def test_a_new_session_is_returned_with_all_its_settings(door: Door) -> None:
    session = await door.open()
    secret = session.pop("client_secret")
    assert session.pop("id").startswith("cksess_")
    assert session.pop("expires_at") > 1_700_000_000
    assert session == {
        "object": "chatkit.session",
        "status": "active",
        "user": "ada",
        "workflow": {"id": "todo", "version": None, "state_variables": None, "tracing": {"enabled": False}},
        "rate_limits": {"max_requests_per_1_minute": 60},
        "max_requests_per_1_minute": 60,
        "chatkit_configuration": {
            "automatic_thread_titling": {"enabled": True},
            "file_upload": {"enabled": False, "max_file_size": 512, "max_files": 10},
            "history": {"enabled": True, "recent_threads": None},
        },
    }
    assert (await door.ask(secret)).status_code == 200


async def test_the_requested_configuration_is_returned(door: Door) -> None:
    configuration = {
        "automatic_thread_titling": {"enabled": False},
        "file_upload": {"enabled": True, "max_file_size": 5, "max_files": 2},
        "history": {"enabled": True, "recent_threads": 3},
    }
    variables = {"plan": "pro", "seats": 3, "is_new": True, "rate": 0.5}
    session = await door.open(
        workflow={"state_variables": variables, "version": "7", "tracing": {"enabled": True}},
        chatkit_configuration=configuration,
        rate_limits={"max_requests_per_1_minute": 4},
        expires_after={"anchor": "created_at", "seconds": 60},
    )
    assert session["chatkit_configuration"] == configuration
    assert session["workflow"]["state_variables"] == variables
    assert session["workflow"]["version"] == "7"
    assert session["max_requests_per_1_minute"] == 4


@pytest.mark.parametrize(
    ("body", "status", "code", "parameter"),
    [
        ({"workflow": {"id": "todo"}}, 400, "missing_required_parameter", "user"),
        ({"user": "ada"}, 400, "missing_required_parameter", "workflow"),
        ({"user": "ada", "workflow": {}}, 400, "missing_required_parameter", "workflow.id"),
        ({**SIMPLE, "user": ""}, 400, "invalid_value", "user"),
        ({**SIMPLE, "user": "  "}, 400, "invalid_value", "user"),
        ({**SIMPLE, "user": "a\x00"}, 400, "invalid_value", "user"),
        ({**SIMPLE, "user": "a" * 513}, 400, "invalid_value", "user"),
        ({**SIMPLE, "user": 7}, 400, "invalid_value", "user"),
        ({**SIMPLE, "usr": "ada"}, 400, "unknown_parameter", "usr"),
        ({**SIMPLE, "workflow": {"id": "nothing"}}, 404, "workflow_not_found", "workflow.id"),
        ({**SIMPLE, "expires_after": {"anchor": "created_at", "seconds": 0}}, 400, "invalid_value", "seconds"),
        ({**SIMPLE, "expires_after": {"anchor": "created_at", "seconds": 7201}}, 400, "invalid_value", "seconds"),
        ({**SIMPLE, "expires_after": {"anchor": "now", "seconds": 9}}, 400, "invalid_value", "anchor"),
        ({**SIMPLE, "rate_limits": {"max_requests_per_1_minute": 0}}, 400, "invalid_value", "minute"),
        ({**SIMPLE, "workflow": {"id": "todo", "state_variables": {"a": []}}}, 400, "invalid_value", "variables.a"),
        ({**SIMPLE, "workflow": {"id": "todo", "state_variables": {"a" * 65: 1}}}, 400, "invalid_value", "a" * 65),
        (
            {**SIMPLE, "workflow": {"id": "todo", "state_variables": {"a": "x" * 17_000}}},
            400, "invalid_value", "workflow.state_variables",
        ),
        ([], 400, "invalid_json", None),
    ],
)  # fmt: skip
async def test_a_refusal_names_the_parameter(
    door: Door, body: Any, status: int, code: str, parameter: str | None
) -> None:
    response = await door.post(body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert error["type"] == "invalid_request_error"
    if parameter is None:
        assert error["param"] is None
    else:
        assert error["param"].endswith(parameter)
        assert error["param"] in error["message"]


async def test_more_variables_than_allowed_are_refused(door: Door) -> None:
    many = {f"v{number}": number for number in range(65)}
    response = await door.post({"user": "ada", "workflow": {"id": "todo", "state_variables": many}})
    assert code_of(response) == (400, "invalid_value")


@pytest.mark.parametrize(
    ("key", "code"), [(None, "missing_api_key"), ("x" * 32, "invalid_api_key"), ("", "invalid_api_key")]
)
async def test_only_a_server_key_opens_and_ends_sessions(door: Door, key: str | None, code: str) -> None:
    session = await door.open()
    for path in ("/v1/chatkit/sessions", f"/v1/chatkit/sessions/{session['id']}/cancel"):
        response = await door.post(SIMPLE, key, path)
        assert code_of(response) == (401, code)
        assert response.headers["www-authenticate"] == "Bearer"
    # A client secret is no server key, and a server key no client secret.
    assert code_of(await door.post(SIMPLE, session["client_secret"])) == (401, "invalid_api_key")
    assert code_of(await door.ask(KEY)) == (401, "secret.invalid")


@pytest.mark.parametrize("path", ["/chatkit/sessions", "/chatkit/sessions/cksess_1/cancel", "/chatkit"])
@pytest.mark.parametrize("key", [KEY, "sk-proj-of-openai"])
async def test_a_server_key_in_the_place_of_a_client_secret_is_answered_with_the_base_url(
    door: Door, path: str, key: str
) -> None:
    response = await door.post(SIMPLE, key, path)
    assert code_of(response) == (401, "secret.invalid")
    assert "the base URL of OpenAI's libraries ends in /v1" in response.json()["error"]["message"]
    assert key not in response.text


async def test_without_server_keys_the_endpoint_says_so(edge: Edge, tmp_path: Path) -> None:
    async with open_door(edge, tmp_path, use_case("todo"), server_api_keys=None) as door:
        response = await door.post(SIMPLE)
        assert code_of(response) == (404, "sessions_disabled")
        assert "SERVER_API_KEYS" in response.json()["error"]["message"]
        assert code_of(await door.ask("secret-1")) == (401, "secret.invalid")


async def test_a_use_case_that_the_person_may_not_use_reads_as_missing(edge: Edge, tmp_path: Path) -> None:
    hidden = use_case("secret", is_allowed=lambda context: context.variables.get("plan") == "pro")
    async with open_door(edge, tmp_path, use_case("todo"), hidden) as door:
        workflow: dict[str, Any] = {"id": "secret"}
        refused = await door.post({"user": "ada", "workflow": workflow})
        assert code_of(refused) == (404, "workflow_not_found")
        assert "('todo')" in refused.json()["error"]["message"]
        await door.open(use_case="secret", workflow={"state_variables": {"plan": "pro"}})


def test_the_document_lists_the_limits_and_every_code() -> None:
    document = (ROOT / "docs" / "sessions.md").read_text("utf-8")
    bounds = (
        api.MAX_LIFETIME_S, api.DEFAULT_LIFETIME_S, api.MAX_REQUESTS_PER_MINUTE, api.MAX_RECENT_THREADS,
        api.MAX_FILE_MB, api.MAX_FILES, api.MAX_USER_CHARS, api.MAX_VARIABLES, api.MAX_VARIABLES_CHARS,
    )  # fmt: skip
    missing = [bound for bound in bounds if not re.search(rf"(?<![\d,]){bound:,}(?![\d,])", document)]
    assert missing == []
    sources = "".join((ROOT / "web" / f"{name}.py").read_text("utf-8") for name in ("sessions_api", "client_sessions"))
    codes = set(re.findall(r'code="([^"]+)"', sources)) | set(re.findall(r'Error\(.*, "(\w+)", ', sources))
    assert {code for code in codes if f"`{code}`" not in document} == set()
    assert len(codes) > 8


# What a secret is


async def test_the_person_is_the_key_and_the_user_in_every_session(door: Door, todo: FakeServer) -> None:
    sessions = [await door.open(), await door.open(), await door.open("bob"), await door.open(key=OTHER_KEY)]
    for session in sessions:
        response = await door.ask(session["client_secret"])
        assert "set-cookie" not in response.headers
    ada, again, bob, elsewhere = [context.user_id for _, context in todo.requests]
    assert ada == again
    assert len({ada, bob, elsewhere}) == 3
    assert ada.startswith("usr_")


async def test_a_new_signing_key_ends_sessions_and_takes_no_conversation(edge: Edge, tmp_path: Path) -> None:
    users = []
    old = ""
    for signing_key in (SIGNING_KEY, "t" * 32):
        server = FakeServer()
        async with open_door(edge, tmp_path, use_case("todo", server), secret_key=signing_key) as door:
            if old:
                assert code_of(await door.ask(old)) == (401, "secret.invalid")
            old = (await door.open())["client_secret"]
            await door.ask(old)
        users.append(server.requests[0][1].user_id)
    assert users[0] == users[1]


async def test_variables_reach_the_context_and_cannot_be_changed(door: Door, todo: FakeServer) -> None:
    session = await door.open(workflow={"state_variables": {"plan": "pro", "seats": 3}})
    await door.ask(session["client_secret"])
    variables: Any = todo.requests[0][1].variables
    assert dict(variables) == {"plan": "pro", "seats": 3}
    with pytest.raises(TypeError):
        variables["plan"] = "free"


async def test_a_secret_opens_its_use_case_and_no_other(door: Door, todo: FakeServer) -> None:
    secret = (await door.open())["client_secret"]
    assert (await door.ask(secret, use_case=None)).status_code == 200
    assert todo.requests[0][1].use_case == "todo"
    assert code_of(await door.ask(secret, use_case="weather")) == (404, "use_case.not_found")
    assert code_of(await door.ask(secret, use_case="nothing")) == (404, "use_case.not_found")
    listed = await door.client.get("/api/use-cases", headers={"Authorization": f"Bearer {secret}"})
    assert [(each["name"], each["default"]) for each in listed.json()["use_cases"]] == [("todo", True)]


async def bad_secrets(door: Door) -> dict[str, str]:
    good = await door.open()
    cancelled = await door.open()
    await door.cancel(cancelled["id"])
    signer = ClientSecrets(SIGNING_KEY.encode())
    return {
        "": "secret.invalid",
        "secret-1": "secret.invalid",
        good["client_secret"][:-1]: "secret.invalid",
        good["client_secret"].upper(): "secret.invalid",
        Cookies(SIGNING_KEY.encode()).build(new_user_id()): "secret.invalid",
        signer.build(good["id"], 1_700_000_000): "secret.expired",
        signer.build(new_session_id(), good["expires_at"]): "secret.expired",
        cancelled["client_secret"]: "secret.cancelled",
    }


async def test_a_bad_secret_is_401_everywhere_and_nobody_becomes_anonymous_by_it(door: Door, todo: FakeServer) -> None:
    for secret, code in (await bad_secrets(door)).items():
        headers = {"Authorization": f"Bearer {secret}", "Origin": PAGE}
        asked = [await door.ask(secret, kind) for kind in ("threads.create", "runs.attach", "runs.stop", "unknown")]
        asked.append(await door.ask(secret, use_case="nothing"))
        asked.append(await door.client.get("/api/use-cases", headers=headers))
        asked.append(await door.client.get("/api/attachments/atc_1", headers=headers))
        asked.append(await door.client.get("/", headers=headers))
        for response in asked:
            assert code_of(response) == (401, code)
            assert "set-cookie" not in response.headers
            assert response.headers["www-authenticate"].startswith("Bearer")
    assert todo.requests == []


async def test_a_bad_secret_is_not_mended_by_a_cookie(door: Door, todo: FakeServer) -> None:
    cookie = {"Cookie": f"parlor_user={Cookies(SIGNING_KEY.encode()).build(new_user_id())}"}
    response = await door.client.post(
        "/chatkit/todo", json={"type": "threads.list"}, headers={**cookie, "Authorization": "Bearer nobody"}
    )
    assert code_of(response) == (401, "secret.invalid")
    # What is no bearer is a proxy's, and the cookie counts.
    response = await door.client.post(
        "/chatkit/todo", json={"type": "threads.list"}, headers={**cookie, "Authorization": "Basic dTpw"}
    )
    assert response.status_code == 200
    assert todo.requests[0][1].user_id.startswith("anon_")


async def test_a_session_ends_by_itself(door: Door) -> None:
    session = await door.open(expires_after={"anchor": "created_at", "seconds": 1})
    async with asyncio.timeout(10):
        while (response := await door.ask(session["client_secret"], "runs.stop")).status_code == 200:
            pass
    assert code_of(response) == (401, "secret.expired")
    ended = await door.cancel(session["id"])
    assert ended.json()["status"] == "cancelled"


async def test_a_cancelled_session_stays_so_after_a_restart(edge: Edge, tmp_path: Path) -> None:
    async with open_door(edge, tmp_path, use_case("todo")) as door:
        kept, ended = await door.open(workflow={"state_variables": {"a": 1.5}}), await door.open()
        answer = await door.cancel(ended["id"])
        assert answer.json() == {**ended, "status": "cancelled"}
        assert (await door.cancel(ended["id"])).json() == answer.json()
    async with open_door(edge, tmp_path, use_case("todo")) as door:
        assert (await door.ask(kept["client_secret"])).status_code == 200
        assert code_of(await door.ask(ended["client_secret"])) == (401, "secret.cancelled")
        assert (await door.cancel(kept["id"])).json() == {**kept, "status": "cancelled"}


async def test_a_server_ends_its_own_sessions_only(door: Door) -> None:
    session = await door.open()
    assert code_of(await door.cancel(session["id"], OTHER_KEY)) == (404, "session_not_found")
    assert code_of(await door.cancel("cksess_1")) == (404, "session_not_found")
    assert (await door.ask(session["client_secret"])).status_code == 200


async def test_a_key_that_is_taken_away_ends_its_sessions(edge: Edge, tmp_path: Path) -> None:
    async with open_door(edge, tmp_path, use_case("todo")) as door:
        secret = (await door.open())["client_secret"]
    async with open_door(edge, tmp_path, use_case("todo"), server_api_keys=f"desk:{OTHER_KEY}") as door:
        assert code_of(await door.ask(secret)) == (401, "secret.revoked")


async def test_sessions_that_ran_out_long_ago_are_swept(edge: Edge, tmp_path: Path) -> None:
    async with open_door(edge, tmp_path, use_case("todo")) as door:
        await door.open()
        recent = await door.open()
        with sqlite3.connect(tmp_path / "sessions.db") as file:
            file.execute(
                "UPDATE chat_sessions SET expires_at = '2026-01-01 00:00:00.000000' WHERE id != ?", [recent["id"]]
            )
        file.close()
        newest = await door.open()
    with sqlite3.connect(tmp_path / "sessions.db") as file:
        assert {row[0] for row in file.execute("SELECT id FROM chat_sessions")} == {recent["id"], newest["id"]}
    file.close()


# What a session offers


async def test_no_more_requests_a_minute_are_answered_than_allowed(
    edge: Edge, tmp_path: Path, todo: FakeServer
) -> None:
    async with open_door(edge, tmp_path, use_case("todo", todo)) as door:
        session = await door.open(rate_limits={"max_requests_per_1_minute": 3})
        secret = session["client_secret"]
        # Ten at once: in two minutes, should one end meanwhile.
        answers = await asyncio.gather(*(door.ask(secret) for _ in range(10)))
        assert 3 <= sum(answer.status_code == 200 for answer in answers) <= 6
        refused = next(answer for answer in answers if answer.status_code != 200)
        assert code_of(refused) == (429, "session.rate_limit")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        # A stop is no request that could be too many.
        assert (await door.ask(secret, "runs.stop", thread_id="thr_1")).status_code == 200
        assert (await door.ask((await door.open())["client_secret"])).status_code == 200


async def test_a_session_without_history_lists_no_threads(door: Door) -> None:
    session = await door.open(chatkit_configuration={"history": {"enabled": False}})
    assert code_of(await door.ask(session["client_secret"])) == (403, "session.no_history")
    assert (await door.ask(session["client_secret"], "threads.get_by_id", thread_id="thr_1")).status_code == 200


MESSAGE = {"content": [], "attachments": ["a", "b"]}


@pytest.mark.parametrize(
    ("files", "kind", "params", "expected"),
    [
        ({}, "attachments.create", {"name": "a", "size": 1}, (403, "session.no_uploads")),
        ({}, "threads.create", {"input": MESSAGE}, (403, "session.no_uploads")),
        (
            {"enabled": True, "max_file_size": 1},
            "attachments.create", {"name": "a", "size": 1024 * 1024 + 1}, (413, "session.file_too_large"),
        ),
    ],
)  # fmt: skip
async def test_files_are_taken_as_far_as_the_session_says(
    door: Door, todo: FakeServer, files: dict[str, Any], kind: str, params: dict[str, Any], expected: tuple[int, str]
) -> None:
    session = await door.open(chatkit_configuration={"file_upload": files})
    assert code_of(await door.ask(session["client_secret"], kind, **params)) == expected
    assert todo.requests == []
    allowed = await door.open(chatkit_configuration={"file_upload": {"enabled": True}})
    small = {**params, **({"size": 9} if "size" in params else {})}
    assert (await door.ask(allowed["client_secret"], kind, **small)).status_code == 200


async def test_no_more_files_are_taken_in_a_session_than_it_says(door: Door, todo: FakeServer) -> None:
    session = await door.open(chatkit_configuration={"file_upload": {"enabled": True, "max_files": 2}})
    attempts = [door.ask(session["client_secret"], "attachments.create", name="a", size=1) for _ in range(5)]
    answers = await asyncio.gather(*attempts)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 403, 403, 403]
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert code_of(refused) == (403, "session.too_many_files")
    assert len(todo.requests) == 2


async def test_a_file_that_is_refused_leaves_its_place_to_another(door: Door, todo: FakeServer) -> None:
    session = await door.open(chatkit_configuration={"file_upload": {"enabled": True, "max_files": 1}})
    secret, file = session["client_secret"], {"name": "a", "size": 1}
    accept = todo.answer

    def refuse(body: bytes, context: RequestContext) -> bytes:
        raise BadRequestError("Not this kind of file.")

    todo.answer = refuse
    for _ in range(2):
        assert (await door.ask(secret, "attachments.create", **file)).status_code == 400
    todo.answer = accept
    assert (await door.ask(secret, "attachments.create", **file)).status_code == 200
    assert code_of(await door.ask(secret, "attachments.create", **file)) == (403, "session.too_many_files")


@pytest.mark.parametrize("value", [[], ["a"], {"a": 1}, None])
async def test_a_variable_of_another_kind_is_refused_with_what_is_allowed(door: Door, value: Any) -> None:
    error = (await door.post({**SIMPLE, "workflow": {"id": "todo", "state_variables": {"a": value}}})).json()["error"]
    assert error["message"] == (
        "Invalid value for 'workflow.state_variables.a': it must be a text, a number, true or false; send a list or an "
        "object as a text that holds its JSON."
    )


# Pages of other origins


async def test_any_page_may_ask_with_a_secret_and_reads_refusals(door: Door) -> None:
    secret = (await door.open())["client_secret"]
    asking = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "accept-language,authorization,content-type",
    }
    preflight = await door.client.options("/chatkit", headers=asking)
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    for response in (preflight, await door.ask(secret), await door.ask("nobody")):
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
    assert "Parlor-Run" in (await door.ask(secret)).headers["access-control-expose-headers"]


async def test_a_page_without_a_secret_is_refused_as_ever(door: Door, todo: FakeServer) -> None:
    assert code_of(await door.ask(None)) == (403, "cross_origin")
    basic = await door.client.post(
        "/chatkit/todo", json={"type": "threads.list"}, headers={"Origin": PAGE, "Authorization": "Basic dTpw"}
    )
    assert code_of(basic) == (403, "cross_origin")
    preflight = await door.client.options(
        "/chatkit",
        headers={
            "Origin": PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.status_code == 405
    assert todo.requests == []


async def test_no_page_reads_what_a_server_key_opens(door: Door) -> None:
    response = await door.client.post(
        "/v1/chatkit/sessions", json=SIMPLE, headers={"Authorization": f"Bearer {KEY}", "Origin": PAGE}
    )
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


async def test_the_log_names_neither_person_nor_secret_nor_key(door: Door, log: pytest.LogCaptureFixture) -> None:
    session = await door.open("ada@example.org", workflow={"state_variables": {"a": "planted"}})
    await door.ask(session["client_secret"])
    await door.cancel(session["id"])
    await door.ask(session["client_secret"])
    logged = logged_text(log)
    assert "session opened" in logged
    assert session["id"] in logged
    for private in ("ada@example.org", "planted", session["client_secret"], KEY):
        assert private not in logged
    assert [record for record in log.records if record.levelno >= logging.WARNING] == []


# The agent


async def test_the_agent_knows_the_variables_and_leaves_the_title_to_the_session(edge: Edge, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    class Recording(PlainServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            seen.append(dict(turn.context.variables))
            return super().get_agent(turn)

    model = ScriptedModel(turns=[says("One."), says("Two.")])
    message = {"content": [{"type": "input_text", "text": "Hello"}], "attachments": [], "inference_options": {}}
    async with open_services(tmp_path, model) as services:
        server = Recording(services)
        async with open_door(edge, tmp_path, UseCase(name="todo", title="To-do", server=server)) as door:
            session = await door.open(
                workflow={"state_variables": {"plan": "pro"}},
                chatkit_configuration={"automatic_thread_titling": {"enabled": False}},
            )
            secret = session["client_secret"]
            first = events_of((await door.ask(secret, "threads.create", input=message)).content)
            thread_id = first[0]["thread"]["id"]
            await door.ask(secret, "threads.add_user_message", thread_id=thread_id, input=message)
            thread = (await door.ask(secret, "threads.get_by_id", thread_id=thread_id)).json()
    assert seen == [{"plan": "pro"}, {"plan": "pro"}]
    assert texts(first) == ["One."]
    assert "title" not in thread
