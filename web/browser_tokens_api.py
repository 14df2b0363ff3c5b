"""`POST /api/browser-token`: a token for the browser of an exported page, or the next one."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from errors import ForbiddenError, UnauthorizedError
from web.browser_tokens import LIFETIME_S, BrowserTokens
from web.client_secrets import bearer_token
from web.identity import Cookies, new_user_id
from web.request_log import notes_of

PATH = "/api/browser-token"


def build_browser_tokens_router(key: bytes) -> APIRouter:
    """Return the route that issues tokens to pages of `ALLOWED_ORIGINS`.

    Args:
        key: The signing key.
    """
    router = APIRouter()
    tokens, cookies = BrowserTokens(key), Cookies(key)

    @router.post(PATH)
    async def create_browser_token(request: Request) -> Response:
        """Return a token for an hour: for the user of the token or cookie in the request, else for a new one."""
        if not notes_of(request.scope).is_listed_origin:
            raise ForbiddenError(
                "Tokens are for pages of ALLOWED_ORIGINS; the page of this server has a cookie.", code="cross_origin"
            )
        origin = request.headers["origin"]
        bearer = bearer_token(request.headers)
        if bearer is None:
            user_id = cookies.find_user(request.headers) or new_user_id()
        else:
            token = tokens.parse(bearer, origin)
            if token is None or not token.is_renewable:
                raise UnauthorizedError("This token is not valid any more. Ask for one without it.")
            user_id = token.user_id
        expires_at_s = int(time.time()) + LIFETIME_S
        return JSONResponse({"token": tokens.build(user_id, origin, expires_at_s), "expires_at": expires_at_s})

    return router
