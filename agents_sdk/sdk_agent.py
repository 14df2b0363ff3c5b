"""An Agents SDK agent that runs like one of Agent Framework: its stream becomes updates, its limits are ours."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, ChatResponseUpdate, Content, Message, ResponseStream
from agents import (
    Agent,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelSettings,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
)

from agents_sdk.guarded_tools import guarded_agent, owner_of, tool_error, without_questions
from agents_sdk.platform_model import Paused, PlatformModel, PlatformModels, PlatformResponse
from agents_sdk.replay_model import ReplayModel
from agents_sdk.turn_context import TurnContext
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.responses_request import build_input
from context import Turn
from errors import AgentError
from framework.sentences import LIMIT_REACHED
from turns.approval_request import PendingApproval

logger = logging.getLogger(__name__)


class SDKAgent:
    """Runs an `agents.Agent` with the platform's model.

    Args:
        agent: The agent, which is left as it is.
        turn: The answer that it gives.
        client: A chat client of the platform.
    """

    def __init__(self, agent: Agent[Any], turn: Turn, client: Any) -> None:
        self._agent = agent
        self._turn = turn
        self._client = client
        if not isinstance(turn.agent_context, TurnContext):
            turn.agent_context = TurnContext.of(turn)
        self._context: TurnContext = turn.agent_context
        self._reader: ResponsesReader | None = None
        self._is_structured = False

    def run(
        self, messages: Sequence[Message], *, stream: bool, options: Mapping[str, Any] | None = None
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Return the answer as updates.

        Args:
            messages: The thread.
            stream: True; there is no other way.
            options: The model and the tool that the person chose in the composer.
        """
        return ResponseStream(self._updates(messages, options or {}))

    async def _updates(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncGenerator[AgentResponseUpdate, None]:
        settings, answer = self._turn.services.settings, self._turn.context.answer
        models = PlatformModels(
            self._client, may_choose=settings.model_provider == "openai", is_paused=self._is_waiting
        )
        chosen_tool = (options.get("tool_choice") or {}).get("required_function_name")
        result = Runner.run_streamed(
            guarded_agent(self._agent, settings.tool_timeout_s, answer.failed_calls),
            build_input(messages),  # type: ignore[arg-type]
            context=self._context,
            max_turns=settings.model_max_round_trips,
            run_config=RunConfig(
                # The composer offers what the use case says, so it may be named whatever the provider is.
                model=PlatformModel(self._client, options["model"], self._is_waiting) if options.get("model") else None,
                model_settings=ModelSettings(tool_choice=chosen_tool) if chosen_tool else None,
                model_provider=models,
                tracing_disabled=True,
                tool_error_formatter=tool_error(answer.failed_calls),
            ),
        )
        self._note_agent(self._agent)
        try:
            async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
                try:
                    async for event in events:
                        if event.type == "raw_response_event":
                            if isinstance(event.data, Paused):
                                break
                            for update in self._raw(event.data):
                                yield update
                        elif event.type == "agent_updated_stream_event":
                            self._note_agent(event.new_agent)
                        elif event.name in ("tool_output", "handoff_occured"):
                            yield self._update(_result(event.item.raw_item))
                finally:
                    # Before the stream is closed, which would wait for the model and the tools.
                    result.cancel()
        except MaxTurnsExceeded:
            yield self._update(Content.from_text(LIMIT_REACHED), message_id="limit")
        except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered) as exc:
            logger.info("guardrail refused", extra={"guardrail": exc.guardrail_result.guardrail.get_name()})
            yield AgentResponseUpdate(
                contents=[Content.from_text(answer.texts.refused)],
                role="assistant",
                author_name=self._name,
                merge_mode="replace",
            )
        for asked in result.interruptions:
            call = Content.from_function_call(
                str(asked.call_id), str(asked.name), arguments=getattr(asked.raw_item, "arguments", None) or "{}"
            )
            yield self._update(Content.from_function_approval_request(str(asked.call_id), call))
        if self._is_structured and result.final_output is not None and not self._is_waiting():
            yield self._update(Content.from_text(in_words(result.final_output)), message_id="final_output")
        if (wanted := self._context.client_tool_call) is not None:
            self._context.client_tool_call = None
            call_id = self._turn.new_id("tool_call")
            content = Content.from_function_call(call_id, wanted.name, arguments=wanted.arguments)
            content.user_input_request = True
            yield self._update(content)

    async def replay_calls(
        self, messages: Sequence[Message], calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        """Make calls that a person has allowed, and return what came of each.

        Args:
            messages: The thread.
            calls: What to make.
            is_allowed: False for the other calls of a batch, which the SDK has made already.
        """
        settings, failed = self._turn.services.settings, self._turn.context.answer.failed_calls
        agent = guarded_agent(self._agent, settings.tool_timeout_s, failed)
        for call in calls if is_allowed else ():
            owner = owner_of(agent, call.name)
            if owner is None:
                raise AgentError(
                    "What was allowed cannot be done any more.",
                    f"use case '{self._turn.context.use_case}': neither the agent nor one it hands over to has the "
                    f"tool '{call.name}'",
                )
            result = Runner.run_streamed(
                without_questions(owner),
                build_input(messages),  # type: ignore[arg-type]
                context=self._context,
                run_config=RunConfig(
                    model=ReplayModel([call]), tracing_disabled=True, tool_error_formatter=tool_error(failed)
                ),
            )
            async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
                try:
                    async for event in events:
                        if event.type == "raw_response_event" and isinstance(event.data, Paused):
                            break
                        if event.type == "run_item_stream_event" and event.name == "tool_output":
                            yield _result(event.item.raw_item)
                finally:
                    result.cancel()

    def _is_waiting(self) -> bool:
        return self._context.client_tool_call is not None or self._turn.context.answer.question is not None

    def _note_agent(self, agent: Agent[Any]) -> None:
        self._name = agent.name
        self._is_structured = agent.output_type is not None and agent.output_type is not str

    def _raw(self, data: Any) -> Iterator[AgentResponseUpdate]:
        """Return what a provider's event means: an update of our client, or an event of a model of the author's."""
        if isinstance(data, ChatResponseUpdate):
            yield from self._said(data)
        elif not isinstance(data, PlatformResponse) and data.type.startswith("response."):
            if self._reader is None or data.type == "response.created":
                self._reader = ResponsesReader()
            for update in self._reader.read([data.model_dump()]):
                yield from self._said(update)
            if self._reader.is_done:
                for update in self._reader.close():
                    yield from self._said(update)
                self._reader = None

    def _said(self, update: ChatResponseUpdate) -> Iterator[AgentResponseUpdate]:
        contents = update.contents
        if self._is_structured:
            contents = [content for content in contents if content.type != "text"]
        if contents or update.finish_reason is not None:
            yield AgentResponseUpdate(
                contents=contents,
                role=update.role or "assistant",
                author_name=self._name,
                message_id=update.message_id,
                response_id=update.response_id,
                finish_reason=update.finish_reason,
            )

    def _update(self, content: Content, message_id: str | None = None) -> AgentResponseUpdate:
        role = "tool" if content.type == "function_result" else "assistant"
        return AgentResponseUpdate(contents=[content], role=role, author_name=self._name, message_id=message_id)


def _result(item: Any) -> Content:
    raw = item if isinstance(item, dict) else item.model_dump()
    output = raw.get("output")
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)
    return Content.from_function_result(str(raw.get("call_id") or raw.get("id")), result=text)


def in_words(output: Any) -> str:
    """Return a structured output as a person reads it: one line per field, Markdown."""
    fields = output.model_dump(mode="json") if hasattr(output, "model_dump") else output
    if not isinstance(fields, dict):
        return str(fields)
    lines = []
    for name, value in fields.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        lines.append(f"- **{name.replace('_', ' ').capitalize()}**: {shown}")
    return "\n".join(lines)
