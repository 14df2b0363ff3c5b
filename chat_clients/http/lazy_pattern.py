"""A regular expression that is compiled at its first use."""

from __future__ import annotations

import re
from functools import cached_property


class LazyPattern:
    """A regular expression that is compiled at its first use, which takes up to 5 ms; most are never needed.

    Args:
        source: The expression.
        flags: The flags of `re.compile`.
    """

    def __init__(self, source: str, flags: re.RegexFlag) -> None:
        self._source = source
        self._flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._source, self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in `text`, or None."""
        return self._compiled.search(text)
