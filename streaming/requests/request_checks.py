"""Checks of requests that ChatKit leaves to its host: lengths, counts, offered models and tools, locked threads."""

from __future__ import annotations

import json
from typing import Any

from chatkit.types import (
    AttachmentsCreateReq,
    ItemsFeedbackReq,
    StructuredInputSubmission,
    ThreadMetadata,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
    UserMessageInput,
    UserMessageTagContent,
    UserMessageTextContent,
)
from pydantic import ValidationError

from errors import BadRequestError, ConflictError
from files.upload_rules import MAX_FILES, build_upload_rules
from plugins import Composer
from streaming.answers.prompt_tags import mention_text, quote_text
from streaming.requests.idempotency import idempotency_key
from text.blanks import is_blank

MAX_PARTS = 1_000
"""The maximum number of parts of a message; each mention is one, and each text between two mentions."""

MAX_FEEDBACK_ITEMS = 100


def check_request(request: Any, composer: Composer, max_message_chars: int) -> None:
    """Refuse a request that breaks a limit which ChatKit does not check.

    Args:
        request: A parsed request of one of ChatKit's types.
        composer: The models and tools that the use case offers.
        max_message_chars: The maximum length of a message, including its quote and the data of its mentions.

    Raises:
        BadRequestError: When the request breaks a limit; the text says which.
    """
    match request:
        case ThreadsCreateReq() | ThreadsAddUserMessageReq():
            _check_message(request.params.input, composer, max_message_chars)
        case ThreadsAddStructuredInputReq():
            _check_answers(request.params.input, max_message_chars)
        case ThreadsCustomActionReq() | ThreadsSyncCustomActionReq():
            # If the type is missing, ChatKit's model holds a TypeVar in its place.
            if not isinstance(request.params.action.type, str) or not request.params.action.type:
                raise BadRequestError("The action has no type.")
            idempotency_key(request.metadata)
        case ItemsFeedbackReq():
            if not 0 < len(request.params.item_ids) <= MAX_FEEDBACK_ITEMS:
                raise BadRequestError(f"Feedback is about 1 to {MAX_FEEDBACK_ITEMS} items.")
        case AttachmentsCreateReq():
            if request.params.size < 0 or not request.params.name.strip():
                raise BadRequestError("An attachment needs a name and a size.")
        case _:
            pass


def _check_message(message: UserMessageInput, composer: Composer, max_chars: int) -> None:
    if len(message.content) > MAX_PARTS:
        raise BadRequestError(f"A message has at most {MAX_PARTS} parts; this one has {len(message.content)}.")
    quote_chars = len(quote_text(message.quoted_text)) if message.quoted_text else 0
    _check_size(sum(_part_size(part) for part in message.content) + quote_chars, max_chars)
    if not message.attachments and all(is_blank(part.text) for part in message.content):
        raise BadRequestError("The message is empty.")
    rules = build_upload_rules(composer.attachments, 0)
    max_files = rules.max_files if rules.is_enabled else MAX_FILES
    if len(message.attachments) > max_files or len(set(message.attachments)) != len(message.attachments):
        raise BadRequestError(f"A message has at most {max_files} attachments, each of them once.")
    chosen = message.inference_options
    if chosen.model and chosen.model not in {model.get("id") for model in composer.models}:
        raise BadRequestError("This model is not offered here.")
    tool = chosen.tool_choice.id if chosen.tool_choice else None
    if tool and tool not in {tool.get("id") for tool in composer.tools}:
        raise BadRequestError("This tool is not offered here.")


def _check_answers(answers: StructuredInputSubmission, max_chars: int) -> None:
    if len(answers.answers) > MAX_PARTS or any(len(each.values) > MAX_PARTS for each in answers.answers.values()):
        raise BadRequestError(f"At most {MAX_PARTS} answers can be given at once.")
    sizes = (len(name) + sum(map(len, each.values)) for name, each in answers.answers.items())
    _check_size(sum(sizes), max_chars)


def _check_size(size: int, max_chars: int) -> None:
    if size > max_chars:
        raise BadRequestError(f"A message has at most {max_chars} characters; this one has {size}.")


def _part_size(part: UserMessageTextContent | UserMessageTagContent) -> int:
    """Return the number of characters of a part; that of a mention includes its text for the model and its data.

    The client counts alike (`lengthOf` in frontend/src/composer/draft-text.ts), so the JSON is written as in a browser.
    """
    if isinstance(part, UserMessageTextContent):
        return len(part.text)
    data = json.dumps(part.data, ensure_ascii=False, separators=(",", ":"))
    return len(mention_text(part.id, part.text)) + len(part.group or "") + len(data)


def check_writable(thread: ThreadMetadata) -> None:
    """Refuse to write to a locked or closed thread.

    Raises:
        ConflictError: With the reason that the thread gives.
    """
    if thread.status.type != "active":
        reason = getattr(thread.status, "reason", None)
        state = "locked" if thread.status.type == "locked" else "closed"
        raise ConflictError(reason or f"This conversation is {state}.", code=f"thread.{state}")


def explain_request(exc: ValidationError) -> str:
    """Return a sentence that says what is wrong with a request, without its contents."""
    error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return "The request has no known 'type'."
    return f"The request is malformed at '{'.'.join(str(part) for part in error['loc'])}': {error['msg']}."
