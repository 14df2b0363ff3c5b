"""The responder: runs the agent, again if no call of a batch could be made, and then the closing hook."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from types import AsyncGeneratorType
from typing import Any

from chatkit.types import ThreadItemDoneEvent, ThreadStreamEvent

from context import Services, Turn
from errors import ExitGuard, ModelError
from framework.inner_agents import workflow_of
from streaming.answers.agent_events import agent_events
from streaming.answers.agent_kinds import post_respond_argument
from streaming.answers.agent_runs import AgentRuns
from streaming.answers.thread_titles import ThreadTitle, title_from_message
from streaming.answers.tool_labels import tool_labels
from streaming.answers.turn_events import turn_events
from streaming.approvals.approvals import Approvals
from streaming.approvals.decisions import approval_events
from streaming.failure_reports import report_failure, translate_model_failures
from streaming.hooks import Hooks, limit_message_of, texts_of
from turns.inbox import Inbox

MAX_ROUNDS = 4
"""How often the agent is run within one answer when no call of a batch that needed approval could be made."""

Events = AsyncGenerator[ThreadStreamEvent, None]


class Responder:
    """Answers a message, a form, a client tool's output or an action with the agent of the use case.

    Args:
        services: The platform's services.
        hooks: The use case's server.
        agent_runs: Starts the agent.
        approvals: Makes the calls that a person has allowed.
    """

    def __init__(self, services: Services, hooks: Hooks, agent_runs: AgentRuns, approvals: Approvals) -> None:
        self._services = services
        self._hooks = hooks
        self._agent_runs = agent_runs
        self._approvals = approvals

    async def respond(self, turn: Turn) -> Events:
        """Yield the events of the answer.

        Raises:
            CustomStreamError: When the answer failed; the failure is logged, and the text may be shown.
        """
        thread, answer = turn.thread, turn.context.answer
        wants_title = thread.title is None and turn.context.has_titles
        if wants_title and turn.user_message is not None and (line := title_from_message(turn.user_message)):
            # Stored at once, and only if there is no title: a person may name the thread while the model thinks.
            await self._services.store.retitle_thread(thread, line, turn.context)
        async with ThreadTitle(turn, self._hooks.chat_client) as title:
            with _report_failures("answer failed", turn):
                answer.use_texts(texts_of(self._hooks, turn))
                if answer.decided is not None:
                    async with aclosing(self._approvals.make_calls(turn, answer.decided)) as events:
                        async for event in events:
                            yield event
                for _ in range(MAX_ROUNDS):
                    if answer.is_paused:
                        break
                    with translate_model_failures(self._services):
                        async with aclosing(await self._run_agent(turn)) as events:
                            async for event in events:
                                yield event
                                title.begin()
                    if not answer.is_resumed:
                        break
                else:
                    raise ModelError("The model asked for what cannot be done, again and again.", allow_retry=False)
                if answer.approvals:
                    for event in approval_events(turn):
                        yield event
            if answer.is_paused:
                return
            with _report_failures("post_respond_hook failed", turn):
                async with aclosing(self._run_closing_hook(turn)) as events:
                    async for event in events:
                        yield event
            # From here on the stream only waits for the thread's title, which is not part of the answer.
            answer.mark_whole()

    async def _run_agent(self, turn: Turn) -> Events:
        """Run the agent and return the events of its answer."""
        agent = await self._agent_runs.choose(turn)
        stream, labels = await self._agent_runs.start(agent, turn), tool_labels(agent)
        turn.context.answer.mark_agent_started()
        limit_message = partial(limit_message_of, self._hooks, turn)
        remainder = partial(self._approvals.settle_calls, turn)
        is_workflow = workflow_of(agent) is not None
        return agent_events(stream, turn, labels, limit_message, remainder, is_workflow=is_workflow)

    async def _run_closing_hook(self, turn: Turn) -> Events:
        """Yield the events of `post_respond_hook`, which may be a plain function, a coroutine or a generator."""
        hook = self._hooks.post_respond_hook
        result: Any = hook(turn.thread, post_respond_argument(hook, turn))
        answer = turn.context.answer
        work = _queue_events(result, answer.inbox) if inspect.isasyncgen(result) else result
        if inspect.isawaitable(work):

            async def run() -> None:
                await work

            async with aclosing(turn_events(turn, run())) as events:
                async for event in events:
                    yield event
        # The events of a plain function.
        for shown in answer.inbox.drain():
            yield shown
        if answer.question is not None:
            yield ThreadItemDoneEvent(item=answer.question)


async def _queue_events(yielded: AsyncGeneratorType[Any, Any], inbox: Inbox) -> None:
    """Put the events that a hook yields into the inbox of its turn, each when the previous one has been taken.

    The inbox must be emptied while the hook runs: it may stream a widget there, and would wait forever for room.
    """
    async with aclosing(yielded) as events:
        async for event in events:
            await inbox.put_when_room(event, 1)


@contextmanager
def _report_failures(what: str, turn: Turn) -> Iterator[None]:
    """Log a failure of the block, and raise the error that is shown to the person; see `report_failure`."""
    try:
        with ExitGuard(f"use case '{turn.context.use_case}'"):
            yield
    except Exception as exc:
        raise report_failure(exc, what, turn.thread.id, turn.context) from exc
