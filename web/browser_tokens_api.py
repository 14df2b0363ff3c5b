"""`POST /api/browser-token`: a token for the browser of an exported page, or the next one."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from errors import ForbiddenError, UnauthorizedError
from web.browser_tokens import LIFETIME_S, BrowserTokens
from web.client_secrets import bearer_of
from web.identity import Cookies, cookie_values, new_user_id
from web.request_log import notes_of

PATH = "/api/browser-token"


def build_browser_tokens_router(key: bytes) -> APIRouter:
    """Return the route that pages of `ALLOWED_ORIGINS` ask for a token.

    Args:
        key: The signing key.
    """
    router = APIRouter()
    tokens, cookies = BrowserTokens(key), Cookies(key)

    @router.post(PATH)
    async def create_browser_token(request: Request) -> Response:
        """Return a token of an hour: of the same person, where a token or a cookie tells who that is."""
        if not notes_of(request.scope).is_listed_origin:
            raise ForbiddenError(
                "Tokens are for pages of ALLOWED_ORIGINS; the page of this server has a cookie.", code="cross_origin"
            )
        origin = request.headers["origin"]
        shown = bearer_of(request.headers)
        if shown is None:
            known = next((user for value in cookie_values(request.headers) if (user := cookies.parse(value))), None)
        else:
            token = tokens.parse(shown, origin)
            if token is None or not token.is_renewable:
                raise UnauthorizedError("This token is not valid any more. Ask for one without it.")
            known = token.user_id
        expires_at_s = int(time.time()) + LIFETIME_S
        return JSONResponse(
            {"token": tokens.build(known or new_user_id(), origin, expires_at_s), "expires_at": expires_at_s}
        )

    return router
