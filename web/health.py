"""`GET /healthz` and `GET /readyz`: liveness and readiness for probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from process.lifecycle import Lifecycle

if TYPE_CHECKING:
    from database import Database

DATABASE_TIMEOUT_S = 2.0

_OK = "ok"


def build_health_router(lifecycle: Lifecycle, database: Database) -> APIRouter:
    """Return the routes of liveness and readiness."""
    router = APIRouter()

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def is_alive() -> Response:
        """Return 200 as soon as the server listens."""
        return JSONResponse({"status": "ok"})

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    async def is_ready() -> Response:
        """Return 200 when requests can be answered now, else 503 and the reason."""
        checks = {"database": await check_database(database), "use_cases": check_use_cases(lifecycle)}
        if all(result == _OK for result in checks.values()):
            return JSONResponse({"status": "ready", "checks": checks})
        return JSONResponse({"status": "not ready", "checks": checks}, status_code=503)

    return router


async def check_database(database: Database) -> str:
    """Return ``"ok"`` when the database answers within `DATABASE_TIMEOUT_S` seconds."""
    return _OK if await database.ping(DATABASE_TIMEOUT_S) else "does not answer"


def check_use_cases(lifecycle: Lifecycle) -> str:
    """Return ``"ok"`` when at least one use case can be asked."""
    if lifecycle.is_stopping:
        return "the server is stopping"
    if lifecycle.failure is not None:
        return "the start failed"
    if lifecycle.loaded is None:
        return "loading"
    return _OK if lifecycle.loaded.enabled else "none could be loaded"
