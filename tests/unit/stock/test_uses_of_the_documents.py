"""Features in ChatKit's documentation that no sample uses, in the form of the documents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import Agent, ImageGenerationTool, RunContextWrapper, Runner, function_tool
from chatkit.agents import AgentContext, ResponseStreamConverter, simple_to_agent_input, stream_agent_response
from chatkit.server import ChatKitServer
from chatkit.types import (
    Annotation,
    FileSource,
)
from openai.types.responses import ResponseInputTextParam

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import ResponsesChatClient
from stock_server import StockServer
from tests.unit.agents_sdk.test_hosted_tools import IMAGE, PIXEL, message, streamed
from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.provider_stub import ProviderStub, Responses
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services

Talk = Callable[..., Chat]


@dataclass
class Asking:
    user_id: str
    locale: str


class Documented(ChatKitServer[Asking]):
    agent = Agent[Any](name="assistant", model="gpt-4.1", instructions="Help.")
    converter: Any = None

    async def input_of(self, thread: Any, context: Asking) -> Any:
        page = await self.store.load_thread_items(thread.id, after=None, limit=20, order="desc", context=context)
        return await simple_to_agent_input(list(reversed(page.data)))

    async def respond(self, thread: Any, input: Any, context: Asking) -> AsyncIterator[Any]:
        agent_context: Any = AgentContext(thread=thread, store=self.store, request_context=context)
        result = Runner.run_streamed(self.agent, await self.input_of(thread, context), context=agent_context)
        more = {"converter": self.converter} if self.converter else {}
        async for event in stream_agent_response(agent_context, result, **more):
            yield event


def context_of(given: Any) -> Asking:
    return Asking(given.user_id, given.locale)


async def test_context_that_stands_before_the_messages_reaches_the_model(talk_to: Talk, model: ScriptedModel) -> None:
    class WithContext(Documented):
        async def input_of(self, thread: Any, context: Asking) -> Any:
            extra = ResponseInputTextParam(type="input_text", text=f"<APP>user: {context.user_id}</APP>")
            return [extra, *await super().input_of(thread, context)]

    chat = talk_to(WithContext, context=context_of)
    model.turns = [says("Hello.")]
    events = await chat.send("Hi")
    assert errors(events) == []
    assert texts(events) == ["Hello."]
    assert "<APP>user: user_a</APP>" in str([each.text for each in model.requests[0]])


async def test_a_tool_reads_the_context_of_the_request(talk_to: Talk, model: ScriptedModel) -> None:
    @function_tool()
    async def load(ctx: RunContextWrapper[AgentContext[Asking]], document_id: str) -> dict[str, Any]:
        """Load."""
        return {"locale": ctx.context.request_context.locale, "id": document_id}

    agent = Agent[Any](name="assistant", tools=[load])
    chat = talk_to(type("Loading", (Documented,), {"agent": agent}), context=context_of)
    model.turns = [calls("load", document_id="7"), says("Loaded.")]
    events = await chat.send("Load 7")
    assert (errors(events), texts(events)) == ([], ["Loaded."])
    assert "'locale': 'en'" in str([content.result for each in model.requests[-1] for content in each.contents])


async def test_a_response_id_is_kept_in_the_thread(talk_to: Talk, model: ScriptedModel) -> None:
    class Chained(Documented):
        async def respond(self, thread: Any, input: Any, context: Asking) -> AsyncIterator[Any]:
            agent_context: Any = AgentContext(thread=thread, store=self.store, request_context=context)
            last = thread.metadata.get("last_response_id")
            result = Runner.run_streamed(
                self.agent,
                await simple_to_agent_input(input),
                context=agent_context,
                previous_response_id=last if isinstance(last, str) else None,
                auto_previous_response_id=True,
            )
            async for event in stream_agent_response(agent_context, result):
                yield event
            if result.last_response_id:
                thread.metadata["last_response_id"] = result.last_response_id
                await self.store.save_thread(thread, context=context)

    chat = talk_to(Chained, context=context_of)
    model.turns = [says("One."), says("Two.", message_id="m2"), says("Three.", message_id="m3")]
    for text in ("a", "b", "c"):
        events = await chat.send(text)
        assert errors(events) == []
    said = [each.text for each in model.requests[-1]]
    assert said[-5:] == ["a", "One.", "b", "Two.", "c"]


async def test_a_partial_picture_is_stored_by_the_servers_converter(tmp_path: Path) -> None:
    kept = []

    class Pictures(ResponseStreamConverter):
        async def base64_image_to_url(self, image_id: str, base64_image: str, partial_image_index: Any = None) -> str:
            kept.append((image_id, partial_image_index))
            return f"https://blobs.example/{len(kept)}"

        async def file_citation_to_annotation(self, citation: Any) -> Any:
            return Annotation(source=FileSource(filename=citation.file_id, title="Q1"), index=citation.index)

    class Painter(Documented):
        agent = Agent[Any](
            name="designer",
            tools=[ImageGenerationTool(tool_config={"type": "image_generation", "partial_images": 2})],
        )
        converter = Pictures(partial_images=2)

    async with ProviderStub() as stub:
        connection = ProviderConnection(stub.url)
        client = ResponsesChatClient(connection=connection, model="m", path="/responses")
        async with open_services(tmp_path, client) as services:
            server: Any = StockServer(Painter, context=context_of)
            server.bind(services)
            chat = Chat(server)
            partial = [
                Responses.event(
                    "response.image_generation_call.partial_image",
                    item_id="ig_1",
                    output_index=0,
                    partial_image_index=index,
                    partial_image_b64=PIXEL,
                )
                for index in range(2)
            ]
            stub.will(
                streamed(
                    IMAGE,
                    message("Here.", {"type": "file_citation", "file_id": "f_1", "filename": "a.pdf", "index": 4}),
                    between=tuple(partial),
                ),
                streamed(message("Again.")),
            )
            events = await chat.send("Draw")
            assert errors(events) == []
            [picture] = done_items(events, "generated_image")
            assert picture["image"]["url"].startswith("https://blobs.example/")
            assert len(updates(events, "generated_image.updated")) == 2
            [said] = done_items(events, "assistant_message")
            assert said["content"][0]["annotations"][0]["source"]["title"] == "Q1"
            assert [index for _, index in kept] == [0, 1, None]
            assert errors(await chat.send("More")) == []
            assert "https://blobs.example/3" in str(stub.requests[-1].body["input"])
        await connection.close()
