"""The token counts of an answer, summed over all agents that take part in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from turns.token_counts import Counts, add_counts


@dataclass(slots=True)
class _RunUsage:
    """The token counts of one run of an agent so far.

    Attributes:
        counts: The counts by name, including the run's earlier rounds of tools.
        response_id: The provider's id of the last response of the model.
        has_tool_result: Whether a tool has returned since, so that the agent's next count includes these.
    """

    counts: Counts = field(default_factory=dict)
    response_id: str | None = None
    has_tool_result: bool = False


class UsageCount:
    """Sums the token counts of the agents of an answer; nearly always there is one agent.

    Within a run, a later count has the merge mode "replace" and includes the earlier ones. An agent that a workflow
    runs again starts from zero, also with "replace": this shows in a smaller number, or in another response without a
    tool result in between.
    """

    def __init__(self) -> None:
        self._runs: dict[str | None, _RunUsage] = {}
        self._ended_runs_usage: Counts = {}

    def note_result(self, author: str | None) -> None:
        """Remember that `author` has received the result of a tool."""
        if author in self._runs:
            self._runs[author].has_tool_result = True

    def add(self, author: str | None, response_id: str | None, counts: Counts, *, is_whole: bool) -> Counts:
        """Add the counts of a model response, and return the counts of the answer so far.

        Args:
            author: The agent that called the model.
            response_id: The provider's id of the response, if it has one.
            counts: The counts of the response, by name.
            is_whole: Whether the counts include those of the run's earlier responses.
        """
        run = self._runs.setdefault(author, _RunUsage())
        if not is_whole:
            run.counts = add_counts(run.counts, counts)
        else:
            is_other = None not in (response_id, run.response_id) and response_id != run.response_id
            if (is_other and not run.has_tool_result) or _is_smaller(counts, run.counts):
                self._ended_runs_usage = add_counts(self._ended_runs_usage, run.counts)
            run.counts = dict(counts)
        run.has_tool_result, run.response_id = False, response_id
        total = self._ended_runs_usage
        for each in self._runs.values():
            total = add_counts(total, each.counts)
        return total


def _is_smaller(counts: Counts, known: Counts) -> bool:
    return any(
        isinstance(now, int) and isinstance(before := known.get(name), int) and now < before
        for name, now in counts.items()
    )
