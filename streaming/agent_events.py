"""Agent Framework updates -> ChatKit events.

The stock `stream_agent_response` doubles the text of the Responses client, makes one message of everything and drops
what is not text, so this conversion is ours. Two sources meet here: the agent's stream, and what tools put into the
`Turn`. They are read in the order in which they happened, and neighbouring text that already waits is merged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_framework import AgentResponseUpdate, Content, ResponseStream
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomSummary,
    CustomTask,
    FileSource,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    URLSource,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from pydantic import ValidationError

from context import Turn, utc_now
from errors import ModelError
from streaming.agent_messages import remember_tool_calls

logger = logging.getLogger(__name__)

MAX_UPDATES_AHEAD = 64
"""How many updates the model may be ahead of the store before its stream is paused."""


@dataclass(frozen=True, slots=True)
class ToolLabel:
    """How a tool's call is shown: set `additional_properties={"title": …, "icon": …}` on the tool."""

    title: str
    icon: str | None = None


def tool_labels(agent: Any) -> dict[str, ToolLabel]:
    """Return the labels that the author gave to the agent's tools, by tool name."""
    options = getattr(agent, "default_options", None)
    tools = options.get("tools") if isinstance(options, Mapping) else None
    labels: dict[str, ToolLabel] = {}
    for tool in tools or ():
        properties = getattr(tool, "additional_properties", None) or {}
        name = getattr(tool, "name", None)
        if name and (title := properties.get("title")):
            labels[name] = ToolLabel(str(title), properties.get("icon"))
    return labels


@dataclass(slots=True)
class OpenMessage:
    """The assistant message that is being written.

    Attributes:
        item_id: Its id.
        key: Author, message id and provider's item id; a different known one begins a new message.
        text: What was streamed.
        segment_start: Where the provider's current text part begins; a "replace" speaks of this part.
        segment_is_closed: The part was given as a whole, so the next delta begins another.
    """

    item: AssistantMessageItem
    key: tuple[str | None, str | None, str | None]
    text: str = ""
    segment_start: int = 0
    segment_is_closed: bool = False
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(slots=True)
class ToolCall:
    """A tool call on its way: its arguments may arrive in pieces, its result later."""

    task_index: int
    name: str
    arguments: str = ""
    result: str | None = None


