"""The history of a thread for the model: ChatKit items -> Agent Framework messages.

Builds on the framework's `ThreadItemConverter` and replaces what it drops or breaks.
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
from streaming.answers.told_tags import escape_reserved_tags, mention_text, quote_text
from streaming.answers.tool_results import is_returned
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
    """Return the widget in words: its `copy_text`, or else the texts it shows, at most 1,000 characters."""
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
    """Converts items so that nothing is lost, nothing poses as somebody else, and nothing breaks a provider.

    Args:
        show_file: Returns a file of a person as the model can take it.
    """

    def __init__(self, show_file: Callable[[Attachment], Awaitable[Content]]) -> None:
        super().__init__()
        self._show_file = show_file
        self.replays: dict[str, dict[str, Any]] = {}
        """What stands in hidden items for calls of the client, by call id."""

    async def user_message_to_input(
        self, item: UserMessageItem, is_last_message: bool = True
    ) -> Message | list[Message] | None:
        """Keep the quote wherever the message stands, and in the same message as what it is about."""
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
        """Name what was mentioned with its id."""
        return Content.from_text(mention_text(tag.id, tag.text))

    async def attachment_to_message_content(self, attachment: Attachment) -> Content | None:
        """Return a file as the model can take it."""
        return await self._show_file(attachment)

    async def assistant_message_to_input(self, item: AssistantMessageItem) -> Message | list[Message] | None:
        """Drop empty messages, which some providers refuse, and thoughts that were stored as text."""
        text = without_thoughts("".join(part.text for part in item.content))
        return None if is_blank(text) else Message("assistant", [text])

    async def structured_input_to_input(self, item: StructuredInputItem) -> Message | list[Message] | None:
        """Tell the model what was asked and answered, escaped: people answer in their own words."""
        lines = [f"{entry.question} {_answer(entry)}" for entry in item.inputs]
        asked = _tagged_message("questions_asked", "\n".join([f"Status: {item.status}", *lines]))
        # The built-in model must not look for a phrase in it.
        asked.additional_properties[ANSWERS_PROPERTY] = True
        return asked

    def widget_to_input(self, item: WidgetItem) -> Message | list[Message] | None:
        """Tell the model in words what the person saw; the JSON would cost tokens and tell it less."""
        return _tagged_message("widget_shown", widget_summary(item))

    def hidden_context_to_input(self, item: HiddenContextItem | SDKHiddenContextItem) -> Message | list[Message] | None:
        """Replay remembered tool calls as such; anything else as a user-role aside that nobody can imitate.

        Late system messages are refused by some chat templates.
        """
        content = item.content
        if isinstance(content, dict) and TOOL_MEMORY_KEY in content:
            return _tool_memory(content[TOOL_MEMORY_KEY])
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
        """Leave display tasks out: the remembered tool calls say the same, in a form models know."""
        return None

    def workflow_to_input(self, item: WorkflowItem) -> Message | list[Message] | None:
        """Leave display workflows out, for the same reason."""
        return None

    async def generated_image_to_input(self, item: GeneratedImageItem) -> Message | list[Message] | None:
        """Mention the picture; hand it over only where its URL is one that models accept.

        One that a tool has returned is not handed over again: the model may be one that cannot see, and would refuse
        the thread from then on.
        """
        if item.image is None:
            return None
        if is_returned(item.image):
            return _tagged_message("image_shown", "An image that a tool returned was shown to the user.")
        url = str(item.image.url)
        if url.startswith("data:image/") or urlsplit(url).scheme == "https":
            return await super().generated_image_to_input(item)
        return _tagged_message("image_shown", "A generated image was shown to the user.")


def _answer(entry: StructuredInputBase) -> str:
    if entry.answer is None:
        return "(not answered)"
    return "(skipped)" if entry.answer.skipped else ", ".join(entry.answer.values)


def _tagged_message(tag: str, text: str) -> Message:
    return Message("user", [f"<{tag}>\n{html.escape(text, quote=False)}\n</{tag}>"])


def _tool_memory(calls: Any) -> list[Message] | None:
    """Return call and result of every remembered call; the calls of one answer of the model stand in one message."""
    if not isinstance(calls, list):
        return None
    known = [
        call for call in calls if isinstance(call, dict) and {"call_id", "name", "arguments", "result"} <= set(call)
    ]
    messages: list[Message] = []
    for _, batch in groupby(known, _round_of):
        made = list(batch)
        messages.append(Message("assistant", [_remembered_call(call) for call in made]))
        messages.append(Message("tool", [Content.from_function_result(c["call_id"], result=c["result"]) for c in made]))
    return messages or None


def _round_of(call: dict[str, Any]) -> Any:
    replay = call.get(REPLAY)
    return replay.get(REPLAY_ROUND) if isinstance(replay, dict) else None


def _remembered_call(call: dict[str, Any]) -> Content:
    replay = call.get(REPLAY)
    return Content.from_function_call(
        call["call_id"],
        call["name"],
        arguments=_whole_arguments(call["arguments"]),
        additional_properties={PROVIDER_PROPERTY: {REPLAY_NOTE: replay}} if isinstance(replay, dict) else None,
    )


def _whole_arguments(text: Any) -> str:
    """Return a call's arguments, or none of them when they are no JSON object.

    Servers parse the calls of earlier turns: one that the model wrote badly would make them refuse the thread for good.
    """
    try:
        # Stricter than `json.loads`, as servers are: half of a surrogate pair is no text.
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
    always in. Files do not count as text. What is cut begins with a person's message, as many servers demand.

    Args:
        newest_first: The thread's items, newest first.
        converter: How an item becomes messages.
        max_chars: Characters of text, all messages together.
        max_items: How many items were asked for: with fewer, these are all. None where that is not known.
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
    messages = [message for _, each in (_begun_by_person(taken) if is_cut else taken) for message in each]
    for content in (content for message in messages for content in message.contents):
        if content.type == "function_call" and (replay := converter.replays.get(content.call_id or "")):
            content.additional_properties[PROVIDER_PROPERTY] = {REPLAY_NOTE: replay}
    return messages


def _begun_by_person(taken: list[tuple[ThreadItem, list[Message]]]) -> list[tuple[ThreadItem, list[Message]]]:
    """Leave out what stands before the first message of a person, which belongs to one that did not fit.

    All that is said of the newest one alone stays: one long answer may be all that there is to speak about.
    """
    asked = [at for at, (item, _) in enumerate(taken) if isinstance(item, UserMessageItem)]
    if len(asked) > 1:
        return taken[asked[0] :]
    if taken and asked != [0] and next((m.role for _, messages in taken for m in messages), "user") != "user":
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
