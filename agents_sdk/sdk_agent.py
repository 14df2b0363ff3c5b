"""Runs an agent of the Agents SDK like one of Agent Framework: as a stream of updates, within the platform's limits."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from uuid import uuid4

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
from chatkit.types import ThreadItemDoneEvent

from agents_sdk.agent_copies import AgentCopies
from agents_sdk.agent_graph import agents_as_tools, find_active_agent, reachable_agents
from agents_sdk.approved_calls import find_owner, make_call
from agents_sdk.guarded_tools import build_tool_error_formatter
from agents_sdk.inner_runs import RunDefaults, run_defaults
from agents_sdk.input_items import read_result, write_input
from agents_sdk.mcp_servers import ensure_connected
from agents_sdk.model_events import ModelEvents
from agents_sdk.output_text import format_output
from agents_sdk.paused_runs import (
    PERMISSION_ASKED,
    approval_call_id,
    build_approval_requests,
    build_run_journal,
    load_journal,
    restore_run,
    unanswered_calls,
)
from agents_sdk.platform_model import Paused, PlatformModels
from agents_sdk.response_events import EventModels
from agents_sdk.sdk_run import SDKRun
from agents_sdk.turn_context import TurnContext
from context import Turn
from errors import AgentError, ModelError, UserFacingError
from framework.plain_agents import takes_text_sink
from framework.sdk_agents import forward_events
from framework.sentences import LIMIT_REACHED
from turns.approval_request import PendingApproval
from turns.replaying_agent import ReplayingAgent
from turns.workflow_journal import build_journal_item

logger = logging.getLogger(__name__)

_CALL_CONTINUES = "This was allowed. What came of it is in what follows."
"""The result that the model reads of an approved call of an agent used as a tool, whose run then continues."""

_TRIPWIRES = (
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
)


class SDKAgent(ReplayingAgent):
    """Runs an `agents.Agent` with the platform's model.

    Args:
        returned: The agent, which is not modified, or an agent with the arguments of a run.
        turn: The answer.
        client: A chat client of the platform.

    Attributes:
        default_options: The tools of all agents that may take part, in which labels of steps are looked up.
    """

    def __init__(self, returned: Agent[Any] | SDKRun, turn: Turn, client: Any) -> None:
        self._run = returned if isinstance(returned, SDKRun) else SDKRun(returned)
        self._turn = turn
        self._client = client
        self._context = _build_context(self._run, turn)
        self._events = ModelEvents()
        self._open_calls: set[str] = set()
        self._new_call_ids: dict[str, str] = {}
        self.default_options = {"tools": [tool for agent in reachable_agents(self._run.agent) for tool in agent.tools]}

    def run(
        self, messages: Sequence[Message], *, stream: bool, options: Mapping[str, Any] | None = None
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Return the answer as updates.

        Args:
            messages: The messages of the thread.
            stream: True; other values are not supported.
            options: The model and the tool that the person has chosen in the composer.
        """
        return ResponseStream(self._stream_updates(messages, options or {}))

    async def _stream_updates(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncGenerator[AgentResponseUpdate, None]:
        answer = self._turn.context.answer
        agent, models = self._active_agent(messages), self._build_models(options)
        models.known.note(messages)
        direct_text = answer.direct_text if takes_text_sink(self._client) else None
        copies = self._build_copies(models, direct_text and direct_text.take)
        await _connect_servers(agent)
        items_before = answer.inbox.items_shown
        self._note_agent(agent)
        journal, run_input = await self._load_paused_run(), write_input(messages)
        starting = agent if journal is None else self._find_agent(str(journal["agent"]))
        if journal is not None:
            run_input = await self._resume_run(journal, copies.copy_of(starting), models)
            # Before the run continues, which begins with the results of these calls.
            for update in self._repeat_paused_calls(journal["waiting"]):
                yield update
        result = self._start(copies.copy_of(starting), models, run_input, options)
        # Without this, the SDK would let the model finish its answer first.
        copies.on_tripwire = result.cancel
        try:
            async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
                try:
                    async for event in events:
                        if event.type == "raw_response_event" and isinstance(event.data, Paused):
                            break
                        for update in self._read_event(event):
                            if update.text:
                                await self._end_workflow()
                            yield update
                finally:
                    # Before the stream is closed, which would wait for the model and the tools.
                    result.cancel()
            if copies.tripped is not None:
                yield self._build_refusal(copies.tripped)
        except MaxTurnsExceeded:
            yield self._build_update(Content.from_text(LIMIT_REACHED), message_id="limit")
        except _TRIPWIRES as exc:
            yield self._build_refusal(
                exc.guardrail_result.guardrail if hasattr(exc, "guardrail_result") else exc.guardrail
            )
        except ModelBehaviorError as exc:
            raise ModelError("The model gave an answer that could not be used.", code="model.unusable") from exc
        except UserError as exc:
            if isinstance(exc.__cause__, UserFacingError):
                raise exc.__cause__ from exc
            raise AgentError(
                "This assistant cannot answer at the moment.", f"use case '{self._turn.context.use_case}': {exc}"
            ) from exc
        await self._end_workflow()
        if result.interruptions:
            for update in self._pause_updates(result, starting.name, models):
                yield update
        for update in self._final_updates(result, has_shown=answer.inbox.items_shown > items_before):
            yield update

    def _read_event(self, event: Any) -> Iterator[AgentResponseUpdate]:
        """Yield the updates of an event of the SDK's stream."""
        if event.type == "raw_response_event":
            yield from self._read_model_event(event.data)
        elif event.type == "agent_updated_stream_event":
            self._note_agent(event.new_agent)
        elif event.name in ("tool_output", "handoff_occured"):
            yield self._read_tool_result(event.item.raw_item)

    def _start(
        self, agent: Agent[Any], models: PlatformModels, run_input: Any, options: Mapping[str, Any]
    ) -> RunResultStreaming:
        """Start the SDK's run of a copied agent, with the platform's defaults."""
        chosen_tool = (options.get("tool_choice") or {}).get("required_function_name")
        with run_defaults(self._build_defaults(models)):
            return Runner.run_streamed(
                agent,
                run_input,
                context=self._context,
                max_turns=self._run.max_turns,
                hooks=self._run.hooks,
                run_config=RunConfig(
                    model_settings=ModelSettings(tool_choice=chosen_tool) if chosen_tool else None,
                    model_provider=EventModels(models),
                    tool_not_found_behavior="return_error_to_model",
                ),
            )

    # Runs that wait for a person because of an agent used as a tool

    async def _load_paused_run(self) -> Mapping[str, Any] | None:
        """Return the journal of the paused run that this answer continues; None when it starts from the thread."""
        answer = self._turn.context.answer
        if answer.decided is None or answer.has_continued_run:
            return None
        return await load_journal(self._turn, answer.decided)

    async def _resume_run(self, journal: Mapping[str, Any], agent: Agent[Any], models: PlatformModels) -> Any:
        """Return the paused run with the person's decisions, in the form that the SDK's runner accepts as an input."""
        answer = self._turn.context.answer
        # If the agent is run again within this answer, it starts from the thread, so that nothing is done twice.
        answer.mark_run_continued()
        calls = answer.decided.calls if answer.decided is not None else ()
        decisions = {call.call_id: call.decision == "allowed" for call in calls if call.decision}
        return await restore_run(journal["run"], agent, decisions, self._context, models.known)

    def _find_agent(self, name: str) -> Agent[Any]:
        """Return the agent that has begun a stored run.

        Raises:
            AgentError: When no agent has that name any more.
        """
        for agent in reachable_agents(self._run.agent):
            if agent.name == name:
                return agent
        raise self._build_gone_error(f"no agent '{name}' belongs to the agent any more")

    def _repeat_paused_calls(self, waiting: Mapping[str, Sequence[str]]) -> Iterator[AgentResponseUpdate]:
        """Yield the paused calls again with new ids, since the thread has the old ones with a note that they wait."""
        for call_id, (name, arguments) in waiting.items():
            self._new_call_ids[call_id] = new_id = f"call_{uuid4().hex}"
            self._open_calls.add(call_id)
            yield self._build_update(Content.from_function_call(new_id, name, arguments=arguments))

    def _pause_updates(
        self, result: RunResultStreaming, agent_name: str, models: PlatformModels
    ) -> Iterator[AgentResponseUpdate]:
        """Yield the requests for permission that a run waits for; store the run if an agent used as a tool waits."""
        asked_ids = {approval_call_id(item) for item in result.interruptions}
        waiting = unanswered_calls(result)
        journal = build_run_journal(result, agent_name, waiting, models.known) if waiting else None
        if journal is not None:
            item = build_journal_item(self._turn.new_id("message"), self._turn.thread.id, journal)
            self._turn.emit(ThreadItemDoneEvent(item=item))
        for call_id in sorted(self._open_calls - asked_ids):
            shown_id = self._new_call_ids.get(call_id, call_id)
            yield self._build_update(Content.from_function_result(shown_id, result=PERMISSION_ASKED))
        for content in build_approval_requests(result):
            yield self._build_update(content)

    def _final_updates(self, result: RunResultStreaming, *, has_shown: bool) -> Iterator[AgentResponseUpdate]:
        """Yield the parts of a finished run that no model has streamed: its output, and the call of a client tool."""
        if result.final_output is not None and not self._is_waiting():
            ends_with_tool = bool(result.new_items) and isinstance(result.new_items[-1], ToolCallOutputItem)
            # If a tool ends the run, its output is only shown if the tool has not shown anything itself.
            if not has_shown if ends_with_tool else self._events.is_structured:
                yield self._build_update(
                    Content.from_text(format_output(result.final_output)), message_id="final_output"
                )
        if (client_call := getattr(self._context, "client_tool_call", None)) is not None:
            self._context.client_tool_call = None
            call_id = self._turn.new_id("tool_call")
            content = Content.from_function_call(call_id, client_call.name, arguments=client_call.arguments)
            content.user_input_request = True
            yield self._build_update(content)

    async def replay_calls(
        self, messages: Sequence[Message], calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        """Make calls that a person has approved, and yield their results.

        Args:
            messages: The messages of the thread.
            calls: The calls to make.
            is_allowed: False for the other calls of a batch, which the SDK has already made.
        """
        if is_allowed and await self._load_paused_run() is not None:
            for call in calls:
                yield Content.from_function_result(call.call_id, result=_CALL_CONTINUES)
            return
        agent, models = self._active_agent(messages), self._build_models({})
        copies, defaults = self._build_copies(models), self._build_defaults(models)
        for call in calls if is_allowed else ():
            owner = await find_owner(agent, call.name, copies, self._context)
            if owner is None:
                raise self._build_gone_error(f"neither the agent nor one that belongs to it has the tool '{call.name}'")
            async with aclosing(make_call(owner, call, messages, self._context, defaults)) as contents:
                async for content in contents:
                    yield content

    def _build_gone_error(self, reason: str) -> AgentError:
        return AgentError(
            "What was allowed cannot be done any more.", f"use case '{self._turn.context.use_case}': {reason}"
        )

    def _active_agent(self, messages: Sequence[Message]) -> Agent[Any]:
        """Return the agent that answers now: the author's, or after a pause the one that was answering then."""
        is_new = self._turn.user_message is not None and self._turn.context.answer.decided is None
        return self._run.agent if is_new else find_active_agent(self._run.agent, messages)

    def _build_models(self, options: Mapping[str, Any]) -> PlatformModels:
        return PlatformModels(
            self._client,
            # Only about models that agents name: those in the composer are offered by the use case.
            may_choose=self._turn.services.settings.is_openai,
            is_paused=self._is_waiting,
            chosen=options.get("model"),
            count=self._turn.context.answer.add_usage,
        )

    def _build_defaults(self, models: PlatformModels) -> RunDefaults:
        settings, answer = self._turn.services.settings, self._turn.context.answer
        formatter = build_tool_error_formatter(answer.mark_call_failed)
        return RunDefaults(models, settings.model_max_round_trips, formatter)

    def _build_copies(self, models: PlatformModels, show_text: Any = None) -> AgentCopies:
        timeout_s = self._turn.services.settings.tool_timeout_s
        return AgentCopies(timeout_s, self._turn.context.answer.mark_call_failed, models, show_text)

    def _is_waiting(self) -> bool:
        client_call = getattr(self._context, "client_tool_call", None)
        return client_call is not None or self._turn.context.answer.question is not None

    async def _end_workflow(self) -> None:
        """End a workflow that tools have left open, as ChatKit's own `stream_agent_response` does."""
        if isinstance(self._context, AgentContext) and self._context.workflow_item is not None:
            await self._context.end_workflow()

    def _note_agent(self, agent: Agent[Any]) -> None:
        self._events.note_agent(agent, agent.name)

    def _read_model_event(self, data: Any) -> Iterator[AgentResponseUpdate]:
        """Yield the updates of an event of a model, and note the calls in them."""
        for update in self._events.read(data):
            self._open_calls.update(
                content.call_id for content in update.contents if content.type == "function_call" and content.call_id
            )
            yield update

    def _build_refusal(self, guardrail: Any) -> AgentResponseUpdate:
        """Return an update that replaces an answer which a guardrail has refused."""
        logger.info("guardrail refused", extra={"guardrail": guardrail.get_name()})
        return AgentResponseUpdate(
            contents=[Content.from_text(self._turn.context.answer.texts.refused)],
            role="assistant",
            author_name=self._events.author,
            merge_mode="replace",
        )

    def _read_tool_result(self, item: Any) -> AgentResponseUpdate:
        content = read_result(item if isinstance(item, dict) else item.model_dump())
        call_id = content.call_id or ""
        self._open_calls.discard(call_id)
        content.call_id = self._new_call_ids.get(call_id, call_id)
        return self._build_update(content)

    def _build_update(self, content: Content, message_id: str | None = None) -> AgentResponseUpdate:
        role = "tool" if content.type == "function_result" else "assistant"
        return AgentResponseUpdate(
            contents=[content], role=role, author_name=self._events.author, message_id=message_id
        )


async def _connect_servers(agent: Agent[Any]) -> None:
    """Connect the MCP servers of all agents that may take part in a run of `agent`."""
    for expert in [expert for reachable in reachable_agents(agent) for expert in agents_as_tools(reachable)]:
        for server in expert.mcp_servers:
            await ensure_connected(server)


def _build_context(run: SDKRun, turn: Turn) -> Any:
    """Return the context of a run: the author's own, or else that of the answer."""
    context = run.context if run.context is not None else turn.agent_context
    if context is None:
        context = TurnContext.for_turn(turn)
    elif isinstance(context, AgentContext) and not isinstance(context, TurnContext):
        forward_events(context, turn.emit)
    turn.agent_context = context
    return context
