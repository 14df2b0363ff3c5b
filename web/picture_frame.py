"""`GET /picture`: one picture of another origin, in a frame of the page, for a person who has asked for it by a click.

The policy of our pages keeps out pictures of other origins, whoever writes their address. A frame has a policy of its
own: it shows this one picture, runs nothing, and the page's policy stays as strict as it is.
"""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from errors import NotFoundError

PATH: Final = "/picture"
MAX_ADDRESS_CHARS: Final = 4_000

_STYLE: Final = ":root{color-scheme:light dark}body{margin:0}img{display:block;max-width:100%;height:auto}"
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Any host: what a person has asked for may send its reader on to another one.
POLICY: Final = (
    f"default-src 'none'; img-src http: https:; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def build_picture_router() -> APIRouter:
    """Return the route of the frame."""
    router = APIRouter()

    @router.get(PATH)
    async def get_picture(request: Request) -> Response:
        """Return a document that shows the picture at `src`, to a frame of our own page and to nobody else."""
        address = request.query_params.get("src", "")
        asked = (request.headers.get("sec-fetch-dest"), request.headers.get("sec-fetch-site"))
        # As a page of its own it would let anybody show anything under our name.
        if asked != ("iframe", "same-origin") or not _is_address(address):
            raise NotFoundError("There is no such page.", code="not_found")
        # A name and no word: the frame's own title is the page's, in its language.
        title = html.escape(urlsplit(address).hostname or "")
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
            f'<img src="{html.escape(address)}" alt="" referrerpolicy="no-referrer"></html>'
        )
        return HTMLResponse(page)

    return router


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_http = parts.scheme in ("http", "https") and bool(parts.hostname)
    return is_http and "@" not in parts.netloc and len(text) <= MAX_ADDRESS_CHARS
