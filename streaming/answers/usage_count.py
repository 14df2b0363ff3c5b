"""The token counts of an answer: those of all agents that have a part in it, added up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from agent_framework import UsageDetails, add_usage_details

Counts = dict[str, Any]


@dataclass(slots=True)
class _Run:
    """The token counts of one run of an agent so far.

    Attributes:
        counts: The counts by name, with those of the run's earlier rounds of tools.
        response_id: The provider's id of its last call of the model.
        goes_on: Whether a tool has answered, so that the agent's next count holds these.
    """

    counts: Counts = field(default_factory=dict)
    response_id: str | None = None
    goes_on: bool = False


class UsageCount:
    """Adds up what the agents of an answer cost; nearly always there is one.

    In a run, a later count says "replace" and holds those before it. An agent that a workflow runs again starts anew,
    and says "replace" as well: then a number is smaller, or it is another response with no tool between.
    """

    def __init__(self) -> None:
        self._runs: dict[str | None, _Run] = {}
        self._ended: Counts = {}

    def note_result(self, author: str | None) -> None:
        """Note that `author` has got the result of a tool."""
        if author in self._runs:
            self._runs[author].goes_on = True

    def add(self, author: str | None, response_id: str | None, counts: Counts, *, is_whole: bool) -> Counts:
        """Add what a call of the model cost, and return what the answer has cost so far.

        Args:
            author: The agent that called the model.
            response_id: The provider's id of the call, if it has one.
            counts: The counts of the call, by name.
            is_whole: Whether the counts hold those of the run's earlier calls.
        """
        run = self._runs.setdefault(author, _Run())
        if not is_whole:
            run.counts = sum_of(run.counts, counts)
        else:
            is_other = None not in (response_id, run.response_id) and response_id != run.response_id
            if (is_other and not run.goes_on) or _is_smaller(counts, run.counts):
                self._ended = sum_of(self._ended, run.counts)
            run.counts = dict(counts)
        run.goes_on, run.response_id = False, response_id
        total = self._ended
        for each in self._runs.values():
            total = sum_of(total, each.counts)
        return total


def sum_of(first: Counts, second: Counts) -> Counts:
    """Return two token counts added up, name by name."""
    return dict(add_usage_details(cast("UsageDetails", first), cast("UsageDetails", second)))


def _is_smaller(counts: Counts, known: Counts) -> bool:
    return any(
        isinstance(now, int) and isinstance(before := known.get(name), int) and now < before
        for name, now in counts.items()
    )
