"""Conversion between ChatKit's times, which are naive and local, and the platform's, which are in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from chatkit.types import ThreadItem, ThreadMetadata

Timed = TypeVar("Timed", bound=ThreadMetadata)


def local_time(time: datetime) -> datetime:
    """Return a time in the form of ``datetime.now()``, with which servers written for ChatKit compare it."""
    return time.astimezone().replace(tzinfo=None) if time.tzinfo is not None else time


def localize_thread(thread: Timed) -> Timed:
    """Set a thread's creation time to ChatKit's form, and return the thread."""
    thread.created_at = local_time(thread.created_at)
    return thread


def localize_item(item: ThreadItem) -> ThreadItem:
    """Set an item's creation time to ChatKit's form, and return the item."""
    item.created_at = local_time(item.created_at)
    return item


def with_utc_time(item: Any) -> Any:
    """Return an item with its creation time in UTC; a naive time counts as local."""
    if item.created_at.tzinfo is not None:
        return item
    return item.model_copy(update={"created_at": item.created_at.astimezone(UTC)})
