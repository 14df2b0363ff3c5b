"""Runs an exported workflow within one answer: shows its agents, asks its questions, and keeps its results.

The file calls `Runner.run`; the runner of the process finds the answer in a context variable and runs the agent here.
Runs within an agent, such as an agent used as a tool or a guardrail with a model, also use the platform's model, and
are not shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Literal

from agent_framework import AgentResponseUpdate, Content
from agents import (
    Agent,
    InputGuardrailTripwireTriggered,
    ModelBehaviorError,
    OutputGuardrailTripwireTriggered,
    RawResponsesStreamEvent,
    RunConfig,
    ToolApprovalItem,
)
from agents.models.multi_provider import MultiProvider
from chatkit.types import ProgressUpdateEvent

from agents_sdk.agent_copies import AgentCopies
from agents_sdk.guarded_tools import build_tool_error_formatter
from agents_sdk.paused_runs import (
    PERMISSION_ASKED,
    approval_call_id,
    build_approval_requests,
    is_serialized_run,
    restore_run,
    serialize_run,
    unanswered_calls,
)
from agents_sdk.platform_model import PlatformModels
from agents_sdk.response_events import EventModels, ResponseEvents
from agents_sdk.turn_context import TurnContext
from agents_sdk.workflows.hosted_tools import refuse_hosted_tools
from agents_sdk.workflows.journal import Journal, restore_result
from agents_sdk.workflows.run_updates import RunUpdates
from agents_sdk.workflows.thread_sessions import ThreadSessions
from agents_sdk.workflows.workflow_input import Item, PersonsMessage
from context import Turn
from errors import AgentError, ModelError
from framework.agent_steps import agent_step

MAX_RUNS = 100
"""How many runs of agents an answer may have, since a loop in a workflow may be endless."""

MAX_UPDATES_AHEAD = 64
"""How many updates and events may wait to be stored before an agent has to wait."""

StartRun = Callable[..., Any]
"""Starts a streamed run by the SDK's own runner."""

current_run: ContextVar[WorkflowRun | None] = ContextVar("current_run", default=None)
"""The workflow whose answer the current task belongs to; None outside of an answer."""

is_within_agent: ContextVar[bool] = ContextVar("is_within_agent", default=False)
"""Whether the current task runs within an agent of that workflow."""


class WorkflowEnded(BaseException):
    """Leaves a workflow in the middle, because it waits for a person or has run too many agents.

    Not an `Exception`, which a file may catch and continue.
    """


