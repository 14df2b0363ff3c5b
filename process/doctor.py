"""Diagnosis of the settings and of the services that they name: the findings of `parlor doctor`."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from agents_sdk.workflows.exported_workflow import ExportedWorkflow
from config import Settings
from context import Services
from errors import ConfigError, ParlorError
from framework.mcp_servers import examine as examine_server
from framework.mcp_servers import servers_of
from process.data_folder import describe_mode, find_problem
from process.use_case_loading import load_use_cases, missing_folders
from stock_server import StockServer

PING_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report on one part of the platform.

    Attributes:
        is_well: Whether the part works.
        subject: The part of the platform, e.g. ``database``.
        state: The state of that part; only for the operator, as it may contain an exception's text.
        is_warning: Whether the part works, but something should be reconsidered.
    """

    is_well: bool
    subject: str
    state: str
    is_warning: bool = False


async def _examine_files(services: Services) -> list[Finding]:
    """Return the findings about the object store: whether it works, and whether browsers may upload to it."""
    files, settings = services.attachments, services.settings
    try:
        findings = [Finding(True, "files", await files.probe())]
        url = await files.probe_url()
    except ParlorError as exc:
        return [Finding(False, "files", f"{files.objects.scheme}: {exc} {exc.__cause__ or ''}".strip())]
    if url is None:
        return findings
    origin = settings.public_url or f"http://{settings.host}:{settings.port}"
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    headers["Access-Control-Request-Headers"] = ",".join(["content-type", *files.objects.put_headers])
    try:
        async with httpx.AsyncClient(timeout=PING_TIMEOUT_S) as client:
            answer = await client.options(url, headers=headers)
    except httpx.HTTPError as exc:
        return [*findings, Finding(False, "bucket CORS", f"cannot be asked: {type(exc).__name__}")]
    is_allowed = answer.headers.get("access-control-allow-origin") in ("*", origin)
    state = f"pages of {origin} may send files" if is_allowed else f"pages of {origin} may not PUT; see docs/files.md"
    return [*findings, Finding(is_allowed, "bucket CORS", state)]


async def examine(services: Services, static_dir: Path) -> list[Finding]:
    """Return the findings about everything that can be checked without opening a use case.

    Args:
        services: The platform's services; they are not closed.
        static_dir: The folder of the page, with `dist` for the built client.
    """
    settings, database = services.settings, services.database
    folder = settings.data_dir.resolve()
    is_built = await asyncio.to_thread((static_dir / "dist" / "chatkit.js").is_file)
    fault = await database.find_fault(PING_TIMEOUT_S) or await database.find_damage()
    findings = [
        Finding(True, "model", settings.provider),
        _examine_data_folder(folder),
        Finding(not fault, "database", database.explain(fault) if fault else f"{database.dialect} answers"),
        Finding(is_built, "client", "built" if is_built else "not built; in a clone: ./parlor build"),
    ]
    findings += await _examine_files(services)
    return findings + await _examine_use_cases(services)


async def _examine_use_cases(services: Services) -> list[Finding]:
    """Return the findings about the use cases, and about the settings that control access to them."""
    settings = services.settings
    findings = [
        Finding(False, "use cases", f"USE_CASES_PATH: there is no folder '{path}'")
        for path in missing_folders(settings.use_cases_path)
    ]
    switched_off, only = settings.disabled_use_cases, settings.enabled_use_cases
    try:
        loaded = await asyncio.to_thread(load_use_cases, services, settings.use_cases_path, switched_off, only)
    except ConfigError as exc:
        return [*findings, Finding(False, "use cases", str(exc))]
    findings += [Finding(True, "use case", name) for name in loaded.enabled]
    findings += server_key_findings(settings) + proxy_findings(settings) + metrics_findings(settings)
    for name, use_case in loaded.enabled.items():
        if isinstance(use_case.server, StockServer):
            findings += [Finding(True, "server", f"{name}: {note}", is_warning=True) for note in use_case.server.notes]
        for tool in servers_of(use_case.server):
            is_there, state = await examine_server(tool)
            findings.append(Finding(is_there, "MCP server", f"{name}/{tool.name}: {state}"))
        findings += _examine_workflow(name, use_case.server, is_openai=settings.is_openai)
    findings += [Finding(False, "use case", f"{each.name} is disabled: {each.reason}") for each in loaded.disabled]
    findings += [
        Finding(False, "use cases", f"DISABLED_USE_CASES: there is no use case '{name}'") for name in loaded.unknown
    ]
    if not loaded.enabled:
        findings.append(Finding(False, "use case", "none is loaded"))
    default = settings.default_use_case
    if default is not None and default not in loaded.enabled:
        findings.append(Finding(False, "default", f"DEFAULT_USE_CASE: there is no use case '{default}'"))
    return findings


def proxy_findings(settings: Settings) -> list[Finding]:
    """Return a warning when the server can be reached from other machines, and trusts no proxy there."""
    if _is_loopback(settings.host) or any(not each.is_loopback for each in settings.trusted_networks):
        return []
    return [
        Finding(
            True,
            "proxies",
            f"HOST={settings.host} is reached from other machines, and TRUSTED_PROXIES names none: behind a proxy that "
            "speaks https the cookie would not be Secure; name the proxy's address or network there",
            is_warning=True,
        )
    ]


def metrics_findings(settings: Settings) -> list[Finding]:
    """Return a warning when everybody who reaches the server can read its metrics."""
    if not settings.metrics or settings.metrics_token is not None or _is_loopback(settings.host):
        return []
    state = f"HOST={settings.host} is reached by others, and /metrics has no METRICS_TOKEN: let no proxy pass it on"
    return [Finding(True, "metrics", state, is_warning=True)]


def server_key_findings(settings: Settings) -> list[Finding]:
    """Return findings about the keys of servers that open sessions, without the keys themselves."""
    names = list(settings.server_keys)
    if not names:
        return [Finding(True, "server keys", "none: no server opens sessions (SERVER_API_KEYS)")]
    findings = [Finding(True, "server keys", f"{len(names)}: {', '.join(names)}")]
    if not _is_loopback(settings.host):
        findings.append(
            Finding(
                True,
                "server keys",
                f"HOST={settings.host} is reached over plain http by others too: a key or a client secret that is sent "
                "there can be read on the way; let a proxy that speaks https stand in front",
                is_warning=True,
            )
        )
    return findings


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _examine_workflow(name: str, server: object, *, is_openai: bool) -> Iterator[Finding]:
    """Yield findings about the requirements of a server's exported workflow, if it has one."""
    workflow = inspect.getattr_static(server, "workflow", None)  # an author's own attribute may be of any type
    if not isinstance(workflow, ExportedWorkflow):
        return
    for need in workflow.needs:
        needs = "" if is_openai else "needs MODEL_PROVIDER=openai: "
        yield Finding(is_openai, "workflow", f"{name}: {needs}{need}")
    for reason in workflow.unmet_guardrails:
        yield Finding(False, "workflow", f"{name}: {reason}: pip install openai-guardrails")


def _examine_data_folder(folder: Path) -> Finding:
    if problem := find_problem(folder):
        return Finding(False, "data folder", f"DATA_DIR: '{folder}' {problem}")
    remark = describe_mode(folder)
    return Finding(True, "data folder", f"{folder} (others may enter it: {remark})" if remark else str(folder))
