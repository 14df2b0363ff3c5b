"""Thoughts that stand between tags in a whole text: of other chat clients, and of threads that are older than ours."""

from __future__ import annotations

import re

_TAG = r"(think|thinking|thought|seed:think)"
_OPENED = re.compile(rf"\A(?:\s*<{_TAG}>.*?(?:</\1>|\Z))+\s*", re.IGNORECASE | re.DOTALL)
_UNOPENED = re.compile(rf"\A(?:(?!</?{_TAG}>|`).)*</{_TAG}>\s*", re.IGNORECASE | re.DOTALL)


def without_thoughts(text: str) -> str:
    """Return a text without the thoughts that it begins with, also where only their end is marked."""
    said = _OPENED.sub("", text)
    return said if said != text else _UNOPENED.sub("", text)
