"""An exported workflow in one answer: its agents are shown as they run, its questions asked, its results kept.

The file calls `Runner.run`; the runner of the process finds the answer in a context variable and lets it run the agent
here. What runs within an agent, an agent as a tool or a guardrail with a model, is asked on the platform's model too,
and not shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
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
from agents_sdk.guarded_tools import tool_error
from agents_sdk.inner_runs import count_inner
from agents_sdk.paused_runs import (
    PERMISSION_ASKED,
    call_id_of,
    continued_run,
    is_kept_run,
    kept_run,
    requests_of,
    unanswered_calls,
)
from agents_sdk.platform_model import PlatformModels
from agents_sdk.response_events import EventModels, ResponseEvents
from agents_sdk.turn_context import TurnContext
from agents_sdk.workflows.hosted_tools import refuse_hosted_tools
from agents_sdk.workflows.journal import Journal, read_result
from agents_sdk.workflows.run_updates import RunUpdates
from agents_sdk.workflows.thread_sessions import ThreadSessions
from agents_sdk.workflows.workflow_input import Item, PersonsMessage
from context import Turn
from errors import AgentError, ModelError
from framework.agent_steps import agent_step

MAX_RUNS = 100
"""How many runs of agents an answer may have: a loop of a workflow may never come to its end."""

MAX_UPDATES_AHEAD = 64
"""How many updates and events may wait to be stored before an agent waits for them."""

StartRun = Callable[..., Any]
"""Starts a streamed run by the SDK's own runner."""

current_run: ContextVar[WorkflowRun | None] = ContextVar("current_run", default=None)
"""The workflow in whose answer the code runs; None outside of one."""

is_within_agent: ContextVar[bool] = ContextVar("is_within_agent", default=False)
"""Whether the code runs within an agent of that workflow."""


class WorkflowEnded(BaseException):
    """Leaves a workflow in the middle: it waits for a person, or has taken too many steps.

    No `Exception`, since files that catch those would go on.
    """


