"""A ChatKit server as in its documentation: openai-chatkit with a store in memory, without Parlor.

The answer depends on the message: "hello", "card", "tool", "effect", "notice", "trouble", "crash", or any other text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from chatkit.actions import Action
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import NotFoundError, Store
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    Attachment,
    ClientEffectEvent,
    ClientToolCallItem,
    ErrorEvent,
    NoticeEvent,
    Page,
    ProgressUpdateEvent,
    SyncCustomActionResponse,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.browser.servers.pages import build_page_routes

Context = dict[str, Any]


class MemoryStore(Store[Context]):
    """Threads and items in dictionaries."""

    def __init__(self) -> None:
        self.threads: dict[str, ThreadMetadata] = {}
        self.items: dict[str, list[ThreadItem]] = {}

    async def load_thread(self, thread_id: str, context: Context) -> ThreadMetadata:
        if thread_id not in self.threads:
            raise NotFoundError(f"no thread {thread_id}")
        return self.threads[thread_id].model_copy()

    async def save_thread(self, thread: ThreadMetadata, context: Context) -> None:
        # Some callers hand in a whole thread; its items are kept elsewhere.
        self.threads[thread.id] = ThreadMetadata(**thread.model_dump(include=set(ThreadMetadata.model_fields)))
        self.items.setdefault(thread.id, [])

    async def load_threads(self, limit: int, after: str | None, order: str, context: Context) -> Page[ThreadMetadata]:
        return _page(list(self.threads.values()), limit, after, order)

    async def delete_thread(self, thread_id: str, context: Context) -> None:
        self.threads.pop(thread_id, None)
        self.items.pop(thread_id, None)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Context
    ) -> Page[ThreadItem]:
        return _page(self.items.get(thread_id, []), limit, after, order)

    async def load_item(self, thread_id: str, item_id: str, context: Context) -> ThreadItem:
        for item in self.items.get(thread_id, []):
            if item.id == item_id:
                return item
        raise NotFoundError(f"no item {item_id}")

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        self.items[thread_id].append(item)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        items = self.items[thread_id]
        at = next((at for at, each in enumerate(items) if each.id == item.id), None)
        if at is None:
            items.append(item)
        else:
            items[at] = item

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Context) -> None:
        self.items[thread_id] = [item for item in self.items[thread_id] if item.id != item_id]

    async def save_attachment(self, attachment: Attachment, context: Context) -> None:
        raise NotImplementedError

    async def load_attachment(self, attachment_id: str, context: Context) -> Attachment:
        raise NotImplementedError

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        raise NotImplementedError


class PlainServer(ChatKitServer[Context]):
    """Answers a few known messages."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        if input_user_message is None:
            page = await self.store.load_thread_items(thread.id, None, 20, "desc", context)
            call = next(item for item in page.data if isinstance(item, ClientToolCallItem))
            async for event in self._say(thread, f"The page says: {(call.output or {}).get('now')}.", context):
                yield event
            return
        text = "".join(part.text for part in input_user_message.content)
        if text == "hello":
            thread.title = "A greeting"
            yield ProgressUpdateEvent(text="Thinking of something nice", icon="sparkle")
            async for event in self._say(thread, "Hello **you**, from a plain server.", context):
                yield event
        elif text == "card":
            yield ThreadItemDoneEvent(
                item=WidgetItem(
                    id=self.store.generate_item_id("message", thread, context),
                    thread_id=thread.id,
                    created_at=datetime.now(UTC),
                    widget=_card(0),
                )
            )
        elif text == "tool":
            yield ThreadItemDoneEvent(
                item=ClientToolCallItem(
                    id=self.store.generate_item_id("tool_call", thread, context),
                    thread_id=thread.id,
                    created_at=datetime.now(UTC),
                    call_id="call_1",
                    name="tell_time",
                    arguments={"zone": "here"},
                )
            )
        elif text == "effect":
            yield ClientEffectEvent(name="first", data={"n": 1})
            yield ClientEffectEvent(name="second")
        elif text == "notice":
            yield NoticeEvent(level="warning", title="Careful", message="This is *only* a test.")
        elif text == "trouble":
            yield ErrorEvent(message="The printer is on fire.", allow_retry=True)
        elif text == "crash":
            raise RuntimeError("a bug of the server")
        else:
            async for event in self._say(thread, f"You said: {text}", context):
                yield event

    async def action(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        if action.type == "say":
            async for event in self._say(thread, f"Asked to say {action.payload['word']}.", context):
                yield event
        elif sender is not None:
            sender.widget = _card(action.payload["count"])
            yield ThreadItemReplacedEvent(item=sender)

    async def sync_action(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: Context
    ) -> SyncCustomActionResponse:
        if sender is None:
            return SyncCustomActionResponse()
        sender.widget = _card(action.payload["count"])
        await self.store.save_item(thread.id, sender, context)
        return SyncCustomActionResponse(updated_item=sender)

    async def _say(self, thread: ThreadMetadata, text: str, context: Context) -> AsyncIterator[ThreadStreamEvent]:
        item = AssistantMessageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(UTC),
            content=[],
        )
        yield ThreadItemAddedEvent(item=item)
        yield ThreadItemUpdatedEvent(
            item_id=item.id,
            update=AssistantMessageContentPartAdded(content_index=0, content=AssistantMessageContent(text="")),
        )
        for word in text.split(" "):
            await asyncio.sleep(0.01)
            yield ThreadItemUpdatedEvent(
                item_id=item.id, update=AssistantMessageContentPartTextDelta(content_index=0, delta=f"{word} ")
            )
        yield ThreadItemDoneEvent(item=item.model_copy(update={"content": [AssistantMessageContent(text=text)]}))


