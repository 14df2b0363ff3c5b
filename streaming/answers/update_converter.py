"""Converts the updates of Agent Framework into ChatKit events.

At most one message of each author and one workflow are open. A message ends when its author does something else; the
workflow stays open while its tools show items, and ends when text begins and no tool call is pending.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent_framework import AgentResponseUpdate, Content, WorkflowAgent, WorkflowEvent
from chatkit.types import (
    ClientToolCallItem,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    TaskItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WorkflowItem,
)

from context import Turn
from errors import ModelError
from framework.message_marks import NO_PICTURE_TEXT, REPLAY_ORIGIN, REPLAY_ROUND, UNKNOWN_TOOL_PROPERTY
from framework.sentences import LIMIT_REACHED
from streaming.answers.hosted_steps import is_hosted
from streaming.answers.message_writer import MessageWriter
from streaming.answers.tool_labels import ToolLabel
from streaming.answers.usage_count import UsageCount
from streaming.answers.workflow_steps import Steps
from text.blanks import is_blank
from turns.answer_texts import AnswerTexts
from turns.approval_request import PendingApproval
from turns.clock import utc_now
from turns.tool_memory import REPLAY_KEY

Events = Iterator[ThreadStreamEvent]

LIMIT_TEXT = AnswerTexts().limit

_POSTPONED = (
    "This was not done yet: the person has to answer something else first. Call it again after that if need be."
)

_NO_SUCH_TOOL = 'Error: Requested function "{name}" not found.'

_PASSIVE_TYPES = ("text", "text_reasoning", "usage")

# Items that show only how an answer was made. Messages are counted by `MessageWriter`, which knows if they are blank.
_ITEMS_WITHOUT_ANSWER = (HiddenContextItem, SDKHiddenContextItem, TaskItem, WorkflowItem)


class UpdateConverter:
    """Converts an agent's updates and the events of its tools into ChatKit events.

    Args:
        turn: The turn, through which the agent's tools show things.
        labels: The labels of tools, by name.
        limit_message: Returns the sentence that replaces `LIMIT_REACHED`.
    """

    def __init__(
        self, turn: Turn, labels: Mapping[str, ToolLabel], limit_message: Callable[[], str] = lambda: LIMIT_TEXT
    ) -> None:
        self._turn = turn
        self._answer = turn.context.answer
        self._limit_message = limit_message
        self._message = MessageWriter(turn)
        self._steps = Steps(turn, labels)
        self._images: dict[str, GeneratedImageItem] = {}
        self._client_calls: dict[str, Content] = {}
        self._callers: dict[str, str | None] = {}
        self._usage = UsageCount()
        self._has_acted = False
        self._has_shown = False
        self._has_ended = False

    @property
    def is_empty(self) -> bool:
        """Whether the answer has shown nothing but thoughts and steps, and does not wait for anybody.

        Valid once the answer is closed; blank text counts as nothing. An answer that ends with a tool's result is not
        empty: the agent did not ask its model again.
        """
        if self._has_shown or self._message.has_text or self._answer.is_paused:
            return False
        return self._has_ended or not self._has_acted

    def convert(self, event: Any) -> Events:
        """Return ChatKit's events for `event`, which is an update of the agent or an event of a tool."""
        if not isinstance(event, AgentResponseUpdate):
            return self._pass_tool_event(event)
        # By far the most frequent kind: another piece of the current text.
        return iter(()) if self._message.append_piece(event) else self._convert_update(event)

    def continue_text(self, text: str, message_id: str | None) -> ThreadItemUpdatedEvent | None:
        """Add a piece of direct text; return None if it has to pass through the agent."""
        return self._message.continue_text(text, message_id)

    def pending_text(self) -> ThreadItemUpdatedEvent | None:
        """Return the text that has been merged so far as an event to be sent; None when there is none."""
        return self._message.pending_text()

    def close(self) -> Events:
        """Finish all open items at the end of an answer, then show what the answer waits for.

        It waits for one at a time: for the answer to a question, else for approvals, else for the client. The others
        are postponed, and the model asks again.
        """
        yield from self._message.close_all()
        for call_id, call in self._client_calls.items():
            if self._answer.question is not None or self._answer.approvals:
                yield from self._steps.postpone(call_id, _POSTPONED)
            else:
                yield from self._hand_over_to_client(call)
        if self._answer.approvals:
            yield from self._ask_for_approval()
        yield from self._steps.close()
        yield from self._close_images()
        if self._answer.question is not None:
            yield ThreadItemDoneEvent(item=self._answer.question)
        if self._answer.client_call is not None:
            # Must be the last item: ChatKit completes the call at the end of the thread.
            yield ThreadItemDoneEvent(item=self._answer.client_call)

    def fail(self) -> Events:
        """Finish all open items after a failure: partial text is kept, running tools are marked as failed."""
        yield from self._message.close_all()
        yield from self._steps.fail()
        yield from self._close_images()

    def take_memory(self) -> Iterator[Any]:
        """Yield the items that must be stored if the answer is stopped now."""
        yield from self._steps.take_memory()

    def _pass_tool_event(self, event: Any) -> Events:
        self._has_acted = True
        self._note_shown(event)
        if isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
            # The event belongs to an author that waits for a tool. Others may be in the middle of a sentence.
            callers = set(self._callers.values())
            yield from self._message.close_all({caller for caller in callers if caller} if None not in callers else ())
        else:
            yield from self._message.flush()
        yield event

    def _convert_update(self, update: AgentResponseUpdate) -> Events:
        is_assistant = update.role in (None, "assistant")
        yield from self._message.switch_author(update.author_name)
        if update.merge_mode == "replace" and is_assistant and self._message.is_open:
            texts = [content for content in update.contents if content.type == "text"]
            if texts:
                yield from self._message.replace_all("".join(content.text or "" for content in texts))
            contents = [content for content in update.contents if content.type != "text"]
        else:
            contents = list(update.contents)
        for content in contents:
            for event in self._convert_content(content, update, is_assistant=is_assistant):
                if content.type not in _PASSIVE_TYPES:
                    self._note_shown(event)
                yield event
        if update.finish_reason is not None:
            self._message.mark_author_done()
            self._has_ended = self._has_ended or update.finish_reason != "tool_calls"

    def _note_shown(self, event: Any) -> None:
        """Remember that an event shows something to the person, beyond steps and progress."""
        if isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
            self._has_shown = self._has_shown or not isinstance(event.item, _ITEMS_WITHOUT_ANSWER)
        elif not isinstance(event, ThreadItemUpdatedEvent | ThreadItemRemovedEvent | ProgressUpdateEvent):
            self._has_shown = True

    def _convert_content(self, content: Content, update: AgentResponseUpdate, *, is_assistant: bool) -> Events:
        if content.type not in _PASSIVE_TYPES:
            self._has_acted, self._has_ended = True, False
        match content.type:
            case "text" if is_assistant:
                yield from self._convert_text(content, update)
            case "text_reasoning":
                yield from self._show_step(
                    self._steps.workflow.stream_thought(content), content.text or content.merge_mode == "replace"
                )
            case "function_call":
                yield from self._convert_function_call(content, update)
            case "function_result":
                self._callers.pop(content.call_id or "", None)
                self._usage.note_result(update.author_name)
                yield from self._steps.function_result(content)
            case "function_approval_request":
                yield from self._convert_approval_request(content)
            case "search_tool_call":
                yield from self._show_step(self._steps.hosted.show_search_call(content), content)
            case "search_tool_result":
                yield from self._show_step(self._steps.hosted.show_search_result(content), content)
            case "image_generation_tool_call" | "image_generation_tool_result":
                yield from self._convert_generated_image(content)
            case "data" | "uri" if is_assistant and content.has_top_level_media_type("image") and content.uri:
                yield from self._message.close()
                yield ThreadItemDoneEvent(item=self._build_image_item(content.uri))
            case "usage":
                counts, is_whole = dict(content.usage_details or {}), content.merge_mode == "replace"
                total = self._usage.add(update.author_name, update.response_id, counts, is_whole=is_whole)
                self._answer.record_usage(total)
            case "error":
                raise ModelError("The model reported a problem and could not finish its answer.", code="model.failed")
            case hosted if is_hosted(hosted):
                is_result = hosted.endswith(("_result", "_output"))
                steps = self._steps.hosted
                yield from self._show_step(
                    steps.show_result(content) if is_result else steps.show_call(content), content
                )
            case _:
                pass

    def _convert_text(self, content: Content, update: AgentResponseUpdate) -> Events:
        if self._message.is_open and not self._message.is_continued_by(content, update):
            yield from self._message.close()
        if not self._message.is_open:
            if is_blank(content.text or ""):
                return  # blank text does not begin a message
            if not self._callers:
                yield from self._steps.close()
        if content.text == LIMIT_REACHED:
            content = Content.from_text(self._limit_message())
        elif content.text == NO_PICTURE_TEXT:
            content = Content.from_text(self._answer.texts.no_picture)
        yield from self._message.write(content, update)

    def _show_step(self, events: Events, worth_showing: Any) -> Events:
        if worth_showing:
            yield from self._message.close()
            yield from events

    def _convert_function_call(self, content: Content, update: AgentResponseUpdate) -> Events:
        request = update.raw_representation
        if isinstance(request, WorkflowEvent) and content.name == WorkflowAgent.REQUEST_INFO_FUNCTION_NAME:
            # Not a tool call: a workflow ends like this when it requests input, mostly after an agent has asked for it.
            text = request.data.text if isinstance(request.data, Content) else request.data
            if isinstance(text, str):
                yield from self._convert_text(Content.from_text(text), update)
            return
        if content.user_input_request:
            # A tool of the client: its arguments came earlier in the chunks of the call, unless those were not seen.
            if _is_unknown(content):
                yield from self._steps.postpone(content.call_id or "", _NO_SUCH_TOOL.format(name=content.name))
            elif content.call_id:
                self._client_calls.setdefault(content.call_id, content)
            return
        if not content.informational_only:
            if content.call_id and not content.hosted:
                self._callers[content.call_id] = update.author_name
            yield from self._show_step(self._steps.function_call(content), content)

    def _hand_over_to_client(self, call: Content) -> Events:
        call_id = call.call_id or ""
        name_and_arguments = self._steps.find_call(call_id)
        if name_and_arguments is None and call.name:
            name_and_arguments = call.name, _json_text(call.arguments)
        replay = self._steps.replay_of(call_id)
        yield from self._steps.forget_call(call_id)
        if name_and_arguments is None:
            return
        name, arguments = name_and_arguments
        item = ClientToolCallItem(
            id=self._turn.new_id("tool_call"),
            thread_id=self._turn.thread.id,
            created_at=utc_now(),
            status="pending",
            call_id=call_id,
            name=name,
            arguments=_parse_json_object(arguments),
        )
        if not self._answer.wait_for_client_tool(item):
            return  # the model asks again for the others
        if replay and replay.keys() - {REPLAY_ORIGIN, REPLAY_ROUND}:
            # ChatKit's item of the call has no field for this data.
            yield ThreadItemDoneEvent(
                item=HiddenContextItem(
                    id=self._turn.new_id("message"),
                    thread_id=self._turn.thread.id,
                    created_at=utc_now(),
                    content={REPLAY_KEY: {call_id: replay}},
                )
            )

    def _convert_approval_request(self, content: Content) -> Events:
        call = content.function_call
        if call is None or not call.call_id or not call.name:
            return
        if _is_unknown(call):
            yield from self._steps.postpone(call.call_id, _NO_SUCH_TOOL.format(name=call.name))
            return
        seen_call = self._steps.find_call(call.call_id)
        text = _json_text(call.arguments or (seen_call[1] if seen_call else None))
        yield from self._message.close()
        if seen_call is None and not call.hosted:
            # A workflow passes on the approval request without the call.
            yield from self._steps.function_call(Content.from_function_call(call.call_id, call.name, arguments=text))
        label = self._steps.label_of(call.name)
        server = (call.server_name or "") if call.hosted else None
        self._answer.request_approval(PendingApproval(call.call_id, call.name, text, label.title, label.icon, server))

    def _ask_for_approval(self) -> Events:
        answer = self._answer
        waiting = [c for c in answer.approvals if c.server is not None or self._steps.result_of(c.call_id) is None]
        if not waiting or answer.question is not None:
            for call in waiting:
                yield from self._steps.postpone(call.call_id, _POSTPONED)
            answer.postpone_approvals()
            return
        ours = yield from self._steps.pause_for_approval({call.call_id for call in waiting})
        answer.replace_approvals([*ours, *(call for call in waiting if call.server is not None)])

    def _convert_generated_image(self, content: Content) -> Events:
        key = content.image_id or "image"
        item = self._images.get(key)
        if item is None:
            yield from self._message.close()
            item = self._images[key] = self._build_image_item(None)
            yield ThreadItemAddedEvent(item=item)
        outputs = getattr(content, "outputs", None)
        output = next(iter(outputs), None) if isinstance(outputs, list) else outputs
        uri = getattr(output, "uri", None)
        if not uri:
            return
        properties = getattr(output, "additional_properties", None) or {}
        item = item.model_copy(update={"image": GeneratedImage(id=item.id, url=uri)})
        self._images[key] = item
        if properties.get("is_partial_image"):
            # The number of partial images is unknown: each one covers half of the remaining progress.
            progress = 1 - 0.5 ** (int(properties.get("partial_image_index") or 0) + 1)
            update = GeneratedImageUpdated(image=item.image, progress=progress)
            yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
        else:
            del self._images[key]
            yield ThreadItemDoneEvent(item=item)

    def _close_images(self) -> Events:
        for item in self._images.values():
            if item.image is not None:
                yield ThreadItemDoneEvent(item=item)
        self._images.clear()

    def _build_image_item(self, uri: str | None) -> GeneratedImageItem:
        item_id = self._turn.new_id("message")
        return GeneratedImageItem(
            id=item_id,
            thread_id=self._turn.thread.id,
            created_at=utc_now(),
            image=GeneratedImage(id=item_id, url=uri) if uri else None,
        )


def _is_unknown(call: Content) -> bool:
    """Return whether a call names none of the offered tools; the framework may ask for its approval all the same."""
    return UNKNOWN_TOOL_PROPERTY in call.additional_properties


def _json_text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments or {}, ensure_ascii=False, default=str)


def _parse_json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
