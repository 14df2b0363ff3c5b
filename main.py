"""create_app(settings) and the `parlor` command line. Wires the rooms; decides nothing.

Nothing heavy is imported at the top: `parlor help` answers at once, and a wrong setting is reported at once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings, load_settings
from errors import ConfigError, ParlorError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chat_clients.provider import ChatClients
    from context import Services
    from database import Database
    from process.doctor import Finding
    from process.lifecycle import Lifecycle
    from process.use_case_loading import LoadedUseCases

STATIC_DIR = Path(__file__).resolve().parent / "static"

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_INTERRUPTED = 130

Command = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Platform:
    """What the process consists of, before anything is started.

    Attributes:
        services: What use cases are handed.
        chat_clients: Where their chat clients come from.
        lifecycle: Starts and closes all of it.
    """

    services: Services
    chat_clients: ChatClients
    lifecycle: Lifecycle


def build_platform(settings: Settings) -> Platform:
    """Put the rooms together. Does no I/O but making the folder of the data.

    Raises:
        ConfigError: When a setting cannot work.
    """
    from attachments import ParlorAttachmentStore
    from chat_clients.failures import explain_model_failure
    from chat_clients.provider import ChatClients
    from context import Services
    from database import Base, Database
    from framework.telemetry import decide_on_telemetry
    from framework.warm_up import warm_up
    from process.lifecycle import Lifecycle
    from process.use_case_loading import load_use_cases
    from runs.registry import Runs
    from store import ParlorStore
    from streaming.answers.tool_guard import guarded

    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError("DATA_DIR", f"'{settings.data_dir}' cannot be made: {exc.strerror}") from exc
    chat_clients = ChatClients(settings)
    database = Database(settings.resolved_database_url)
    store = ParlorStore(database)
    runs = Runs.from_settings(settings)

    services = Services(
        settings=settings,
        database=database,
        store=store,
        attachments=ParlorAttachmentStore(store, settings.data_dir / "attachments"),
        chat_client=lambda offline=(): guarded(chat_clients.make(offline), settings.tool_timeout_s),
        explain_model_failure=explain_model_failure,
        runs=runs,
        transcribe=chat_clients.transcribe if chat_clients.can_transcribe else None,
    )

    def load() -> LoadedUseCases:
        warm_up()
        return load_use_cases(services, settings.use_cases_path)

    lifecycle = Lifecycle(
        load,
        database,
        Base.metadata,
        on_open=lambda: decide_on_telemetry(settings.enable_instrumentation),
        refuse=runs.refuse,
        drain=runs.drain,
        drain_timeout_s=settings.drain_timeout_s,
        closes=[chat_clients.close],
    )
    return Platform(services, chat_clients, lifecycle)


def create_app(settings: Settings) -> FastAPI:
    """Return the application; `app.state.lifecycle` says how far its start is.

    Raises:
        ConfigError: When a setting cannot work.
    """
    platform = build_platform(settings)
    app = build_app(settings, platform.services.database, platform.lifecycle)
    app.state.runs = platform.services.runs
    return app


def build_app(settings: Settings, database: Database, lifecycle: Lifecycle) -> FastAPI:
    """Return the HTTP edge of what `lifecycle` starts and closes.

    Its lifespan starts the use cases in the background, so that the server answers `/healthz` meanwhile.

    Raises:
        ConfigError: When there is no key to sign cookies with.
    """
    from fastapi import FastAPI
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware

    from storage.chat_sessions import ChatSessions
    from web.branding_api import build_branding_router
    from web.chatkit_api import add_chatkit_routes
    from web.client_secrets import ClientSecrets, ServerKeys
    from web.client_sessions import ClientSessions
    from web.failures import Failures, handle_http_exception
    from web.health import build_health_router
    from web.identity import Identity, load_signing_key
    from web.pages import build_pages_router
    from web.request_log import RequestLog
    from web.security import CrossOrigin, SecurityHeaders
    from web.sessions_api import add_session_routes
    from web.use_cases_api import build_use_cases_router
    from web.visible_use_cases import VisibleUseCases

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with lifecycle.running():
            yield

    key, keys = load_signing_key(settings), ServerKeys(settings.server_keys)
    sessions = ClientSessions(ClientSecrets(key), keys, ChatSessions(database), lifecycle)
    app = FastAPI(
        title="Parlor",
        lifespan=lifespan,
        # FastAPI's own pages load scripts from other origins.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # The outermost first.
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders, settings=settings),
            Middleware(CrossOrigin, allowed_origins=settings.allowed_origins),
            Middleware(Identity, key=key, sessions=sessions),
            Middleware(Failures),
        ],
        exception_handlers={HTTPException: handle_http_exception},
    )
    app.state.lifecycle = lifecycle
    use_cases = VisibleUseCases(lifecycle, settings)
    add_chatkit_routes(app, use_cases, sessions, settings)
    add_session_routes(app, use_cases, sessions, keys, settings)
    app.include_router(build_use_cases_router(use_cases))
    app.include_router(build_branding_router(settings))
    app.include_router(build_health_router(lifecycle, database))
    app.include_router(build_pages_router(STATIC_DIR, settings))
    return app


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop."""
    overrides = {name: value for name in ("host", "port") if (value := getattr(args, name)) is not None}
    settings = load_settings(**overrides)

    from infra.client_build import build_client
    from process.garbage_collection import QuietCollector
    from process.serving import bind_socket, serve, url_of

    # First of all: nobody should wait for a build to learn that the port is taken.
    with bind_socket(settings.host, settings.port) as listener:
        if not args.no_build:
            build_client()
        _configure_logging(settings)
        app = create_app(settings)
        url = url_of(listener)
        collector = QuietCollector(lambda: app.state.runs.active)

        def announce(loaded: LoadedUseCases) -> None:
            collector.start()
            _announce(url, loaded, settings)

        serve(app, listener, app.state.lifecycle, announce=announce)
    return 0


