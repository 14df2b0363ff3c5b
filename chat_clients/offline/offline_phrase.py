"""OfflinePhrase: a phrasing that the built-in model understands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class OfflinePhrase:
    r"""A phrasing that the built-in model understands when no model is configured.

    Attributes:
        pattern: A regular expression, searched in the person's message, in upper or lower case. The first phrase that
            matches wins. The named groups that have matched become arguments of the tool.
        tool: The tool to call. Its result, as text, becomes the answer.
        arguments: Fixed arguments, or a function of the match that returns all arguments. A function may also return a
            sequence of arguments, for one call each, which run in parallel. An empty one leads to `say`, or else to the
            next phrase.
        say: The answer when there is no tool to call, or the agent does not have it; ``{group}`` inserts a named group.
        example: What a person would write. Shown when the model has not understood a message.
    """

    pattern: str
    tool: str | None = None
    arguments: Mapping[str, Any] | Callable[[re.Match[str]], Mapping[str, Any] | Sequence[Mapping[str, Any]]] = field(
        default_factory=dict
    )
    say: str | None = None
    example: str | None = None
