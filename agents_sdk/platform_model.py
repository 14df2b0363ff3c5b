"""The model of an Agents SDK agent: the platform's own, asked through our chat clients, the built-in one included.

Its stream holds Agent Framework's updates where the SDK passes on what the provider sends, and at the end the response
that the SDK works with. So nothing of what our clients tell is lost on the way through the SDK.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponse, ChatResponseUpdate, Content, FunctionInvocationLayer, FunctionTool, Message
from agents import (
    AgentOutputSchemaBase,
    CodeInterpreterTool,
    FileSearchTool,
    Handoff,
    HostedMCPTool,
    ImageGenerationTool,
    Model,
    ModelProvider,
    ModelResponse,
    ModelSettings,
    Tool,
    Usage,
    WebSearchTool,
)
from agents import FunctionTool as SDKFunctionTool
from agents.models import get_default_model_settings
from agents.models.openai_responses import Converter
from openai.types.responses import Response, ResponseCompletedEvent, ResponseOutputItem, ResponseUsage
from pydantic import TypeAdapter, ValidationError

from agents_sdk.input_items import KnownContents, read_input
from chat_clients.model_client import RawResponsesClient
from chat_clients.protocols.responses_request import build_input
from errors import AgentError
from framework.kept_updates import MergedUpdates
from framework.text_updates import TEXT_SINK_KWARG, TextSink

logger = logging.getLogger(__name__)

HOSTED_TOOLS = (WebSearchTool, FileSearchTool, CodeInterpreterTool, ImageGenerationTool, HostedMCPTool)
"""The tools that run at OpenAI, of which our client tells all that is to be told."""

SERVERS_MISSING = "These servers of your tools cannot be reached now; say so if they are needed:"

_OUTPUT: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)


class Paused:
    """Stands in the stream where the model is not asked, since the answer waits for somebody else."""

    type = "parlor.paused"


class AnswerWaitsError(Exception):
    """Ends the run of an agent that is another's tool, since the answer waits for the person."""


class PlatformResponse(ResponseCompletedEvent):
    """A whole response of our model, of which the updates have told all before."""


class PlatformModels(ModelProvider):
    """Gives every agent of a run the platform's model.

    Args:
        client: A chat client of the platform.
        may_choose: Whether an agent may name another model of the same provider.
        chosen: The model that the person chose in the composer, for all agents of the answer; None for none.
        is_paused: Says whether the answer waits for somebody, so that the model is not to be asked.
        count: Takes what a call of the model has cost that nobody streams: of an agent that is another's tool, or a
            guardrail; None where that is counted otherwise.

    Attributes:
        known: What the model gave earlier in the conversation.
        missing: The names of servers whose tools an agent lacks now; models are told.
    """

    def __init__(
        self,
        client: Any,
        *,
        may_choose: bool,
        is_paused: Callable[[], bool],
        chosen: str | None = None,
        count: Callable[[Content], None] | None = None,
    ) -> None:
        self.client = client
        self.is_paused = is_paused
        self.count = count
        self.known = KnownContents()
        self.missing: set[str] = set()
        self._may_choose = may_choose
        self._chosen = chosen

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, as far as the platform's key reaches."""
        return PlatformModel(self, self._name_of(model_name), model_name)

    def model_of(self, model: str | Model | None, show_text: TextSink | None) -> Model:
        """Return the model of an agent that answers the person.

        Args:
            model: What the agent has: a model of the author's is asked as it is.
            show_text: Shows text at once; None where all goes through the agent.
        """
        if isinstance(model, Model):
            return PausingModel(model, self.is_paused)
        return PlatformModel(self, self._name_of(model), model, show_text)

    def _name_of(self, named: str | None) -> str | None:
        if self._chosen or not named or not self._may_choose:
            return self._chosen
        name = named.removeprefix("openai/")
        if "/" in name:
            logger.info("an agent names a model of another provider", extra={"model": named})
            return None
        return name


