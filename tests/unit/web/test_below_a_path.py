"""Files, sessions and resumed answers below a path of a shared host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.files.file_desk import open_desk
from tests.unit.harness import user_input
from tests.unit.scripted_model import ScriptedModel, says

ORIGIN = "https://intranet.example"
PREFIX = "/tools/chat"
KEY = "k" * 32


@dataclass(frozen=True, slots=True)
class Gateway:
    """How a proxy treats the path.

    Attributes:
        takes_off: Whether it takes the prefix off.
        tells: Whether it says so in `X-Forwarded-Prefix`.
        base_path: The setting of the server; empty without one.
    """

    takes_off: bool
    tells: bool
    base_path: str


GATEWAYS = {
    "kept, by setting": Gateway(takes_off=False, tells=False, base_path=PREFIX),
    "taken off, by setting": Gateway(takes_off=True, tells=False, base_path=f"{PREFIX}/"),
    "taken off, by header": Gateway(takes_off=True, tells=True, base_path=""),
    "kept, by both": Gateway(takes_off=False, tells=True, base_path=PREFIX),
}


class Proxy(httpx.AsyncBaseTransport):
    """The host that everybody sees: below the prefix is Parlor, and whatever else is asked is somebody else's."""

    def __init__(self, app: Any, gateway: Gateway) -> None:
        self._inside = httpx.ASGITransport(app, client=("10.1.2.3", 4711))
        self._gateway = gateway

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        if f"{request.url.scheme}://{request.url.host}" != ORIGIN or not path.startswith(f"{PREFIX}/"):
            return httpx.Response(421, text=f"not ours: {request.url}")
        if self._gateway.takes_off:
            path = path.removeprefix(PREFIX)
        headers = [(name, value) for name, value in request.headers.items() if name != "host"]
        headers += [("Host", "inside"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "intranet.example")]
        headers += [("X-Forwarded-Prefix", PREFIX)] if self._gateway.tells else []
        return await self._inside.handle_async_request(
            httpx.Request(
                request.method, f"http://inside{path}", headers=headers, stream=request.stream,
                extensions=request.extensions,
            )
        )  # fmt: skip


@pytest.mark.parametrize("gateway", GATEWAYS.values(), ids=GATEWAYS)
async def test_files_answers_and_sessions_never_leave_the_path(tmp_path: Path, gateway: Gateway) -> None:
    settings: dict[str, Any] = {
        "trusted_proxies": "10.0.0.0/8",
        "base_path": gateway.base_path,
        "server_api_keys": f"shop:{KEY}",
    }
    model = ScriptedModel(turns=[says("First ", "answer.")])
    async with (
        open_desk(tmp_path, model=model, secret_key="s" * 32, **settings) as desk,
        httpx.AsyncClient(transport=Proxy(desk.app, gateway), base_url=f"{ORIGIN}{PREFIX}/") as browser,
        httpx.AsyncClient(transport=Proxy(desk.app, gateway), base_url=f"{ORIGIN}{PREFIX}/") as anybody,
    ):
        assert (await browser.get("")).status_code == 200
        assert [(each.path, each.secure) for each in browser.cookies.jar] == [(f"{PREFIX}/", True)]

        async def ask(type_: str, **params: Any) -> httpx.Response:
            body = {"type": type_, "params": params, "metadata": {"resumable": True}}
            answer = await browser.post("chatkit/files", json=body)
            assert answer.status_code == 200, answer.text
            return answer

        # A file goes to the address that it was given, and is read again at the one that it has.
        announced = (await ask("attachments.create", name="a.txt", size=5, mime_type="text/plain")).json()
        to = announced["upload_descriptor"]
        sent = await anybody.request(to["method"], to["url"], content=b"hello", headers=to["headers"])
        assert sent.status_code == 200, sent.text
        about = await browser.get(f"api/attachments/{announced['id']}")
        [url] = {value for value in _strings(about.json()) if f"{announced['id']}/file" in value}
        assert (await anybody.get(httpx.URL(f"{ORIGIN}{PREFIX}/").join(url))).content == b"hello"

        # An answer is read on where it was cut.
        message = user_input("Go", attachments=[announced["id"]])
        stream = await ask("threads.create", input=message)
        run_id = stream.headers["Parlor-Run"]
        thread_id = re.findall(r'"id":"(thr_\w+)"', stream.text)[0]
        again = await ask("runs.attach", thread_id=thread_id, after=3, run_id=run_id)
        assert again.headers["Parlor-Run"] == run_id
        assert "First answer." in again.text
        assert "thread.created" not in again.text

        # A page's own server opens a session there, and its page talks with the secret.
        opened = await anybody.post(
            "v1/chatkit/sessions", json={"user": "ada", "workflow": {"id": "files"}},
            headers={"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "chatkit_beta=v1"},
        )  # fmt: skip
        assert opened.status_code == 200, opened.text
        listed = await anybody.post(
            "chatkit/files", json={"type": "threads.list", "params": {}},
            headers={"Authorization": f"Bearer {opened.json()['client_secret']}"},
        )  # fmt: skip
        assert (listed.status_code, listed.json()["data"]) == (200, []), "somebody else than the browser"


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _strings(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in _strings(inner)]
    return [value] if isinstance(value, str) else []
