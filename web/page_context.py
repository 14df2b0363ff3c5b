"""Context from the page around the chat: the headers that it sets, and the time zone of its person."""

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
"""Longest value of a header that an agent gets, in characters."""

_RESUMABLE = re.compile(r";\s*resumable=1(?=\s*[;,]|\s*$)")
_TIME_ZONE = re.compile(r";\s*time-zone=([A-Za-z0-9_+%-]{1,80})(?=\s*[;,]|\s*$)")
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,3}")
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def select_headers(headers: Headers, names: Sequence[str]) -> Mapping[str, str]:
    """Return the headers that a use case asks for, by their names in lower case.

    A header that was sent several times has its values joined by ", ", in which control characters are blanks. One that
    is longer than `MAX_HEADER_CHARS` is left out, with a line in the log: half a value is worse than none.
    """
    found: dict[str, str] = {}
    for name in names:
        values = headers.getlist(name)
        if not values:
            continue
        value = _NOT_TEXT.sub(" ", ", ".join(values))
        if len(value) > MAX_HEADER_CHARS:
            logger.warning("a header of the page is too long", extra={"header": name, "length": len(value)})
            continue
        found[name] = value
    return MappingProxyType(found)


def parse_time_zone(accept: str) -> str | None:
    """Return the browser's time zone by its IANA name; None when the client does not say it, or none is known by it.

    The element says it as a parameter of `Accept`, the only header that any page may send to any server without asking
    it first: ``text/event-stream;time-zone=Europe%2FZurich``.
    """
    match = _TIME_ZONE.search(accept[:512])
    if match is None:
        return None
    name = unquote(match[1])
    return name if _ZONE_NAME.fullmatch(name) and _is_known(name) else None


def accepts_resumable(accept: str) -> bool:
    """Return whether the client can join an answer again: ``text/event-stream;resumable=1``."""
    return _RESUMABLE.search(accept[:512]) is not None


@lru_cache(maxsize=1_024)
def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
