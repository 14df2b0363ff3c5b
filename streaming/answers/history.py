"""The history of a thread for the model: ChatKit items are converted into Agent Framework messages.

Extends the framework's `ThreadItemConverter`, and replaces the conversions that lose or break something.
Source: the converter of agent-framework-chatkit 1.0.0b261015.
"""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from agent_framework import Content, Message
from agent_framework_chatkit import ThreadItemConverter
from chatkit.types import (
    AssistantMessageItem,
    Attachment,
    GeneratedImageItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputBase,
    StructuredInputItem,
    TaskItem,
    ThreadItem,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
    WorkflowItem,
)
from pydantic_core import from_json

from framework.message_marks import (
    ANSWERS_PROPERTY,
    FILE_PROPERTY,
    PROVIDER_PROPERTY,
    REPLAY_NOTE,
    REPLAY_ROUND,
    read_replay,
)
from streaming.answers.prompt_tags import escape_reserved_tags, mention_text, quote_text
from streaming.answers.tool_results import is_tool_image
from text.blanks import is_blank
from text.shortening import shortened
from text.thoughts import without_thoughts
from turns.approval_request import PENDING_APPROVALS_KEY
from turns.tool_memory import REPLAY, REPLAY_KEY, TOOL_MEMORY_KEY
from turns.workflow_journal import WORKFLOW_JOURNAL_KEY
from widgets.documents import walk_components

logger = logging.getLogger(__name__)

MAX_WIDGET_SUMMARY_CHARS = 1_000

_TEXT_KEYS = ("value", "label", "text", "title")


def widget_summary(item: WidgetItem) -> str:
    """Return a widget as text: its `copy_text`, or else the texts it shows, at most `MAX_WIDGET_SUMMARY_CHARS`."""
    if item.copy_text:
        return shortened(item.copy_text, MAX_WIDGET_SUMMARY_CHARS)
    texts = [
        str(component[key])
        for component in walk_components(item.widget.model_dump(mode="json", exclude_none=True))
        for key in _TEXT_KEYS
        if isinstance(component.get(key), str | int | float)
    ]
    return shortened(" · ".join(texts) or "(no text)", MAX_WIDGET_SUMMARY_CHARS)


class HistoryConverter(ThreadItemConverter):
    """Converts items so that no content is lost, none can impersonate the platform, and every provider accepts it.

    Args:
        show_file: Returns an attached file in a form that the model accepts.
    """

    def __init__(self, show_file: Callable[[Attachment], Awaitable[Content]]) -> None:
        super().__init__()
        self._show_file = show_file
        self.replays: dict[str, dict[str, Any]] = {}
        """Replay data for calls that the client made, by call id; collected from hidden items."""

    async def user_message_to_input(
        self, item: UserMessageItem, is_last_message: bool = True
    ) -> Message | list[Message] | None:
        """Convert a message, with its quote in the same message, whether or not it is the last one."""
        parts = [
            part.model_copy(update={"text": escape_reserved_tags(part.text)})
            if isinstance(part, UserMessageTextContent)
            else part
            for part in item.content
        ]
        plain = item.model_copy(update={"quoted_text": None, "content": parts})
        converted = await super().user_message_to_input(plain, is_last_message)
        message = converted[0] if isinstance(converted, list) and converted else converted
        if not item.quoted_text:
            return message or None
        contents = list(message.contents) if isinstance(message, Message) else []
        return Message("user", [Content.from_text(quote_text(item.quoted_text)), *contents])

    def tag_to_message_content(self, tag: UserMessageTagContent) -> Content:
        """Convert a mention into its text and id."""
        return Content.from_text(mention_text(tag.id, tag.text))

    async def attachment_to_message_content(self, attachment: Attachment) -> Content | None:
        """Return a file in a form that the model accepts."""
        return await self._show_file(attachment)

    async def assistant_message_to_input(self, item: AssistantMessageItem) -> Message | list[Message] | None:
        """Drop empty messages, which some providers refuse, and thoughts that were stored as text."""
        text = without_thoughts("".join(part.text for part in item.content))
        return None if is_blank(text) else Message("assistant", [text])

    async def structured_input_to_input(self, item: StructuredInputItem) -> Message | list[Message] | None:
        """Convert questions and answers, escaped, since people write answers themselves."""
        lines = [f"{entry.question} {_answer_text(entry)}" for entry in item.inputs]
        message = _tagged_message("questions_asked", "\n".join([f"Status: {item.status}", *lines]))
        # The built-in model must not look for a phrase in it.
        message.additional_properties[ANSWERS_PROPERTY] = True
        return message

    def widget_to_input(self, item: WidgetItem) -> Message | list[Message] | None:
        """Convert a widget into the text that the person saw; its JSON would cost more tokens and say less."""
        return _tagged_message("widget_shown", widget_summary(item))

    def hidden_context_to_input(self, item: HiddenContextItem | SDKHiddenContextItem) -> Message | list[Message] | None:
        """Convert remembered tool calls into calls and results, and other content into a reserved tag.

        The tag has the role of the user, as some chat templates refuse system messages after the first.
        """
        content = item.content
        if isinstance(content, dict) and TOOL_MEMORY_KEY in content:
            return _tool_memory_messages(content[TOOL_MEMORY_KEY])
        if isinstance(content, dict) and PENDING_APPROVALS_KEY in content:
            return None  # a call without a result, which providers refuse
        if isinstance(content, dict) and WORKFLOW_JOURNAL_KEY in content:
            return None
        if isinstance(content, dict) and isinstance(replays := content.get(REPLAY_KEY), dict):
            self.replays.update(replays)
            return None
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)
        return _tagged_message("hidden_context", text)

    def task_to_input(self, item: TaskItem) -> Message | list[Message] | None:
        """Omit displayed tasks: the remembered tool calls hold the same information in a form that models know."""
        return None

    def workflow_to_input(self, item: WorkflowItem) -> Message | list[Message] | None:
        """Omit displayed workflows, for the same reason as tasks."""
        return None

    async def generated_image_to_input(self, item: GeneratedImageItem) -> Message | list[Message] | None:
        """Convert a picture whose URL models accept, and only mention any other.

        A picture that a tool has returned is only mentioned: a model without vision would refuse the thread from then
        on.
        """
        if item.image is None:
            return None
        if is_tool_image(item.image):
            return _tagged_message("image_shown", "An image that a tool returned was shown to the user.")
        url = str(item.image.url)
        if url.startswith("data:image/") or urlsplit(url).scheme == "https":
            return await super().generated_image_to_input(item)
        return _tagged_message("image_shown", "A generated image was shown to the user.")


