from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from config import Settings
from web.pages import CLIENT_PATH, accepts_gzip, build_pages_router


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The page and a client that the build has packed."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "index.html").write_text("<title>Chat</title>")
    (tmp_path / "dist" / "chatkit.js").write_bytes(SCRIPT)
    (tmp_path / "dist" / "chatkit.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "dist" / "loose.js").write_bytes(SCRIPT)
    return tmp_path


SCRIPT = b"let answer = 42;" * 100


def browse(static: Path, **settings: str) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(build_pages_router(static, Settings(_env_file=None, **settings)))  # type: ignore[call-arg]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_a_compressed_script_is_sent_to_clients_that_accept_it(static: Path) -> None:
    async with browse(static) as client:
        packed = await client.get(CLIENT_PATH, headers={"Accept-Encoding": "br, gzip"})
        plain = await client.get(CLIENT_PATH, headers={"Accept-Encoding": "identity"})
        loose = await client.get("/static/dist/loose.js", headers={"Accept-Encoding": "gzip"})
        again = await client.get(
            CLIENT_PATH, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]}
        )
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 2
    assert again.status_code == 304
    for response in (packed, plain, loose):
        assert response.content == SCRIPT
        assert response.headers["content-type"].startswith("text/javascript")
        assert response.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in {**plain.headers, **loose.headers}
    assert packed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize(
    ("header", "is_taken"),
    [("gzip", True), ("br;q=1.0, GZIP;q=0.8", True), ("gzip; q=0.001", True), ("", False), ("br", False),
     ("gzip;q=0", False), ("gzip; q=0.00, br", False), ("x-gzip2", False)],
)  # fmt: skip
def test_gzip_is_used_only_if_it_is_accepted(header: str, is_taken: bool) -> None:
    assert accepts_gzip(header) is is_taken


async def test_the_page_lets_the_browser_fetch_the_client_at_once_unless_it_is_somebody_elses(static: Path) -> None:
    async with browse(static) as client:
        assert (await client.get("/")).headers["link"] == f"<{CLIENT_PATH}>; rel=preload; as=script"
    async with browse(static, chatkit_js_url="https://cdn.example/chatkit.js") as client:
        assert "link" not in (await client.get("/")).headers


async def test_the_client_may_be_loaded_by_other_origins_and_hashed_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    for name in ("chatkit.js", "chatkit-0.1.0-9e9f26a6b0.js"):
        (tmp_path / "dist" / name).write_text("1")
    (tmp_path / "branding.css").write_text("a{}")
    app = FastAPI()
    app.include_router(build_pages_router(tmp_path, Settings(_env_file=None)))  # type: ignore[call-arg]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        alias = await client.get("/static/dist/chatkit.js")
        hashed = await client.get("/static/dist/chatkit-0.1.0-9e9f26a6b0.js")
        own = await client.get("/static/branding.css")
    assert (alias.headers["cache-control"], alias.headers["access-control-allow-origin"]) == ("no-cache", "*")
    assert "immutable" in hashed.headers["cache-control"]
    assert "access-control-allow-origin" not in own.headers
