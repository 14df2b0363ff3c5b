"""Times as ChatKit has them, naive and local, and as the platform has them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from chatkit.types import ThreadItem, ThreadMetadata

Timed = TypeVar("Timed", bound=ThreadMetadata)


def local_time(time: datetime) -> datetime:
    """Return a time as ``datetime.now()`` gives it, which is what servers written for ChatKit compare it with."""
    return time.astimezone().replace(tzinfo=None) if time.tzinfo is not None else time


def localized(value: Timed) -> Timed:
    """Give a thread the time of its creation as ChatKit would, and return it."""
    value.created_at = local_time(value.created_at)
    return value


def localized_item(item: ThreadItem) -> ThreadItem:
    """Give an item the time of its creation as ChatKit would, and return it."""
    item.created_at = local_time(item.created_at)
    return item


def in_utc(item: Any) -> Any:
    """Return an item whose time is the same moment in UTC; a naive time is a local one."""
    if item.created_at.tzinfo is not None:
        return item
    return item.model_copy(update={"created_at": item.created_at.astimezone(UTC)})