class Answer:
    """Turns updates and tool events into ChatKit events; at most one message and one workflow are open."""

    def __init__(self, turn: Turn, labels: Mapping[str, ToolLabel]) -> None:
        self._turn = turn
        self._labels = labels
        self._message: OpenMessage | None = None
        self._delta = ""
        self._workflow: WorkflowItem | None = None
        self._calls: dict[str, ToolCall] = {}

    def feed(self, event: Any) -> Iterator[ThreadStreamEvent]:
        """Return what `event`, an update of the agent or an event of a tool, means for the client."""
        if isinstance(event, AgentResponseUpdate):
            yield from self._update(event)
            return
        if isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent):
            # The message ends where something else begins; the workflow stays open around what its tools show.
            yield from self._close_message()
        else:
            yield from self.flush()
        yield event

    def flush(self) -> Iterator[ThreadStreamEvent]:
        """Send the text that has been merged so far."""
        if self._delta and self._message is not None:
            update = AssistantMessageContentPartTextDelta(content_index=0, delta=self._delta)
            self._delta = ""
            yield ThreadItemUpdatedEvent(item_id=self._message.item.id, update=update)

    def close(self) -> Iterator[ThreadStreamEvent]:
        """Finish what is open at the end of a whole answer."""
        yield from self._close_message()
        yield from self._close_workflow()

    def fail(self) -> Iterator[ThreadStreamEvent]:
        """Finish what is open after a failure: partial text is kept, running tools are marked as failed."""
        yield from self._close_message()
        for call in self._calls.values():
            if call.result is None:
                yield from self._finish_task(call, "The answer stopped before this step was done.", is_failed=True)
        yield from self._close_workflow()

    def _update(self, update: AgentResponseUpdate) -> Iterator[ThreadStreamEvent]:
        if update.merge_mode == "replace" and self._message is not None and update.role in (None, "assistant"):
            texts = [content for content in update.contents if content.type == "text"]
            if texts:
                yield from self._replace_text("".join(content.text or "" for content in texts), start=0)
            for content in update.contents:
                if content.type != "text":
                    yield from self._content(content, update)
            return
        for content in update.contents:
            yield from self._content(content, update)

    def _content(self, content: Content, update: AgentResponseUpdate) -> Iterator[ThreadStreamEvent]:
        is_assistant = update.role in (None, "assistant")
        match content.type:
            case "text" if is_assistant:
                yield from self._text(content, update)
            case "function_call" if not content.user_input_request:
                yield from self._function_call(content)
            case "function_result":
                yield from self._function_result(content)
            case "data" | "uri" if is_assistant and content.has_top_level_media_type("image"):
                yield from self._image(content)
            case "usage":
                self._turn.usage = dict(content.usage_details or {})
            case "error":
                raise ModelError("The model reported a problem and could not finish its answer.", code="model.failed")
            case _:
                pass

    # Text

    def _text(self, content: Content, update: AgentResponseUpdate) -> Iterator[ThreadStreamEvent]:
        text = content.text or ""
        key = (update.author_name, update.message_id, _provider_item_id(content))
        message = self._message
        if message is not None and any(
            a != b and a is not None and b is not None for a, b in zip(message.key, key, strict=True)
        ):
            yield from self._close_message()
            message = None
        if message is None:
            if not text:
                return  # never an empty bubble
            yield from self._close_workflow()
            message = yield from self._open_message(key)
        if content.merge_mode == "replace":
            yield from self._replace_text(text, start=message.segment_start)
            message.segment_is_closed = True
        elif text:
            if message.segment_is_closed:
                message.segment_start, message.segment_is_closed = len(message.text), False
            message.text += text
            self._delta += text
        for annotation in content.annotations or ():
            yield from self._annotation(message, annotation)

    def _open_message(self, key: tuple[str | None, str | None, str | None]) -> Any:
        item = AssistantMessageItem(
            id=self._turn.new_id("message"), thread_id=self._turn.thread.id, created_at=utc_now(), content=[]
        )
        self._message = OpenMessage(item, key)
        yield ThreadItemAddedEvent(item=item)
        part = AssistantMessageContentPartAdded(content_index=0, content=AssistantMessageContent(text=""))
        yield ThreadItemUpdatedEvent(item_id=item.id, update=part)
        return self._message

    def _replace_text(self, text: str, *, start: int) -> Iterator[ThreadStreamEvent]:
        """Apply a whole text that follows its deltas: usually it says nothing new."""
        message = self._message
        if message is None:
            return
        whole, segment = message.text, message.text[start:]
        if text in (segment, whole):
            return
        # A provider may send the whole so far again with more at the end, of this part or of all parts.
        for known in (segment, whole):
            if text.startswith(known):
                addition = text[len(known) :]
                message.text += addition
                self._delta += addition
                return
        yield from self.flush()
        message.text = whole[:start] + text
        done = AssistantMessageContentPartDone(content_index=0, content=self._content_of(message))
        yield ThreadItemUpdatedEvent(item_id=message.item.id, update=done)

    def _annotation(self, message: OpenMessage, raw: Any) -> Iterator[ThreadStreamEvent]:
        if not isinstance(raw, Mapping):
            return
        regions = raw.get("annotated_regions") or ()
        index = next((r.get("end_index") for r in regions if isinstance(r, Mapping)), None)
        url, title = raw.get("url"), raw.get("title")
        source: URLSource | FileSource
        if url:
            source = URLSource(url=str(url), title=str(title or url))
        elif raw.get("file_id") or title:
            source = FileSource(filename=str(title or raw.get("file_id")), title=str(title or raw.get("file_id")))
        else:
            return
        annotation = Annotation(source=source, index=index)
        if annotation in message.annotations:
            return
        yield from self.flush()
        message.annotations.append(annotation)
        update = AssistantMessageContentPartAnnotationAdded(
            content_index=0, annotation_index=len(message.annotations) - 1, annotation=annotation
        )
        yield ThreadItemUpdatedEvent(item_id=message.item.id, update=update)

    def _close_message(self) -> Iterator[ThreadStreamEvent]:
        yield from self.flush()
        message, self._message = self._message, None
        if message is not None:
            content = self._content_of(message)
            done = AssistantMessageContentPartDone(content_index=0, content=content)
            yield ThreadItemUpdatedEvent(item_id=message.item.id, update=done)
            yield ThreadItemDoneEvent(item=message.item.model_copy(update={"content": [content]}))

    @staticmethod
    def _content_of(message: OpenMessage) -> AssistantMessageContent:
        return AssistantMessageContent(text=message.text, annotations=list(message.annotations))

    # Tools

    def _function_call(self, content: Content) -> Iterator[ThreadStreamEvent]:
        call_id = content.call_id
        call = self._calls.get(call_id or "")
        if call is None:
            if not call_id or not content.name:
                return  # a piece of a call whose beginning was never seen
            yield from self._close_message()
            label = self._labels.get(content.name) or ToolLabel(content.name.replace("_", " ").strip().capitalize())
            index = yield from self._add_task(_task(label))
            call = self._calls[call_id] = ToolCall(index, content.name)
        arguments = content.arguments or ""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
        call.arguments = text if content.merge_mode == "replace" else call.arguments + text

    def _function_result(self, content: Content) -> Iterator[ThreadStreamEvent]:
        call = self._calls.get(content.call_id or "")
        if call is not None and call.result is None:
            is_failed = bool(content.exception) or content.call_id in self._turn.failed_calls
            result = content.result if isinstance(content.result, str) else json.dumps(content.result, default=str)
            yield from self._finish_task(call, result or "", is_failed=is_failed)

    def _finish_task(self, call: ToolCall, result: str, *, is_failed: bool) -> Iterator[ThreadStreamEvent]:
        call.result = result
        if self._workflow is None:
            return
        task = self._workflow.workflow.tasks[call.task_index]
        # ChatKit has no "failed": no tick and a sentence instead.
        change: dict[str, Any] = (
            {"status_indicator": "none", "content": "This step failed."}
            if is_failed
            else {"status_indicator": "complete"}
        )
        yield from self._set_task(call.task_index, task.model_copy(update=change))

    def _add_task(self, task: CustomTask) -> Any:
        if self._workflow is None:
            self._workflow = WorkflowItem(
                id=self._turn.new_id("workflow"),
                thread_id=self._turn.thread.id,
                created_at=utc_now(),
                workflow=Workflow(type="custom", tasks=[], expanded=False),
            )
            yield ThreadItemAddedEvent(item=self._workflow.model_copy(deep=True))
        tasks = self._workflow.workflow.tasks
        tasks.append(task)
        yield ThreadItemUpdatedEvent(
            item_id=self._workflow.id, update=WorkflowTaskAdded(task_index=len(tasks) - 1, task=task)
        )
        return len(tasks) - 1

    def _set_task(self, index: int, task: Any) -> Iterator[ThreadStreamEvent]:
        if self._workflow is not None:
            self._workflow.workflow.tasks[index] = task
            yield ThreadItemUpdatedEvent(
                item_id=self._workflow.id, update=WorkflowTaskUpdated(task_index=index, task=task)
            )

    def _close_workflow(self) -> Iterator[ThreadStreamEvent]:
        workflow, self._workflow = self._workflow, None
        if workflow is None:
            return
        tasks = workflow.workflow.tasks
        title = (getattr(tasks[0], "title", None) if len(tasks) == 1 else None) or f"{len(tasks)} steps"
        workflow.workflow.summary = CustomSummary(title=title)
        yield ThreadItemDoneEvent(item=workflow)
        for item in self.unsaved_memory():
            yield ThreadItemDoneEvent(item=item)

    def unsaved_memory(self) -> Iterator[HiddenContextItem]:
        """Return what tools have returned since the last call, for later turns; ChatKit hides it from the browser."""
        calls = [
            {"call_id": call_id, "name": call.name, "arguments": call.arguments or "{}", "result": call.result}
            for call_id, call in self._calls.items()
            if call.result is not None
        ]
        self._calls.clear()
        if calls:
            yield HiddenContextItem(
                id=self._turn.new_id("message"),
                thread_id=self._turn.thread.id,
                created_at=utc_now(),
                content=remember_tool_calls(calls),
            )

    # Pictures

    def _image(self, content: Content) -> Iterator[ThreadStreamEvent]:
        if not content.uri:
            return
        yield from self._close_message()
        image_id = self._turn.new_id("message")
        item = GeneratedImageItem(
            id=image_id,
            thread_id=self._turn.thread.id,
            created_at=utc_now(),
            image=GeneratedImage(id=image_id, url=content.uri),
        )
        yield ThreadItemDoneEvent(item=item)


