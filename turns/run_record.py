"""RunRecord: the stored record of an answer that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

StopReason = Literal["user", "disconnect", "timeout", "drain", "deleted"]
"""Why a run was stopped before its end."""

RunOutcome = Literal["done", "failed", "stopped"]
"""How a run ended: complete, with an error, or by a stop."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The stored record of an answer that has ended.

    Attributes:
        id: The id of the run, also in the log.
        started_at: The time of the request.
        ended_at: The time of the last event.
        status: How the answer ended: complete, with an error, or stopped.
        stop_reason: The reason for the stop; None when the answer was not stopped.
        error_id: The id of the error, as shown to the person and logged; None without an error.
        usage: The provider's token counts under its own names, including those of the thread's title in the first
            answer of a thread.
    """

    id: str
    started_at: datetime
    ended_at: datetime
    status: RunOutcome
    stop_reason: str | None = None
    error_id: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
