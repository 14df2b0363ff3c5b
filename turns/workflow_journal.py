"""Journals of workflows that wait for a person's approval, as hidden items of the thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatkit.types import HiddenContextItem, ThreadItem

from turns.clock import utc_now

WORKFLOW_JOURNAL_KEY = "parlor.workflow"
"""Key of a hidden item that holds the results a workflow had before it asked; not shown to a model."""

MAX_JOURNAL_CHARS = 4_000_000
"""The size of the largest journal that is stored, in characters of JSON."""


def build_journal_item(item_id: str, thread_id: str, journal: Mapping[str, Any]) -> HiddenContextItem:
    """Return the hidden item that stores a journal."""
    return HiddenContextItem(
        id=item_id, thread_id=thread_id, created_at=utc_now(), content={WORKFLOW_JOURNAL_KEY: dict(journal)}
    )


def read_journal(item: ThreadItem) -> Mapping[str, Any] | None:
    """Return the journal that an item holds; None when it holds none."""
    content = item.content if isinstance(item, HiddenContextItem) else None
    journal = content.get(WORKFLOW_JOURNAL_KEY) if isinstance(content, Mapping) else None
    return journal if isinstance(journal, Mapping) else None
