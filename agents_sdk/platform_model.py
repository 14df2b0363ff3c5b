"""The platform's model for agents of the Agents SDK, asked through our chat clients (including the built-in one).

Where the SDK's own models stream the provider's events, this one streams Agent Framework's updates, followed by the
response that the SDK works with. This way nothing that our clients return is lost in the SDK.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponse, ChatResponseUpdate, Content, Message
from agents import AgentOutputSchemaBase, Handoff, Model, ModelProvider, ModelResponse, ModelSettings, Tool

from agents_sdk.chat_options import ChatOptions
from agents_sdk.input_items import KnownContents, read_input
from agents_sdk.platform_response import PlatformResponse, build_response
from errors import AgentError
from framework.merged_updates import MergedUpdates
from framework.text_updates import TEXT_SINK_KWARG, TextSink
from framework.tool_loop import without_tool_loop

logger = logging.getLogger(__name__)

SERVERS_MISSING = "These servers of your tools cannot be reached now; say so if they are needed:"


class Paused:
    """An event in place of a model's answer, when the model is not asked because the answer is waiting."""

    type = "parlor.paused"


class AnswerWaitsError(Exception):
    """Ends the run of an agent used as a tool, because the answer waits for the person."""


class PlatformModels(ModelProvider):
    """Gives every agent of a run the platform's model.

    Args:
        client: A chat client of the platform.
        may_choose: Whether an agent may name another model of the same provider.
        chosen: The model that the person has chosen in the composer, for all agents of the answer; None for none.
        is_paused: Returns whether the answer waits for somebody, so that the model must not be asked.
        count: Receives the usage of calls that are not streamed, of agents used as tools and of guardrails; None if it
            is counted elsewhere.

    Attributes:
        known: The contents that the model has returned earlier in the conversation.
        missing: The names of MCP servers that cannot be reached now, which models are told.
    """

    def __init__(
        self,
        client: Any,
        *,
        may_choose: bool,
        is_paused: Callable[[], bool],
        chosen: str | None = None,
        count: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.client = client
        self.is_paused = is_paused
        self.count = count
        self.known = KnownContents()
        self.missing: set[str] = set()
        self._may_choose = may_choose
        self._chosen = chosen

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, if the platform's provider has it; else the configured one."""
        return PlatformModel(self, self._choose_name(model_name), model_name)

    def model_of(self, model: str | Model | None, show_text: TextSink | None) -> Model:
        """Return the model for an agent that answers the person.

        Args:
            model: The model of the agent; an author's own model object is used, and only asked while nothing waits.
            show_text: Shows text at once; None when all text goes through the agent.
        """
        if isinstance(model, Model):
            return PausingModel(model, self.is_paused)
        return PlatformModel(self, self._choose_name(model), model, show_text)

    def _choose_name(self, named: str | None) -> str | None:
        if self._chosen or not named or not self._may_choose:
            return self._chosen
        name = named.removeprefix("openai/")
        if "/" in name:
            logger.info("an agent names a model of another provider", extra={"model": named})
            return None
        return name


class PausingModel(Model):
    """Wraps an author's own model, so that it is not asked while the answer waits for somebody.

    Args:
        model: The model.
        is_paused: Returns whether the answer waits.
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
            await asyncio.Event().wait()  # the reader of that event stops the run
        async with aclosing(self._model.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event

    def get_retry_advice(self, request: Any) -> Any:
        """Return the wrapped model's advice on whether to repeat a failed request."""
        return self._model.get_retry_advice(request)


class PlatformModel(Model):
    """A model that is asked through one of our chat clients.

    Args:
        models: The models of the run.
        name: The model; None for the configured one.
        named: The model that the agent names, which its settings may be meant for.
        show_text: Shows text at once; None when all text goes through the agent.
    """

    def __init__(
        self, models: PlatformModels, name: str | None, named: str | None = None, show_text: TextSink | None = None
    ) -> None:
        self._models = models
        self._client = models.client
        self._options = ChatOptions(models.client, name, named)
        self._show_text = show_text

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return a complete response, for agents used as tools and guardrails that ask a model."""
        async with aclosing(self.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Paused):
                    raise AnswerWaitsError
                if isinstance(event, ChatResponseUpdate) and self._models.count is not None:
                    for content in event.contents:
                        if content.type == "usage":
                            self._models.count(content.usage_details or {})
                if isinstance(event, PlatformResponse):
                    return event.to_model_response()
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
        """Yield our client's updates, then the response in the SDK's form."""
        if self._models.is_paused():
            yield Paused()
            await asyncio.Event().wait()  # the reader of that event stops the run
        if prompt:
            raise AgentError(
                "This assistant cannot answer at the moment.",
                f"the prompt '{prompt.get('id')}' is kept at OpenAI, and the platform's model is not asked there; "
                "write it into the agent's instructions, or give the agent a model of its own",
            )
        messages = self._build_messages(input, system_instructions)
        options = self._options.build(model_settings, tools, output_schema, handoffs)
        more: dict[str, Any] = {}
        if self._show_text is not None and "response_format" not in options:
            more[TEXT_SINK_KWARG] = self._show_text
        if model_settings.extra_headers:
            more["extra_headers"] = {k: v for k, v in model_settings.extra_headers.items() if isinstance(v, str)}
        ask = without_tool_loop(self._client)  # the SDK runs the tools
        unique_ids = _UniqueIds(messages)
        updates: list[ChatResponseUpdate] = MergedUpdates(())
        async with ask.get_response(messages, stream=True, options=options, client_kwargs=more) as stream:
            async for update in stream:
                unique_ids.rename(update)
                updates.append(update)
                yield update
        response = ChatResponse.from_updates(updates)
        self._models.known.note(response.messages)
        yield build_response(response)

    def _build_messages(self, given: Any, instructions: str | None) -> list[Message]:
        """Return the messages for the model: a note on missing servers, the instructions, and the SDK's input."""
        messages = read_input(given, self._models.known)
        if instructions:
            messages.insert(0, Message("system", [Content.from_text(instructions)]))
        if self._models.missing:
            note = f"{SERVERS_MISSING} {', '.join(sorted(self._models.missing))}."
            messages.insert(0, Message("system", [Content.from_text(note)]))
        return messages


class _UniqueIds:
    """Makes the ids of calls unique: some servers reuse them in each answer, which the SDK refuses.

    Args:
        messages: The messages that the model is sent.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        contents = (content for message in messages for content in message.contents)
        self._taken_ids = {content.call_id for content in contents if content.type == "function_call"}
        self._new_ids: dict[str, str] = {}

    def rename(self, update: ChatResponseUpdate) -> None:
        """Replace the ids in an update that are taken; all pieces of a call get the same new id."""
        if not self._taken_ids:
            return
        for content in update.contents:
            if content.type == "function_call" and content.call_id and content.call_id in self._taken_ids:
                content.call_id = self._new_ids.setdefault(content.call_id, f"call_{uuid4().hex}")
