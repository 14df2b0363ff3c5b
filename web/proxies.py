"""Proxies in front, and what those that are trusted say of a request: scheme, host, path, and whose request it is.

`X-Forwarded-*` is believed from addresses of `TRUSTED_PROXIES` only: from anybody else it would let a client choose
the address in its own links, or hide its own in the log.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from config import Settings
from settings.values import BASE_PATH_PATTERN, Network
from web.request_log import notes_of

MAX_HOPS = 32
"""Addresses of one `X-Forwarded-For` that are looked at, from the nearest."""

_SCHEMES = {"http": "http", "https": "https", "on": "https"}
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


class ProxyMiddleware:
    """Middleware that makes of a proxied request what the browser asked, and takes our own path off its beginning.

    A proxy may take `BASE_PATH` off the path, or leave it there: behind this middleware it is off.

    Args:
        app: The application behind the middleware.
        settings: Name the proxies that are believed, and the path.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._trusted = settings.trusted_networks
        self._base_path = settings.base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request as the browser meant it; one without the slash behind our path is sent there."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = notes_of(scope)
        notes.base_path = self._base_path
        if _is_within(_peer(scope), self._trusted):
            self._believe(scope)
        base = notes.base_path
        path: str = scope["path"]
        if base and path == base:
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"{base}/" + (f"?{query}" if query else ""), 308)(scope, receive, send)
            return
        if base and path.startswith(f"{base}/"):
            scope["path"] = path[len(base) :]
            raw = scope.get("raw_path")
            # Nothing in a base path is ever escaped, so that both begin with the same characters.
            if raw is not None and raw.startswith(base.encode()):
                scope["raw_path"] = raw[len(base) :]
        await self._app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        if not any(name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
            return
        headers = Headers(scope=scope)
        hops = _list_of(headers, "x-forwarded-for")[-MAX_HOPS:]
        client, place = self._first_stranger(hops)
        if client is not None:
            scope["client"] = (client, 0)
        scheme = _SCHEMES.get(_at(_list_of(headers, "x-forwarded-proto"), place, len(hops)).lower())
        if scheme is not None:
            scope["scheme"] = scheme
        host = _at(_list_of(headers, "x-forwarded-host"), place, len(hops))
        if _HOST.fullmatch(host):
            # Beside the header: under which names we answer is decided by that alone. A page that has given our address
            # to a name of its own (DNS rebinding) comes from this machine, and can write any header but `Host`.
            notes_of(scope).forwarded_host = host
        prefix = _at(_list_of(headers, "x-forwarded-prefix"), place, len(hops)).rstrip("/")
        if prefix and BASE_PATH_PATTERN.fullmatch(prefix):
            notes_of(scope).base_path = prefix

    def _first_stranger(self, hops: Sequence[str]) -> tuple[str | None, int]:
        """Return the address of the client, the nearest that is no proxy of ours, and how many hops away it is."""
        for place, hop in enumerate(reversed(hops), 1):
            address = parse_address(hop)
            if address is None:
                break
            if not _is_within(address, self._trusted) or place == len(hops):
                return str(address), place
        return None, 1


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1`` or ``[2001:db8::1]:80``; None if none.

    An IPv4 address that is written as an IPv6 one, as sockets of both kinds do, is the IPv4 address.
    """
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def _peer(scope: Scope) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    client = scope.get("client")
    return _parse_peer(client[0]) if client else None


# Behind a proxy, or on one machine, it is the same few for all requests.
_parse_peer = lru_cache(maxsize=256)(parse_address)


def _is_within(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address.version == each.version and address in each for each in networks)


def _list_of(headers: Headers, name: str) -> list[str]:
    return [part.strip() for header in headers.getlist(name) for part in header.split(",") if part.strip()]


def _at(values: Sequence[str], place: int, hops: int) -> str:
    """Return the value that the proxy wrote which met the client; of a list of another length, the nearest one's.

    Args:
        values: The entries of the proxies, the nearest last.
        place: How many hops away the client is.
        hops: How many addresses the proxies wrote.
    """
    if not values:
        return ""
    return values[-place] if len(values) == hops else values[-1]
