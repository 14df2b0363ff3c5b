"""`GET /`, `/static` and the favicon: the page around the chat, and the built client."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from config import Settings

# Most files keep their names across versions, so browsers have to revalidate them each time.
CACHE_CONTROL: Final = "no-cache"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
CLIENT_PATH: Final = "static/dist/chatkit.js"
"""Relative to the page, which may lie below a path of its host."""

_HASHED = re.compile(r"dist/.+-[0-9A-Za-z_-]{8,}\.(?:js|css|map|woff2)")
NOT_BUILT_MESSAGE = "The client has not been built yet. Run `./parlor build` in the clone, then reload this page.\n"


class RevalidatedFiles(StaticFiles):
    """Static files that browsers cache: revalidated each time, or immutable when the name contains a hash."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file at `path`, compressed if the build has compressed it, or 304 if the browser has it."""
        is_client = path.startswith("dist/")
        response = await self._get_gzipped(path, scope) if is_client else None
        if response is None:
            response = await super().get_response(path, scope)
        if is_client:
            response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = IMMUTABLE if is_client and _HASHED.fullmatch(path) else CACHE_CONTROL
        if is_client:
            # Pages of other origins may embed the client, which loads its modules and fonts by CORS.
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def _get_gzipped(self, path: str, scope: Scope) -> Response | None:
        if not accepts_gzip(Headers(scope=scope).get("accept-encoding", "")):
            return None
        try:
            response = await super().get_response(f"{path}.gz", scope)
        except HTTPException:
            return None
        response.headers["Content-Encoding"] = "gzip"
        return response


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an `Accept-Encoding` header allows gzip. Source: RFC 9110, 12.5.3."""
    for coding in accept_encoding.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def build_pages_router(static_dir: Path, settings: Settings) -> APIRouter:
    """Return the routes of the page.

    Args:
        static_dir: Holds `index.html`, and `dist/chatkit.js` once the client is built.
        settings: Says which favicon is the brand's.
    """
    router = APIRouter()
    files = RevalidatedFiles(directory=static_dir, check_dir=False)
    bundle = static_dir / "dist" / "chatkit.js"

    @router.api_route("/", methods=["GET", "HEAD"])
    async def get_page(request: Request) -> Response:
        """Return the page."""
        # Checked each time, so that building the client needs no restart. In the thread pool that serves files, since
        # tools of use cases may keep all threads of the default executor busy.
        if not await run_in_threadpool(bundle.is_file):
            return PlainTextResponse(NOT_BUILT_MESSAGE, status_code=503)
        page = await files.get_response("index.html", request.scope)
        if settings.chatkit_js_url is None:
            # Loaded in parallel with the page's own script, which would request it only when it runs.
            page.headers["Link"] = f"<{CLIENT_PATH}>; rel=preload; as=script"
        return page

    @router.api_route("/favicon.ico", methods=["GET", "HEAD"])
    async def get_favicon() -> Response:
        """Redirect the conventional address to the brand's favicon."""
        # Relative, as a proxy may serve us below a path that we do not know.
        url = settings.brand_favicon_url.removeprefix("/")
        return RedirectResponse(url or "./", headers={"Cache-Control": CACHE_CONTROL})

    @router.api_route("/static/{path:path}", methods=["GET", "HEAD"])
    async def get_file(request: Request) -> Response:
        """Return a static file."""
        # Not declared as an argument: the first one of any route makes FastAPI import all of Pydantic v1.
        return await files.get_response(request.path_params["path"], request.scope)

    return router
