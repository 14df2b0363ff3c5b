"""Numbers of the answers that have ended in this process, by use case: how they ended, their time, their cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatkit.types import AssistantMessageItem, ThreadItemAddedEvent, ThreadItemDoneEvent, ThreadStreamEvent

from turns.histogram import Histogram

DURATION_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
MAX_USE_CASES = 200
OTHER = "other"
"""Name under which all use cases beyond `MAX_USE_CASES` are counted."""

_TOKENS = {"input": "input_token_count", "output": "output_token_count"}


def shows_text(event: ThreadStreamEvent) -> bool:
    """Whether an event begins a message of the assistant, or brings a whole one."""
    if not isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
        return False
    return isinstance(event.item, AssistantMessageItem)


@dataclass(slots=True)
class UseCaseStatistics:
    """Numbers of one use case since the start of the process.

    Attributes:
        outcomes: Answers by how they ended: done, failed, or stopped with the reason.
        durations: Times of whole answers.
        first_texts: Times until the first text of those that had any.
        tokens: Tokens of models, by ``input`` and ``output``.
        tool_calls: Calls of tools.
        failed_tool_calls: Calls of tools that failed, took too long or were refused.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    durations: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS_S))
    first_texts: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS_S))
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_TOKENS, 0))
    tool_calls: int = 0
    failed_tool_calls: int = 0


class RunStatistics:
    """Counts the answers of this process, by use case."""

    def __init__(self) -> None:
        self.by_use_case: dict[str, UseCaseStatistics] = {}

    def note(
        self,
        use_case: str,
        outcome: str,
        duration_s: float,
        usage: Mapping[str, object],
        *,
        first_text_s: float | None = None,
        tool_calls: int = 0,
        failed_tool_calls: int = 0,
    ) -> None:
        """Note that an answer has ended, and when it had its first text: None for one without."""
        if use_case not in self.by_use_case and len(self.by_use_case) >= MAX_USE_CASES:
            use_case = OTHER
        known = self.by_use_case.setdefault(use_case, UseCaseStatistics())
        known.outcomes[outcome] = known.outcomes.get(outcome, 0) + 1
        known.durations.add(duration_s)
        if first_text_s is not None:
            known.first_texts.add(first_text_s)
        known.tool_calls += tool_calls
        known.failed_tool_calls += failed_tool_calls
        for kind, name in _TOKENS.items():
            count = usage.get(name)
            known.tokens[kind] += count if isinstance(count, int) and count > 0 else 0
