"""`GET /healthz` and `GET /readyz`: liveness and readiness for probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from framework.mcp_servers import is_connected, servers_of
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
        """Return 200 when requests can be answered and stored now, else 503 and the reason."""
        checks = {"database": await check_database(database), "use_cases": check_use_cases(lifecycle)}
        # Answers are possible while a tool server is down, so it is reported, but does not make the check fail.
        extra = {"mcp_servers": servers} if (servers := check_mcp_servers(lifecycle)) else {}
        if all(result == _OK for result in checks.values()):
            return JSONResponse({"status": "ready", "checks": checks, **extra})
        return JSONResponse({"status": "not ready", "checks": checks, **extra}, status_code=503)

    return router


def check_mcp_servers(lifecycle: Lifecycle) -> dict[str, str]:
    """Return the last known connection state of the MCP servers of all use cases; no server is asked."""
    enabled = lifecycle.loaded.enabled if lifecycle.loaded is not None else {}
    return {
        f"{name}/{tool.name}": "connected" if is_connected(tool) else "not connected"
        for name, use_case in sorted(enabled.items())
        for tool in servers_of(use_case.server)
    }


async def check_database(database: Database) -> str:
    """Return ``"ok"`` when the database can be read and written in `DATABASE_TIMEOUT_S` seconds, else the reason."""
    return await database.find_fault(DATABASE_TIMEOUT_S) or _OK


def check_use_cases(lifecycle: Lifecycle) -> str:
    """Return ``"ok"`` when at least one use case is enabled, else the reason."""
    if lifecycle.is_stopping:
        return "the server is stopping"
    if lifecycle.failure is not None:
        return "the start failed"
    if lifecycle.loaded is None:
        return "loading"
    return _OK if lifecycle.loaded.enabled else "none could be loaded"
