"""Our clients and the framework's own give the same answer for the same stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from agent_framework import BaseChatClient, ChatResponse, Content, Message
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from openai import AsyncOpenAI

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from tests.unit.provider_stub import Answer, Call, Chat, ProviderStub, Responses

STREAM = {"content-type": "text/event-stream"}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": None}
CITED = [
    {"type": "url_citation", "url": "https://a.example/", "title": "A", "start_index": 0, "end_index": 4},
    {"type": "file_citation", "file_id": "file_1", "filename": "report.pdf", "index": 4},
    {"type": "file_path", "file_id": "file_2", "index": 5},
    {
        "type": "container_file_citation",
        "container_id": "cntr_1",
        "file_id": "file_3",
        "filename": "plot.png",
        "start_index": 1,
        "end_index": 3,
    },
]


def message(text: str, item_id: str = "msg_1", annotations: list[Any] | None = None) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": annotations or [], "logprobs": []}
    return {"id": item_id, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def message_events(item: dict[str, Any], *words: str, index: int = 0) -> list[bytes]:
    """The events of one message: its deltas, then the whole."""
    where = {"item_id": item["id"], "output_index": index, "content_index": 0}
    whole = "".join(words)
    return [
        Responses.event("response.output_item.added", output_index=index, item={**item, "content": []}),
        *(Responses.event("response.output_text.delta", **where, delta=word, logprobs=[]) for word in words),
        *(
            Responses.event("response.output_text.annotation.added", **where, annotation_index=at, annotation=found)
            for at, found in enumerate(item["content"][0]["annotations"])
        ),
        Responses.event("response.output_text.done", **where, text=whole, logprobs=[]),
        Responses.event("response.content_part.done", **where, part=item["content"][0]),
        Responses.event("response.output_item.done", output_index=index, item=item),
    ]


def thought(text: str, *, kind: str, sealed: str) -> list[bytes]:
    where = {"item_id": "rs_1", "output_index": 0}
    at = {"summary_index": 0} if "summary" in kind else {"content_index": 0}
    half = len(text) // 2
    return [
        Responses.event("response.output_item.added", output_index=0, item=THOUGHT),
        Responses.event(f"response.{kind}.delta", **where, **at, delta=text[:half]),
        Responses.event(f"response.{kind}.delta", **where, **at, delta=text[half:]),
        Responses.event(f"response.{kind}.done", **where, **at, text=text),
        Responses.event("response.output_item.done", output_index=0, item={**THOUGHT, "encrypted_content": sealed}),
    ]


def stream(*events: bytes, output: list[dict[str, Any]]) -> Answer:
    usage = {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 7},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 11},
        "total_tokens": 50,
    }
    created = Responses.event("response.created", response=Responses.response("in_progress"))
    end = Responses.event("response.completed", response=Responses.response("completed", output, usage=usage))
    return Answer(200, STREAM, (created, *events, end))


def item(kind: str, begun: dict[str, Any], done: dict[str, Any]) -> tuple[bytes, bytes]:
    same = {"id": "it_1", "type": kind, "status": "completed"}
    return (
        Responses.event("response.output_item.added", output_index=0, item={**same, **begun, "status": "in_progress"}),
        Responses.event("response.output_item.done", output_index=0, item={**same, **begun, **done}),
    )


def refusal() -> Answer:
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    refused = message("")
    refused["content"] = [{"type": "refusal", "refusal": "I must not."}]
    return stream(
        Responses.event("response.output_item.added", output_index=0, item={**refused, "content": []}),
        Responses.event("response.refusal.delta", **where, delta="I must "),
        Responses.event("response.refusal.delta", **where, delta="not."),
        Responses.event("response.refusal.done", **where, refusal="I must not."),
        Responses.event("response.output_item.done", output_index=0, item=refused),
        output=[refused],
    )


def chat_stream(*chunks: bytes, finish: str = "stop") -> Answer:
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 20,
        "total_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 11},
    }
    return Answer(200, STREAM, (*chunks, Chat.chunk({}, finish), Chat.chunk(None, usage=usage), b"data: [DONE]\n\n"))


BERN, ZURICH = Call("call_1", "get_forecast", {"city": "Bern"}), Call("call_2", "get_forecast", {"city": "Zürich"})
SEARCHED = {"action": {"type": "search", "query": "rain", "queries": ["rain"], "sources": None}}
FOUND = {"queries": ["rain"], "results": [{"file_id": "file_1", "text": "Rain.", "score": 0.5}]}

RESPONSES: dict[str, Answer] = {
    "text": Responses.text("It ", "is ", "22 °C."),
    "calls": Responses.calls(BERN, ZURICH),
    "citations": stream(*message_events(message("Rain.", annotations=CITED), "Ra", "in."), output=[]),
    "refusal": refusal(),
    "summary": stream(
        *thought("They ask for rain.", kind="reasoning_summary_text", sealed="sealed"),
        *message_events(message("Rain."), "Rain.", index=1),
        output=[],
    ),
    "thought": stream(
        *thought("They ask for rain.", kind="reasoning_text", sealed="sealed"),
        *message_events(message("Rain."), "Rain.", index=1),
        output=[],
    ),
    "web search": stream(
        *item("web_search_call", {"action": {"type": "search", "query": "rain"}}, SEARCHED),
        *message_events(message("Rain."), "Rain.", index=1),
        output=[],
    ),
    "file search": stream(
        *item("file_search_call", {"queries": ["rain"], "results": None}, FOUND),
        *message_events(message("Rain."), "Rain.", index=1),
        output=[],
    ),
    "server": stream(
        *item(
            "mcp_call",
            {"name": "find", "server_label": "docs", "arguments": '{"q": "rain"}'},
            {"output": "Rain.", "error": None},
        ),
        output=[],
    ),
    "picture": stream(*item("image_generation_call", {"result": None}, {"result": "iVBORw0KGgo="}), output=[]),
}

COMPLETIONS: dict[str, Answer] = {
    "text": chat_stream(Chat.chunk({"role": "assistant", "content": ""}), *(Chat.chunk({"content": w}) for w in "abc")),
    "calls": Chat.calls(BERN, ZURICH),
    "text and call": chat_stream(
        Chat.chunk({"content": "Let me look."}),
        Chat.chunk(
            {
                "tool_calls": [
                    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
                ]
            }
        ),
        Chat.chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 1}'}}]}),
        finish="tool_calls",
    ),
    "refusal": chat_stream(Chat.chunk({"refusal": "I must "}), Chat.chunk({"refusal": "not."})),
    "null delta": Answer(
        200, STREAM, (Chat.chunk({"content": "Yes."}), Chat.chunk({}, "stop").replace(b'"delta": {}', b'"delta": null'))
    ),
}


def describe_response(response: ChatResponse[Any]) -> dict[str, Any]:
    """Return the contents of an answer, without the way in which they came."""
    contents = [content for message in response.messages for content in message.contents]
    thoughts = [content for content in contents if content.type == "text_reasoning"]
    return {
        "text": response.text,
        "refusals": [
            content.text for content in contents if content.type == "text" and content.additional_properties.get("core")
        ],
        "calls": [
            (content.call_id, content.name, json.loads(content.arguments or "{}"))
            for content in contents
            if content.type == "function_call"
        ],
        "thoughts": "".join(content.text or "" for content in thoughts),
        "sealed": [content.protected_data for content in thoughts if content.protected_data],
        "is raw thought": any("openai" in content.additional_properties for content in thoughts),
        "citations": [cited(annotation) for content in contents for annotation in content.annotations or ()],
        "tools": [
            describe_hosted_call(content)
            for content in contents
            if content.type.endswith(("_tool_call", "_tool_result"))
        ],
        "usage": response.usage_details,
        "finish": response.finish_reason,
        "id": response.response_id,
    }


def cited(annotation: Mapping[str, Any]) -> dict[str, Any]:
    # The framework puts a file's name where an address belongs, and keeps no place for it.
    name = annotation.get("title") or annotation.get("url")
    is_web = not annotation.get("file_id")
    regions = annotation.get("annotated_regions") or ()
    places = [(region["start_index"], region["end_index"]) for region in regions]
    return {
        "name": name,
        "url": annotation.get("url") if is_web else None,
        "file_id": annotation.get("file_id"),
        "places": [place for place in places if place[0] != place[1]],
    }


def describe_hosted_call(content: Content) -> dict[str, Any]:
    output = content.output if isinstance(content.output, list) else []
    return {
        "type": content.type,
        "call": content.call_id or content.image_id,
        "tool": content.tool_name,
        "server": content.server_name,
        "arguments": without_nones(content.arguments),
        "result": without_nones(content.result),
        "output": "".join(part.text or "" for part in output),
        "picture": content.outputs.uri if isinstance(content.outputs, Content) else None,
    }


def without_nones(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: without_nones(part) for name, part in value.items() if part is not None}


async def final(client: BaseChatClient[Any]) -> ChatResponse[Any]:
    async with client.get_response([Message("user", ["Hello"])], stream=True, options={"store": False}) as updates:
        async for _ in updates:
            pass
        return await updates.get_final_response()


async def assert_same(stub: ProviderStub, answer: Answer, theirs: Any, ours: Any) -> dict[str, Any]:
    stub.will(answer, answer)
    sdk, connection = AsyncOpenAI(api_key="k", base_url=f"{stub.url}/v1"), ProviderConnection(f"{stub.url}/v1")
    try:
        old = describe_response(await final(theirs(sdk)))
        new = describe_response(await final(ours(connection)))
    finally:
        await sdk.close()
        await connection.close()
    assert new == old
    return new


@pytest.mark.parametrize("name", RESPONSES)
async def test_a_response_is_read_as_the_framework_reads_it(stub: ProviderStub, name: str) -> None:
    new = await assert_same(
        stub,
        RESPONSES[name],
        lambda sdk: OpenAIChatClient(model="m", async_client=sdk, function_invocation_configuration={"enabled": False}),
        lambda connection: ResponsesChatClient(
            connection=connection,
            model="m",
            path="/responses",
            function_invocation_configuration={"enabled": False},
        ),
    )
    assert any(new[part] for part in ("text", "refusals", "calls", "tools"))


@pytest.mark.parametrize("name", COMPLETIONS)
async def test_a_completion_is_read_as_the_framework_reads_it(stub: ProviderStub, name: str) -> None:
    new = await assert_same(
        stub,
        COMPLETIONS[name],
        lambda sdk: OpenAIChatCompletionClient(
            model="m", async_client=sdk, function_invocation_configuration={"enabled": False}
        ),
        lambda connection: CompletionsChatClient(
            connection=connection,
            model="m",
            path="/chat/completions",
            function_invocation_configuration={"enabled": False},
        ),
    )
    assert any(new[part] for part in ("text", "refusals", "calls"))
