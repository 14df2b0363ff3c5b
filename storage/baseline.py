"""Baseline of a thread: the fields as the store last read or wrote them, so that only changed fields are saved.

A thread carries its baseline in `__dict__`. `model_copy` copies it, deep copies included, while Pydantic's comparisons,
dumps and representations ignore it, as they do cached properties. The baseline lives as long as the object.
Source: docstring of `pydantic.BaseModel.model_copy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatkit.types import ThreadMetadata

THREAD_FIELDS = ("title", "status", "allowed_image_domains")
"""Fields of a thread that have a column each; the metadata are merged key by key instead."""

_KEY = "_parlor_baseline"

Fields = Mapping[str, Any]


class Baseline:
    """Fields of a thread as they are stored; immutable, and shared by copies of the thread.

    All baselines compare equal, so that threads with the same fields do, too.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: Fields) -> None:
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Baseline)

    def __deepcopy__(self, memo: object) -> Baseline:
        return self


DEFAULT_BASELINE = Baseline(
    {"title": None, "status": {"type": "active"}, "allowed_image_domains": None, "metadata": {}}
)
"""Baseline of a new thread, with the default of each field."""


def thread_fields(thread: ThreadMetadata) -> dict[str, Any]:
    """Return the mutable fields of a thread, as JSON values."""
    return thread.model_dump(mode="json", include={*THREAD_FIELDS, "metadata"})


def baseline_of(thread: ThreadMetadata) -> Baseline | None:
    """Return the baseline of a thread; None when neither the thread nor its original came from the store."""
    return thread.__dict__.get(_KEY)


def set_baseline(thread: ThreadMetadata, fields: Fields) -> None:
    """Set the baseline of a thread; `fields` must not be changed afterwards."""
    thread.__dict__[_KEY] = Baseline(fields)


def changed_fields(baseline: Baseline, fields: Fields) -> dict[str, Any]:
    """Return the fields with a column of their own that differ from the baseline."""
    return {name: fields[name] for name in THREAD_FIELDS if fields[name] != baseline.fields[name]}


def merge_metadata(stored: Fields, baseline: Baseline, fields: Fields) -> dict[str, Any]:
    """Return the `stored` metadata with the changes between the baseline and `fields` applied, key by key."""
    before, after = baseline.fields["metadata"], fields["metadata"]
    remaining = {key: value for key, value in stored.items() if key in after or key not in before}
    return remaining | {key: value for key, value in after.items() if key not in before or before[key] != value}
