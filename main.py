"""create_app(settings) and the `parlor` command line: wires the rooms, decides nothing.

Expensive modules are imported in functions, so that `parlor help` and errors in settings need not wait for them.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config import Settings, load_settings
from errors import ConfigError, ParlorError
from framework.outgoing import prepare_environment, prepare_sign_in
from process.commands import back_up, import_workflow, restore, show_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chat_clients.provider import ChatClients
    from context import Services
    from database import Database
    from files.object_store import ObjectStore
    from process.doctor import Finding
    from process.lifecycle import Lifecycle
    from process.use_case_loading import LoadedUseCases

STATIC_DIR = Path(__file__).resolve().parent / "static"

EXIT_FAILED = 1
EXIT_USAGE = 2
"""Exit code for a wrong setting or argument."""

EXIT_INTERRUPTED = 130

CLONE_COMMANDS = frozenset({"test", "check", "bench", "build", "setup", "widget-catalogue", "widget-pictures"})
"""Commands that need the sources; the script `parlor` of a clone has them."""

Command = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Platform:
    """The services of the process and their lifecycle, before the start.

    Attributes:
        services: The services that are passed to every use case.
        chat_clients: Factory of the chat clients in `services`.
        lifecycle: Starts and stops the use cases and services.
    """

    services: Services
    chat_clients: ChatClients
    lifecycle: Lifecycle


def build_platform(
    settings: Settings, *, database: Database | None = None, objects: ObjectStore | None = None
) -> Platform:
    """Build the services and the lifecycle from the settings. The only I/O is the creation of the data folder.

    Args:
        settings: All settings.
        database: The database; None for the one of the settings.
        objects: The object store for files; None for the one of the settings.

    Raises:
        ConfigError: When a setting is invalid.
    """
    from attachments import create_attachment_store
    from chat_clients.failures import explain_model_failure
    from chat_clients.provider import ChatClients
    from context import Services
    from database import Database
    from files.file_urls import FileURLs
    from framework.telemetry import decide_on_telemetry, set_up_exporter
    from framework.warm_up import warm_up
    from process.data_folder import prepare_data_folder
    from process.file_systems import refuse_network_file_system
    from process.lifecycle import Lifecycle
    from process.use_case_loading import load_use_cases
    from runs.registry import Runs
    from store import ParlorStore
    from streaming.answers.tool_guard import with_tool_guard
    from web.identity import load_signing_key

    prepare_sign_in(settings.storage_keys.get("AZURE_CLIENT_SECRET"))
    refuse_network_file_system(settings.resolved_database_url)
    prepare_data_folder(settings.data_dir)
    chat_clients = ChatClients(settings)
    database = database or Database(settings.resolved_database_url)
    store = ParlorStore(database)
    runs = Runs.from_settings(settings)
    urls = FileURLs(lambda: load_signing_key(settings))
    attachments = create_attachment_store(settings, database, urls, objects=objects)

    services = Services(
        settings=settings,
        database=database,
        store=store,
        attachments=attachments,
        chat_client=lambda offline=(): with_tool_guard(chat_clients.make(offline), settings.tool_timeout_s),
        explain_model_failure=explain_model_failure,
        runs=runs,
        transcribe=chat_clients.transcribe if chat_clients.can_transcribe else None,
        takes_pdf=chat_clients.takes_pdf,
    )

    def load() -> LoadedUseCases:
        headers = settings.otel_exporter_otlp_headers
        set_up_exporter(settings.traces_endpoint, headers.get_secret_value() if headers is not None else None)
        return load_use_cases(
            services, settings.use_cases_path, settings.disabled_use_cases, settings.enabled_use_cases
        )

    lifecycle = Lifecycle(
        load,
        database,
        runs,
        drain_timeout_s=settings.drain_timeout_s,
        parts=[chat_clients, attachments],
        on_tables=store.open_answers.register_process,
        on_open=lambda: decide_on_telemetry(settings.enable_instrumentation),
        after_start=warm_up,
    )
    return Platform(services, chat_clients, lifecycle)


def create_app(settings: Settings, *, database: Database | None = None, objects: ObjectStore | None = None) -> FastAPI:
    """Return the application; `app.state.lifecycle` tells whether its start has finished.

    Args:
        settings: All settings.
        database: The database; None for the one of the settings.
        objects: The object store for files; None for the one of the settings.

    Raises:
        ConfigError: When a setting is invalid.
    """
    from web.application import build_app
    from web.metrics import build_metrics_router

    platform = build_platform(settings, database=database, objects=objects)
    services = platform.services
    metrics = build_metrics_router(settings, services.runs, services.store.transaction_times)
    renew_lease = services.store.open_answers.renew_lease
    app = build_app(
        settings, services.database, platform.lifecycle, services.attachments, STATIC_DIR, metrics, renew_lease
    )
    app.state.runs = services.runs
    return app


def run(args: argparse.Namespace) -> int:
    """Run the server until a signal stops it.

    Args:
        args: The options `host` and `port`, None when they are not given, and `before_serving`, which is called after
            the settings have been read and the port bound, so that errors in these are reported before a slow build.
    """
    overrides = {name: value for name in ("host", "port") if (value := getattr(args, name)) is not None}
    settings = load_settings(**overrides)

    from process.garbage_collection import GarbageCollector, collect_seldom

    collect_seldom()  # before the imports, which take most of the start

    from process.data_folder import PRIVATE_UMASK
    from process.serving import bind_socket, build_url, serve

    os.umask(PRIVATE_UMASK)  # the files of this process contain conversations
    with bind_socket(settings.host, settings.port) as listener:
        if args.before_serving is not None:
            args.before_serving()
        _configure_logging(settings)
        app = create_app(settings)
        url = build_url(listener)
        collector = GarbageCollector(lambda: app.state.runs.active)

        def announce(loaded: LoadedUseCases) -> None:
            collector.start()
            _print_ready(url, loaded, settings)

        serve(
            app,
            listener,
            app.state.lifecycle,
            max_connections=settings.max_connections,
            shutdown_delay_s=settings.shutdown_delay_s,
            announce=announce,
        )
    return 0


def _configure_logging(settings: Settings) -> None:
    from process.log_lines import configure_logging

    configure_logging(settings.log_level, settings.log_format)


def _print_ready(url: str, loaded: LoadedUseCases, settings: Settings) -> None:
    problems = [f"The use case '{each.name}' is disabled: {each.reason}" for each in loaded.disabled]
    problems += [f"DISABLED_USE_CASES: there is no use case '{name}'." for name in loaded.unknown]
    if not loaded.enabled:
        problems.append("No use case is loaded, so there is nothing to talk to.")
    if settings.default_use_case is not None and settings.default_use_case not in loaded.enabled:
        problems.append(f"DEFAULT_USE_CASE: there is no use case '{settings.default_use_case}'.")
    for problem in problems:
        print(f"Warning: {' '.join(problem.split())}", file=sys.stderr, flush=True)
    if settings.log_format == "json":
        # Only JSON may be written to stdout, as a program may read it.
        logging.getLogger(__name__).info("parlor is ready", extra={"url": url})
        print(f"Parlor is ready: {url}", file=sys.stderr, flush=True)
    else:
        print(f"Parlor is ready: {url}", flush=True)


def doctor(_args: argparse.Namespace) -> int:
    """Print the findings of a diagnosis; return 0 when there is no problem, else 1."""
    from process.garbage_collection import collect_seldom

    settings = load_settings()
    collect_seldom()
    # Errors of use cases are in the report, and need not be logged too.
    logging.getLogger().addHandler(logging.NullHandler())
    findings = asyncio.run(_examine(settings))
    for finding in findings:
        verdict = "PROBLEM" if not finding.is_well else "warning" if finding.is_warning else "ok"
        print(f"{verdict:<7} {finding.subject:<12} {' '.join(finding.state.split())}")
    return 0 if all(finding.is_well for finding in findings) else EXIT_FAILED


async def _examine(settings: Settings) -> list[Finding]:
    from process.data_folder import PRIVATE_UMASK
    from process.doctor import Finding, examine
    from web.identity import find_key_problem

    os.umask(PRIVATE_UMASK)
    try:
        platform = build_platform(settings)
    except ConfigError as exc:
        return [Finding(False, "settings", str(exc))]
    try:
        findings = await examine(platform.services, STATIC_DIR)
        if problem := await asyncio.to_thread(find_key_problem, settings):
            findings.append(Finding(False, "signing key", problem))
        if settings.provider != "offline":
            problem = await platform.chat_clients.find_problem()
            findings.append(Finding(problem is None, "provider", problem or "answers, and takes the key"))
        return findings
    finally:
        await platform.chat_clients.close()
        await platform.services.database.close()


def show_widgets(args: argparse.Namespace) -> int:
    """Print every component and every widget of the use cases with their mistakes; return 1 when there is one."""
    from process.garbage_collection import collect_seldom

    settings = load_settings()
    collect_seldom()
    logging.getLogger().addHandler(logging.NullHandler())
    return asyncio.run(_print_widgets(settings, as_json=args.json))


async def _print_widgets(settings: Settings, *, as_json: bool) -> int:
    import json

    from process.use_case_loading import load_use_cases
    from process.widget_gallery import build_gallery, gallery_lines

    platform = build_platform(settings)
    switched_off, only = settings.disabled_use_cases, settings.enabled_use_cases
    try:
        loaded = await asyncio.to_thread(load_use_cases, platform.services, settings.use_cases_path, switched_off, only)
        groups = build_gallery(loaded.enabled)
    finally:
        await platform.chat_clients.close()
        await platform.services.database.close()
    for failure in loaded.disabled:
        print(f"{failure.name} is disabled: {failure.reason}", file=sys.stderr)
    # The encoding of the terminal may lack some characters; in JSON they can be escaped.
    encoding = sys.stdout.encoding or "utf-8"
    if as_json:
        is_utf8 = encoding.lower().replace("-", "") == "utf8"
        text = json.dumps({"groups": [group.as_json() for group in groups]}, indent=1, ensure_ascii=not is_utf8)
    else:
        text = "\n".join(gallery_lines(groups))
    print(text.encode(encoding, "backslashreplace").decode(encoding))
    is_well = all(each.is_well for group in groups for each in group.widgets)
    return 0 if is_well and not loaded.disabled else EXIT_FAILED


def export_page(args: argparse.Namespace) -> int:
    """Write the page as static files, and print what its server needs."""
    from process import page_export

    print("\n".join(page_export.export_page(STATIC_DIR, args.folder, args.api)))
    return 0


def show_help(_args: argparse.Namespace) -> int:
    """Print the list of commands."""
    build_parser().print_help()
    return 0


COMMANDS: Mapping[str, tuple[str, Command]] = {
    "run": ("Start the server.", run),
    "doctor": ("Say what works with the present settings, and what does not.", doctor),
    "backup": ("Write a backup of the database and the files, also while the server runs.", back_up),
    "restore": ("Put a backup in the place of the data that are there.", restore),
    "config": ("Show the settings in effect, without secrets.", show_settings),
    "export-page": ("Write the page as static files, for a server at another origin.", export_page),
    "import-workflow": ("Make a use case of a workflow that was exported as Python.", import_workflow),
    "widgets": ("Show every widget of the use cases, and what is wrong with it.", show_widgets),
    "help": ("Show this list.", show_help),
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; the parsed `command` is the function to call."""
    parser = argparse.ArgumentParser(
        prog="parlor",
        description="A ChatKit platform that you host yourself.",
        epilog="Settings come from environment variables; the README lists them.",
        allow_abbrev=False,
    )
    parser.set_defaults(command=show_help)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (summary, command) in COMMANDS.items():
        added = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        added.set_defaults(command=command)
        if name == "run":
            added.add_argument("--host", help="address to listen on (HOST)")
            added.add_argument("--port", type=int, help="TCP port to listen on; 0 picks a free one (PORT)")
        elif name == "export-page":
            added.add_argument("folder", type=Path, metavar="DIR", help="where; empty, or not there yet")
            added.add_argument("--api", required=True, metavar="URL", help="the server, e.g. https://chat-api.example")
        elif name == "widgets":
            added.add_argument("--json", action="store_true", help="all of it as JSON, the widgets too")
        elif name in ("backup", "restore"):
            added.add_argument("file", type=Path, metavar="FILE", help="the archive, e.g. parlor-backup.tar.gz")
        elif name == "import-workflow":
            added.add_argument("file", type=Path, metavar="FILE", help="the file that Agent Builder shows under Code")
            added.add_argument("name", metavar="NAME", help="the name of the use case, e.g. support-desk")
            added.add_argument("--into", type=Path, metavar="FOLDER", help="where; default: the last of USE_CASES_PATH")
            added.add_argument("--entry", metavar="FUNCTION", help="the function that answers; default: run_workflow")
    return parser


def main(argv: Sequence[str] | None = None, *, before_serving: Callable[[], object] | None = None) -> int:
    """Run the command in `argv`; return the exit code: 0, 1 for a failure, 2 for a wrong setting or argument.

    Args:
        argv: The arguments; None for those of the process.
        before_serving: Called by the command `run` before it serves.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments and not arguments[0].startswith("-") else "help"
    if name in CLONE_COMMANDS:
        print(f"'{name}' is a command of a clone: run ./parlor {name} there.", file=sys.stderr)
        return EXIT_USAGE
    if name not in COMMANDS:
        print(f"There is no command '{name}'; parlor help lists them.", file=sys.stderr)
        return EXIT_USAGE
    args = build_parser().parse_args(arguments, argparse.Namespace(before_serving=before_serving))
    command: Command = args.command
    prepare_environment()
    return exit_code_of(lambda: command(args))


def exit_code_of(command: Callable[[], int]) -> int:
    """Call `command` and return its exit code; a `ParlorError` is printed to stderr as one sentence."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe. Without this, Python would report the error again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return EXIT_USAGE
    except ParlorError as exc:
        print(exc, file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
