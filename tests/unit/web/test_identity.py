from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from errors import ConfigError
from tests.unit.web.edge import JSON, Edge, FakeServer, use_case
from web.identity import (
    COOKIE_MAX_AGE_S,
    COOKIE_NAME,
    Cookies,
    find_key_problem,
    load_signing_key,
    new_user_id,
    parse_locale,
)


async def ask(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    response = await client.post("/chatkit/todo", content=b"{}", headers={**JSON, **headers})
    assert response.status_code == 200
    return response


def users_of(server: FakeServer) -> list[str]:
    return [context.user_id for _, context in server.requests]


async def test_a_browser_stays_the_same_user_also_after_a_restart(edge: Edge) -> None:
    server = FakeServer()
    async with edge.client(edge.app(use_case("todo", server))) as client:
        await client.get("/")
        await ask(client)
        again = await ask(client)
        cookies = client.cookies
    assert "set-cookie" not in again.headers
    async with edge.client(edge.app(use_case("todo", server))) as client:
        client.cookies = cookies
        await ask(client)
    assert len(set(users_of(server))) == 1
    assert users_of(server)[0].startswith("anon_")


async def test_each_browser_is_somebody_else(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server))
    async with edge.client(app) as client:
        await ask(client)
        client.cookies.clear()
        await ask(client)
    assert len(set(users_of(server))) == 2


def forgeries() -> list[str]:
    ours, theirs = Cookies(b"k" * 32), Cookies(b"x" * 32)
    user = new_user_id()
    value = ours.build(user)
    return [
        theirs.build(user),
        value[:-1] + ("0" if value[-1] != "0" else "1"),
        value.replace("v1", "v2"),
        value.upper(),
        value.rpartition(".")[0],
        f"v1..{value.rpartition('.')[2]}",
        user,
        "",
        "x" * 5000,
        "v1.é.ü",
    ]


@pytest.mark.parametrize("value", forgeries(), ids=range(10))
async def test_a_cookie_that_we_did_not_sign_makes_a_new_user(edge: Edge, value: str) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"secret_key": "k" * 32})
    async with edge.client(app) as client:
        response = await client.post(
            "/chatkit/todo",
            content=b"{}",
            headers=[(b"Content-Type", b"application/json"), (b"Cookie", f"{COOKIE_NAME}={value}".encode())],
        )
    fresh = SimpleCookie(response.headers["set-cookie"])[COOKIE_NAME].value
    assert Cookies(b"k" * 32).parse(fresh) == users_of(server)[0]
    assert fresh != value


async def test_a_cookie_planted_beside_ours_changes_nothing(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"secret_key": "k" * 32})
    user = new_user_id()
    cookie = f"{COOKIE_NAME}=planted; other=1; {COOKIE_NAME}={Cookies(b'k' * 32).build(user)}"
    async with edge.client(app) as client:
        response = await ask(client, Cookie=cookie)
    assert users_of(server) == [user]
    assert "set-cookie" not in response.headers


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(edge: Edge) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        plain = (await ask(client)).headers["set-cookie"]
    async with edge.client(edge.app(use_case("todo")), "https://parlor.test") as client:
        secure = (await ask(client)).headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={COOKIE_MAX_AGE_S}"):
        assert f"; {attribute}" in plain
    assert "Secure" not in plain
    assert "; Secure" in secure


async def test_the_page_gives_the_cookie_and_renews_it(edge: Edge) -> None:
    async with edge.client(edge.app(use_case("todo"))) as client:
        first = (await client.get("/")).headers["set-cookie"]
        second = (await client.get("/")).headers["set-cookie"]
        quiet = [await client.get(path) for path in ("/healthz", "/api/branding", "/static/logo.svg")]
    assert first == second
    assert not [response for response in quiet if "set-cookie" in response.headers]


async def test_a_listed_page_of_another_site_has_a_cookie_of_its_own(edge: Edge) -> None:
    server = FakeServer()
    app = edge.app(use_case("todo", server), settings={"allowed_origins": "https://intranet.example"})
    embedded = {"Origin": "https://intranet.example", "Sec-Fetch-Site": "cross-site"}
    async with edge.client(app, "https://parlor.test") as client:
        cookie = (await ask(client, **embedded)).headers["set-cookie"]
        await ask(client, **embedded)
        unlisted = await client.get(
            "/api/use-cases", headers={**embedded, "Origin": "https://evil.test", "Cookie": "none=1"}
        )
    assert cookie.startswith("parlor_user_embedded=")
    assert "; Secure; SameSite=None; Partitioned" in cookie
    assert len(set(users_of(server))) == 1
    assert "SameSite=None" not in unlisted.headers.get("set-cookie", "")


def test_the_signing_key_is_made_once_for_the_owner_alone(edge: Edge, tmp_path: Path) -> None:
    settings = edge.settings()
    with ThreadPoolExecutor(8) as starts:
        keys = set(starts.map(lambda _: load_signing_key(settings), range(16)))
    file = tmp_path / "data" / "secret.key"
    assert keys == {file.read_bytes()}
    assert len(file.read_bytes()) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["secret.key"]


def test_a_configured_key_needs_no_file(edge: Edge, tmp_path: Path) -> None:
    assert load_signing_key(edge.settings(secret_key="k" * 40)) == b"k" * 40
    assert not (tmp_path / "data").exists()


def test_a_damaged_key_file_stops_the_start(edge: Edge, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret.key").write_text("short")
    with pytest.raises(ConfigError, match=r"SECRET_KEY.*secret\.key.*damaged"):
        load_signing_key(edge.settings())


def test_an_unusable_signing_key_is_reported_before_the_start(edge: Edge, tmp_path: Path) -> None:
    assert find_key_problem(edge.settings()) is None
    assert not (tmp_path / "data").exists(), "it is the start that makes one"
    (tmp_path / "data" / "secret.key").mkdir(parents=True)  # cannot be opened, whoever asks
    problem = find_key_problem(edge.settings())
    assert problem is not None
    assert "secret.key' cannot be used (Is a directory); let the user that the server runs as read it" in problem
    assert find_key_problem(edge.settings(secret_key="k" * 40)) is None


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de-CH"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("fr;q=0.5", "fr"),
        ("", "en"),
        ("*", "en"),
        ("../../etc", "en"),
        ("de\x0aX: y", "en"),
        ("a" * 5000, "en"),
    ],
)
def test_the_locale_is_the_first_language_that_is_one(header: str, locale: str) -> None:
    assert parse_locale(header) == locale
