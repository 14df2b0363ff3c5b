"""Marks of answers that were cut: what is stored of half an answer says so, in every client that shows tasks."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from chatkit.types import CustomTask, TaskItem, ThreadMetadata

from turns.clock import utc_now

Cut = Literal["interrupted", "stopped"]
_TITLES: dict[Cut, str] = {
    "interrupted": "This answer was interrupted before it was whole.",
    "stopped": "This answer was stopped.",
}


def build_mark(thread: ThreadMetadata, cut: Cut) -> TaskItem:
    """Return the item that says how an answer ended; its id says it to our client, which offers to try again."""
    return TaskItem(
        id=f"{cut}_{uuid4().hex}",
        thread_id=thread.id,
        created_at=utc_now(),
        task=CustomTask(title=_TITLES[cut], icon="circle-question"),
    )
