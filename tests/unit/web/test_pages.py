from __future__ import annotations

from pathlib import Path

import httpx
from fastapi import FastAPI

from config import Settings
from web.pages import build_pages_router


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
