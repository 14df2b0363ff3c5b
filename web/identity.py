"""Identity of the user: given by a client secret, or anonymous, by a signed cookie or token of the browser."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import Settings
from errors import ConfigError, UnauthorizedError
from files.file_urls import PATH as FILES_PATH
from process.data_folder import KEY_FILE_NAME
from turns.chat_session import ChatSession
from turns.request_context import RequestContext
from web.browser_tokens import PREFIX as BROWSER_TOKEN_PREFIX
from web.browser_tokens import BrowserTokens
from web.client_secrets import bearer_token
from web.client_sessions import ClientSessions
from web.failures import build_failure, failure_response
from web.page_context import accepts_resumable, parse_time_zone
from web.request_log import notes_of

logger = logging.getLogger(__name__)

COOKIE_NAME = "parlor_user"
EMBEDDED_COOKIE_NAME = "parlor_user_embedded"
"""Name of the cookie on pages of other sites, where it must not replace the first-party one."""

EXPIRED_MESSAGE = "The token of this browser has expired. Ask for the next one."
COOKIE_MAX_AGE_S = 365 * 24 * 3600
KEY_BYTES = 32
MAX_KEY_FILE_BYTES = 4096

_COOKIE = re.compile(r"v1\.([0-9a-f]{32})\.([0-9a-f]{64})")
# RFC 5646, 2.1, without its rare forms.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_LOOPBACK = re.compile(r"localhost(?::|$)|127\.|\[::1\]")
_KEY_REMEDY = "let the user that the server runs as read it, or set the variable"
_PAGE_PATH = "/"
_IDENTIFIED_PREFIXES = ("/api/", "/chatkit/", "/dev/widgets/")
_PUBLIC_PATHS = frozenset({"/api/branding", "/api/browser-token"})


def load_signing_key(settings: Settings) -> bytes:
    """Return the key that signs cookies: `SECRET_KEY`, or the key file in `DATA_DIR`, which is created if missing.

    Raises:
        ConfigError: When no key is set, and the file is damaged or cannot be read or created.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / KEY_FILE_NAME
    try:
        if not path.exists():
            _create_key_file(path)
        with path.open("rb") as file:
            key = file.read(MAX_KEY_FILE_BYTES).strip()
    except OSError as exc:
        reason = f"is not set, and '{path}' cannot be used ({exc.strerror}); {_KEY_REMEDY}"
        raise ConfigError("SECRET_KEY", reason) from exc
    if len(key) < KEY_BYTES:
        raise ConfigError("SECRET_KEY", f"is not set, and '{path}' is damaged; delete it, or set the variable")
    return key


def find_key_problem(settings: Settings) -> str | None:
    """Return why the signing key cannot be used; None when it can, or when its file is still to be created."""
    if settings.secret_key is None and not (settings.data_dir / KEY_FILE_NAME).exists():
        return None
    try:
        load_signing_key(settings)
    except ConfigError as exc:
        return str(exc)
    return None


def _create_key_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{KEY_FILE_NAME}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(KEY_BYTES).encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link is atomic and never overwrites: of two processes that start at once, one wins and both read its key.
        os.link(draft, path)
    except FileExistsError:
        logger.debug("another process made the signing key")
    finally:
        draft.unlink()