async def agent_events(
    stream: ResponseStream[AgentResponseUpdate, Any], turn: Turn, labels: Mapping[str, ToolLabel]
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Return the ChatKit events of one run of an agent.

    The provider's stream is closed on every way out. After a failure what was open is finished first, so that partial
    text is kept; then the failure is raised.

    Args:
        stream: What `agent.run(..., stream=True)` returned.
        turn: Where the agent's tools put what they show.
        labels: How tool calls are shown.
    """
    answer = Answer(turn, labels)
    inbox = turn.inbox
    end = object()
    failure: list[BaseException] = []

    async def pump() -> None:
        try:
            async with stream:
                async for update in stream:
                    await inbox.put_when_room(update, MAX_UPDATES_AHEAD)
        except Exception as exc:  # noqa: BLE001 - raised again by the reader, after what is open is finished
            failure.append(exc)
        finally:
            inbox.put_last(end)

    task = asyncio.create_task(pump(), name=f"agent {turn.thread.id}")
    try:
        is_open = True
        while is_open:
            await inbox.wait()
            for event in inbox.drain():
                if event is end:
                    is_open = False
                    continue
                for converted in answer.feed(event):
                    yield converted
            for converted in answer.flush():
                yield converted
        for converted in answer.fail() if failure else answer.close():
            yield converted
        if failure:
            raise failure[0]
    except asyncio.CancelledError:
        turn.context.unsaved_items.extend(answer.unsaved_memory())
        raise
    except Exception:
        for converted in answer.fail():
            yield converted
        raise
    finally:
        task.cancel()
        # Not `await task`: that could not tell the pump's cancellation from our own.
        await asyncio.wait([task])


def _provider_item_id(content: Content) -> str | None:
    """Return the provider's id of the output item, which the Responses client leaves in the raw event only."""
    item_id = getattr(content.raw_representation, "item_id", None)
    return item_id if isinstance(item_id, str) else None


def _task(label: ToolLabel) -> CustomTask:
    try:
        return CustomTask(title=label.title, icon=label.icon, status_indicator="loading")
    except ValidationError:
        logger.warning("tool icon unknown to chatkit", extra={"icon": label.icon})
        return CustomTask(title=label.title, status_indicator="loading")
