"""Statistics of the answers that have ended in this process, by use case: outcomes, durations, tokens, tool calls."""

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


def begins_message(event: ThreadStreamEvent) -> bool:
    """Return whether an event begins an assistant message, or holds a whole one."""
    if not isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
        return False
    return isinstance(event.item, AssistantMessageItem)


@dataclass(slots=True)
class UseCaseStatistics:
    """Statistics of one use case since the start of the process.

    Attributes:
        outcomes: The number of answers by outcome: done, failed, or stopped with the reason.
        durations: Durations of whole answers.
        first_texts: Times until the first text, of answers that had any.
        tokens: Tokens of models, by ``input`` and ``output``.
        tool_calls: The number of tool calls.
        failed_tool_calls: The number of tool calls that failed, took too long or were refused.
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

    def record(
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
        """Count an answer that has ended; `first_text_s` is None for an answer without text."""
        if use_case not in self.by_use_case and len(self.by_use_case) >= MAX_USE_CASES:
            use_case = OTHER
        statistics = self.by_use_case.setdefault(use_case, UseCaseStatistics())
        statistics.outcomes[outcome] = statistics.outcomes.get(outcome, 0) + 1
        statistics.durations.add(duration_s)
        if first_text_s is not None:
            statistics.first_texts.add(first_text_s)
        statistics.tool_calls += tool_calls
        statistics.failed_tool_calls += failed_tool_calls
        for kind, name in _TOKENS.items():
            count = usage.get(name)
            statistics.tokens[kind] += count if isinstance(count, int) and count > 0 else 0