def build_plain_app(store: MemoryStore | None = None) -> Starlette:
    """Return the server at `POST /chatkit`, and the pages that talk to it."""
    server = PlainServer(store or MemoryStore())

    async def chatkit(request: Request) -> Response:
        result = await server.process(await request.body(), {})
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(result.json, media_type="application/json")

    return Starlette(
        routes=[Route("/chatkit", chatkit, methods=["POST"]), *build_page_routes()],
        # A strict server allows only the headers that every client of the protocol sends.
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["POST"], allow_headers=[])],
        exception_handlers={NotFoundError: _not_found},
    )


async def _not_found(request: Request, exc: Exception) -> Response:
    return Response('{"error": "not found"}', status_code=404, media_type="application/json")


def _card(count: int) -> DynamicWidgetRoot:
    buttons = [
        {
            "type": "Button",
            "label": "Count",
            "onClickAction": {
                "type": "count", "payload": {"count": count + 1}, "handler": "server",
                "loadingBehavior": "self", "streaming": False,
            },
        },
        {"type": "Button", "label": "Replace", "onClickAction": {"type": "replace", "payload": {"count": 100}}},
        {
            "type": "Button",
            "label": "In the page",
            "onClickAction": {"type": "local", "payload": {"count": count}, "handler": "client"},
        },
    ]  # fmt: skip
    widget = {
        "type": "Card",
        "id": "counter",
        "children": [
            {"type": "Title", "value": f"Count: {count}"},
            {"type": "Row", "gap": 2, "wrap": "wrap", "children": buttons},
        ],
    }
    return DynamicWidgetRoot.model_validate(widget)


def _page(rows: list[Any], limit: int, after: str | None, order: str) -> Page[Any]:
    ordered = rows if order == "asc" else rows[::-1]
    start = next((at + 1 for at, row in enumerate(ordered) if row.id == after), 0)
    data = ordered[start : start + limit]
    has_more = len(ordered) > start + limit
    return Page(data=data, has_more=has_more, after=data[-1].id if has_more and data else None)
