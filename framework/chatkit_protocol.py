"""Private methods of ChatKit's server class, as functions.

Authors subclass ChatKit's server through ours and may use any name for methods of their own. So ChatKit's private
methods are called on an object that nobody subclasses: an author's `_serialize` is never mistaken for ChatKit's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, Final, cast

from chatkit.server import ChatKitServer
from chatkit.store import Store
from chatkit.types import (
    StructuredInputItem,
    StructuredInputSubmission,
    Thread,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)
from pydantic import BaseModel

from text.surrogates import join_surrogates

SERIALIZATION_OPTIONS: Final[dict[str, Any]] = {
    "by_alias": True,
    "exclude_none": True,
    "context": {"exclude_metadata": True},
}
"""The arguments with which ChatKit's server serializes models: without nulls, and without metadata of attachments."""


class _PlainServer(ChatKitServer[Any]):
    """ChatKit's server without any override, of which only private methods are called."""

    def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        raise NotImplementedError


_PLAIN_SERVER = _PlainServer(cast("Store[Any]", None))


def serialize(obj: BaseModel) -> bytes:
    """Return a model's JSON as ChatKit sends it, with U+FFFD for lone surrogates, which UTF-8 cannot encode."""
    try:
        return obj.model_dump_json(**SERIALIZATION_OPTIONS).encode()
    except ValueError:
        data = obj.model_dump(mode="json", **SERIALIZATION_OPTIONS)
        return join_surrogates(json.dumps(data, ensure_ascii=False)).encode()


def thread_response(thread: ThreadMetadata) -> Thread:
    """Return a thread as the client may see it."""
    response = _PLAIN_SERVER._to_thread_response(thread)
    # ChatKit's times are naive and local to the server; a browser would read them in its own time zone.
    response.created_at = response.created_at.astimezone(UTC)
    return response


async def apply_answers(item: StructuredInputItem, submission: StructuredInputSubmission) -> StructuredInputItem:
    """Return the questions with a person's answers.

    Raises:
        ValueError: When the answers do not fit the questions.
    """
    return await _PLAIN_SERVER._apply_structured_input_submission(item, submission)
