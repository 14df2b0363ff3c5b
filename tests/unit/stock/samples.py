"""Servers written for ChatKit alone, without any import of this platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from agents import Agent, RunContextWrapper, Runner, StopAtTools, function_tool
from chatkit.agents import (
    AgentContext,
    ClientToolCall,
    ThreadItemConverter,
    simple_to_agent_input,
    stream_agent_response,
)
from chatkit.server import ChatKitServer, stream_widget
from chatkit.store import NotFoundError, Store
from chatkit.types import (
    Action,
    AssistantMessageContent,
    AssistantMessageItem,
    Attachment,
    ClientEffectEvent,
    CustomTask,
    HiddenContextItem,
    Page,
    ProgressUpdateEvent,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
    Workflow,
)
from chatkit.widgets import Button, Card, Text
from pydantic import ConfigDict, Field


def now() -> datetime:
    """Return the time as ChatKit's own code has it: naive and local."""
    return datetime.now()  # noqa: DTZ005


class MemoryStore(Store[dict[str, Any]]):
    """A store in memory as in ChatKit's samples, with an additional method."""

    def __init__(self) -> None:
        self.threads: dict[str, ThreadMetadata] = {}
        self.items: dict[str, list[ThreadItem]] = {}
        self.notes: list[str] = []

    def add_note(self, note: str) -> int:
        self.notes.append(note)
        return len(self.notes)

    async def load_thread(self, thread_id: str, context: dict[str, Any]) -> ThreadMetadata:
        if thread_id not in self.threads:
            raise NotFoundError(thread_id)
        return self.threads[thread_id]

    async def save_thread(self, thread: ThreadMetadata, context: dict[str, Any]) -> None:
        self.threads[thread.id] = thread

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: dict[str, Any]
    ) -> Page[ThreadItem]:
        items = self.items.get(thread_id, [])
        return Page(data=items[::-1] if order == "desc" else items)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: dict[str, Any]
    ) -> Page[ThreadMetadata]:
        return Page(data=list(self.threads.values()))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: dict[str, Any]) -> None:
        self.items.setdefault(thread_id, []).append(item)

    async def save_item(self, thread_id: str, item: ThreadItem, context: dict[str, Any]) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: dict[str, Any]) -> ThreadItem:
        return next(item for item in self.items[thread_id] if item.id == item_id)

    async def delete_thread(self, thread_id: str, context: dict[str, Any]) -> None:
        del self.threads[thread_id]

    async def delete_thread_item(self, thread_id: str, item_id: str, context: dict[str, Any]) -> None:
        self.items[thread_id] = [item for item in self.items[thread_id] if item.id != item_id]

    async def save_attachment(self, attachment: Attachment, context: dict[str, Any]) -> None:
        raise NotImplementedError

    async def load_attachment(self, attachment_id: str, context: dict[str, Any]) -> Attachment:
        raise NotImplementedError

    async def delete_attachment(self, attachment_id: str, context: dict[str, Any]) -> None:
        raise NotImplementedError


# The agent of the desk, its context and its tools


class DeskContext(AgentContext):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    store: Annotated[MemoryStore, Field(exclude=True)]
    request_context: dict[str, Any]


def build_list(items: list[str], *, is_done: bool = False) -> Card:
    rows: list[Any] = [Text(id=f"row_{index}", value=item) for index, item in enumerate(items)]
    clear = {"type": "list.clear", "payload": {"count": len(items)}, "handler": "server"}
    return Card(id="list", children=[*rows, Button(label="Clear", disabled=is_done, onClickAction=clear)])