class Cookies:
    """Signs and verifies the values of user cookies.

    Args:
        key: The signing key, 32 bytes or more.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def build(self, user_id: str) -> str:
        """Return the signed value for `user_id`, which came from `new_user_id` or `parse`."""
        token = user_id.removeprefix("anon_")
        return f"v1.{token}.{self._sign(token)}"

    def parse(self, value: str) -> str | None:
        """Return the user id in a value that was signed with our key; None for any other value."""
        match = _COOKIE.fullmatch(value)
        if match is None or not hmac.compare_digest(match[2], self._sign(match[1])):
            return None
        return f"anon_{match[1]}"

    def find_user(self, headers: Headers) -> str | None:
        """Return the user id of the first cookie with a valid signature; None without one."""
        return next((user for value in _cookie_values(headers) if (user := self.parse(value))), None)

    def _sign(self, token: str) -> str:
        # The purpose is part of the message, so that a signature made for anything else is not accepted here.
        return hmac.new(self._key, f"{COOKIE_NAME}:v1:{token}".encode(), hashlib.sha256).hexdigest()


def new_user_id() -> str:
    """Return the id of a new user: 128 random bits."""
    return f"anon_{secrets.token_hex(16)}"


class IdentityMiddleware:
    """Middleware that identifies the user by a client secret, a browser token or a cookie; it sets a missing cookie.

    Args:
        app: The application behind the middleware.
        key: Signs cookies and browser tokens.
        sessions: Verifies client secrets. An invalid one is rejected, and does not fall back to the cookie.
        public_url: The address under which browsers reach the server (`PUBLIC_URL`); None to derive it from requests.
    """

    def __init__(self, app: ASGIApp, *, key: bytes, sessions: ClientSessions, public_url: str | None = None) -> None:
        self._app = app
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._key = key
        self._cookies = Cookies(key)
        self._tokens = BrowserTokens(key)
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request with the user's id in its notes."""
        if scope["type"] != "http" or not _needs_identity(scope["path"]):
            await self._app(scope, receive, send)
            return
        notes = notes_of(scope)
        notes.public_url = self._public_url
        headers = Headers(scope=scope)
        secret = bearer_token(headers)
        if secret is not None and secret.startswith(BROWSER_TOKEN_PREFIX):
            await self._answer_by_token(secret, headers, scope, receive, send)
            return
        if secret is not None:
            await self._answer_in_session(secret, scope, receive, send)
            return
        known_user = self._cookies.find_user(headers)
        if known_user is None and scope["path"].startswith(FILES_PATH):
            # Pictures in pages of other sites, and uploads from there, create no users.
            await self._app(scope, receive, send)
            return
        user_id = known_user or new_user_id()
        notes.user_id = user_id
        notes.is_unidentified = known_user is None and notes.is_listed_origin
        # The page sets the cookie before its scripts send requests in parallel, and renews it at every visit.
        if known_user is not None and scope["path"] != _PAGE_PATH:
            await self._app(scope, receive, send)
            return
        is_https = scope["scheme"] == "https"
        # Only pages of other sites need such a cookie, and browsers accept it over https only.
        is_embedded = is_https and notes.is_listed_origin and headers.get("sec-fetch-site") == "cross-site"
        cookie = _cookie_header(
            self._cookies.build(user_id), path=f"{notes.base_path}/", is_https=is_https, is_embedded=is_embedded
        )

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    async def _answer_by_token(self, value: str, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        notes = notes_of(scope)
        token = self._tokens.parse(value, headers["origin"]) if notes.is_listed_origin else None
        if token is None or not token.is_current:
            await _send_failure(UnauthorizedError(EXPIRED_MESSAGE), scope, receive, send)
            return
        notes.user_id = token.user_id
        await self._app(scope, receive, send)

    async def _answer_in_session(self, secret: str, scope: Scope, receive: Receive, send: Send) -> None:
        notes = notes_of(scope)
        try:
            session = await self._sessions.authenticate(secret)
        except Exception as exc:  # noqa: BLE001 - `ErrorMiddleware` is further inside
            await _send_failure(exc, scope, receive, send)
            return
        notes.session, notes.user_id = session, session.user_id
        notes.pseudonym = hmac.new(self._key, f"log:{session.user_id}".encode(), hashlib.sha256).hexdigest()[:12]
        await self._app(scope, receive, send)


async def _send_failure(exc: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    failure = build_failure(exc, notes_of(scope))
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if failure.status == 401 else None
    await failure_response(failure, challenge)(scope, receive, send)


def build_context(request: Request, use_case: str = "") -> RequestContext:
    """Return the context of a request that has passed the `IdentityMiddleware`."""
    notes = notes_of(request.scope)
    if notes.session is not None:
        return session_context(request, notes.session)
    if notes.user_id is None:
        raise LookupError(f"{request.url.path} is not among the paths that have an identity")
    return RequestContext(
        user_id=notes.user_id,
        use_case=use_case,
        request_id=notes.request_id,
        locale=parse_locale(request.headers.get("accept-language", "")),
        time_zone=parse_time_zone(request.headers.get("accept", "")),
        is_resumable=accepts_resumable(request.headers.get("accept", "")),
        base_url=base_url_of(request),
    )


def base_url_of(request: Request) -> str:
    """Return the base URL under which the browser reaches this server; empty when that cannot be told.

    It is `PUBLIC_URL`, or derived from the request. Behind a proxy that terminates TLS the server sees `http` where the
    browser sees `https`, so the scheme is taken from the page's own address.
    """
    public = notes_of(request.scope).public_url
    if public is not None:
        return public
    host = notes_of(request.scope).forwarded_host or request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        return ""
    page = request.headers.get("origin", "") or request.headers.get("referer", "")
    # The one plain http server that an https page may call is on the loopback interface.
    is_https = request.scope["scheme"] == "https" or (page.startswith("https://") and not _LOOPBACK.match(host))
    return f"{'https' if is_https else 'http'}://{host}{notes_of(request.scope).base_path}"


def session_context(request: Request, session: ChatSession) -> RequestContext:
    """Return the context of a request in a session: user and use case are always those of the session."""
    return RequestContext(
        user_id=session.user_id,
        use_case=session.use_case,
        request_id=notes_of(request.scope).request_id,
        locale=parse_locale(request.headers.get("accept-language", "")),
        time_zone=parse_time_zone(request.headers.get("accept", "")),
        is_resumable=accepts_resumable(request.headers.get("accept", "")),
        variables=session.configuration.variables,
        session_id=session.id,
        has_titles=session.configuration.has_titles,
        base_url=base_url_of(request),
    )


def parse_locale(accept_language: str) -> str:
    """Return the first language of an `Accept-Language` header, or ``"en"``."""
    first = accept_language[:200].split(",", 1)[0].split(";", 1)[0].strip()
    return first if _LANGUAGE_TAG.fullmatch(first) else "en"


def _needs_identity(path: str) -> bool:
    is_identified = path in (_PAGE_PATH, "/chatkit") or path.startswith(_IDENTIFIED_PREFIXES)
    return is_identified and path not in _PUBLIC_PATHS


def _cookie_values(headers: Headers) -> Iterator[str]:
    """Yield every value of our cookies; there may be several, as other subdomains can set the same names."""
    pairs = [part.strip().partition("=") for header in headers.getlist("cookie") for part in header.split(";")]
    for cookie_name in (COOKIE_NAME, EMBEDDED_COOKIE_NAME):
        yield from (value for name, _, value in pairs if name == cookie_name)


def _cookie_header(value: str, *, path: str, is_https: bool, is_embedded: bool) -> str:
    name = EMBEDDED_COOKIE_NAME if is_embedded else COOKIE_NAME
    parts = [f"{name}={value}", f"Path={path}", f"Max-Age={COOKIE_MAX_AGE_S}", "HttpOnly"]
    if is_https:
        parts.append("Secure")
    # Browsers store no Lax cookie from a cross-site request.
    parts += ["SameSite=None", "Partitioned"] if is_embedded else ["SameSite=Lax"]
    return "; ".join(parts)
