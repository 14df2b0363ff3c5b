"""Validators for the values of settings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

Value = TypeVar("Value")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MIN_SERVER_KEY_CHARS = 32

BASE_PATH_PATTERN = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+){1,16}")
"""Pattern of a URL path without characters that need escaping, without dot segments and without a trailing slash."""

_KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEY = re.compile(rf"[!-~]{{{MIN_SERVER_KEY_CHARS},512}}")
_IMAGE_DOMAIN = re.compile(
    r"(?P<scheme>https?://)?(?P<below>\*\.)?(?P<name>[^\s/:@?#*\[\]\\;,'\"]+)(?P<port>:\d{1,5})?/?|\*", re.IGNORECASE
)
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_HOST_PATTERN = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def split_at(separators: str) -> Any:
    """Return a validator that splits the text of a variable at any of `separators`, and drops empty parts."""

    def split(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in re.split(f"[{separators}]", value) if part.strip())

    return BeforeValidator(split)


def checked_by(check: Callable[[Value], Value]) -> Any:
    """Return a validator that applies `check`, which raises ValueError for invalid values; None is not checked."""
    return AfterValidator(lambda value: None if value is None else check(value))


def check_color(value: str) -> str:
    """Return a CSS colour in lower case.

    Raises:
        ValueError: When it does not have the form ``#rgb`` or ``#rrggbb``.
    """
    if not _COLOR.fullmatch(value):
        raise ValueError(f"'{value}' is not a colour of the form #rgb or #rrggbb")
    return value.lower()


def check_page_url(value: str) -> str:
    """Return the URL of a resource that a page loads.

    Raises:
        ValueError: When it is neither an http(s) URL nor an absolute path on this server.
    """
    parts = urlsplit(value)
    # Two slashes, or a slash and a backslash, which browsers treat alike, would refer to another host.
    is_path = value.startswith("/") and not value.startswith(("//", "/\\"))
    if any(c.isspace() or ord(c) < 32 or c in "\\\"'<>;," for c in value) or not (
        is_path or (parts.scheme in ("http", "https") and parts.hostname)
    ):
        raise ValueError(f"'{value}' is neither an http(s) URL nor a path that begins with /")
    return value


def check_http_url(value: str) -> str:
    """Return the URL of a server.

    Raises:
        ValueError: When it is not an http(s) URL.
    """
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError(f"'{value}' is not an http(s) URL")
    return value


def check_storage_url(value: str) -> str:
    """Return the URL of an object store.

    Raises:
        ValueError: When the scheme is unknown.
    """
    # The value is not quoted, as it may contain a secret.
    if urlsplit(value).scheme not in ("file", "memory", "s3", "az", "gs"):
        raise ValueError("is none of file://…, memory://…, s3://…, az://…, gs://…")
    return value


def check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the origins of pages in the form that browsers send.

    Raises:
        ValueError: When one is not an origin; the message quotes it.
    """
    for origin in value:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError(f"'{origin}' is not an origin such as https://intranet.example")
    return tuple(origin.rstrip("/").lower() for origin in value)


def check_hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return host names in lower case; ``*`` stands for any host, ``*.example`` for the hosts below a domain.

    Raises:
        ValueError: When one is not a host name; the message quotes it.
    """
    for host in value:
        if not _HOST_PATTERN.fullmatch(host):
            raise ValueError(f"'{host}' is no name such as chat.example or *.example (without scheme and port)")
    return tuple(host.lower() for host in value)


def check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return IP addresses and networks unchanged.

    Raises:
        ValueError: When one is neither; the message quotes it.
    """
    for each in value:
        try:
            ipaddress.ip_network(each)
        except ValueError as exc:
            raise ValueError(f"'{each}' is no address and no network such as 10.0.0.0/8 ({exc})") from exc
    return value


def check_base_path(value: str) -> str:
    """Return a URL path without a trailing slash.

    Raises:
        ValueError: When it contains characters that need escaping.
    """
    path = value.rstrip("/")
    if path and not BASE_PATH_PATTERN.fullmatch(path):
        raise ValueError(f"'{value}' is no path such as /tools/chat (letters, digits, '.', '_', '~', '-')")
    return path


def check_image_domains(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return sources of pictures, in the form that browsers use.

    Raises:
        ValueError: When one is not a valid source; the message quotes it.
    """
    return tuple(_parse_image_domain(domain) for domain in value)


def check_server_keys(value: SecretStr) -> SecretStr:
    """Return the API keys of servers unchanged.

    Raises:
        ValueError: When an entry is invalid; the message names the entry, but never a key.
    """
    parse_server_keys(value.get_secret_value())
    return value


def parse_server_keys(text: str) -> dict[str, str]:
    """Return the API keys of servers by name, from a text such as ``shop:key,blog:key``.

    Raises:
        ValueError: When an entry is invalid; the message names the entry, but never a key.
    """
    keys: dict[str, str] = {}
    for number, entry in enumerate((part.strip() for part in text.split(",")), 1):
        if not entry:
            continue
        name, colon, key = entry.partition(":")
        if not colon or not _KEY_NAME.fullmatch(name):
            # The entry is not quoted, as it may be the key itself.
            raise ValueError(f"entry {number} is not of the form name:key (a name: letters, digits, '_', '-', '.')")
        if name in keys:
            raise ValueError(f"there are two keys called '{name}'")
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"the key '{name}' must have {MIN_SERVER_KEY_CHARS} characters or more, without spaces; "
                f'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        if key in keys.values():
            raise ValueError(f"the key '{name}' is another one's too")
        keys[name] = key
    if not keys:
        raise ValueError("names no key")
    return keys


def _parse_image_domain(text: str) -> str:
    """Return a source of pictures in the form that browsers use: in lower case, with an ASCII host name.

    Raises:
        ValueError: When it is not a host name, a host name with a scheme or a port, or ``*``.
    """
    match = _IMAGE_DOMAIN.fullmatch(text)
    try:
        # The codec rejects empty labels and names that are too long.
        name = match["name"].encode("idna").decode() if match and match["name"] else ""
    except UnicodeError:
        match = None
    is_name = match is not None and (match["name"] is None or _HOST_NAME.fullmatch(name) is not None)
    if match is None or not is_name or int((match["port"] or ":0")[1:]) > 65_535:
        raise ValueError(f"'{text}' is no place of pictures such as img.example, *.img.example or https://img.example")
    if match["name"] is None:
        return text
    return f"{match['scheme'] or ''}{match['below'] or ''}{name}{match['port'] or ''}".lower()
