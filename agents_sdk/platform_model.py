"""The model of an Agents SDK agent: the platform's own, asked through our chat clients, the built-in one included.

Its stream holds Agent Framework's updates where the SDK passes on what the provider sends, and at the end the response
that the SDK works with. So nothing of what our clients tell is lost on the way through the SDK.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponse, ChatResponseUpdate, Content, FunctionInvocationLayer, FunctionTool, Message
from agents import AgentOutputSchemaBase, Handoff, Model, ModelProvider, ModelResponse, ModelSettings, Tool, Usage
from agents import FunctionTool as SDKFunctionTool
from agents.models.openai_responses import Converter
from openai.types.responses import Response, ResponseCompletedEvent, ResponseOutputItem
from pydantic import TypeAdapter

from agents_sdk.input_items import read_input
from chat_clients.model_client import RawResponsesClient
from chat_clients.protocols.responses_request import build_input
from errors import AgentError

_OUTPUT: TypeAdapter[Any] = TypeAdapter(list[ResponseOutputItem])


class Paused:
    """Stands in the stream where the model is not asked, since the answer waits for somebody else."""

    type = "parlor.paused"


class PlatformResponse(ResponseCompletedEvent):
    """A whole response of our model, of which the updates have told all before."""


class PlatformModels(ModelProvider):
    """Gives every agent of a run the platform's model.

    Args:
        client: A chat client of the platform.
        may_choose: Whether an agent may name another model of the same provider.
        is_paused: Says whether the answer waits for somebody, so that the model is not to be asked.
    """

    def __init__(self, client: Any, *, may_choose: bool, is_paused: Callable[[], bool]) -> None:
        self._client = client
        self._may_choose = may_choose
        self._is_paused = is_paused

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, as far as the platform's key reaches."""
        return PlatformModel(self._client, model_name if self._may_choose else None, self._is_paused)


class PlatformModel(Model):
    """One model, over one of our chat clients.

    Args:
        client: The chat client.
        name: The model; None for the configured one.
        is_paused: Says whether the answer waits for somebody.
    """

    def __init__(self, client: Any, name: str | None, is_paused: Callable[[], bool]) -> None:
        self._client = client
        self._name = name
        self._is_paused = is_paused

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return a whole response: for agents that are another's tool, and guardrails that ask a model."""
        async with aclosing(self.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, PlatformResponse):
                    return ModelResponse(output=event.response.output, usage=Usage(requests=1), response_id=None)
        raise AssertionError("a stream ends with its response, or fails")

    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        *_: Any,
        **__: Any,
    ) -> AsyncIterator[Any]:
        """Return our client's updates, then the response as the SDK knows it."""
        if self._is_paused():
            yield Paused()
            await asyncio.Event().wait()  # the run is stopped by whoever reads that
        messages = read_input(input)
        if system_instructions:
            messages.insert(0, Message("system", [Content.from_text(system_instructions)]))
        options = self._options(model_settings, tools, output_schema, handoffs)
        client = self._client
        # The SDK runs the tools: the client's own loop, its outermost layer, is stepped over.
        ask: Any = super(FunctionInvocationLayer, client) if isinstance(client, FunctionInvocationLayer) else client
        updates: list[ChatResponseUpdate] = []
        async with ask.get_response(messages, stream=True, options=options) as stream:
            async for update in stream:
                updates.append(update)
                yield update
        yield completed(ChatResponse.from_updates(updates))

    def _options(
        self,
        settings: ModelSettings,
        tools: Sequence[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: Sequence[Handoff[Any, Any]],
    ) -> dict[str, Any]:
        options: dict[str, Any] = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_tokens,
            "model": self._name,
        }
        if self._name and settings.reasoning is not None and isinstance(self._client, RawResponsesClient):
            # Without a name these are the SDK's defaults for a model of its own choice, not for ours.
            options["reasoning"] = settings.reasoning.model_dump(exclude_none=True)
        if offered := [*self._tools(tools), *_handoffs(handoffs)]:
            options["tools"] = offered
            options["allow_multiple_tool_calls"] = settings.parallel_tool_calls
            if (choice := settings.tool_choice) in ("auto", "required", "none"):
                options["tool_choice"] = choice
            elif isinstance(choice, str):
                options["tool_choice"] = {"mode": "required", "required_function_name": choice}
        if output_schema is not None and not output_schema.is_plain_text():
            schema = {
                "name": "final_output",
                "schema": output_schema.json_schema(),
                "strict": output_schema.is_strict_json_schema(),
            }
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {key: value for key, value in options.items() if value is not None}

    def _tools(self, tools: Sequence[Tool]) -> Iterator[Any]:
        for tool in tools:
            if isinstance(tool, SDKFunctionTool):
                yield _declaration(tool.name, tool.description, tool.params_json_schema)
            elif isinstance(self._client, RawResponsesClient):
                yield from Converter.convert_tools([tool], []).tools
            else:
                raise AgentError(
                    "This assistant cannot answer at the moment.",
                    f"the tool '{tool.name}' runs at OpenAI: it needs the Responses API (MODEL_PROVIDER=openai)",
                )


def _handoffs(handoffs: Sequence[Handoff[Any, Any]]) -> Iterator[FunctionTool]:
    for each in handoffs:
        yield _declaration(each.tool_name, each.tool_description, each.input_json_schema)


def _declaration(name: str, description: str, schema: Mapping[str, Any]) -> FunctionTool:
    known = schema if schema.get("type") else {"type": "object", "properties": {}, **schema}
    return FunctionTool(name=name, description=description, func=None, input_model=known)


def completed(answer: ChatResponse[Any]) -> PlatformResponse:
    """Return an answer of a chat client as the response that the SDK works with."""
    items = [
        {"id": f"msg_{uuid4().hex}", "status": "completed", **item} if item["type"] == "message" else item
        for item in build_input(answer.messages)
    ]
    response = Response(
        id=answer.response_id or f"resp_{uuid4().hex}",
        created_at=time.time(),
        model=answer.model or "",
        object="response",
        output=_OUTPUT.validate_python(items),
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
    )
    return PlatformResponse(type="response.completed", response=response, sequence_number=0)
