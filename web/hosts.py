"""Validation of the `Host` header, as a defence against DNS rebinding."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from config import Settings
from errors import BadRequestError, MisdirectedError, UserFacingError
from web.failures import build_failure, failure_response
from web.once import Once
from web.request_log import notes_of

logger = logging.getLogger(__name__)

PROBE_PATHS = frozenset({"/healthz", "/readyz"})
"""Paths that hosting platforms probe under an internal address, and that reveal nothing."""

MAX_LOGGED_HOSTS = 100

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?")


class HostMiddleware:
    """Middleware that rejects requests for host names that are not this server's (DNS rebinding).

    The owner of `evil.example` can let that name point to 127.0.0.1, and to a browser the attacking page is then of the
    same origin as this server; the `Host` header still says `evil.example`. So a server on a loopback address answers
    only to names that nobody can register: IP addresses, names without a dot, and those below `.localhost` and `.test`
    (RFC 6761). Any other name has to be in `ALLOWED_HOSTS`.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._allowed = settings.allowed_hosts
        self._is_local = is_loopback(settings.host)
        self._logged = Once(MAX_LOGGED_HOSTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, or reject it with 400 or 421."""
        error = self._check_host(scope) if scope["type"] == "http" and scope["path"] not in PROBE_PATHS else None
        if error is None:
            await self._app(scope, receive, send)
            return
        failure = build_failure(error, notes_of(scope))
        await failure_response(failure)(scope, receive, send)

    def _check_host(self, scope: Scope) -> UserFacingError | None:
        hosts = Headers(scope=scope).getlist("host")
        if not hosts and scope.get("http_version") == "1.0":
            return None
        match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if match is None:
            return BadRequestError("The request does not say in one Host header which server it asks.", code="host")
        name = match[1].rstrip(".")
        if self._is_allowed(name):
            return None
        if self._logged.is_new(name):
            logger.warning(
                "a request under a name that is not ours was refused; if it is ours, add it to ALLOWED_HOSTS",
                extra={"host": name},
            )
        return MisdirectedError(
            f"This server does not answer under the name '{name}'. Whoever runs it can allow the name in ALLOWED_HOSTS."
        )

    def _is_allowed(self, name: str) -> bool:
        if not self._allowed and not self._is_local:
            return True
        return matches_host(name, self._allowed) or (self._is_local and _is_never_public(name))


def matches_host(name: str, patterns: Sequence[str]) -> bool:
    """Return whether `name` matches a pattern: a host name, ``*.example`` for its subdomains, or ``*`` for any."""
    return any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in patterns
    )


def is_loopback(host: str) -> bool:
    """Return whether a server that listens on `host` can be reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_never_public(name: str) -> bool:
    """Return whether a name cannot be registered in the public DNS."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".test"))
    return True