class WorkflowRun:
    """An exported workflow that gives one answer.

    Args:
        turn: The answer.
        client: A chat client of the platform.
        message: The message that is answered.
        journal: The results from before a question to the person.
        options: The model that the person has chosen in the composer.
        traces: Whether the file's traces are sent to OpenAI, as the SDK does by default.

    Attributes:
        models: The platform's models, for all runs of this answer.
        shown_texts: The texts that agents have shown.
        question: The text of the question to the person; None if there is none.
        approval_requests: The questions about calls of tools, and the ids of all these calls; None if there are none.
        is_limited: Whether the answer has reached its limit of runs or turns.
        unshown_output: The structured output of the last agent; None after an agent with a text.
        clients: The clients of OpenAI's that the file has made, which `close` closes.
    """

    def __init__(
        self,
        turn: Turn,
        client: Any,
        message: PersonsMessage,
        journal: Journal,
        options: Mapping[str, Any],
        *,
        traces: bool,
    ) -> None:
        self.turn = turn
        self.message = message
        self.journal = journal
        self.traces = traces
        self.shown_texts: list[str] = []
        self._last_text_run: RunUpdates | None = None
        self.question: str | None = None
        self.approval_requests: tuple[list[Content], list[str]] | None = None
        self.is_limited = False
        self.unshown_output: Any = None
        self.clients: list[Any] = []
        self._client = client
        self._settings = turn.services.settings
        self.models = PlatformModels(
            client,
            may_choose=self._settings.is_openai,
            is_paused=lambda: False,
            chosen=options.get("model"),
            count=turn.context.answer.add_usage,
        )
        self._loop = asyncio.get_running_loop()
        self._write_lock = asyncio.Lock()
        self._sessions = ThreadSessions(message)
        self._has_own_conversation = False
        self._decisions_used = 0
        self._runs = 0
        self._results: list[Any] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        if not isinstance(turn.agent_context, TurnContext):
            turn.agent_context = TurnContext.for_turn(turn)

    # Calls of the file

    async def run(self, start: StartRun, agent: Agent[Any], run_input: Any, options: Mapping[str, Any]) -> Any:
        """Run an agent of the workflow, show what it says, and return the SDK's result.

        Args:
            start: Starts the run.
            agent: The agent.
            run_input: The input of the run.
            options: The other arguments of `Runner.run`.
        """
        if asyncio.get_running_loop() is not self._loop:
            # The file has made its own event loop, in a thread.
            future = asyncio.run_coroutine_threadsafe(self._run_agent(start, agent, run_input, options), self._loop)
            return await asyncio.wrap_future(future)
        return await self._run_agent(start, agent, run_input, options)

    def run_sync(self, start: StartRun, agent: Agent[Any], run_input: Any, options: Mapping[str, Any]) -> Any:
        """Run an agent for a thread, which waits for the result."""
        future = asyncio.run_coroutine_threadsafe(self._run_agent(start, agent, run_input, options), self._loop)
        return future.result()

    def start_streamed(self, start: StartRun, agent: Agent[Any], run_input: Any, options: Mapping[str, Any]) -> Any:
        """Start an agent whose stream the file reads itself; its events are shown, too."""
        updates, result = self._start_run(start, agent, self._copy_agent(agent), run_input, options)
        read_events, writer = result.stream_events, ResponseEvents()

        async def shown_events() -> Any:
            await self._announce(agent, updates)
            async for event in read_events():
                await self._show_event(updates, event)
                if event.type != "raw_response_event":
                    yield event
                    continue
                for model_event in writer.convert(event.data):
                    yield RawResponsesStreamEvent(data=model_event)
            if result.interruptions:
                names = ", ".join(str(item.name) for item in result.interruptions)
                raise AgentError(
                    "This assistant would have to ask you first, and cannot do that here.",
                    f"the file streams the agent '{agent.name}' itself, whose tools need approval ({names}); let it "
                    "call Runner.run",
                )
            await self._finish_run(agent, updates, result)

        result.stream_events = shown_events
        return result

    def approve(self, question: str) -> bool:
        """Return the person's decision on a question; leave the workflow if there is none yet.

        Raises:
            WorkflowEnded: When the person still has to be asked.
        """
        if self._decisions_used < len(self.journal.decisions):
            self._decisions_used += 1
            return self.journal.decisions[self._decisions_used - 1]
        if self.question is None and self.approval_requests is None:
            self.question = question
        raise WorkflowEnded

    def conversation(self, items: list[Item]) -> list[Item]:
        """Return the conversation that a file begins with the person's message, with the thread before it.

        Args:
            items: The message, as the file writes it.
        """
        self._has_own_conversation = True
        return self.message.prepend_history(items)

    def build_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a run, with our model and limits in place of those that the file does not set."""
        config = options.get("run_config")
        config = RunConfig(**config) if isinstance(config, Mapping) else config or RunConfig()
        is_default = type(config.model_provider) is MultiProvider
        formatter = build_tool_error_formatter(self.turn.context.answer.mark_call_failed)
        config = replace(
            config,
            model_provider=EventModels(self.models) if is_default else config.model_provider,
            tracing_disabled=config.tracing_disabled or not self.traces,
            tool_error_formatter=config.tool_error_formatter or formatter,
        )
        limit = self._settings.model_max_round_trips
        turns = options.get("max_turns")
        context = options.get("context")
        return {
            **options,
            "run_config": config,
            "max_turns": min(turns, limit) if isinstance(turns, int) else limit,
            "context": self.turn.agent_context if context is None else context,
        }

    # The end of the answer

    async def close(self) -> None:
        """Cancel the runs that are not complete, and close the clients that the file has made."""
        for result in self._results:
            if not result.is_complete:
                result.cancel()
        for task in self._tasks:
            task.cancel()
        for client in self.clients:
            with suppress(Exception):
                closing = client.close()
                if isinstance(closing, Awaitable):
                    await closing

    # One run

    async def _run_agent(self, start: StartRun, agent: Agent[Any], run_input: Any, options: Mapping[str, Any]) -> Any:
        slot = self.journal.next_slot(_journal_key(agent))
        known = self.journal.find_entry(_journal_key(agent), slot)
        if known is not None and not is_serialized_run(known):
            result = restore_result(known, agent, run_input, options.get("context"))
            await self._sessions.record(run_input, options, result)
            self._note_output(result.final_output)
            return result
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            copy, context = self._copy_agent(agent), self.build_options(options)["context"]
            if known is not None:
                self._sessions.begin_run(run_input, options)  # creates the session in its state before the run
                run_input = await restore_run(known, copy, self.journal.calls, context, self.models.known)
            updates, result = self._start_run(start, agent, copy, run_input, options)
            await self._show_all(agent, updates, result)
        except ModelBehaviorError as exc:
            raise self._build_unfit_error(agent) from exc
        finally:
            if task is not None:
                self._tasks.discard(task)
        await self._finish_run(agent, updates, result)
        if result.interruptions:
            self.journal.add(_journal_key(agent), slot, serialize_run(result, self.models.known))
            await self._request_approval(updates, result)
            raise WorkflowEnded
        # Files convert all new items to input items, and an answered question has no such form.
        result.new_items = [item for item in result.new_items if not isinstance(item, ToolApprovalItem)]
        self.journal.add(_journal_key(agent), slot, result)
        return result

    async def _show_all(self, agent: Agent[Any], updates: RunUpdates, result: Any) -> None:
        """Show a run from its first event to its last; a text that a guardrail refuses is replaced."""
        try:
            await self._announce(agent, updates)
            try:
                async with aclosing(result.stream_events()) as events:
                    async for event in events:
                        await self._show_event(updates, event)
            finally:
                if not result.is_complete:
                    result.cancel()
        except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered):
            if updates.text:
                refused = Content.from_text(self.turn.context.answer.texts.refused)
                await self._enqueue(updates.update(refused, merge_mode="replace"))
                self.shown_texts.append(refused.text or "")
            raise

    def _build_unfit_error(self, agent: Agent[Any]) -> ModelError:
        message = f"The model's answer does not have the form that “{agent.name}” asks for."
        if self._settings.provider == "offline":
            message = (
                f"No model is configured, and the built-in one cannot answer in the form that “{agent.name}” needs."
            )
        return ModelError(message, code="model.unfit", allow_retry=self._settings.provider != "offline")

    def _copy_agent(self, agent: Agent[Any]) -> Agent[Any]:
        refuse_hosted_tools(agent, self._client)
        mark_call_failed = self.turn.context.answer.mark_call_failed
        return AgentCopies(self._settings.tool_timeout_s, mark_call_failed, self.models).copy_of(agent)

    async def _request_approval(self, updates: RunUpdates, result: Any) -> None:
        """Note the calls that a person has to approve, for one agent at a time."""
        for call_id in unanswered_calls(result):
            await self._enqueue(updates.update(Content.from_function_result(call_id, result=PERMISSION_ASKED)))
        if self.question is None and self.approval_requests is None:
            self.approval_requests = (
                list(build_approval_requests(result)),
                [approval_call_id(item) for item in result.interruptions],
            )

    def _start_run(
        self, start: StartRun, agent: Agent[Any], copy: Agent[Any], run_input: Any, options: Mapping[str, Any]
    ) -> tuple[RunUpdates, Any]:
        self._runs += 1
        if self._runs > MAX_RUNS:
            self.is_limited = True
            raise WorkflowEnded
        run_input, session = self._sessions.begin_run(run_input, options)
        token = is_within_agent.set(True)
        try:
            options = self.build_options(options)
            if session is not None:
                options["session"] = session
            elif not self._has_own_conversation:
                # A file that builds its own conversation has the thread from `conversation`.
                run_input = self.message.with_history(run_input)
            result = start(copy, run_input, **options)
        finally:
            is_within_agent.reset(token)
        self._results.append(result)
        return RunUpdates(agent, self._runs), result

    async def _announce(self, agent: Agent[Any], updates: RunUpdates) -> None:
        if updates.is_structured:
            await self._show_step(updates, "call", agent.name)
        else:
            self.turn.emit(ProgressUpdateEvent(text=agent.name))

    async def _show_event(self, updates: RunUpdates, event: Any) -> None:
        for update in updates.read(event):
            await self._enqueue(update)

    async def _finish_run(self, agent: Agent[Any], updates: RunUpdates, result: Any) -> None:
        if agent.output_type is not None and agent.output_type is not str:
            await self._show_step(updates, "result", agent.name)
        if updates.text:
            self.shown_texts.append(updates.text)
            self._last_text_run = updates
        self._note_output(result.final_output)

    def extend_last_text(self, text: str) -> AgentResponseUpdate | None:
        """Return an update that extends the last shown text to `text`; None if `text` does not contain it."""
        if self._last_text_run is None or self._last_text_run.text.strip() not in text:
            return None
        return self._last_text_run.update(Content.from_text(text), merge_mode="replace")

    async def _enqueue(self, update: AgentResponseUpdate) -> None:
        """Put an update into the inbox, as tools do, so that the order is kept; wait while the inbox is full."""
        async with self._write_lock:
            await self.turn.context.answer.inbox.put_when_room(update, MAX_UPDATES_AHEAD)

    async def _show_step(self, updates: RunUpdates, part: Literal["call", "result"], name: str) -> None:
        await self._enqueue(updates.update(agent_step(part, f"{name}{id(updates)}", name)))

    def _note_output(self, output: Any) -> None:
        self.unshown_output = None if isinstance(output, str) else output


def _journal_key(agent: Agent[Any]) -> str:
    return f"agent {agent.name}"
