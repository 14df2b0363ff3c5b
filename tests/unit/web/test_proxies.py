from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.unit.web.edge import JSON, Edge, FakeServer, use_case
from web.proxies import parse_address

PROXY = "10.1.2.3"
TRUSTED = {"trusted_proxies": "10.0.0.0/8,fd00::/8"}


@asynccontextmanager
async def asked_from(edge: Edge, peer: str, server: FakeServer, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = edge.app(use_case("todo", server), settings={**TRUSTED, **settings})
    transport = httpx.ASGITransport(app, client=(peer, 4711))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://inside.test") as client,
    ):
        await app.state.lifecycle.wait_until_started(5)
        yield client


async def base_url_seen(edge: Edge, peer: str, headers: dict[str, str], **settings: Any) -> str:
    server = FakeServer()
    async with asked_from(edge, peer, server, **settings) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers=JSON | headers)
        assert response.status_code == 200, response.text
    [(_, context)] = server.requests
    return context.base_url


@pytest.mark.parametrize("peer", [PROXY, "::ffff:10.1.2.3", "fd12::7"])
async def test_a_trusted_proxy_says_how_the_browser_reaches_us(edge: Edge, peer: str) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "chat.example:8443", "X-Forwarded-Prefix": "/tools/chat"}
    assert await base_url_seen(edge, peer, said) == "https://chat.example:8443/tools/chat"


@pytest.mark.parametrize("peer", ["192.0.2.9", "11.0.0.1", "2001:db8::1"])
async def test_headers_of_other_peers_are_ignored(edge: Edge, peer: str) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    assert await base_url_seen(edge, peer, said) == "http://inside.test"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"X-Forwarded-Host": "evil.example/path"}, "http://inside.test"),
        ({"X-Forwarded-Host": "evil.example@x"}, "http://inside.test"),
        ({"X-Forwarded-Prefix": "//evil.example"}, "http://inside.test"),
        ({"X-Forwarded-Prefix": "/a/../b"}, "http://inside.test"),
        ({"X-Forwarded-Prefix": "/a%2fb"}, "http://inside.test"),
        ({"X-Forwarded-Prefix": "/"}, "http://inside.test"),
        ({"X-Forwarded-Proto": "javascript"}, "http://inside.test"),
        ({"X-Forwarded-Prefix": "/chat/"}, "http://inside.test/chat"),
        # Two proxies: the outer one met the client, and its word counts where both have left one.
        (
            {"X-Forwarded-For": "203.0.113.5, 10.9.9.9", "X-Forwarded-Proto": "https, http"},
            "https://inside.test",
        ),
        # A client that sends the header itself stands before what the first proxy saw.
        (
            {"X-Forwarded-For": "1.1.1.1, 203.0.113.5", "X-Forwarded-Proto": "https, http"},
            "http://inside.test",
        ),
    ],
)
async def test_invalid_forwarded_values_are_ignored(edge: Edge, said: dict[str, str], expected: str) -> None:
    assert await base_url_seen(edge, PROXY, said) == expected


@pytest.mark.parametrize("path", ["/tools/chat/", "/"])
@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Prefix": "/tools/chat"}])
async def test_below_a_path_all_is_found_whether_the_proxy_takes_it_off_or_not(
    edge: Edge, path: str, headers: dict[str, str]
) -> None:
    server = FakeServer()
    async with asked_from(edge, PROXY, server, base_path="/tools/chat/") as client:
        page = await client.get(path, headers=headers | {"X-Forwarded-Proto": "https"})
        answer = await client.post(f"{path}chatkit/todo", content=b"{}", headers=JSON | headers)
        brand = await client.get(f"{path}api/branding", headers=headers)
        icon = await client.get(f"{path}favicon.ico", headers=headers)
        probe = await client.get("/healthz")
    cookie = page.headers["set-cookie"]
    assert "; Path=/tools/chat/;" in cookie
    assert "; Secure;" in cookie
    assert [each.status_code for each in (answer, brand, icon, probe)] == [200, 200, 307, 200]
    assert icon.headers["location"] == "static/logo.svg"
    assert server.requests[0][1].base_url == "http://inside.test/tools/chat"


async def test_without_the_last_slash_a_browser_is_sent_to_where_relative_addresses_work(edge: Edge) -> None:
    async with asked_from(edge, "192.0.2.1", FakeServer(), base_path="/tools/chat") as client:
        response = await client.get("/tools/chat?use_case=todo")
        elsewhere = await client.get("/tools/chatter")
    assert (response.status_code, response.headers["location"]) == (308, "/tools/chat/?use_case=todo")
    assert elsewhere.status_code == 404


async def test_behind_a_proxy_that_is_not_trusted_the_cookie_is_not_secure(edge: Edge) -> None:
    said = {"X-Forwarded-Proto": "https"}
    async with asked_from(edge, "192.0.2.1", FakeServer()) as client:
        assert "Secure" not in (await client.get("/", headers=said)).headers["set-cookie"]


async def test_a_page_of_the_forwarded_host_is_ours_and_its_name_opens_no_other_door(edge: Edge) -> None:
    headers = JSON | {"Origin": "https://chat.example", "X-Forwarded-Host": "chat.example"}
    async with asked_from(edge, PROXY, FakeServer(), host="127.0.0.1") as client:
        ours = await client.post("/chatkit/todo", content=b"{}", headers=headers)
        # A page that gave our address to its own name can write this header, and not `Host`.
        rebound = await client.post(
            "/chatkit/todo",
            content=b"{}",
            headers=headers | {"Host": "evil.example", "X-Forwarded-Host": "inside.test"},
        )
    assert ours.status_code == 200
    assert rebound.status_code == 421


@pytest.mark.parametrize(
    ("text", "expected"),
    [("192.0.2.1", "192.0.2.1"), ("192.0.2.1:80", "192.0.2.1"), ("[2001:db8::1]:80", "2001:db8::1"),
     ("2001:DB8::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("unknown", "None"), ("", "None"),
     ("1.2.3.4.5", "None"), ("_hidden", "None")],
)  # fmt: skip
def test_addresses_are_read_in_all_forms_that_proxies_write(text: str, expected: str) -> None:
    assert str(parse_address(text)) == expected
