from __future__ import annotations

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.unit.web.edge import JSON, Edge, FakeServer, logged_text, use_case
from web.security import SecurityHeadersMiddleware, build_content_security_policy, is_own_origin

FRIEND = "https://intranet.example"


@pytest.mark.parametrize(
    ("headers", "is_accepted"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://parlor.test"}, True),
        ({"Origin": "HTTP://Parlor.TEST"}, True),
        ({"Origin": "http://parlor.test:80"}, True),
        ({"Origin": "https://parlor.test"}, True),  # TLS ends at a proxy
        ({"Origin": "http://parlor.test:8080"}, False),
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": "http://parlor.test.evil.test"}, False),
        ({"Origin": "http://evil.test/parlor.test"}, False),
        ({"Origin": "http://parlor.test@evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "file://"}, False),
        ({"Origin": "http://[::1"}, False),
        ({"Origin": FRIEND}, True),
        ({"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}, True),
        # A development proxy has changed the Host; no page can write the other header.
        ({"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://localhost:5173", "Sec-Fetch-Site": "none"}, False),
        ({"Origin": f"{FRIEND}.evil.test"}, False),
        ({"Origin": "http://intranet.example"}, False),
    ],
)
async def test_only_our_pages_and_listed_ones_may_post(edge: Edge, headers: dict[str, str], is_accepted: bool) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"allowed_origins": FRIEND})
    async with edge.client(app) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers={**JSON, **headers})
    assert response.status_code == (200 if is_accepted else 403)
    assert len(server.requests) == is_accepted
    if not is_accepted:
        assert response.json()["error"]["code"] == "cross_origin"
        assert "set-cookie" not in response.headers


async def test_a_refusal_names_the_origin_and_the_remedy_and_is_logged_once(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        for _ in range(3):
            answer = await client.post(
                "/chatkit/todo", content=b"{}", headers={**JSON, "Origin": "http://localhost:5173"}
            )
        odd = await client.post("/chatkit/todo", content=b"{}", headers={**JSON, "Origin": "\x1b[31m" + "x" * 1_000})
    message = answer.json()["error"]["message"]
    assert "http://localhost:5173" in message
    assert "ALLOWED_ORIGINS" in message
    assert len(odd.json()["error"]["message"]) < 250
    warnings = [line for line in logged_text(log).splitlines() if "ALLOWED_ORIGINS" in line]
    assert ["http://localhost:5173" in line for line in warnings] == [True, False]


async def test_two_origins_are_invalid(edge: Edge) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        response = await client.post(
            "/chatkit/todo",
            content=b"{}",
            headers=[*JSON.items(), ("Origin", "http://parlor.test"), ("Origin", "http://evil.test")],
        )
    assert response.status_code == 403


def test_a_port_is_part_of_an_origin_unless_it_is_the_usual_one() -> None:
    assert is_own_origin("http://localhost:8000", "localhost:8000")
    assert is_own_origin("https://chat.example", "chat.example:443")
    assert is_own_origin("http://[::1]:8000", "[::1]:8000")
    assert not is_own_origin("http://localhost:3000", "localhost:8000")
    assert not is_own_origin("http://localhost", "")


async def test_a_listed_origin_gets_its_preflight_and_may_read_answers_and_errors(edge: Edge) -> None:
    app = edge.app(use_case("todo"), settings={"allowed_origins": FRIEND})
    async with edge.client(app) as client:
        preflight = await client.options(
            "/chatkit/todo",
            headers={
                "Origin": FRIEND,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type, x-team",
            },
        )
        answer = await client.post("/chatkit/todo", content=b"{}", headers={**JSON, "Origin": FRIEND})
        error = await client.post("/chatkit/nothing", content=b"{}", headers={**JSON, "Origin": FRIEND})
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "content-type, x-team"
    for response in (preflight, answer, error):
        assert response.headers["access-control-allow-origin"] == FRIEND
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in response.headers["vary"]
    assert error.status_code == 404


@pytest.mark.parametrize("origin", ["http://evil.test", "null"])
async def test_no_other_origin_learns_anything(edge: Edge, origin: str) -> None:
    app = edge.app(use_case("todo"), settings={"allowed_origins": FRIEND})
    async with edge.client(app) as client:
        preflight = await client.options(
            "/chatkit/todo", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        read = await client.get("/api/use-cases", headers={"Origin": origin})
    assert preflight.status_code == 405
    assert not [name for response in (preflight, read) for name in response.headers if name.startswith("access-")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/api/branding", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/chatkit/todo", 405),
        ("POST", "/chatkit/todo", 415),
        ("POST", "/chatkit/broken", 500),
    ],
)
async def test_security_headers_are_on_every_answer(edge: Edge, method: str, path: str, status: int) -> None:
    def answer(body: bytes, context: object) -> bytes:
        raise ZeroDivisionError

    headers = JSON if status == 500 else {}
    async with edge.client(edge.app(use_case("todo"), use_case("broken", FakeServer(answer)))) as client:
        response = await client.request(method, path, headers=headers)
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=(self)" in response.headers["permissions-policy"]
    assert "frame-ancestors 'self'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers["x-request-id"]) == 16


def test_the_policy_allows_our_own_origin_and_nothing_inline(edge: Edge) -> None:
    policy = build_content_security_policy(edge.settings())
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["default-src"] == directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["img-src"] == "'self' data: blob:"
    assert directives["object-src"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_policy_names_the_origins_of_configured_pictures_and_script(edge: Edge) -> None:
    policy = build_content_security_policy(
        edge.settings(
            brand_logo_url="https://cdn.example/a/logo.png",
            brand_favicon_url="https://cdn.example/icon.ico",
            chatkit_js_url="https://Chat.example:8443/chatkit.js",
        )
    )
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["img-src"] == "'self' data: blob: https://cdn.example"
    assert directives["script-src"] == "'self' https://chat.example:8443"


def test_the_policy_lets_pictures_come_from_where_the_settings_say(edge: Edge) -> None:
    domains = "img.example,*.cdn.example,https://a.example,b.example:8443"
    policy = build_content_security_policy(edge.settings(allowed_image_domains=domains))
    [pictures] = [each for each in policy.split("; ") if each.startswith("img-src")]
    assert pictures.split()[4:] == ["img.example:*", "*.cdn.example:*", "https://a.example", "b.example:8443"]
    anywhere = build_content_security_policy(edge.settings(allowed_image_domains="*"))
    assert "img-src 'self' data: blob: https: http:" in anywhere


async def test_an_answer_says_where_pictures_may_come_from(edge: Edge) -> None:
    for given, told in (("img.example, *.cdn.example", "img.example, *.cdn.example"), ("", None)):
        app = edge.app(use_case("todo", FakeServer()), settings={"allowed_image_domains": given})
        async with edge.client(app) as client:
            response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
        assert response.headers.get("parlor-image-domains") == told


async def test_the_headers_of_every_answer_are_ours_and_there_once(edge: Edge) -> None:
    async def careless(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("x", headers={"Referrer-Policy": "unsafe-url", "Cache-Control": "no-cache"})(
            scope, receive, send
        )

    app = SecurityHeadersMiddleware(careless, settings=edge.settings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        headers = (await client.get("/")).headers
    assert headers.get_list("referrer-policy") == ["same-origin"]
    assert headers.get_list("cache-control") == ["no-cache"]
