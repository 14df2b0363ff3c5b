from __future__ import annotations

import time

import httpx
import pytest

from errors import NotFoundError
from tests.unit.web.edge import JSON, Edge, FakeServer, use_case
from turns.request_context import RequestContext
from web.browser_tokens import LIFETIME_S, RENEWABLE_S, BrowserTokens
from web.identity import COOKIE_NAME, Cookies, load_signing_key, new_user_id

PAGE = "https://pages.example"
OTHER = "https://other.example"
PATH = "/api/browser-token"


async def token_for(client: httpx.AsyncClient, origin: str = PAGE, **headers: str) -> str:
    response = await client.post(PATH, headers={"Origin": origin, **headers})
    assert response.status_code == 200, response.text
    assert "set-cookie" not in response.headers
    return str(response.json()["token"])


async def ask(client: httpx.AsyncClient, token: str, origin: str = PAGE) -> httpx.Response:
    headers = {**JSON, "Origin": origin, "Authorization": f"Bearer {token}"}
    return await client.post("/chatkit/todo", content=b"{}", headers=headers)


def users_of(server: FakeServer) -> list[str]:
    return [context.user_id for _, context in server.requests]


async def test_a_browser_with_a_token_stays_one_person_without_any_cookie(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"allowed_origins": PAGE})
    async with edge.client(app) as client:
        first = await token_for(client)
        answers = [await ask(client, first), await ask(client, first)]
        renewed = await token_for(client, Authorization=f"Bearer {first}")
        answers.append(await ask(client, renewed))
        answers.append(await ask(client, await token_for(client)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {PAGE}
    assert not any("set-cookie" in answer.headers for answer in answers)
    one, two, three, other = users_of(server)
    assert one == two == three != other


async def test_a_person_with_a_cookie_stays_the_same_person(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"allowed_origins": PAGE})
    user = new_user_id()
    cookie = f"{COOKIE_NAME}={Cookies(load_signing_key(edge.settings())).build(user)}"
    async with edge.client(app) as client:
        await ask(client, await token_for(client, Cookie=cookie))
    assert users_of(server) == [user]


async def test_an_invalid_token_is_refused_and_makes_nobody_anonymous(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"allowed_origins": f"{PAGE},{OTHER}"})
    tokens, user, now = BrowserTokens(load_signing_key(edge.settings())), new_user_id(), int(time.time())
    good = tokens.build(user, PAGE, now + 60)
    bad = {
        "expired": tokens.build(user, PAGE, now - 1),
        "of another key": BrowserTokens(b"x" * 32).build(user, PAGE, now + 60),
        "of another origin": tokens.build(user, OTHER, now + 60),
        "changed": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "of a longer life": good.replace(str(now + 60), str(now + 99)),
        "cut": good[:40],
    }
    async with edge.client(app) as client:
        for kind, token in bad.items():
            response = await ask(client, token)
            assert (response.status_code, kind) == (401, kind)
            assert "set-cookie" not in response.headers
        assert (await ask(client, good, origin="https://unlisted.example")).status_code == 401
        without_origin = await client.get("/api/use-cases", headers={"Authorization": f"Bearer {good}"})
        assert without_origin.status_code == 401
        assert (await ask(client, good)).status_code == 200
    assert users_of(server) == [user]


async def test_an_expired_token_only_makes_the_next_one_and_not_for_ever(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"allowed_origins": PAGE})
    tokens, user, now = BrowserTokens(load_signing_key(edge.settings())), new_user_id(), int(time.time())
    async with edge.client(app) as client:
        expired = tokens.build(user, PAGE, now - 24 * 3600)
        renewed = await token_for(client, Authorization=f"Bearer {expired}")
        assert (await ask(client, renewed)).status_code == 200
        forgotten = tokens.build(user, PAGE, now - RENEWABLE_S - 1)
        for token in (forgotten, "bt_v1_x", "ek_v1_x", ""):
            response = await client.post(PATH, headers={"Origin": PAGE, "Authorization": f"Bearer {token}"})
            assert response.status_code == 401
    assert users_of(server) == [user]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": OTHER}, {"Origin": "http://parlor.test"}, {"Origin": "null"}], ids=str
)
async def test_only_pages_of_allowed_origins_get_a_token(edge: Edge, headers: dict[str, str]) -> None:
    app = edge.app(use_case("todo"), settings={"allowed_origins": PAGE})
    async with edge.client(app) as client:
        assert (await client.post(PATH, headers=headers)).status_code == 403
        own = await client.post(PATH, headers={"Origin": PAGE})
    assert own.json()["expires_at"] == pytest.approx(time.time() + LIFETIME_S, abs=30)


async def test_a_request_without_a_known_person_does_not_report_a_missing_thread(edge: Edge) -> None:
    def missing(body: bytes, context: RequestContext) -> bytes:
        raise NotFoundError("This conversation does not exist.")

    server = FakeServer(missing)
    app = edge.app(use_case("todo", server), settings={"allowed_origins": PAGE})
    async with edge.client(app) as client:
        stranger = await client.post("/chatkit/todo", content=b"{}", headers={**JSON, "Origin": PAGE})
        assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "unauthorized")
        assert (await ask(client, await token_for(client))).status_code == 404
        client.cookies.clear()
        own = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
        assert own.status_code == 404
        no_such = await client.post("/chatkit/none", content=b"{}", headers={**JSON, "Origin": PAGE})
        assert no_such.json()["error"]["code"] == "use_case.not_found"
