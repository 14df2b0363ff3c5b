"""Agent runs: the choice of the agent, the messages that it is given, and the start of its run."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from agent_framework import Message, Workflow
from chatkit.types import ThreadItem

from context import Services, Turn
from errors import AgentError
from framework.inner_agents import workflow_of
from framework.mcp_servers import SERVERS_DOWN, with_servers
from streaming.answers.agent_kinds import as_agent, call_get_agent
from streaming.answers.attached_files import AttachedFiles
from streaming.answers.history import HistoryConverter, history_messages
from streaming.answers.run_arguments import run_arguments
from streaming.approvals.decisions import expire_requests, provider_messages
from streaming.hooks import Hooks


class AgentRuns:
    """Starts the agent of a use case with the thread's history.

    Args:
        services: The platform's services.
        hooks: The server, whose `get_agent` is called.
    """

    def __init__(self, services: Services, hooks: Hooks) -> None:
        self._services = services
        self._hooks = hooks
        self._workflows: WeakSet[Workflow] = WeakSet()

    async def choose(self, turn: Turn) -> Any:
        """Return the agent that the use case's `get_agent` chooses.

        Raises:
            AgentError: When `get_agent` returns something that is not an agent.
        """
        agent = call_get_agent(self._hooks.get_agent, turn)
        return as_agent(await agent if inspect.isawaitable(agent) else agent, turn, self._hooks.chat_client)

    async def start(self, agent: Any, turn: Turn) -> Any:
        """Start a run of the agent, and return its unread stream.

        Raises:
            AgentError: When the agent is a workflow that has answered before.
        """
        if (workflow := workflow_of(agent)) is not None:
            if workflow in self._workflows:
                # A workflow keeps its messages: the next person would be answered from another's conversation.
                raise AgentError(
                    "This assistant cannot answer at the moment.",
                    f"use case '{turn.context.use_case}': a workflow answers once; build it anew in get_agent",
                )
            self._workflows.add(workflow)
        messages = [*await self.messages(turn), *provider_messages(turn.context.answer.decided)]
        agent, missing = await with_servers(agent)
        if missing:
            messages = [Message("system", [SERVERS_DOWN.format(names=", ".join(missing))]), *messages]
        return agent.run(messages, **run_arguments(agent, turn))

    async def messages(self, turn: Turn) -> list[Message]:
        """Return the thread's messages for the agent; approval requests that a new message leaves open expire."""
        settings, answer = self._services.settings, turn.context.answer
        newest_first: Sequence[ThreadItem]
        if answer.is_new_thread and turn.user_message is not None and not answer.is_resumed:
            newest_first = [turn.user_message]  # the only item of the thread: saves a query
        else:
            newest_first = await self._services.store.load_history(
                turn.thread.id, settings.history_max_items, turn.context
            )
            if turn.user_message is not None:
                newest_first = await expire_requests(turn, newest_first)
            if (decided := answer.decided) is not None:
                # The results of its calls come last, whatever the calls and the card have shown since.
                newest_first = sorted(newest_first, key=lambda item: item.id != decided.id)
        converter = HistoryConverter(AttachedFiles(self._services, turn.context).show)
        return await history_messages(
            newest_first, converter, max_chars=settings.history_max_chars, max_items=settings.history_max_items
        )