@function_tool
async def add_item(ctx: RunContextWrapper[DeskContext], item: str) -> str:
    """Add an item."""
    context = ctx.context
    await context.stream(ProgressUpdateEvent(text=f"Adding {item}"))
    await context.add_workflow_task(CustomTask(title=f"Add {item}"))
    await context.store.add_thread_item(
        context.thread.id,
        HiddenContextItem(
            id=context.store.generate_item_id("message", context.thread, context.request_context),
            thread_id=context.thread.id,
            created_at=now(),
            content=f"<ADDED>{item}</ADDED>",
        ),
        context=context.request_context,
    )
    context.store.add_note(item)
    await context.stream_widget(build_list([item]), copy_text=item)
    return f"Added {item}."


@function_tool
async def ring(ctx: RunContextWrapper[DeskContext]) -> None:
    """Ring the bell on the page."""
    ctx.context.client_tool_call = ClientToolCall(name="ring", arguments={"times": 2})


desk_agent = Agent[DeskContext](
    name="desk",
    model="gpt-4.1-mini",
    instructions="Be kind.",
    tools=[add_item, ring],
    tool_use_behavior=StopAtTools(stop_at_tool_names=["ring"]),
)
title_agent = Agent(name="title", model="gpt-4.1-nano", instructions="Write a title.")


class DeskServer(ChatKitServer[dict[str, Any]]):
    """A server with an Agents SDK agent, its own store, a title, and a widget with an action."""

    def __init__(self) -> None:
        self.store: MemoryStore = MemoryStore()
        super().__init__(self.store)
        self.converter = ThreadItemConverter()
        self.feedback: list[str] = []

    async def respond(
        self, thread: ThreadMetadata, item: UserMessageItem | None, context: dict[str, Any]
    ) -> AsyncIterator[ThreadStreamEvent]:
        titling = asyncio.create_task(self.name_thread(thread, item))
        page = await self.store.load_thread_items(thread.id, after=None, limit=20, order="desc", context=context)
        agent_input = await self.converter.to_agent_input(list(reversed(page.data)))
        agent_context = DeskContext(thread=thread, store=self.store, request_context=context)
        result = Runner.run_streamed(desk_agent, agent_input, context=agent_context)
        async for event in stream_agent_response(agent_context, result):
            yield event
        await titling

    async def name_thread(self, thread: ThreadMetadata, message: UserMessageItem | None) -> None:
        if message is not None and thread.title is None:
            run = await Runner.run(title_agent, await simple_to_agent_input(message))
            thread.title = str(run.final_output)

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: dict[str, Any],
    ) -> AsyncIterator[ThreadStreamEvent]:
        if action.type == "list.clear" and sender and isinstance(sender.widget, Card):
            yield ThreadItemReplacedEvent(item=sender.model_copy(update={"widget": build_list([], is_done=True)}))
            yield ClientEffectEvent(name="cleared", data={"count": action.payload["count"]})
        elif action.type == "list.show":
            async for event in stream_widget(thread, build_list(["milk"])):
                yield event

    async def sync_action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: dict[str, Any],
    ) -> SyncCustomActionResponse:
        assert sender
        updated = sender.model_copy(update={"widget": build_list([], is_done=True)})
        await self.store.save_item(thread.id, updated, context=context)
        return SyncCustomActionResponse(updated_item=updated)

    async def add_feedback(self, thread_id: str, item_ids: list[str], feedback: Any, context: dict[str, Any]) -> None:
        self.feedback.append(feedback)


class EchoServer(ChatKitServer[dict[str, Any]]):
    """A server without a model, which repeats the message."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: dict[str, Any]
    ) -> AsyncIterator[ThreadStreamEvent]:
        text = input_user_message.content[0].text if input_user_message else "nothing"
        yield ThreadItemDoneEvent(
            item=build_message(thread, self.store.generate_item_id("message", thread, context), text)
        )


def build_message(thread: ThreadMetadata, item_id: str, text: str) -> AssistantMessageItem:
    return AssistantMessageItem(
        id=item_id,
        thread_id=thread.id,
        created_at=now(),
        content=[AssistantMessageContent(text=text)],
    )


__all__ = ["DeskServer", "EchoServer", "MemoryStore", "Workflow", "build_list", "build_message"]
