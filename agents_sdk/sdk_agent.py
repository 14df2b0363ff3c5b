"""An Agents SDK agent that runs like one of Agent Framework: its stream becomes updates, its limits are ours."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message, ResponseStream
from agents import (
    Agent,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelSettings,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    RunResultStreaming,
    ToolCallOutputItem,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
)
from chatkit.agents import AgentContext

from agents_sdk.agent_copies import AgentCopies
from agents_sdk.agent_graph import agent_in_charge, agents_of, experts_of
from agents_sdk.approved_calls import find_owner, make_call
from agents_sdk.guarded_tools import tool_error
from agents_sdk.inner_runs import RunDefaults, count_inner, run_defaults
from agents_sdk.input_items import read_result
from agents_sdk.mcp_servers import ensure_connected
from agents_sdk.model_events import ModelEvents
from agents_sdk.output_text import in_words
from agents_sdk.platform_model import Paused, PlatformModels
from agents_sdk.sdk_run import SDKRun
from agents_sdk.turn_context import TurnContext
from chat_clients.protocols.responses_request import build_input
from context import Turn
from errors import AgentError, ModelError, UserFacingError
from framework.plain_agents import takes_text_sink
from framework.sdk_agents import send_events_to
from framework.sentences import LIMIT_REACHED
from turns.approval_request import PendingApproval

logger = logging.getLogger(__name__)

PERMISSION_ASKED = "This has paused: the person is asked for a permission that it needs. What came of that follows."
"""The result that the model reads of an agent's call whose own tool needs a person's word."""

_TRIPWIRES = (
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
)


class SDKAgent:
    """Runs an `agents.Agent` with the platform's model.

    Args:
        returned: The agent, which is left as it is; or one with what a run of it takes.
        turn: The answer that it gives.
        client: A chat client of the platform.

    Attributes:
        default_options: The tools of all agents that may take part, where labels are looked for.
    """

    def __init__(self, returned: Agent[Any] | SDKRun, turn: Turn, client: Any) -> None:
        self._run = returned if isinstance(returned, SDKRun) else SDKRun(returned)
        self._turn = turn
        self._client = client
        self._context = _context_of(self._run, turn)
        self._events = ModelEvents()
        self._open_calls: set[str] = set()
        self.default_options = {"tools": [tool for each in agents_of(self._run.agent) for tool in each.tools]}

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
        answer = self._turn.context.answer
        agent, models = self._agent(messages), self._models(options)
        models.known.note(messages)
        direct_text = answer.direct_text if takes_text_sink(self._client) else None
        copies = self._copies(models, direct_text and direct_text.take)
        for expert in [expert for each in agents_of(agent) for expert in experts_of(each)]:
            for server in expert.mcp_servers:
                await ensure_connected(server)
        shown_before = answer.inbox.items_shown
        result = self._start(agent, models, copies, messages, options)
        # The SDK would let the model end its answer first.
        copies.on_tripwire = result.cancel
        self._note_agent(agent)
        try:
            async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
                try:
                    async for event in events:
                        if event.type == "raw_response_event":
                            if isinstance(event.data, Paused):
                                break
                            for update in self._said(event.data):
                                if update.text:
                                    await self._end_workflow()
                                yield update
                        elif event.type == "agent_updated_stream_event":
                            self._note_agent(event.new_agent)
                        elif event.name in ("tool_output", "handoff_occured"):
                            yield self._result(event.item.raw_item)
                finally:
                    # Before the stream is closed, which would wait for the model and the tools.
                    result.cancel()
            if copies.tripped is not None:
                yield self._refusal(copies.tripped)
        except MaxTurnsExceeded:
            yield self._update(Content.from_text(LIMIT_REACHED), message_id="limit")
        except _TRIPWIRES as exc:
            yield self._refusal(exc.guardrail_result.guardrail if hasattr(exc, "guardrail_result") else exc.guardrail)
        except ModelBehaviorError as exc:
            raise ModelError("The model gave an answer that could not be used.", code="model.unusable") from exc
        except UserError as exc:
            if isinstance(exc.__cause__, UserFacingError):
                raise exc.__cause__ from exc
            raise AgentError(
                "This assistant cannot answer at the moment.", f"use case '{self._turn.context.use_case}': {exc}"
            ) from exc
        await self._end_workflow()
        for update in self._last_words(result, has_shown=answer.inbox.items_shown > shown_before):
            yield update

    def _start(
        self,
        agent: Agent[Any],
        models: PlatformModels,
        copies: AgentCopies,
        messages: Sequence[Message],
        options: Mapping[str, Any],
    ) -> RunResultStreaming:
        """Start the SDK's run of copies of `agent`, with the platform's defaults around it."""
        chosen_tool = (options.get("tool_choice") or {}).get("required_function_name")
        with run_defaults(self._defaults(models)):
            return Runner.run_streamed(
                copies.of(agent),
                build_input(messages),  # type: ignore[arg-type]
                context=self._context,
                max_turns=self._run.max_turns,
                hooks=self._run.hooks,
                run_config=RunConfig(
                    model_settings=ModelSettings(tool_choice=chosen_tool) if chosen_tool else None,
                    model_provider=models,
                    tool_not_found_behavior="return_error_to_model",
                ),
            )

    def _last_words(self, result: RunResultStreaming, *, has_shown: bool) -> Iterator[AgentResponseUpdate]:
        """Return what the end of a run says that no model has said: permissions, outputs, a call of the client."""
        # Those of servers that OpenAI calls were told by the model's updates.
        asked_for = [each for each in result.interruptions if _arguments_of(each) is not None]
        asked_ids = {str(asked.call_id) for asked in asked_for}
        for call_id in sorted(self._open_calls - asked_ids) if asked_for else ():
            yield self._update(Content.from_function_result(call_id, result=PERMISSION_ASKED))
        for asked in asked_for:
            call = Content.from_function_call(str(asked.call_id), str(asked.name), arguments=_arguments_of(asked))
            yield self._update(Content.from_function_approval_request(str(asked.call_id), call))
        if result.final_output is not None and not self._is_waiting():
            is_of_a_tool = bool(result.new_items) and isinstance(result.new_items[-1], ToolCallOutputItem)
            # Where a tool ends the run, what it has shown is the answer; else what it has returned.
            if not has_shown if is_of_a_tool else self._events.is_structured:
                yield self._update(Content.from_text(in_words(result.final_output)), message_id="final_output")
        if (wanted := getattr(self._context, "client_tool_call", None)) is not None:
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
        agent, models = self._agent(messages), self._models({})
        copies, defaults = self._copies(models), self._defaults(models)
        for call in calls if is_allowed else ():
            owner = await find_owner(agent, call.name, copies, self._context)
            if owner is None:
                raise AgentError(
                    "What was allowed cannot be done any more.",
                    f"use case '{self._turn.context.use_case}': neither the agent nor one that belongs to it has the "
                    f"tool '{call.name}'",
                )
            async with aclosing(make_call(owner, call, messages, self._context, defaults)) as contents:
                async for content in contents:
                    yield content

    def _agent(self, messages: Sequence[Message]) -> Agent[Any]:
        """Return the agent that answers now: the author's first, or after a pause who was in charge."""
        is_new = self._turn.user_message is not None and self._turn.context.answer.decided is None
        return self._run.agent if is_new else agent_in_charge(self._run.agent, messages)

    def _models(self, options: Mapping[str, Any]) -> PlatformModels:
        # The composer offers what the use case says, so that may be named whatever the provider is.
        may_choose = self._turn.services.settings.provider == "openai"
        return PlatformModels(
            self._client,
            may_choose=may_choose,
            is_paused=self._is_waiting,
            chosen=options.get("model"),
            count=partial(count_inner, self._turn),
        )

    def _defaults(self, models: PlatformModels) -> RunDefaults:
        settings, failed_calls = self._turn.services.settings, self._turn.context.answer.failed_calls
        return RunDefaults(models, settings.model_max_round_trips, tool_error(failed_calls))

    def _copies(self, models: PlatformModels, show_text: Any = None) -> AgentCopies:
        timeout_s = self._turn.services.settings.tool_timeout_s
        return AgentCopies(timeout_s, self._turn.context.answer.failed_calls, models, show_text)

    def _is_waiting(self) -> bool:
        wanted = getattr(self._context, "client_tool_call", None)
        return wanted is not None or self._turn.context.answer.question is not None

    async def _end_workflow(self) -> None:
        """End the workflow that tools have begun and not ended, as ChatKit's own way does."""
        if isinstance(self._context, AgentContext) and self._context.workflow_item is not None:
            await self._context.end_workflow()

    def _note_agent(self, agent: Agent[Any]) -> None:
        self._events.note_agent(agent, agent.name)

    def _said(self, data: Any) -> Iterator[AgentResponseUpdate]:
        """Return what an event of a model says, and note the calls that it makes."""
        for update in self._events.read(data):
            self._open_calls.update(
                content.call_id for content in update.contents if content.type == "function_call" and content.call_id
            )
            yield update

    def _refusal(self, guardrail: Any) -> AgentResponseUpdate:
        """Return what is said in the place of an answer that a guardrail refuses."""
        logger.info("guardrail refused", extra={"guardrail": guardrail.get_name()})
        return AgentResponseUpdate(
            contents=[Content.from_text(self._turn.context.answer.texts.refused)],
            role="assistant",
            author_name=self._events.author,
            merge_mode="replace",
        )

    def _result(self, item: Any) -> AgentResponseUpdate:
        content = read_result(item if isinstance(item, dict) else item.model_dump())
        self._open_calls.discard(content.call_id or "")
        return self._update(content)

    def _update(self, content: Content, message_id: str | None = None) -> AgentResponseUpdate:
        role = "tool" if content.type == "function_result" else "assistant"
        return AgentResponseUpdate(
            contents=[content], role=role, author_name=self._events.author, message_id=message_id
        )


def _context_of(run: SDKRun, turn: Turn) -> Any:
    """Return the context of a run: the author's, else the one of this answer."""
    context = run.context if run.context is not None else turn.agent_context
    if context is None:
        context = TurnContext.of(turn)
    elif isinstance(context, AgentContext) and not isinstance(context, TurnContext):
        send_events_to(context, turn.emit)
    turn.agent_context = context
    return context


def _arguments_of(asked: Any) -> str | None:
    """Return the arguments of a call of ours that needs a permission; None for one that OpenAI makes."""
    raw = asked.raw_item
    kind = raw.get("type") if isinstance(raw, dict) else getattr(raw, "type", None)
    if kind == "mcp_approval_request" or not asked.call_id:
        return None
    arguments = raw.get("arguments") if isinstance(raw, dict) else getattr(raw, "arguments", None)
    return arguments or "{}"
