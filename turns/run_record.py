"""The record of an answer that has ended, as the store keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

StopReason = Literal["user", "disconnect", "timeout", "drain", "deleted"]
"""Why a run was stopped before its end."""

RunOutcome = Literal["done", "failed", "stopped"]
"""The end of a run: whole, with an error, or before its end."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """An answer that has ended, as the store keeps it.

    Attributes:
        id: The id of the run, which the log has too.
        started_at: The time at which the answer was asked for.
        ended_at: The time of the last event.
        status: Whether the answer ended whole, with an error, or was stopped.
        stop_reason: The reason of a stop; None when nobody stopped the answer.
        error_id: The id that the person was told and the log has too; None without an error.
        usage: The provider's token counts, as it named them; with those of the thread's title, if this answer is the
            first.
    """

    id: str
    started_at: datetime
    ended_at: datetime
    status: RunOutcome
    stop_reason: str | None = None
    error_id: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
