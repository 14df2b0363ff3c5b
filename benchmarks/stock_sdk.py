"""A minimal ChatKit server with an Agents SDK agent, as documented: ChatKit's converter and a store in memory.

    uvicorn stock_sdk:app --port 8100     # uses the stub at LLM_PORT by the Responses API

It has no storage on disk, no users and no resumable answers, so that its cost is a lower bound for such a server.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, OpenAIResponsesModel, RunConfig, Runner
from chatkit.agents import AgentContext, simple_to_agent_input, stream_agent_response
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata, ThreadStreamEvent, UserMessageItem
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from openai import AsyncOpenAI

MODEL = OpenAIResponsesModel(
    "stub", AsyncOpenAI(api_key="none", base_url=f"http://127.0.0.1:{os.environ.get('LLM_PORT', '9100')}/v1")
)


class MemoryStore(Store[Any]):
    """Threads and items in dictionaries."""

    def __init__(self) -> None:
        self.threads: dict[str, ThreadMetadata] = {}
        self.items: dict[str, dict[str, ThreadItem]] = defaultdict(dict)

    async def load_thread(self, thread_id: str, context: Any) -> ThreadMetadata:
        if thread_id not in self.threads:
            raise NotFoundError(thread_id)
        return self.threads[thread_id]

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        self.threads[thread.id] = thread

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        items = sorted(self.items[thread_id].values(), key=lambda i: i.created_at, reverse=order == "desc")
        return Page(data=items[:limit], has_more=len(items) > limit)

    async def load_threads(self, limit: int, after: str | None, order: str, context: Any) -> Page[ThreadMetadata]:
        return Page(data=[*self.threads.values()][:limit])

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        self.items[thread_id][item.id] = item

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        self.items[thread_id][item.id] = item

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        return self.items[thread_id][item_id]

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        self.threads.pop(thread_id, None)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        self.items[thread_id].pop(item_id, None)

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        raise NotImplementedError

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        raise NotImplementedError

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        raise NotImplementedError


class StockServer(ChatKitServer[Any]):
    """Answers as in ChatKit's documentation."""

    agent = Agent[Any](name="bench", instructions="Answer.", model=MODEL)

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Run the agent."""
        if thread.title is None:
            thread.title = "Bench"
        agent_context: AgentContext[Any] = AgentContext(thread=thread, store=self.store, request_context=context)
        items = await self.store.load_thread_items(thread.id, None, 20, "asc", context)
        result = Runner.run_streamed(
            self.agent,
            await simple_to_agent_input(items.data),
            context=agent_context,
            run_config=RunConfig(tracing_disabled=True),
        )
        async for event in stream_agent_response(agent_context, result):
            yield event


app = FastAPI()
server = StockServer(MemoryStore())


@app.post("/chatkit")
async def chatkit(request: Request) -> Response:
    """Answer one request."""
    result = await server.process(await request.body(), {})
    if isinstance(result, StreamingResult):
        return StreamingResponse(result, media_type="text/event-stream")
    return Response(result.json, media_type="application/json")
