"""A client of a use case's server, which sends ChatKit requests and parses events and JSON, without HTTP."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from agent_framework import Agent

from base_server import BaseChatKitServer
from context import Services, Turn
from store import ParlorStore
from turns.request_context import RequestContext

Store = TypeVar("Store", bound=ParlorStore)
Server = TypeVar("Server", bound=BaseChatKitServer)


def user_input(text: str, **fields: Any) -> dict[str, Any]:
    return {"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}, **fields}


class Chat:
    """A person's conversation with a server.

    Args:
        server: The server of the use case.
        user: The id of the person.
        use_case: The name of the use case.
        locale: The language of the person's browser.
    """

    def __init__(
        self, server: BaseChatKitServer, user: str = "user_a", use_case: str = "test", locale: str = "en"
    ) -> None:
        self.locale = locale
        self.server = server
        self.user = user
        self.use_case = use_case
        self.thread_id: str | None = None

    def context(self) -> RequestContext:
        return RequestContext(user_id=self.user, use_case=self.use_case, request_id="req_test", locale=self.locale)

    async def request(self, type_: str, **params: Any) -> Any:
        """Send a request; return its events if it is answered by a stream, or else its JSON."""
        body = json.dumps({"type": type_, "params": params}).encode()
        answer = await self.server.handle(body, self.context())
        if isinstance(answer, bytes):
            return json.loads(answer)
        return events_of(b"".join([chunk async for chunk in answer]))

    async def send(self, text: str, **fields: Any) -> list[dict[str, Any]]:
        """Send a message, which starts a thread the first time, and return the events of the answer."""
        if self.thread_id is None:
            events: list[dict[str, Any]] = await self.request("threads.create", input=user_input(text, **fields))
            self.thread_id = events[0]["thread"]["id"]
            return events
        result: list[dict[str, Any]] = await self.request(
            "threads.add_user_message", thread_id=self.thread_id, input=user_input(text, **fields)
        )
        return result

    async def items(self) -> list[dict[str, Any]]:
        """Return the items that a reload shows, oldest first."""
        page = await self.request("items.list", thread_id=self.thread_id, limit=100, order="asc")
        data: list[dict[str, Any]] = page["data"]
        return data

    async def act(self, item: Mapping[str, Any] | None, type_: str, payload: Any = None, *, sync: bool = False) -> Any:
        """Send an action, as a click in a widget does."""
        params: dict[str, Any] = {"thread_id": self.thread_id, "action": {"type": type_, "payload": payload}}
        if item is not None:
            params["item_id"] = item["id"]
        return await self.request("threads.sync_custom_action" if sync else "threads.custom_action", **params)


def events_of(stream: bytes) -> list[dict[str, Any]]:
    frames = [frame for frame in stream.decode().split("\n\n") if frame and not frame.startswith(":")]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


def done_items(events: list[dict[str, Any]], type_: str | None = None) -> list[dict[str, Any]]:
    items = [event["item"] for event in events if event["type"] == "thread.item.done"]
    return [item for item in items if type_ is None or item["type"] == type_]


def texts(events: list[dict[str, Any]]) -> list[str]:
    """Return the texts of the finished assistant messages."""
    return ["".join(p["text"] for p in item["content"]) for item in done_items(events, "assistant_message")]


def streamed_text(events: list[dict[str, Any]]) -> str:
    """Return the concatenated text deltas."""
    return "".join(e["update"].get("delta", "") for e in events if e["type"] == "thread.item.updated")


def errors(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == "error"]


def updates(events: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [e["update"] for e in events if e["type"] == "thread.item.updated" and e["update"]["type"] == type_]


class PlainServer(BaseChatKitServer):
    """Answers with an agent that has nothing but its model."""

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)


def with_store(chat: Chat, store: Store) -> Store:
    """Replace the server of `chat` with one of the same class on another store; return that store."""
    chat.server = type(chat.server)(replace(chat.server.services, store=store))
    return store


def with_settings(server: Server, **changes: Any) -> Server:
    """Return a server of the same class with other settings."""
    services = server.services
    return type(server)(replace(services, settings=services.settings.model_copy(update=changes)))


ONE_PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
"""A PNG of one red pixel."""


async def upload(services: Services, name: str, data: bytes, media_type: str, context: RequestContext) -> str:
    """Return the id of a file that a person has uploaded."""

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    rules = services.attachments.rules_of({"enabled": True})
    return (await services.attachments.receive_new(name, media_type, chunks(), rules, context)).id
