"""Interruption marks: task items that mark a stored answer as incomplete, in every client that shows tasks."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from chatkit.types import CustomTask, TaskItem, ThreadMetadata

from turns.clock import utc_now

Interruption = Literal["interrupted", "stopped"]
_TITLES: dict[Interruption, str] = {
    "interrupted": "This answer was interrupted before it was whole.",
    "stopped": "This answer was stopped.",
}


def build_interruption_mark(thread: ThreadMetadata, cut: Interruption) -> TaskItem:
    """Return the item that marks an answer as incomplete; by its id, our client recognises it and offers to retry."""
    return TaskItem(
        id=f"{cut}_{uuid4().hex}",
        thread_id=thread.id,
        created_at=utc_now(),
        task=CustomTask(title=_TITLES[cut], icon="circle-question"),
    )
