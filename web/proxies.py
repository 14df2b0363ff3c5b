"""Reverse proxies: scheme, host, base path and client address from the `X-Forwarded-*` headers of trusted proxies.

Only addresses in `TRUSTED_PROXIES` are trusted. Otherwise a client could choose the host in the links that it gets, or
hide its own address in the log.
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
"""Number of addresses in `X-Forwarded-For` that are examined, from the nearest hop."""

_SCHEMES = {"http": "http", "https": "https", "on": "https"}
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


class ProxyMiddleware:
    """Middleware that restores the scheme, host and client of a proxied request, and strips the base path.

    A proxy may strip `BASE_PATH` itself or leave it: behind this middleware paths are always without it.

    Args:
        app: The application behind the middleware.
        settings: The settings, for the trusted proxies and the base path.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._trusted = settings.trusted_networks
        self._base_path = settings.base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request as the browser sent it; redirect the base path without its trailing slash."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = notes_of(scope)
        notes.base_path = self._base_path
        if _is_in_networks(_peer(scope), self._trusted):
            self._apply_forwarded_headers(scope)
        base = notes.base_path
        path: str = scope["path"]
        if base and path == base:
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"{base}/" + (f"?{query}" if query else ""), 308)(scope, receive, send)
            return
        if base and path.startswith(f"{base}/"):
            scope["path"] = path[len(base) :]
            raw = scope.get("raw_path")
            # A base path needs no escaping, so that the raw path begins with the same characters.
            if raw is not None and raw.startswith(base.encode()):
                scope["raw_path"] = raw[len(base) :]
        await self._app(scope, receive, send)

    def _apply_forwarded_headers(self, scope: Scope) -> None:
        if not any(name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
            return
        headers = Headers(scope=scope)
        hops = _split_header(headers, "x-forwarded-for")[-MAX_HOPS:]
        client, place = self._find_client(hops)
        if client is not None:
            scope["client"] = (client, 0)
        scheme = _SCHEMES.get(_select_value(_split_header(headers, "x-forwarded-proto"), place, len(hops)).lower())
        if scheme is not None:
            scope["scheme"] = scheme
        host = _select_value(_split_header(headers, "x-forwarded-host"), place, len(hops))
        if _HOST.fullmatch(host):
            # Not written over `Host`, which alone decides whether the request is for us (`HostMiddleware`): a page that
            # uses DNS rebinding connects from this machine, and can set any header except `Host`.
            notes_of(scope).forwarded_host = host
        prefix = _select_value(_split_header(headers, "x-forwarded-prefix"), place, len(hops)).rstrip("/")
        if prefix and BASE_PATH_PATTERN.fullmatch(prefix):
            notes_of(scope).base_path = prefix

    def _find_client(self, hops: Sequence[str]) -> tuple[str | None, int]:
        """Return the address of the client, which is the nearest untrusted hop, and the number of hops to it."""
        for place, hop in enumerate(reversed(hops), 1):
            address = parse_address(hop)
            if address is None:
                break
            if not _is_in_networks(address, self._trusted) or place == len(hops):
                return str(address), place
        return None, 1


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address of a hop, with or without a port, such as ``192.0.2.1:80``; None when it is none.

    An IPv4-mapped IPv6 address, as dual-stack sockets report it, becomes the IPv4 address.
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


# Behind a proxy, or on one machine, all requests come from the same few peers.
_parse_peer = lru_cache(maxsize=256)(parse_address)


def _is_in_networks(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address.version == each.version and address in each for each in networks)


def _split_header(headers: Headers, name: str) -> list[str]:
    return [part.strip() for header in headers.getlist(name) for part in header.split(",") if part.strip()]


def _select_value(values: Sequence[str], place: int, hops: int) -> str:
    """Return the value of the proxy that the client connected to; of the nearest proxy when that cannot be told.

    Args:
        values: The entries of a forwarded header, the nearest proxy last.
        place: The number of hops to the client.
        hops: The number of addresses in `X-Forwarded-For`; only a list of the same length can be matched to it.
    """
    if not values:
        return ""
    return values[-place] if len(values) == hops else values[-1]
