"""Baseline of a thread: its fields as the store last read or wrote them; only what differs from them is saved.

A thread carries its baseline in `__dict__`, which `model_copy` copies, while pydantic's comparisons, dumps and
representations ignore it, as they do cached properties. So copies of a stored thread, deep ones too, know what was
stored, and the baseline lives no longer than the object.
Source: docstring of `pydantic.BaseModel.model_copy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatkit.types import ThreadMetadata

THREAD_FIELDS = ("title", "status", "allowed_image_domains")
"""The fields of a thread that have a column each, besides its metadata."""

_KEY = "_parlor_baseline"

Fields = Mapping[str, Any]


class Baseline:
    """Fields of a thread as they are stored; never changed, and shared by copies of the thread.

    All baselines are equal, so that two threads with the same fields are, whatever was stored before.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: Fields) -> None:
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Baseline)

    def __deepcopy__(self, memo: object) -> Baseline:
        return self


FRESH = Baseline({"title": None, "status": {"type": "active"}, "allowed_image_domains": None, "metadata": {}})
"""Baseline of a new thread, with the default of each field."""


def thread_fields(thread: ThreadMetadata) -> dict[str, Any]:
    """Return the fields of a thread that may change, as JSON."""
    return thread.model_dump(mode="json", include={*THREAD_FIELDS, "metadata"})


def baseline_of(thread: ThreadMetadata) -> Baseline | None:
    """Return the baseline that a thread carries; None when neither it nor its original came from the store."""
    return thread.__dict__.get(_KEY)


def set_baseline(thread: ThreadMetadata, fields: Fields) -> None:
    """Let a thread carry `fields` as its baseline; they must not be changed afterwards."""
    thread.__dict__[_KEY] = Baseline(fields)


def changed_fields(baseline: Baseline, fields: Fields) -> dict[str, Any]:
    """Return the fields that have a column and differ from the baseline."""
    return {name: fields[name] for name in THREAD_FIELDS if fields[name] != baseline.fields[name]}


def merged_metadata(stored: Fields, baseline: Baseline, fields: Fields) -> dict[str, Any]:
    """Return the `stored` metadata with those keys set or deleted that differ between the baseline and `fields`."""
    before, after = baseline.fields["metadata"], fields["metadata"]
    kept = {key: value for key, value in stored.items() if key in after or key not in before}
    return kept | {key: value for key, value in after.items() if key not in before or before[key] != value}
