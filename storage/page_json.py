"""JSON of threads, items and pages for browsers, built from the stored JSON.

Parsing a page into ChatKit's objects and serialising those again would take longer than the rest of the request. The
stored JSON was written by ChatKit's own serialiser, so it is passed on as text wherever the serialiser would produce
the same. Where it would omit something, the entry is parsed and serialised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chatkit.types import FeedbackKind
from pydantic_core import from_json, to_json
from sqlalchemy import Row

from framework.chatkit_protocol import SERIALIZATION_OPTIONS
from storage.rows import ITEM_TYPES, STATUS, to_item

_NO_ITEMS = '{"data":[],"has_more":false}'


def thread_json(row: Sequence[Any], items: str = _NO_ITEMS, feedback: Mapping[str, FeedbackKind] | None = None) -> str:
    """Return the JSON of a thread, without its metadata, which is the server's own.

    Args:
        row: The columns `statements.THREAD_JSON_COLUMNS`.
        items: A page of items, as `page_json` returns it.
        feedback: The owner's feedback on the items, by item id.
    """
    # Unpacked by position, as access by column name would take longer than the rest of the function.
    thread_id, created_at, title, status, domains = row
    if "null" in status:
        status = STATUS.dump_json(STATUS.validate_json(status), **SERIALIZATION_OPTIONS).decode()
    before = f'"title":{_dump_json(title)},' if title is not None else ""
    after = f'"allowed_image_domains":{domains},' if domains is not None else ""
    return (
        f'{{{before}"id":{_dump_json(thread_id)},"created_at":{_dump_json(created_at)},"status":{status},{after}'
        f'"metadata":{{}},"items":{items}{_feedback_member(feedback)}}}'
    )


def items_json(rows: Iterable[Row[*tuple[Any, ...]]], thread_id: str) -> list[str]:
    """Return the JSON of items, without those that cannot be read.

    Args:
        rows: Rows of `statements.page_of_items_json`.
        thread_id: The thread that the items are in.
    """
    location = f',"thread_id":{_dump_json(thread_id)},"created_at":'
    entries = []
    for row in rows:
        item_id, created_at, item_type, document, _ = row
        # ChatKit's serialiser omits nulls and the metadata of attachments. A document without these words contains
        # neither, and can be passed on.
        if item_type in ITEM_TYPES and "null" not in document and '"metadata"' not in document:
            entries.append(f'{{"id":{_dump_json(item_id)}{location}{_dump_json(created_at)},{document[1:]}')
        elif item := to_item(row, thread_id, from_json(document)):
            entries.append(item.model_dump_json(**SERIALIZATION_OPTIONS))
    return entries


def page_json(entries: Iterable[str], after: str | None, feedback: Mapping[str, FeedbackKind] | None = None) -> str:
    """Return the JSON of a page.

    Args:
        entries: The JSON of each entry.
        after: The id after which the next page begins; None when there is no next page.
        feedback: The owner's feedback on the entries, by item id.
    """
    more = "false" if after is None else f'true,"after":{_dump_json(after)}'
    return f'{{"data":[{",".join(entries)}],"has_more":{more}{_feedback_member(feedback)}}}'


def _feedback_member(feedback: Mapping[str, FeedbackKind] | None) -> str:
    """Return the member `feedback`, which ChatKit's types do not have, after a comma; empty without feedback."""
    return f',"feedback":{_dump_json(feedback)}' if feedback else ""


def _dump_json(value: Any) -> str:
    return to_json(value).decode()