def _answer_text(entry: StructuredInputBase) -> str:
    if entry.answer is None:
        return "(not answered)"
    return "(skipped)" if entry.answer.skipped else ", ".join(entry.answer.values)


def _tagged_message(tag: str, text: str) -> Message:
    return Message("user", [f"<{tag}>\n{html.escape(text, quote=False)}\n</{tag}>"])


def _tool_memory_messages(calls: Any) -> list[Message] | None:
    """Return remembered calls and their results as messages; calls of one model response share a message."""
    if not isinstance(calls, list):
        return None
    valid_calls = [
        call for call in calls if isinstance(call, dict) and {"call_id", "name", "arguments", "result"} <= set(call)
    ]
    messages: list[Message] = []
    for _, batch in groupby(valid_calls, _round_number):
        calls_of_round = list(batch)
        messages.append(Message("assistant", [_remembered_call(call) for call in calls_of_round]))
        results = [Content.from_function_result(call["call_id"], result=call["result"]) for call in calls_of_round]
        messages.append(Message("tool", results))
    return messages or None


def _round_number(call: dict[str, Any]) -> Any:
    replay = call.get(REPLAY)
    return replay.get(REPLAY_ROUND) if isinstance(replay, dict) else None


def _remembered_call(call: dict[str, Any]) -> Content:
    replay = call.get(REPLAY)
    return Content.from_function_call(
        call["call_id"],
        call["name"],
        arguments=_valid_arguments(call["arguments"]),
        additional_properties={PROVIDER_PROPERTY: {REPLAY_NOTE: replay}} if isinstance(replay, dict) else None,
    )


def _valid_arguments(text: Any) -> str:
    """Return a call's arguments as JSON text, or an empty object if they are not a JSON object.

    Providers parse the calls of earlier turns: malformed arguments would make them refuse the thread for good.
    """
    try:
        # Stricter than `json.loads`, as providers are: it refuses lone surrogates.
        value = from_json(text)
    except (TypeError, ValueError):
        return "{}"
    return text if isinstance(value, dict) else "{}"


async def history_messages(
    newest_first: Sequence[ThreadItem],
    converter: HistoryConverter,
    *,
    max_chars: int,
    max_items: int | None = None,
) -> list[Message]:
    """Return the newest items that fit into the context window, oldest first, as messages.

    Items are taken whole, newest first, until `max_chars` characters of text are used up; the newest user message is
    always included. Files do not count as text. A shortened history begins with a user message, as many providers
    demand.

    Args:
        newest_first: The thread's items, newest first.
        converter: Converts items into messages.
        max_chars: The maximum number of characters in all messages together.
        max_items: The number of items that were requested: fewer mean the whole thread. None if that is not known.
    """
    is_cut = max_items is None or len(newest_first) >= max_items
    taken: list[tuple[ThreadItem, list[Message]]] = []
    used = 0
    has_user_message = False
    for item in newest_first:
        messages = await converter.to_agent_input([item])
        size = sum(_text_size(message) for message in messages)
        if has_user_message and used + size > max_chars:
            is_cut = True
            break
        taken.append((item, messages))
        used += size
        has_user_message = has_user_message or isinstance(item, UserMessageItem)
    taken.reverse()
    messages = [message for _, each in (_from_first_user_message(taken) if is_cut else taken) for message in each]
    for content in (content for message in messages for content in message.contents):
        if content.type == "function_call" and (replay := converter.replays.get(content.call_id or "")):
            content.additional_properties[PROVIDER_PROPERTY] = {REPLAY_NOTE: replay}
    return messages


def _from_first_user_message(taken: list[tuple[ThreadItem, list[Message]]]) -> list[tuple[ThreadItem, list[Message]]]:
    """Drop the items before the first user message, which belong to an earlier message that did not fit.

    If there is only one user message, all items stay: a long answer may be the whole context of the message.
    """
    user_message_indexes = [at for at, (item, _) in enumerate(taken) if isinstance(item, UserMessageItem)]
    if len(user_message_indexes) > 1:
        return taken[user_message_indexes[0] :]
    first_role = next((message.role for _, messages in taken for message in messages), "user")
    if taken and user_message_indexes != [0] and first_role != "user":
        return [(taken[0][0], [_tagged_message("hidden_context", "What was said before is left out.")]), *taken]
    return taken


def _text_size(message: Message) -> int:
    size = 0
    for content in message.contents:
        if content.type == "text":
            # Files have a budget of their own.
            size += 0 if FILE_PROPERTY in content.additional_properties else len(content.text or "")
        elif content.type == "function_call":
            size += len(str(content.arguments or "")) + len(json.dumps(read_replay(content) or ""))
        elif content.type == "function_result":
            size += len(str(content.result or ""))
    return size
