"""Pages of an integrator, which load our built client in all ways of HTML, and nothing else of Parlor.

Their content security policy is strict, without `unsafe-inline` and with Trusted Types.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from infra.client_build import ROOT

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; connect-src *; object-src 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)

SCRIPTS = {
    "none": "",
    "classic": '<script src="/dist/chatkit.js"></script>',
    "async": '<script async src="/dist/chatkit.js"></script>',
    "defer": '<script defer src="/dist/chatkit.js"></script>',
    "module": '<script type="module" src="/dist/chatkit.js"></script>',
    "twice": '<script src="/dist/chatkit.js"></script><script src="/dist/chatkit.js?again"></script>',
}
SIZES = """html, body { height: 100%; margin: 0 }
.frame { height: 600px }
.frame > openai-chatkit { height: 100% }
.chosen { border-top: 7px solid rgb(1, 2, 3) }
.hidden { display: none }
.wrapper { position: relative; display: flex; flex-direction: column; height: 80vh }
.filling { display: block; width: 100%; height: 100% }
.unseen { opacity: 0; pointer-events: none }
.overlay { position: absolute; inset: 0; background: white }
"""

INSIDE = "[part~='composer'] { outline-offset: 77px }"
"""A style sheet that a page can add to the chat."""


def build_page_routes() -> list[BaseRoute]:
    """Return `/page/{how}` (empty), `/marked/{how}` (with an element in it), `/dist/…` and `/react/…`."""
    return [
        Route("/page/{how}", _empty_page),
        Route("/marked/{how}", _marked_page),
        Route("/page.css", _style),
        Route("/inside.css", _inside),
        Route("/favicon.ico", _no_icon),
        Mount("/dist", StaticFiles(directory=ROOT / "static" / "dist", check_dir=False)),
        Mount("/react", StaticFiles(directory=react_dist(), check_dir=False)),
    ]


def react_dist() -> Path:
    """Return the output folder of the pages with the public React packages."""
    return ROOT / ".parlor" / "react-pages"


async def _empty_page(request: Request) -> HTMLResponse:
    return _page(SCRIPTS[request.path_params["how"]], "")


async def _marked_page(request: Request) -> HTMLResponse:
    body = '<div class="frame"><openai-chatkit id="chat"></openai-chatkit></div>'
    return _page(SCRIPTS[request.path_params["how"]], body)


def _page(script: str, body: str) -> HTMLResponse:
    head = f'<meta charset="utf-8"><title>A page</title><link rel="stylesheet" href="/page.css">{script}'
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>',
        headers={"Content-Security-Policy": POLICY},
    )


async def _style(request: Request) -> HTMLResponse:
    return HTMLResponse(SIZES, media_type="text/css")


async def _inside(request: Request) -> HTMLResponse:
    return HTMLResponse(INSIDE, media_type="text/css")


async def _no_icon(request: Request) -> HTMLResponse:
    return HTMLResponse("", status_code=204)
