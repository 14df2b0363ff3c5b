"""`/dev/widgets`: a page that shows every component and the widgets of all use cases, in development only."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from errors import BadRequestError
from process.widget_gallery import action_names, build_gallery, findings_as_json, widget_findings
from web.chatkit_api import check_content_type, read_body
from web.identity import build_context
from web.pages import NOT_BUILT_MESSAGE
from web.visible_use_cases import VisibleUseCases

SCRIPT_PREFIX: Final = "parts/widget-gallery-"
MAX_BODY_BYTES = 1_000_000

_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Widgets</title>
    <link rel="icon" href="../favicon.ico">
    <script src="../static/dist/chatkit.js" defer></script>
    <script src="../static/dist/{script}" type="module"></script>
  </head>
  <body>
    <parlor-widget-gallery></parlor-widget-gallery>
  </body>
</html>
"""


def build_widget_gallery_router(static_dir: Path, use_cases: VisibleUseCases) -> APIRouter:
    """Return the routes of the gallery.

    Args:
        static_dir: Holds `dist`, once the client is built.
        use_cases: All use cases; a person sees the widgets of those that they may use.
    """
    router = APIRouter()

    @router.api_route("/dev/widgets", methods=["GET", "HEAD"])
    async def get_page() -> Response:
        """Return the page of the gallery."""
        script = await asyncio.to_thread(_find_script, static_dir / "dist")
        if script is None:
            return PlainTextResponse(NOT_BUILT_MESSAGE, status_code=503)
        return HTMLResponse(_PAGE.format(script=script))

    @router.get("/dev/widgets/list")
    async def list_widgets(request: Request) -> Response:
        """Return all widgets with their findings."""
        visible = await use_cases.visible(build_context(request))
        groups = await asyncio.to_thread(build_gallery, visible)
        return JSONResponse({"groups": [group.as_json() for group in groups]})

    @router.post("/dev/widgets/findings")
    async def check(request: Request) -> Response:
        """Return the findings of a widget that its author is still writing."""
        check_content_type(request)
        try:
            body = json.loads(await read_body(request, MAX_BODY_BYTES))
            widget, name = body["widget"], body.get("use_case")
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as exc:
            raise BadRequestError('The body must be {"widget": …, "use_case": "name or null"}.') from exc
        visible = await use_cases.visible(build_context(request))
        use_case = visible.get(name) if isinstance(name, str) else None
        actions = None if use_case is None else action_names(use_case)
        findings = await asyncio.to_thread(widget_findings, widget, actions)
        return JSONResponse({"findings": findings_as_json(findings)})

    return router


def _find_script(dist: Path) -> str | None:
    if not (dist / "chatkit.js").is_file():
        return None
    scripts = sorted(dist.glob(f"{SCRIPT_PREFIX}*.js"))
    return f"parts/{scripts[0].name}" if scripts else None
