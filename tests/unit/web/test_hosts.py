from __future__ import annotations

import pytest

from config import load_settings
from errors import ConfigError
from tests.unit.web.edge import JSON, Edge, FakeServer, logged_text, use_case
from web.hosts import MAX_LOGGED_HOSTS, is_loopback


async def status_under(edge: Edge, name: str, path: str = "/api/branding", **settings: str) -> int:
    async with edge.client(edge.app(use_case("todo"), settings=settings)) as client:
        return (await client.get(path, headers={"Host": name})).status_code


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("localhost.", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.20", 200),
        ("parlor", 200),
        ("chat.localhost", 200),
        ("evil.example", 421),
        ("evil.example:8000", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1.nip.io", 421),
        ("xn--80ak6aa92e.com.", 421),
        ("evil.example/127.0.0.1", 400),
        ("user@localhost", 400),
        ("localhost:port", 400),
        ("[::1", 400),
        ("", 400),
        ("a b", 400),
    ],
)
async def test_a_server_of_this_machine_answers_under_names_that_no_stranger_can_have(
    edge: Edge, host: str, status: int
) -> None:
    assert await status_under(edge, host) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("chat.example", 200),
        ("Chat.Example:443", 200),
        ("a.team.example", 200),
        ("b.a.team.example", 200),
        ("team.example", 421),
        ("steam.example", 421),
        ("chat.example.evil.example", 421),
        ("localhost", 421),
    ],
)
async def test_elsewhere_it_answers_under_the_names_of_the_setting(edge: Edge, host: str, status: int) -> None:
    settings = {"host": "0.0.0.0", "allowed_hosts": "chat.example, *.team.example"}  # noqa: S104 - nothing listens
    assert await status_under(edge, host, **settings) == status


async def test_elsewhere_without_the_setting_any_name_will_do(edge: Edge) -> None:
    assert await status_under(edge, "chat.example", host="0.0.0.0") == 200  # noqa: S104 - nothing listens


async def test_a_loopback_server_answers_under_a_proxy_s_name_when_it_is_allowed(edge: Edge) -> None:
    assert await status_under(edge, "chat.example", allowed_hosts="chat.example") == 200
    assert await status_under(edge, "localhost", allowed_hosts="chat.example") == 200
    assert await status_under(edge, "evil.example", allowed_hosts="chat.example") == 421


async def test_probes_need_no_name(edge: Edge) -> None:
    assert await status_under(edge, "10-0-0-7.pod.example", "/healthz", allowed_hosts="chat.example") == 200
    assert await status_under(edge, "10-0-0-7.pod.example", "/readyz", allowed_hosts="chat.example") == 200


async def test_two_host_headers_are_refused(edge: Edge) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        answer = await client.get("/api/branding", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert answer.status_code == 400


async def test_a_refused_name_reaches_no_use_case_and_is_logged_once(edge: Edge, log: pytest.LogCaptureFixture) -> None:
    server = FakeServer()
    async with edge.client(edge.app(use_case("todo", server))) as client:
        for _ in range(3):
            answer = await client.post("/chatkit/todo", content=b"{}", headers={**JSON, "Host": "evil.example"})
        for number in range(2 * MAX_LOGGED_HOSTS):
            await client.get("/api/branding", headers={"Host": f"n{number}.example"})
    assert server.requests == []
    assert answer.json()["error"]["code"] == "host.not_allowed"
    assert "ALLOWED_HOSTS" in answer.json()["error"]["message"]
    assert "set-cookie" not in answer.headers
    warnings = [line for line in logged_text(log).splitlines() if "add it to ALLOWED_HOSTS" in line]
    assert len([line for line in warnings if "evil.example" in line]) == 1
    assert len(warnings) == MAX_LOGGED_HOSTS


@pytest.mark.parametrize("wrong", ["https://chat.example", "chat.example:443", "*.*", "a..b", "chat example"])
def test_an_invalid_host_name_stops_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", wrong)
    with pytest.raises(ConfigError, match="ALLOWED_HOSTS"):
        load_settings()


def test_loopback_is_known_in_all_its_forms() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost", "Localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.0.1", "parlor"))  # noqa: S104
