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
        pattern: A regular expression, searched in what the person wrote, whatever the case. The first phrase that
            matches wins. Its named groups that took part become arguments of the tool.
        tool: The tool to call. Its result, as text, becomes the answer.
        arguments: Fixed arguments, or a function of the match that returns them all. A function may also return a
            sequence: one call each, run side by side. After an empty one `say` is used, or else the next phrase.
        say: The answer when there is no tool to call, or the agent does not have it; ``{group}`` inserts a named group.
        example: How a person would say it. Shown when the model did not understand.
    """

    pattern: str
    tool: str | None = None
    arguments: Mapping[str, Any] | Callable[[re.Match[str]], Mapping[str, Any] | Sequence[Mapping[str, Any]]] = field(
        default_factory=dict
    )
    say: str | None = None
    example: str | None = None
