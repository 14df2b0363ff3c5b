"""Report of `parlor config`: the settings in effect, without secrets."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr

from config import Settings

_USER_INFO = re.compile(r"(?<=://)[^/?#]*@")
_QUERY = re.compile(r"\?.*", re.DOTALL)
HIDDEN = "********"


def report(settings: Settings) -> list[str]:
    """Return a line for each setting, `NAME=value`, marked where it is not the default."""
    lines = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        mark = "" if value == field.get_default() else "  # set"
        lines.append(f"{name.upper()}={_format_value(value)}{mark}")
    return lines


def _format_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, tuple):
        separator = ":" if any(isinstance(each, Path) for each in value) else ","
        return separator.join(map(str, value))
    return redact_url(value) if isinstance(value, str) else str(value)


def redact_url(text: str) -> str:
    """Return a URL without user, password and query, which may contain a signature; any other text as it is."""
    if "://" not in text:
        return text
    return _QUERY.sub(f"?{HIDDEN}", _USER_INFO.sub(f"{HIDDEN}@", text))