class WorkflowRun:
    """The answer that an exported workflow gives.

    Args:
        turn: The answer.
        client: A chat client of the platform.
        message: The message that is answered.
        journal: The results from before a question to the person.
        options: The model that the person chose in the composer.
        traces: Whether the file's traces are sent, as the SDK does by default.

    Attributes:
        models: The platform's model for whoever runs in this answer.
        said: The texts that were shown.
        question: The text of the question to the person; None while nothing is asked.
        wanted: The calls of tools that a person has to allow, with the ids of all; None while there are none.
        is_limited: Whether the answer has taken as many steps as it may.
        unsaid: The last structured output, as long as nothing was said after it.
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
        self.said: list[str] = []
        self._last_spoken: RunUpdates | None = None
        self.question: str | None = None
        self.wanted: tuple[list[Content], list[str]] | None = None
        self.is_limited = False
        self.unsaid: Any = None
        self.opened: list[Any] = []
        self._client = client
        self._settings = turn.services.settings
        self.models = PlatformModels(
            client,
            may_choose=self._settings.provider == "openai",
            is_paused=lambda: False,
            chosen=options.get("model"),
            count=partial(count_inner, turn.context.answer),
        )
        self._loop = asyncio.get_running_loop()
        self._writing = asyncio.Lock()
        self._sessions = ThreadSessions(message)
        self._has_conversation = False
        self._answers = 0
        self._runs = 0
        self._results: list[Any] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        if not isinstance(turn.agent_context, TurnContext):
            turn.agent_context = TurnContext.of(turn)

    # What the file asks for

    async def run(self, start: StartRun, agent: Agent[Any], given: Any, options: Mapping[str, Any]) -> Any:
        """Run an agent of the workflow, show what it says, and return the SDK's result.

        Args:
            start: Starts the run.
            agent: The agent.
            given: The input that the file gives.
            options: The other arguments of `Runner.run`.
        """
        if asyncio.get_running_loop() is not self._loop:
            # A file that has made a loop of its own, in a thread.
            future = asyncio.run_coroutine_threadsafe(self._run(start, agent, given, options), self._loop)
            return await asyncio.wrap_future(future)
        return await self._run(start, agent, given, options)

    def run_sync(self, start: StartRun, agent: Agent[Any], given: Any, options: Mapping[str, Any]) -> Any:
        """Run an agent from a thread, which waits for it."""
        future = asyncio.run_coroutine_threadsafe(self._run(start, agent, given, options), self._loop)
        return future.result()

    def start_streamed(self, start: StartRun, agent: Agent[Any], given: Any, options: Mapping[str, Any]) -> Any:
        """Start an agent whose stream the file reads itself; what it reads is shown too."""
        updates, result = self._begin(start, agent, self._copy(agent), given, options)
        read_events, writer = result.stream_events, ResponseEvents()

        async def shown_events() -> Any:
            await self._announce(agent, updates)
            async for event in read_events():
                await self._show(updates, event)
                if event.type != "raw_response_event":
                    yield event
                    continue
                for told in writer.tell(event.data):
                    yield RawResponsesStreamEvent(data=told)
            if result.interruptions:
                names = ", ".join(str(each.name) for each in result.interruptions)
                raise AgentError(
                    "This assistant would have to ask you first, and cannot do that here.",
                    f"the file streams the agent '{agent.name}' itself, whose tools need approval ({names}); let it "
                    "call Runner.run",
                )
            await self._end(agent, updates, result)

        result.stream_events = shown_events
        return result

    def approve(self, question: str) -> bool:
        """Return the person's decision on a question; leave the workflow when they still have to be asked.

        Raises:
            WorkflowEnded: When they have to be asked.
        """
        if self._answers < len(self.journal.decisions):
            self._answers += 1
            return self.journal.decisions[self._answers - 1]
        if self.question is None and self.wanted is None:
            self.question = question
        raise WorkflowEnded

    def conversation(self, items: list[Item]) -> list[Item]:
        """Return the conversation that a file begins with the person's message: with all that was said before.

        Args:
            items: The message, as the file writes it.
        """
        self._has_conversation = True
        return self.message.continued(items)

    def options_of(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a run with our model and limits in them, as far as the file brings none."""
        given = options.get("run_config")
        config = RunConfig(**given) if isinstance(given, Mapping) else given or RunConfig()
        is_default = type(config.model_provider) is MultiProvider
        config = replace(
            config,
            model_provider=EventModels(self.models) if is_default else config.model_provider,
            tracing_disabled=config.tracing_disabled or not self.traces,
            tool_error_formatter=config.tool_error_formatter or tool_error(self.turn.context.answer.failed_calls),
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

    # How it ends

    async def close(self) -> None:
        """Stop what still runs, and close what the file has opened."""
        for result in self._results:
            if not result.is_complete:
                result.cancel()
        for task in self._tasks:
            task.cancel()
        for client in self.opened:
            with suppress(Exception):
                closing = client.close()
                if isinstance(closing, Awaitable):
                    await closing

    # One run

    async def _run(self, start: StartRun, agent: Agent[Any], given: Any, options: Mapping[str, Any]) -> Any:
        slot = self.journal.next_slot(_key(agent))
        known = self.journal.known(_key(agent), slot)
        if known is not None and not is_kept_run(known):
            result = read_result(known, agent, given, options.get("context"))
            await self._sessions.note(given, options, result)
            self._note(result.final_output)
            return result
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            copy, context = self._copy(agent), self.options_of(options)["context"]
            if known is not None:
                self._sessions.of_run(given, options)  # which is to begin as it did
                given = await continued_run(known, copy, self.journal.calls, context, self.models.known)
            updates, result = self._begin(start, agent, copy, given, options)
            await self._show_all(agent, updates, result)
        except ModelBehaviorError as exc:
            raise self._unfit(agent) from exc
        finally:
            if task is not None:
                self._tasks.discard(task)
        await self._end(agent, updates, result)
        if result.interruptions:
            self.journal.add(_key(agent), slot, kept_run(result, self.models.known))
            await self._want(updates, result)
            raise WorkflowEnded
        # Files make input items of all that is new, and the SDK has none for a question that is answered.
        result.new_items = [item for item in result.new_items if not isinstance(item, ToolApprovalItem)]
        self.journal.add(_key(agent), slot, result)
        return result

    async def _show_all(self, agent: Agent[Any], updates: RunUpdates, result: Any) -> None:
        """Show a run from its first event to its last; of a text that a guardrail refuses nothing stays."""
        try:
            await self._announce(agent, updates)
            try:
                async with aclosing(result.stream_events()) as events:
                    async for event in events:
                        await self._show(updates, event)
            finally:
                if not result.is_complete:
                    result.cancel()
        except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered):
            if updates.text:
                refused = Content.from_text(self.turn.context.answer.texts.refused)
                await self._put(updates.update(refused, merge_mode="replace"))
                self.said.append(refused.text or "")
            raise

    def _unfit(self, agent: Agent[Any]) -> ModelError:
        said = f"The model's answer does not have the form that “{agent.name}” asks for."
        if self._settings.provider == "offline":
            said = f"No model is configured, and the built-in one cannot answer in the form that “{agent.name}” needs."
        return ModelError(said, code="model.unfit", allow_retry=self._settings.provider != "offline")

    def _copy(self, agent: Agent[Any]) -> Agent[Any]:
        refuse_hosted_tools(agent, self._client)
        failed = self.turn.context.answer.failed_calls
        return AgentCopies(self._settings.tool_timeout_s, failed, self.models).copy_of(agent)

    async def _want(self, updates: RunUpdates, result: Any) -> None:
        """Note the calls that a person has to allow; those of one agent at a time."""
        for call_id in unanswered_calls(result):
            await self._put(updates.update(Content.from_function_result(call_id, result=PERMISSION_ASKED)))
        if self.question is None and self.wanted is None:
            self.wanted = (
                list(requests_of(result)),
                [call_id_of(each) for each in result.interruptions],
            )

    def _begin(
        self, start: StartRun, agent: Agent[Any], copy: Agent[Any], given: Any, options: Mapping[str, Any]
    ) -> tuple[RunUpdates, Any]:
        self._runs += 1
        if self._runs > MAX_RUNS:
            self.is_limited = True
            raise WorkflowEnded
        given, session = self._sessions.of_run(given, options)
        token = is_within_agent.set(True)
        try:
            options = self.options_of(options)
            if session is not None:
                options["session"] = session
            elif not self._has_conversation:
                # A file that begins its conversation by itself has the thread from `conversation`.
                given = self.message.with_history(given)
            result = start(copy, given, **options)
        finally:
            is_within_agent.reset(token)
        self._results.append(result)
        return RunUpdates(agent, self._runs), result

    async def _announce(self, agent: Agent[Any], updates: RunUpdates) -> None:
        if updates.is_structured:
            await self._step(updates, "call", agent.name)
        else:
            self.turn.emit(ProgressUpdateEvent(text=agent.name))

    async def _show(self, updates: RunUpdates, event: Any) -> None:
        for update in updates.read(event):
            await self._put(update)

    async def _end(self, agent: Agent[Any], updates: RunUpdates, result: Any) -> None:
        if agent.output_type is not None and agent.output_type is not str:
            await self._step(updates, "result", agent.name)
        if updates.text:
            self.said.append(updates.text)
            self._last_spoken = updates
        self._note(result.final_output)

    def with_more(self, text: str) -> AgentResponseUpdate | None:
        """Return an update that extends the text said last to `text`; None when `text` does not contain it."""
        if self._last_spoken is None or self._last_spoken.text.strip() not in text:
            return None
        return self._last_spoken.update(Content.from_text(text), merge_mode="replace")

    async def _put(self, update: AgentResponseUpdate) -> None:
        """Put an update where tools put what they show, so that all of it keeps its order; wait for room there."""
        async with self._writing:
            await self.turn.context.answer.inbox.put_when_room(update, MAX_UPDATES_AHEAD)

    async def _step(self, updates: RunUpdates, part: Literal["call", "result"], name: str) -> None:
        await self._put(updates.update(agent_step(part, f"{name}{id(updates)}", name)))

    def _note(self, output: Any) -> None:
        self.unsaid = None if isinstance(output, str) else output


def _key(agent: Agent[Any]) -> str:
    return f"agent {agent.name}"
