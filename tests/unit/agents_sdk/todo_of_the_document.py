"""A to-do use case as the architecture document of ChatKit's sample shapes one; only its imports name this platform.

The document's own modules are sections here: data, widgets, agent, server.
"""

from __future__ import annotations

from typing import Any

from agents import Agent, function_tool
from agents.run_context import RunContextWrapper
from chatkit.actions import ActionConfig
from chatkit.agents import AgentContext
from chatkit.server import stream_widget
from chatkit.widgets import Badge, Button, Card, Form, Input, Row, Text, Title

from base_server import BaseChatKitServer

TodoContext = AgentContext[Any]

# data

TODOS: dict[str, dict[str, Any]] = {}


async def add(text: str) -> str:
    key = f"todo_{len(TODOS) + 1}"
    TODOS[key] = {"id": key, "text": text, "done": False}
    return key


# widgets


def build_todo_widget(todos: list[dict[str, Any]], thread_id: str) -> Card:
    rows = [
        Row(
            id=f"row_{todo['id']}",
            children=[
                Text(id=f"text_{todo['id']}", value=todo["text"], lineThrough=todo["done"]),
                Button(
                    id=f"done_{todo['id']}",
                    label="Done",
                    color="success",
                    variant="soft",
                    onClickAction=ActionConfig(type="complete_todo", handler="server", payload={"todo_id": todo["id"]}),
                ),
            ],
        )
        for todo in todos
    ]
    form = Form(
        id="add_form",
        onSubmitAction=ActionConfig(type="add_todo_form", handler="server", payload={"priority": "high"}),
        children=[Input(id="todo_text", name="todo_text", placeholder="What next?")],
    )
    pending = sum(not todo["done"] for todo in todos)
    title = Title(id="title", value="To-do", size="lg")
    badge = Badge(label=f"{pending} pending", color="warning")
    return Card(id=f"todo_widget_{thread_id}", children=[title, badge, *rows, form])


# agent


@function_tool(description_override="Add a task to the list")
async def add_todo(ctx: RunContextWrapper[TodoContext], text: str) -> str:
    """Add a task."""
    await add(text)
    ctx.context._show_todo_widget = True  # type: ignore[attr-defined]
    ctx.context._todos = list(TODOS.values())  # type: ignore[attr-defined]
    return f"Added '{text}' in thread {ctx.context.thread.id}"


@function_tool(description_override="Count the tasks")
async def count_todos(ctx: RunContextWrapper[TodoContext]) -> str:
    """Count the tasks."""
    return f"{len(TODOS)} tasks"


def create_todo_agent() -> Agent[TodoContext]:
    return Agent[TodoContext](name="Todo Assistant", instructions="Keep the list.", tools=[add_todo, count_todos])


# server


class TodoChatKitServer(BaseChatKitServer):
    def get_agent(self) -> Any:  # type: ignore[override]
        return create_todo_agent()

    async def post_respond_hook(self, thread: Any, agent_context: Any) -> Any:
        if getattr(agent_context, "_show_todo_widget", False):
            widget = build_todo_widget(getattr(agent_context, "_todos", []), thread.id)
            async for event in stream_widget(thread, widget):
                yield event

    async def action(self, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        payload = action.payload or {}
        if action.type == "add_todo_form" and (text := payload.get("todo_text", "").strip()):
            await add(text)
        elif action.type == "complete_todo":
            TODOS[payload["todo_id"]]["done"] = True
        widget = build_todo_widget(list(TODOS.values()), thread.id)
        async for event in stream_widget(thread, widget):
            yield event