class PausingModel(Model):
    """A model of the author's, which is not asked while the answer waits for somebody.

    Args:
        model: The model.
        is_paused: Says whether the answer waits.
    """

    def __init__(self, model: Model, is_paused: Callable[[], bool]) -> None:
        self._model = model
        self._is_paused = is_paused

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return the model's response."""
        return await self._model.get_response(*args, **more)

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        """Return the model's events."""
        if self._is_paused():
            yield Paused()
            await asyncio.Event().wait()  # the run is stopped by whoever reads that
        async with aclosing(self._model.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event

    def get_retry_advice(self, request: Any) -> Any:
        """Return what the model advises after a failure."""
        return self._model.get_retry_advice(request)


class PlatformModel(Model):
    """One model, over one of our chat clients.

    Args:
        models: The models of the run.
        name: The model; None for the configured one.
        named: The name that the agent gives it, which its settings may be meant for.
        show_text: Shows text at once; None where all goes through the agent.
    """

    def __init__(
        self, models: PlatformModels, name: str | None, named: str | None = None, show_text: TextSink | None = None
    ) -> None:
        self._models = models
        self._client = models.client
        self._name = name
        self._named = named
        self._show_text = show_text

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return a whole response: for agents that are another's tool, and guardrails that ask a model."""
        async with aclosing(self.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Paused):
                    raise AnswerWaitsError
                if isinstance(event, ChatResponseUpdate) and self._models.count is not None:
                    for content in event.contents:
                        if content.type == "usage":
                            self._models.count(content)
                if isinstance(event, PlatformResponse):
                    response = event.response
                    return ModelResponse(output=response.output, usage=_usage(response), response_id=None)
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
        prompt: Any = None,
        **__: Any,
    ) -> AsyncIterator[Any]:
        """Return our client's updates, then the response as the SDK knows it."""
        if self._models.is_paused():
            yield Paused()
            await asyncio.Event().wait()  # the run is stopped by whoever reads that
        if prompt:
            raise AgentError(
                "This assistant cannot answer at the moment.",
                f"the prompt '{prompt.get('id')}' is kept at OpenAI, and the platform's model is not asked there; "
                "write it into the agent's instructions, or give the agent a model of its own",
            )
        messages = read_input(input, self._models.known)
        if system_instructions:
            messages.insert(0, Message("system", [Content.from_text(system_instructions)]))
        if self._models.missing:
            absence = f"{SERVERS_MISSING} {', '.join(sorted(self._models.missing))}."
            messages.insert(0, Message("system", [Content.from_text(absence)]))
        options = self._options(model_settings, tools, output_schema, handoffs)
        more: dict[str, Any] = {}
        if self._show_text is not None and "response_format" not in options:
            more[TEXT_SINK_KWARG] = self._show_text
        if model_settings.extra_headers:
            more["extra_headers"] = {k: v for k, v in model_settings.extra_headers.items() if isinstance(v, str)}
        client = self._client
        # The SDK runs the tools: the client's own loop, its outermost layer, is stepped over.
        ask: Any = super(FunctionInvocationLayer, client) if isinstance(client, FunctionInvocationLayer) else client
        own_ids = _OwnIds(messages)
        updates: list[ChatResponseUpdate] = MergedUpdates(())
        async with ask.get_response(messages, stream=True, options=options, client_kwargs=more) as stream:
            async for update in stream:
                own_ids.rename(update)
                updates.append(update)
                yield update
        response = ChatResponse.from_updates(updates)
        self._models.known.note(response.messages)
        yield completed(response)

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
            "frequency_penalty": settings.frequency_penalty,
            "presence_penalty": settings.presence_penalty,
            "model": self._name,
            **self._thinking(settings),
        }
        if isinstance(self._client, RawResponsesClient):
            options["truncation"] = settings.truncation
            options["prompt_cache_retention"] = settings.prompt_cache_retention
        for more in (settings.extra_args, settings.extra_body):
            options.update(more if isinstance(more, Mapping) else {})
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

    def _thinking(self, settings: ModelSettings) -> dict[str, Any]:
        """Return how long the model is to think and to speak, as far as an author has said it.

        Without a name of ours, the SDK's defaults are for a model of its own choice.
        """
        implied = ModelSettings() if self._name else get_default_model_settings(self._named)
        options: dict[str, Any] = {}
        if settings.verbosity != implied.verbosity:
            options["verbosity"] = settings.verbosity
        if settings.reasoning is not None and settings.reasoning != implied.reasoning:
            if isinstance(self._client, RawResponsesClient):
                options["reasoning"] = settings.reasoning.model_dump(exclude_none=True)
            else:
                options["reasoning_effort"] = settings.reasoning.effort
        return options

    def _tools(self, tools: Sequence[Tool]) -> Iterator[Any]:
        for tool in tools:
            if isinstance(tool, SDKFunctionTool):
                yield _declaration(tool.name, tool.description, tool.params_json_schema)
            elif not isinstance(tool, HOSTED_TOOLS):
                raise AgentError(
                    "This assistant cannot answer at the moment.",
                    f"the tool '{tool.name}' ({type(tool).__name__}) works only with a model of OpenAI's own class: "
                    "give the agent one",
                )
            elif isinstance(self._client, RawResponsesClient):
                yield from Converter.convert_tools([tool], []).tools
            else:
                raise AgentError(
                    "This assistant cannot answer at the moment.",
                    f"the tool '{tool.name}' runs at OpenAI: it needs the Responses API (MODEL_PROVIDER=openai)",
                )


