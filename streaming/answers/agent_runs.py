"""Runs of the agent: which agent answers, what it gets to see of the thread, and how it is started."""

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
from streaming.approvals.decisions import expire, provider_messages
from streaming.hooks import Hooks


class AgentRuns:
    """Starts the agent of a use case with the thread's history.

    Args:
        services: The platform's services.
        hooks: The server, of which `get_agent` is asked.
    """

    def __init__(self, services: Services, hooks: Hooks) -> None:
        self._services = services
        self._hooks = hooks
        self._workflows: WeakSet[Workflow] = WeakSet()

    async def choose(self, turn: Turn) -> Any:
        """Return the agent that answers, as the use case says.

        Raises:
            AgentError: When it is of no kind that can answer.
        """
        agent = call_get_agent(self._hooks.get_agent, turn)
        return as_agent(await agent if inspect.isawaitable(agent) else agent, turn, self._hooks.chat_client)

    async def start(self, agent: Any, turn: Turn) -> Any:
        """Return the agent's stream, which nobody has read of yet.

        Raises:
            AgentError: When it is a workflow that has answered before.
        """
        if (workflow := workflow_of(agent)) is not None:
            if workflow in self._workflows:
                # It keeps what was said in it: the next person would be answered from another's conversation.
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
        """Return the messages of the thread for the agent; open requests from before a new message expire."""
        settings, answer = self._services.settings, turn.context.answer
        newest_first: Sequence[ThreadItem]
        if answer.is_new_thread and turn.user_message is not None and not answer.is_resumed:
            newest_first = [turn.user_message]  # saves asking the store for what we have just put there
        else:
            newest_first = await self._services.store.load_history(
                turn.thread.id, settings.history_max_items, turn.context
            )
            if turn.user_message is not None:
                newest_first = await expire(turn, newest_first)
            if (decided := answer.decided) is not None:
                # What came of its calls is the newest, whatever they and the card have shown.
                newest_first = sorted(newest_first, key=lambda item: item.id != decided.id)
        converter = HistoryConverter(AttachedFiles(self._services, turn.context).show)
        return await history_messages(
            newest_first, converter, max_chars=settings.history_max_chars, max_items=settings.history_max_items
        )
