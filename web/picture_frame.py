"""`GET /picture`: a document for a frame that shows one picture of another origin, once a person has clicked to see it.

The content security policy of our pages blocks pictures of other origins. The frame has a policy of its own that allows
this picture and runs no scripts, so the policy of the page stays strict.
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

# Any host is allowed, as the address of the picture may redirect to another one.
POLICY: Final = (
    f"default-src 'none'; img-src http: https:; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def build_picture_router() -> APIRouter:
    """Return the route of the frame."""
    router = APIRouter()

    @router.get(PATH)
    async def get_picture(request: Request) -> Response:
        """Return a document that shows the picture at `src`; only frames of our own page get it."""
        address = request.query_params.get("src", "")
        fetch_metadata = (request.headers.get("sec-fetch-dest"), request.headers.get("sec-fetch-site"))
        # As a top-level page it would let anybody show any picture under our domain.
        if fetch_metadata != ("iframe", "same-origin") or not _is_http_url(address):
            raise NotFoundError("There is no such page.", code="not_found")
        # The host name needs no translation; the page gives the frame a title in its own language.
        title = html.escape(urlsplit(address).hostname or "")
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
            f'<img src="{html.escape(address)}" alt="" referrerpolicy="no-referrer"></html>'
        )
        return HTMLResponse(page)

    return router


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_http = parts.scheme in ("http", "https") and bool(parts.hostname)
    return is_http and "@" not in parts.netloc and len(text) <= MAX_ADDRESS_CHARS
