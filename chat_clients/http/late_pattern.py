"""A pattern that is compiled when it is first searched for."""

from __future__ import annotations

import re
from functools import cached_property


class LatePattern:
    """A regular expression for what seldom happens: a start compiles none, and each costs up to 5 ms once.

    Args:
        source: The expression.
        flags: Flags of the expression, as for `re.compile`.
    """

    def __init__(self, source: str, flags: re.RegexFlag) -> None:
        self._source = source
        self._flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._source, self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first place where it fits, or None."""
        return self._compiled.search(text)
