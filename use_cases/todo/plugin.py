"""The to-do list as a use case: its description, and the server that combines agent and actions."""

from __future__ import annotations

from typing import Any

from agent_framework import Agent
from chatkit.types import ThreadMetadata

from base_server import BaseChatKitServer
from context import Services, Turn
from plugins import Composer, Prompt, UseCase, hookimpl
from use_cases.todo.actions import TodoActions
from use_cases.todo.agent import OFFLINE_PHRASES, SHOW_LIST, build_todo_agent
from use_cases.todo.items import TodoBase, TodoItems
from use_cases.todo.samples import build_sample_widgets
from use_cases.todo.widgets import LIST_ROOT_ID, PAST_TEXT, build_list_widget, build_past_widget, list_text

MAX_EARLIER_WIDGETS = 100


@hookimpl
def register_use_case(services: Services) -> UseCase:
    """Offer the to-do list."""
    return UseCase(
        name="todo",
        title="To-do list",
        description="Keeps your to-dos: type them, tick them off, find them in every conversation.",
        icon="check-circle",
        greeting="What needs doing?",
        prompts=(
            Prompt("Show my to-dos", "Show my to-dos", "notebook"),
            Prompt("Add a to-do", "Add buy milk", "plus"),
            Prompt("Add something urgent", "Add pay the rent with high priority", "bolt"),
            Prompt("What is left?", "What's left on my list?", "circle-question"),
        ),
        composer=Composer(placeholder="Add or ask about your to-dos", attachments={"enabled": True}),
        tables=TodoBase.metadata,
        server=TodoServer(services),
        sample_widgets=build_sample_widgets,
    )


class TodoServer(TodoActions, BaseChatKitServer):
    """Answers with the to-do assistant; an answer whose tools used the list ends with the list widget."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, offline=OFFLINE_PHRASES)
        self._agent = build_todo_agent(self.chat_client)

    def get_agent(self, turn: Turn) -> Agent[Any]:
        """Return the shared agent, which keeps no state between answers."""
        return self._agent

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        """Show the list if a tool used it, and collapse earlier list widgets, so that only one is live."""
        if not turn.state.get(SHOW_LIST):
            return
        todos = await TodoItems(self.services.database).load(turn.user_id)
        for earlier in await turn.earlier_widgets(LIST_ROOT_ID, limit=MAX_EARLIER_WIDGETS):
            turn.replace_widget(earlier.id, build_past_widget(), copy_text=PAST_TEXT)
        turn.widget(build_list_widget(todos), copy_text=list_text(todos))
