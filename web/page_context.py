"""Context from the page around the chat: the headers that the page sets, and the time zone of the browser."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.datastructures import Headers

logger = logging.getLogger(__name__)

MAX_HEADER_CHARS = 4_096
"""Longest header value that is passed on to agents, in characters."""

_RESUMABLE = re.compile(r";\s*resumable=1(?=\s*[;,]|\s*$)")
_TIME_ZONE = re.compile(r";\s*time-zone=([A-Za-z0-9_+%-]{1,80})(?=\s*[;,]|\s*$)")
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def select_headers(headers: Headers, names: Sequence[str]) -> Mapping[str, str]:
    """Return the headers that a use case asks for, by lower-case name.

    Repeated headers are joined by ", ", and control characters replaced by spaces. A header longer than
    `MAX_HEADER_CHARS` is omitted with a warning in the log, since a truncated value could mislead.
    """
    selected: dict[str, str] = {}
    for name in names:
        values = headers.getlist(name)
        if not values:
            continue
        value = _CONTROL_CHARACTERS.sub(" ", ", ".join(values))
        if len(value) > MAX_HEADER_CHARS:
            logger.warning("a header of the page is too long", extra={"header": name, "length": len(value)})
            continue
        selected[name] = value
    return MappingProxyType(selected)


def parse_time_zone(accept: str) -> str | None:
    """Return the browser's time zone as an IANA name; None when the client sends none, or an unknown one.

    The element sends it as a parameter of `Accept`, a header that needs no CORS preflight:
    ``text/event-stream;time-zone=Europe%2FZurich``.
    """
    match = _TIME_ZONE.search(accept[:512])
    if match is None:
        return None
    name = unquote(match[1])
    return name if _ZONE_NAME.fullmatch(name) and _is_known_zone(name) else None


def accepts_resumable(accept: str) -> bool:
    """Return whether the client can resume a stream: ``text/event-stream;resumable=1``."""
    return _RESUMABLE.search(accept[:512]) is not None


@lru_cache(maxsize=1_024)
def _is_known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