def _configure_logging(settings: Settings) -> None:
    from process.log_lines import configure_logging

    configure_logging(settings.log_level, settings.log_format)


def _announce(url: str, loaded: LoadedUseCases, settings: Settings) -> None:
    problems = [f"The use case '{each.name}' is disabled: {each.reason}" for each in loaded.disabled]
    if not loaded.enabled:
        problems.append("No use case is loaded, so there is nothing to talk to.")
    if settings.default_use_case is not None and settings.default_use_case not in loaded.enabled:
        problems.append(f"DEFAULT_USE_CASE: there is no use case '{settings.default_use_case}'.")
    for problem in problems:
        print(f"Warning: {' '.join(problem.split())}", file=sys.stderr, flush=True)
    if settings.log_format == "json":
        # Who reads JSON from stdout reads nothing else there.
        logging.getLogger(__name__).info("parlor is ready", extra={"url": url})
        print(f"Parlor is ready: {url}", file=sys.stderr, flush=True)
    else:
        print(f"Parlor is ready: {url}", flush=True)


def doctor(_args: argparse.Namespace) -> int:
    """Print what the settings lead to; 0 when all is well."""
    settings = load_settings()
    # What the log would say of a broken use case stands in the report.
    logging.getLogger().addHandler(logging.NullHandler())
    findings = asyncio.run(_examine(settings))
    for finding in findings:
        print(f"{'ok     ' if finding.is_well else 'PROBLEM'} {finding.subject:<12} {' '.join(finding.state.split())}")
    return 0 if all(finding.is_well for finding in findings) else EXIT_FAILED


async def _examine(settings: Settings) -> list[Finding]:
    from process.doctor import examine

    platform = build_platform(settings)
    try:
        return await examine(platform.services, STATIC_DIR)
    finally:
        await platform.chat_clients.close()
        await platform.services.database.close()


def _build(_args: argparse.Namespace) -> int:
    from infra.client_build import build_client

    build_client()
    return 0


def _test(args: argparse.Namespace) -> int:
    from infra.workshop import run_tests

    return run_tests(args.arguments)


def _bench(args: argparse.Namespace) -> int:
    from infra.workshop import run_benchmarks

    return run_benchmarks(args.arguments)


def _check(args: argparse.Namespace) -> int:
    from infra.workshop import run_checks

    return run_checks(args.arguments)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; `set_defaults(command=…)` names what to call."""
    parser = argparse.ArgumentParser(
        prog="parlor",
        description="A ChatKit platform that you host yourself.",
        epilog="Settings come from environment variables; the README lists them.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, summary: str, command: Command) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        added.set_defaults(command=command)
        return added

    serving = add("run", "Build the client if it has changed, and start the server.", run)
    serving.add_argument("--host", help="address to listen on (HOST)")
    serving.add_argument("--port", type=int, help="TCP port to listen on; 0 picks a free one (PORT)")
    serving.add_argument("--no-build", action="store_true", help="serve the client as it was built last")
    add("doctor", "Say what works with the present settings, and what does not.", doctor)
    add("test", "Run all tests (in a clone).", _test)
    add("check", "Check formatting, style and types, and run the fast tests (in a clone).", _check)
    add("bench", "Measure against a bare server in the same run, as ratios (in a clone).", _bench)
    add("build", "Build the client if it has changed (in a clone).", _build)
    add("setup", "Prepare everything that `run` needs, and stop (in a clone).", _build)

    def show_help(_args: argparse.Namespace) -> int:
        parser.print_help()
        return 0

    add("help", "Show this list.", show_help)
    parser.set_defaults(command=show_help)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code: 0, 1 for a failure, 2 for a wrong setting or argument."""
    given = list(sys.argv[1:] if argv is None else argv)
    own = {"test": _test, "check": _check, "bench": _bench}
    if given and given[0] in own:
        # They have arguments of their own, a "--" among them, which argparse would take for itself.
        args = argparse.Namespace(command=own[given[0]], arguments=given[1:])
    else:
        args = build_parser().parse_args(given)
    command: Command = args.command
    try:
        return command(args)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return EXIT_CONFIG
    except ParlorError as exc:
        print(exc, file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
