"""Session routes of apps for OpenAI's hosted ChatKit, run by Node.js."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from infra.client_build import node_program
from tests.processes.server_process import ServerProcess, Story, running
from tests.processes.test_openai_library import KEY, KEYS, page_of

# What a route does: it posts for one of its people, and hands on what its page needs.
ROUTE = """
const [base, key, headers, body] = process.argv.slice(1).map((text, i) => (i > 1 ? JSON.parse(text) : text));
const answer = await fetch(`${base}/v1/chatkit/sessions`, {
  method: 'POST',
  headers: key ? {Authorization: `Bearer ${key}`, ...headers} : headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  signal: AbortSignal.timeout(15000),
});
const payload = await answer.json().catch(() => ({}));
console.log(JSON.stringify({
  ok: answer.ok,
  status: answer.status,
  type: answer.headers.get('content-type'),
  client_secret: payload?.client_secret ?? null,
  expires_after: payload?.expires_after ?? null,
  payload,
}));
"""
HEADERS = {"Content-Type": "application/json", "OpenAI-Beta": "chatkit_beta=v1"}
WANTED = {"workflow": {"id": "counting"}, "user": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}


async def asked(server: ServerProcess, body: Any, headers: dict[str, str] = HEADERS, key: str = KEY) -> Any:
    """Run the session route of the starter app, and return its response."""
    base = str(server.client.base_url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        node_program(), "--input-type=module", "-e", ROUTE, base, key, json.dumps(headers), json.dumps(body),
        stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_sessions_of_apps_are_opened_as_they_ask_for_them(tmp_path: Path) -> None:
    uploads = {"chatkit_configuration": {"file_upload": {"enabled": True}}}
    lower_case = {name.lower(): value for name, value in HEADERS.items()}
    variants: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({**WANTED, **uploads}, HEADERS),
        (WANTED, HEADERS),
        ({**WANTED, "chatkit_configuration": {"file_upload": {"enabled": False}}}, lower_case),
        ({**WANTED, "workflow": {"id": "counting", "version": "7"}}, {**HEADERS, "Accept": "*/*"}),
        ({**WANTED, "expires_after": None}, {**HEADERS, "Content-Type": "application/json; charset=utf-8"}),
    ]
    async with running(tmp_path, **KEYS) as server:
        for body, headers in variants:
            seen = await asked(server, body, headers)
            assert (seen["ok"], seen["status"], seen["type"]) == (True, 200, "application/json"), seen
            assert seen["client_secret"].startswith("ek_")
            # OpenAI's answer has an end, and no such field: apps pass on null.
            assert seen["expires_after"] is None
            session = seen["payload"]
            assert (session["object"], session["status"], session["user"]) == (
                "chatkit.session",
                "active",
                WANTED["user"],
            )
            assert session["workflow"]["id"] == "counting"
            assert isinstance(session["expires_at"], int)
        assert (await asked(server, {**WANTED, **uploads}))["payload"]["chatkit_configuration"]["file_upload"][
            "enabled"
        ]
        async with page_of(server, seen["client_secret"]) as page:
            story = Story()
            await page.read(story, "count to 3")
            assert (story.text != "", story.error) == (True, None)


ERRORS: list[tuple[Any, str, int, str, str | None]] = [
    (WANTED, "", 401, "missing_api_key", None),
    (WANTED, "sk-proj-of-somebody-else-0123456789", 401, "invalid_api_key", None),
    ({"workflow": {"id": "wf_68df4b13b3588190a09d"}, "user": "u"}, KEY, 404, "workflow_not_found", "workflow.id"),
    ({"workflow": {"id": "counting"}}, KEY, 400, "missing_required_parameter", "user"),
    ({"workflow": {}, "user": "u"}, KEY, 400, "missing_required_parameter", "workflow.id"),
    ({"workflow": {"id": ""}, "user": "u"}, KEY, 400, "invalid_value", "workflow.id"),
    ({**WANTED, "scope": {"user_id": "u"}}, KEY, 400, "unknown_parameter", "scope"),
    ("{", KEY, 400, "invalid_json", None),
    ([], KEY, 400, "invalid_json", None),
]


async def test_errors_have_openais_form(tmp_path: Path) -> None:
    async with running(tmp_path, **KEYS) as server:
        for body, key, status, code, param in ERRORS:
            seen = await asked(server, body, key=key)
            assert (seen["ok"], seen["status"], seen["client_secret"]) == (False, status, None)
            error = seen["payload"]["error"]
            assert (error["code"], error["param"], error["type"]) == (code, param, "invalid_request_error")
            assert isinstance(error["message"], str)
            assert error["message"]
            assert KEY not in json.dumps(seen)
