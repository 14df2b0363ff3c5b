"""ChatKit's own rules that its server class keeps to itself, as plain functions.

Authors subclass ChatKit's server through ours and may use any name for methods of their own. So its private methods are
asked of an object that nobody subclasses, and what an author calls `_serialize` is never taken for ChatKit's.
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

AS_CHATKIT_SENDS: Final[dict[str, Any]] = {
    "by_alias": True,
    "exclude_none": True,
    "context": {"exclude_metadata": True},
}
"""How ChatKit's server writes its models: without nulls, and without what a host has noted of an attachment."""


class _Rules(ChatKitServer[Any]):
    """ChatKit's server as it is, which is asked for its rules and never for an answer."""

    def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        raise NotImplementedError


_RULES = _Rules(cast("Store[Any]", None))


def serialize(obj: BaseModel) -> bytes:
    """Return a model's JSON as ChatKit sends it, with U+FFFD for half a surrogate pair, which UTF-8 cannot hold."""
    try:
        return obj.model_dump_json(**AS_CHATKIT_SENDS).encode()
    except ValueError:
        data = obj.model_dump(mode="json", **AS_CHATKIT_SENDS)
        return join_surrogates(json.dumps(data, ensure_ascii=False)).encode()


def thread_response(thread: ThreadMetadata) -> Thread:
    """Return a thread as the client may see it."""
    response = _RULES._to_thread_response(thread)
    # ChatKit's own times are naive and local; a browser would take them for its own.
    response.created_at = response.created_at.astimezone(UTC)
    return response


async def answered_questions(item: StructuredInputItem, submission: StructuredInputSubmission) -> StructuredInputItem:
    """Return the questions with a person's answers.

    Raises:
        ValueError: When the answers do not fit the questions.
    """
    return await _RULES._apply_structured_input_submission(item, submission)