class _OwnIds:
    """Gives calls ids that no earlier one has: some servers count anew in every answer, and the SDK refuses that.

    Args:
        messages: What the model is asked.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        contents = (content for message in messages for content in message.contents)
        self._taken = {content.call_id for content in contents if content.type == "function_call"}
        self._given: dict[str, str] = {}

    def rename(self, update: ChatResponseUpdate) -> None:
        """Rename the calls of an update whose ids are taken; a piece of one as the piece before it."""
        if not self._taken:
            return
        for content in update.contents:
            if content.type == "function_call" and content.call_id and content.call_id in self._taken:
                content.call_id = self._given.setdefault(content.call_id, f"call_{uuid4().hex}")


def _handoffs(handoffs: Sequence[Handoff[Any, Any]]) -> Iterator[FunctionTool]:
    for each in handoffs:
        yield _declaration(each.tool_name, each.tool_description, each.input_json_schema)


def _declaration(name: str, description: str, schema: Mapping[str, Any]) -> FunctionTool:
    known = schema if schema.get("type") else {"type": "object", "properties": {}, **schema}
    return FunctionTool(name=name, description=description, func=None, input_model=known)


def completed(answer: ChatResponse[Any]) -> PlatformResponse:
    """Return an answer of a chat client as the response that the SDK works with."""
    response = Response(
        id=answer.response_id or f"resp_{uuid4().hex}",
        created_at=time.time(),
        model=answer.model or "",
        object="response",
        output=[item for each in build_input(answer.messages) if (item := _output_item(each)) is not None],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=_response_usage(answer.usage_details or {}),
    )
    return PlatformResponse(type="response.completed", response=response, sequence_number=0)


def _output_item(item: dict[str, Any]) -> Any:
    if item["type"] == "message":
        item = {"id": f"msg_{uuid4().hex}", "status": "completed", **item}
    try:
        return _OUTPUT.validate_python(item)
    except ValidationError:
        if item["type"] in ("message", "function_call"):
            raise
        # Of a provider that is not as strict as OpenAI; the person has seen it, and the SDK need not know.
        logger.info("an item of the model is of another form", extra={"item_type": item["type"]})
        return None


def _response_usage(counts: Mapping[str, Any]) -> ResponseUsage | None:
    if not counts:
        return None
    asked, said = counts.get("input_token_count") or 0, counts.get("output_token_count") or 0
    return ResponseUsage.model_validate(
        {
            "input_tokens": asked,
            "output_tokens": said,
            "total_tokens": counts.get("total_token_count") or asked + said,
            "input_tokens_details": {
                "cached_tokens": counts.get("cache_read_input_token_count") or 0,
                "cache_write_tokens": counts.get("cache_creation_input_token_count") or 0,
            },
            "output_tokens_details": {"reasoning_tokens": counts.get("reasoning_output_token_count") or 0},
        }
    )


def _usage(response: Response) -> Usage:
    counts = response.usage
    if counts is None:
        return Usage(requests=1)
    return Usage(
        requests=1,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        total_tokens=counts.total_tokens,
        input_tokens_details=counts.input_tokens_details,
        output_tokens_details=counts.output_tokens_details,
    )
