"""Options of our chat clients for an agent of the Agents SDK: from its settings, its tools and its output type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_framework import FunctionTool
from agents import (
    AgentOutputSchemaBase,
    CodeInterpreterTool,
    FileSearchTool,
    Handoff,
    HostedMCPTool,
    ImageGenerationTool,
    ModelSettings,
    Tool,
    WebSearchTool,
)
from agents import FunctionTool as SDKFunctionTool
from agents.models import get_default_model_settings
from agents.models.openai_responses import Converter

from chat_clients.model_client import RawResponsesClient
from errors import AgentError

HOSTED_TOOLS = (WebSearchTool, FileSearchTool, CodeInterpreterTool, ImageGenerationTool, HostedMCPTool)
"""Tools that run at OpenAI and that our client supports."""


class ChatOptions:
    """Builds the options of the calls of one model.

    Args:
        client: The chat client that is asked.
        name: The model; None for the configured one.
        named: The model that the agent names, which its settings may be meant for.
    """

    def __init__(self, client: Any, name: str | None, named: str | None) -> None:
        self._client = client
        self._name = name
        self._named = named

    def build(
        self,
        settings: ModelSettings,
        tools: Sequence[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: Sequence[Handoff[Any, Any]],
    ) -> dict[str, Any]:
        """Return the options of a call.

        Raises:
            AgentError: When a tool runs at OpenAI and the model does not.
        """
        options: dict[str, Any] = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_tokens,
            "frequency_penalty": settings.frequency_penalty,
            "presence_penalty": settings.presence_penalty,
            "model": self._name,
            **self._reasoning_options(settings),
        }
        if isinstance(self._client, RawResponsesClient):
            options["truncation"] = settings.truncation
            options["prompt_cache_retention"] = settings.prompt_cache_retention
        for more in (settings.extra_args, settings.extra_body):
            options.update(more if isinstance(more, Mapping) else {})
        if offered := [*self._declare_tools(tools), *_declare_handoffs(handoffs)]:
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

    def _reasoning_options(self, settings: ModelSettings) -> dict[str, Any]:
        """Return the options for reasoning and verbosity, if the author has set them.

        Without a model of ours, the SDK fills its settings with defaults for a model of its own choice.
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

    def _declare_tools(self, tools: Sequence[Tool]) -> Iterator[Any]:
        for tool in tools:
            if isinstance(tool, SDKFunctionTool):
                yield _declare_function(tool.name, tool.description, tool.params_json_schema, tool.strict_json_schema)
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


def _declare_handoffs(handoffs: Sequence[Handoff[Any, Any]]) -> Iterator[FunctionTool]:
    for handoff in handoffs:
        yield _declare_function(
            handoff.tool_name, handoff.tool_description, handoff.input_json_schema, handoff.strict_json_schema
        )


def _declare_function(name: str, description: str, schema: Mapping[str, Any], is_strict: bool) -> FunctionTool:
    # The SDK makes the schemas of tools strict, but not that of a `Handoff` that an author has built.
    strict = is_strict and isinstance(schema.get("properties"), Mapping) and "required" in schema
    input_model = schema if schema.get("type") else {"type": "object", "properties": {}, **schema}
    return FunctionTool(
        name=name, description=description, func=None, input_model=input_model, additional_properties={"strict": strict}
    )
