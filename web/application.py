"""The web application: its middleware, the outermost first, and its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from attachments import ParlorAttachmentStore
from config import Settings
from database import Database
from process.lifecycle import Lifecycle
from process.orphans import REAP_INTERVAL_S, OrphanReaper
from process.periodic_task import PeriodicTask, Work
from storage.chat_sessions import ChatSessions
from storage.process_leases import RENEWAL_S
from storage.use_case_directory import HEARTBEAT_S, UseCaseDirectory
from web.attachments_api import add_attachment_routes
from web.branding_api import build_branding_router
from web.browser_tokens_api import build_browser_tokens_router
from web.chatkit_api import add_chatkit_routes
from web.client_secrets import ClientSecrets, ServerKeys
from web.client_sessions import ClientSessions
from web.closing import ClosingMiddleware
from web.failures import ErrorMiddleware, handle_http_exception
from web.health import build_health_router
from web.hosts import HostMiddleware
from web.identity import IdentityMiddleware, load_signing_key
from web.pages import build_pages_router
from web.picture_frame import build_picture_router
from web.proxies import ProxyMiddleware
from web.request_log import RequestLogMiddleware
from web.security import CrossOriginMiddleware, SecurityHeadersMiddleware
from web.sessions_api import add_session_routes
from web.use_cases_api import announce_use_cases, build_use_cases_router
from web.visible_use_cases import VisibleUseCases

SWEEP_INTERVAL_S = 300.0
"""Interval between two sweeps for abandoned files, in seconds."""


def build_app(
    settings: Settings,
    database: Database,
    lifecycle: Lifecycle,
    attachments: ParlorAttachmentStore,
    static_dir: Path,
    metrics: APIRouter | None = None,
    renew_lease: Callable[[], Awaitable[object]] | None = None,
) -> FastAPI:
    """Return the web application around the use cases that `lifecycle` starts and closes.

    The lifespan starts the use cases in the background, so that the server answers `/healthz` meanwhile.

    Args:
        settings: The settings.
        database: Stores the sessions; `/readyz` probes it.
        lifecycle: Starts and closes the use cases.
        attachments: Stores uploaded files.
        static_dir: The folder of the page and the built client.
        metrics: The router of `/metrics`; None when metrics are off.
        renew_lease: Renews the lease by which other processes on the same database know that this one is alive.

    Raises:
        ConfigError: When there is no key to sign cookies with.
    """
    use_cases = VisibleUseCases(lifecycle, settings)
    directory = UseCaseDirectory(database) if settings.share_use_cases else None
    work: list[tuple[str, Work, float]] = [("sweep files", attachments.sweep, SWEEP_INTERVAL_S)]
    if directory is not None:
        announce = partial(announce_use_cases, directory, use_cases, attachments, settings.max_message_chars)
        work.append(("announce use cases", announce, HEARTBEAT_S))
    if renew_lease is not None:
        work.append(("renew lease", renew_lease, RENEWAL_S))
    if OrphanReaper.is_needed():
        work.append(("reap orphans", OrphanReaper().reap, REAP_INTERVAL_S))
    tasks = [PeriodicTask(*each, lifecycle.wait_until_started) for each in work]

    # Where browsers send files to the bucket itself, the page must be allowed to.
    upload_origin = attachments.objects.upload_origin() if attachments.is_direct else None
    signing_key, server_keys = load_signing_key(settings), ServerKeys(settings.server_keys)
    sessions = ClientSessions(ClientSecrets(signing_key), server_keys, ChatSessions(database), lifecycle)
    app = FastAPI(
        title="Parlor",
        lifespan=_build_lifespan(lifecycle, tasks),
        # FastAPI's own pages load scripts from other origins.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=_build_middleware(settings, lifecycle, sessions, signing_key, upload_origin),
        exception_handlers={HTTPException: handle_http_exception},
    )
    app.state.lifecycle = lifecycle
    add_chatkit_routes(app, use_cases, sessions, attachments.urls, settings)
    add_attachment_routes(app, attachments, use_cases, sessions)
    add_session_routes(app, use_cases, sessions, server_keys, settings)
    app.include_router(build_use_cases_router(use_cases, attachments, settings.max_message_chars, directory))
    app.include_router(build_branding_router(settings))
    app.include_router(build_browser_tokens_router(signing_key))
    app.include_router(build_health_router(lifecycle, database))
    app.include_router(build_picture_router())
    if metrics is not None:
        app.include_router(metrics)
    if settings.parlor_env == "development":
        # Imported here, as it loads the readers of widget templates and schemas.
        from web.widget_gallery import build_widget_gallery_router

        app.include_router(build_widget_gallery_router(static_dir, use_cases))
    app.include_router(build_pages_router(static_dir, settings))
    return app


def _build_lifespan(
    lifecycle: Lifecycle, tasks: Sequence[PeriodicTask]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the lifespan of the application, which runs the use cases and the periodic tasks."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(lifecycle.running())
            for task in tasks:
                await stack.enter_async_context(task.running())
            yield

    return lifespan


def _build_middleware(
    settings: Settings, lifecycle: Lifecycle, sessions: ClientSessions, signing_key: bytes, upload_origin: str | None
) -> list[Middleware]:
    """Return the middleware of the application, the outermost first.

    Every middleware sees the start of every response, and the body of those that are not streamed. The body of an event
    stream bypasses them (`RequestNotes.send`), since each would add a call to every piece of text. So compression, or
    metrics of bodies, would belong in `EventStream`.

    Args:
        settings: The settings.
        lifecycle: Tells whether the server is stopping.
        sessions: Verifies client secrets.
        signing_key: Signs cookies and browser tokens.
        upload_origin: The origin of the bucket that browsers upload to; None when they upload to this server.
    """
    return [
        Middleware(RequestLogMiddleware),
        Middleware(ClosingMiddleware, lifecycle=lifecycle),
        Middleware(ProxyMiddleware, settings=settings),
        Middleware(SecurityHeadersMiddleware, settings=settings, upload_origin=upload_origin),
        Middleware(HostMiddleware, settings=settings),
        Middleware(CrossOriginMiddleware, allowed_origins=settings.allowed_origins),
        Middleware(IdentityMiddleware, key=signing_key, sessions=sessions, public_url=settings.public_url),
        Middleware(ErrorMiddleware),
    ]
