"""Security headers, CORS, and the protection against cross-site request forgery."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import Settings
from errors import ForbiddenError
from files.file_urls import PATH as FILES_PATH
from web.client_secrets import bearer_token
from web.failures import build_failure, failure_response
from web.once import Once
from web.picture_frame import PATH as PICTURE_PATH
from web.picture_frame import POLICY as PICTURE_POLICY
from web.request_log import notes_of

logger = logging.getLogger(__name__)

PREFLIGHT_MAX_AGE_S = 600

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADER_NAMES = re.compile(r"[A-Za-z0-9_-]+(?:\s*,\s*[A-Za-z0-9_-]+){0,31}")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

_SECRET_PREFIXES = ("/chatkit/", "/api/")
_SERVER_PREFIX = "/v1/chatkit/sessions"
"""Path of the API for servers with keys: they send no `Origin`, and no page may read the responses."""

_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Policy of uploaded files, which can run no scripts and load nothing."""

_EXPOSED_HEADERS = "X-Request-Id, Parlor-Run, Parlor-Run-Last, Parlor-Image-Domains, Retry-After"

MAX_LOGGED_ORIGINS = 100
MAX_ORIGIN_CHARS = 300


def build_content_security_policy(settings: Settings, upload_origin: str | None = None) -> str:
    """Return the content security policy of our pages, the last line of defence against XSS.

    It allows our own origin, the origins in the settings, and that of the bucket that browsers upload to.
    """
    pictures = _find_origins(settings.brand_logo_url, settings.brand_favicon_url)
    pictures += _build_picture_sources(settings.allowed_image_domains)
    # OpenAI's hosted script shows its chat in a frame of its own origin.
    chat = _find_origins(settings.chatkit_js_url)
    directives = {
        "default-src": ["'self'"],
        "script-src": ["'self'", *chat],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *pictures],
        "connect-src": ["'self'", *chat, *_find_origins(upload_origin)],
        "frame-src": ["'self'", *chat],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    if not chat:
        # Only our sanitiser turns text into markup. A hosted script may not support Trusted Types.
        directives["require-trusted-types-for"] = ["'script'"]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def _find_origins(*urls: str | None) -> list[str]:
    """Return the origins of the absolute URLs in `urls`, without duplicates."""
    origins: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url or "")
        if parts.scheme and parts.hostname:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            origins[f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")] = None
    return list(origins)


def _build_picture_sources(domains: tuple[str, ...]) -> list[str]:
    """Return `ALLOWED_IMAGE_DOMAINS` as sources of a content security policy."""
    sources: list[str] = []
    for domain in domains:
        if domain == "*":
            sources += ["https:", "http:"]
        else:
            has_origin = "://" in domain or ":" in domain
            # A source without a port matches only the default port of the page's scheme.
            sources.append(domain if has_origin else f"{domain}:*")
    return sources


class SecurityHeadersMiddleware:
    """Middleware that adds the security headers to every response, errors included."""

    def __init__(self, app: ASGIApp, *, settings: Settings, upload_origin: str | None = None) -> None:
        self._app = app
        headers = {
            "content-security-policy": build_content_security_policy(settings, upload_origin),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
            "cross-origin-opener-policy": "same-origin",
        }
        self._headers = _encode_headers(headers)
        # Pages of other origins may embed files; the signature in the URL decides who may see them.
        for_files = {"content-security-policy": _FILE_POLICY, "cross-origin-resource-policy": "cross-origin"}
        self._file_headers = _encode_headers(headers | for_files)
        # As a referrer, the address of the frame would tell the other host which page shows its picture.
        for_picture_frame = {"content-security-policy": PICTURE_POLICY, "referrer-policy": "no-referrer"}
        self._picture_headers = _encode_headers(headers | for_picture_frame)
        self._names = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, and add the headers to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        added = self._headers
        if scope["path"].startswith(FILES_PATH):
            added = self._file_headers
        elif scope["path"] == PICTURE_PATH:
            added = self._picture_headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [header for header in message["headers"] if header[0] not in self._names]
                if all(name != b"cache-control" for name, _ in others):
                    others.append((b"cache-control", b"no-store"))
                message["headers"] = [*others, *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def is_own_origin(origin: str, host: str) -> bool:
    """Return whether the `Origin` header names the same server as the `Host` header.

    The scheme is not compared: behind a proxy that terminates TLS the server sees `http`, and the browser `https`.
    """
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc or parts.path or parts.query or parts.fragment:
        return False
    port = _DEFAULT_PORTS[parts.scheme]
    return parts.netloc.removesuffix(port) == host.lower().removesuffix(port)


class CrossOriginMiddleware:
    """Middleware against CSRF: only our own pages, and those of `ALLOWED_ORIGINS`, may send unsafe requests.

    Pages of any other origin may send requests with a client secret. Browsers never add one by themselves, so that no
    page can act for a user who is signed in here, and cookies play no part in such a request.

    Browsers send `Origin` with every unsafe request. A client that sends none is no browser, unless `Sec-Fetch-Site`
    says otherwise, and has no cookies that another page could abuse. Pages cannot set `Sec-Fetch-Site`: `same-origin`
    can be trusted even if a proxy has changed the `Host`.
    """

    def __init__(self, app: ASGIApp, *, allowed_origins: tuple[str, ...]) -> None:
        self._app = app
        self._allowed = frozenset(allowed_origins)
        self._logged = Once(MAX_LOGGED_ORIGINS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, or reject it with 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        is_listed = len(origins) == 1 and origins[0].lower() in self._allowed
        if is_listed and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight(headers)(scope, receive, self._with_cors(send, origins[0]))
            return
        is_chat = scope["path"] == "/chatkit" or scope["path"].startswith(_SECRET_PREFIXES)
        # A signed URL authorises by itself: cookies, which a browser adds on its own, are ignored there.
        is_signed = scope["path"].startswith(FILES_PATH) and b"signature=" in scope["query_string"]
        if origins and not is_listed and (is_signed or (is_chat and _has_secret(scope["method"], headers))):
            send = _with_public_cors(send)
            if scope["method"] == "OPTIONS":
                await self._preflight(headers)(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        needs_page = scope["method"] not in _SAFE_METHODS and not scope["path"].startswith(_SERVER_PREFIX)
        if needs_page and not is_listed and not _is_from_own_page(headers, origins, notes_of(scope).forwarded_host):
            failure = build_failure(self._build_refusal(origins), notes_of(scope))
            await failure_response(failure)(scope, receive, self._with_cors(send, None))
            return
        notes_of(scope).is_listed_origin = is_listed
        await self._app(scope, receive, self._with_cors(send, origins[0] if is_listed else None))

    def _build_refusal(self, origins: list[str]) -> ForbiddenError:
        origin = origins[0] if len(origins) == 1 and _is_printable(origins[0]) else "an origin that it does not tell"
        if self._logged.is_new(origin):
            logger.warning(
                "a page of another origin was refused; if it may call this server, add the origin to ALLOWED_ORIGINS",
                extra={"origin": origin},
            )
        return ForbiddenError(
            f"This request came from a page that may not call this server: {origin}. "
            "Whoever runs the server can allow it in ALLOWED_ORIGINS.",
            code="cross_origin",
        )

    @staticmethod
    def _preflight(headers: Headers) -> Response:
        response = Response(status_code=204)
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)
        requested = headers.get("access-control-request-headers", "").strip()
        if _HEADER_NAMES.fullmatch(requested):
            response.headers["Access-Control-Allow-Headers"] = requested
        return response

    def _with_cors(self, send: Send, origin: str | None) -> Send:
        if not self._allowed:
            return send

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin is not None:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Allow-Credentials"] = "true"
                    headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
            await send(message)

        return send_with_cors


def _has_secret(method: str, headers: Headers) -> bool:
    """Return whether a request shows a client secret, or is the preflight of one that will."""
    if method != "OPTIONS":
        return bearer_token(headers) is not None
    requested = headers.get("access-control-request-headers", "").lower().split(",")
    return "access-control-request-method" in headers and "authorization" in (name.strip() for name in requested)


def _with_public_cors(send: Send) -> Send:
    """Return a `send` that lets any page read the response, but not for requests with credentials."""

    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
            headers.add_vary_header("Origin")
        await send(message)

    return send_with_cors


def _is_printable(origin: str) -> bool:
    return len(origin) <= MAX_ORIGIN_CHARS and origin.isascii() and origin.isprintable()


def _is_from_own_page(headers: Headers, origins: list[str], forwarded_host: str | None) -> bool:
    sites = headers.getlist("sec-fetch-site")
    if not origins:
        return sites in ([], ["same-origin"], ["none"])
    if len(origins) != 1:
        return False
    hosts = (headers.get("host", ""), forwarded_host or "")
    return sites == ["same-origin"] or any(is_own_origin(origins[0], host) for host in hosts)
