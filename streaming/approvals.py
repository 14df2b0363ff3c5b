"""Approval: a tool that needs a person's word shows what it wants to do, and the answer goes on when they decide.

What was asked is stored in a hidden item, so that a decision counts after a restart too, once, and only for its owner.
The framework's own way needs its session object; ours needs the store and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_framework import FunctionInvocationContext, FunctionTool
from chatkit.types import (
    CustomSummary,
    CustomTask,
    HiddenContextItem,
    ThreadItemDoneEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
)
from pydantic import BaseModel

from context import TURN_KWARG, ActionTurn, PendingApproval, Turn, utc_now
from errors import ConflictError, UserFacingError
from streaming.agent_messages import PENDING_APPROVALS_KEY, remember_tool_calls, shortened
from streaming.steps import ToolLabel
from streaming.tool_guard import tool_timeout_s

logger = logging.getLogger(__name__)

APPROVE = "parlor.approve"
REJECT = "parlor.reject"
CARD_ID = "parlor.approval"

_MAX_ARGUMENTS = 12
_MAX_ARGUMENT_CHARS = 300

_REJECTED = "The person did not allow this. Do not try it again unless they ask for it."


class Decision(BaseModel, extra="forbid"):
    """What the two buttons send.

    Attributes:
        request_id: The hidden item that holds what was asked.
    """

    request_id: str


def approval_events(turn: Turn, labels: Mapping[str, ToolLabel]) -> Iterator[ThreadStreamEvent]:
    """Store what `turn.approvals` holds, and show the card that asks for it."""
    request = HiddenContextItem(
        id=turn.new_id("message"),
        thread_id=turn.thread.id,
        created_at=utc_now(),
        content={
            PENDING_APPROVALS_KEY: [
                {"call_id": call.call_id, "name": call.name, "arguments": call.arguments} for call in turn.approvals
            ]
        },
    )
    yield ThreadItemDoneEvent(item=request)
    turn.widget(
        build_card(turn.approvals, labels, request.id), copy_text=_words("Asked to allow", turn.approvals, labels)
    )
    yield from turn.inbox.drain()


async def decide(
    turn: ActionTurn, payload: Decision, tools: Mapping[str, FunctionTool], *, is_allowed: bool, timeout_s: float
) -> None:
    """Carry out a decision: call the tools, or tell the model that it may not; then the answer goes on.

    Args:
        turn: The click.
        payload: Which request.
        tools: The agent's tools by name.
        is_allowed: What was decided.
        timeout_s: How long one tool may take.

    Raises:
        ConflictError: When it has been decided already.
    """
    request = await turn.services.store.take_item(turn.thread.id, payload.request_id, turn.context)
    calls = _read(request)
    if not calls:
        raise ConflictError("This has been decided already.", code="approval.decided")
    labels = {name: ToolLabel(str(title)) for name, tool in tools.items() if (title := _title(tool))}
    turn.replace(
        build_card(calls, labels, None, is_allowed=is_allowed),
        copy_text=_words("Allowed" if is_allowed else "Did not allow", calls, labels),
    )
    results = [
        await _run(turn, call, tools.get(call.name), timeout_s) if is_allowed else (_REJECTED, False) for call in calls
    ]
    if is_allowed:
        turn.emit(ThreadItemDoneEvent(item=_workflow(turn, calls, labels, [failed for _, failed in results])))
    memory = remember_tool_calls(
        [
            {"call_id": call.call_id, "name": call.name, "arguments": call.arguments, "result": text}
            for call, (text, _) in zip(calls, results, strict=True)
        ]
    )
    turn.emit(
        ThreadItemDoneEvent(
            item=HiddenContextItem(
                id=turn.new_id("message"), thread_id=turn.thread.id, created_at=utc_now(), content=memory
            )
        )
    )
    turn.resume()


def build_card(
    calls: Sequence[PendingApproval],
    labels: Mapping[str, ToolLabel],
    request_id: str | None,
    *,
    is_allowed: bool | None = None,
) -> dict[str, Any]:
    """Return the card: what is wanted, with which values, and two buttons; or what was decided.

    Args:
        calls: What is wanted.
        labels: How the tools are called.
        request_id: What the buttons refer to; None when it is decided.
        is_allowed: What was decided.
    """
    wishes: list[dict[str, Any]] = []
    for call in calls:
        rows = [
            {
                "type": "Row",
                "align": "start",
                "gap": 2,
                "children": [
                    {"type": "Caption", "value": f"{name}:", "color": "secondary"},
                    {"type": "Text", "value": value, "size": "sm"},
                ],
            }
            for name, value in _values(call.arguments)
        ]
        title = {"type": "Text", "value": _label(call.name, labels), "weight": "semibold"}
        wishes.append({"type": "Col", "gap": 1, "children": [title, *rows]})
    if request_id is None:
        decided = {
            "type": "Badge",
            "label": "Allowed" if is_allowed else "Not allowed",
            "color": "success" if is_allowed else "secondary",
        }
        return {"type": "Card", "id": f"{CARD_ID}.decided", "size": "md", "children": [decided, *wishes]}
    payload = {"request_id": request_id}
    buttons = [
        {
            "type": "Button",
            "label": "Don't allow",
            "variant": "outline",
            "color": "secondary",
            "onClickAction": {"type": REJECT, "payload": payload, "loadingBehavior": "container"},
        },
        {
            "type": "Button",
            "label": "Allow",
            "style": "primary",
            "onClickAction": {"type": APPROVE, "payload": payload, "loadingBehavior": "container"},
        },
    ]
    return {
        "type": "Card",
        "id": CARD_ID,
        "size": "md",
        "children": [
            {"type": "Title", "value": "May I do this?", "size": "sm"},
            *wishes,
            {"type": "Row", "gap": 2, "justify": "end", "wrap": "wrap", "children": buttons},
        ],
    }


async def _run(
    turn: ActionTurn, call: PendingApproval, function: FunctionTool | None, timeout_s: float
) -> tuple[str, bool]:
    """Return what the tool said, and whether it failed."""
    if function is None:
        return "This tool does not exist any more.", True
    arguments = _arguments(call.arguments)
    context = FunctionInvocationContext(function, arguments, kwargs={TURN_KWARG: turn})
    try:
        async with asyncio.timeout(tool_timeout_s(function, timeout_s)):
            contents = await function.invoke(arguments=arguments, context=context, tool_call_id=call.call_id)
    except UserFacingError as exc:
        return exc.message, True
    except TimeoutError:
        return "The tool took too long and was stopped.", True
    except Exception:
        logger.exception("tool failed", extra={"tool": call.name})
        return "The tool failed.", True
    return "\n".join(content.text or str(content.result or "") for content in contents), False


def _workflow(
    turn: Turn, calls: Sequence[PendingApproval], labels: Mapping[str, ToolLabel], failed: Sequence[bool]
) -> WorkflowItem:
    tasks: list[Any] = [
        CustomTask(title=_label(call.name, labels), status_indicator="none", content=turn.texts.step_failed)
        if is_failed
        else CustomTask(title=_label(call.name, labels), status_indicator="complete")
        for call, is_failed in zip(calls, failed, strict=True)
    ]
    title = _label(calls[0].name, labels) if len(calls) == 1 else f"{len(calls)} steps"
    return WorkflowItem(
        id=turn.new_id("workflow"),
        thread_id=turn.thread.id,
        created_at=utc_now(),
        workflow=Workflow(type="custom", tasks=tasks, summary=CustomSummary(title=title)),
    )


def _read(item: Any) -> list[PendingApproval]:
    content = item.content if isinstance(item, HiddenContextItem) else None
    calls = content.get(PENDING_APPROVALS_KEY) if isinstance(content, Mapping) else None
    return [PendingApproval(**call) for call in calls] if isinstance(calls, list) else []


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _values(arguments: str) -> list[tuple[str, str]]:
    values = list(_arguments(arguments).items())
    shown = [(name, shortened(_written(value), _MAX_ARGUMENT_CHARS)) for name, value in values[:_MAX_ARGUMENTS]]
    if len(values) > _MAX_ARGUMENTS:
        shown.append(("…", f"{len(values) - _MAX_ARGUMENTS} more"))
    return shown


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _title(tool: FunctionTool) -> Any:
    return (tool.additional_properties or {}).get("title")


def _label(name: str, labels: Mapping[str, ToolLabel]) -> str:
    return labels[name].title if name in labels else name.replace("_", " ").capitalize()


def _words(opening: str, calls: Sequence[PendingApproval], labels: Mapping[str, ToolLabel]) -> str:
    wishes = [
        f"{_label(call.name, labels)} ({', '.join(f'{name}: {value}' for name, value in _values(call.arguments))})"
        for call in calls
    ]
    return f"{opening}: {'; '.join(wishes)}"
