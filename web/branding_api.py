"""`GET /api/branding`: name, logo and colour of the company whose chat this is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from config import Settings


def build_branding_router(settings: Settings) -> APIRouter:
    """Return the route of the brand."""
    router = APIRouter()
    branding = {
        "name": settings.brand_name,
        "tagline": settings.brand_tagline,
        "logoUrl": settings.brand_logo_url,
        "primaryColor": settings.brand_primary_color,
        "faviconUrl": settings.brand_favicon_url,
    }
    if settings.chatkit_js_url is not None:
        branding["chatkitJsUrl"] = settings.chatkit_js_url

    @router.get("/api/branding")
    async def get_branding() -> Response:
        """Return the brand."""
        return JSONResponse(branding)

    return router
