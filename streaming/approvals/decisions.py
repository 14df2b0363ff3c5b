"""Decisions about calls that need a person's approval: each is decided alone, and the answer then continues.

The request is stored in a hidden item, so that a decision also counts after a restart, once, and only for its owner.
The framework's own approvals need its session object; ours need only the store. If the person sends a message
before deciding, the open calls are not made any more.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent_framework import AgentResponseUpdate, Content, Message
from chatkit.types import (
    HiddenContextItem,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadStreamEvent,
    WidgetItem,
    WorkflowItem,
)
from pydantic import BaseModel

from context import ActionTurn, Services, Turn
from errors import ActionError, ConflictError, NotFoundError
from streaming.approvals.card import APPROVE, MAX_SHOWN_CHARS, REJECT, build_card, card_text, read_arguments
from turns.approval_request import EXPIRED_KEY, ApprovalRequest, PendingApproval, read_approval_request
from turns.clock import utc_now
from turns.request_context import RequestContext
from widgets.documents import widget_root

RunCalls = Callable[[Sequence[PendingApproval]], AsyncGenerator[Content, None]]
"""Runs calls and returns the result of each, as ``function_result`` contents."""

_UNREADABLE = "This was not done: the arguments are not a JSON object. Call the tool again with valid ones."
_TOO_LONG = f"This was not done: nobody can check more than {MAX_SHOWN_CHARS} characters. Call the tool with less."


class Decision(BaseModel, extra="forbid"):
    """The payload of a button of the card.

    Attributes:
        request_id: The id of the hidden item with the request.
        call_id: The id of the call that is decided.
    """

    request_id: str
    call_id: str


async def settle_calls(calls: Sequence[PendingApproval], run: RunCalls) -> AsyncGenerator[AgentResponseUpdate, None]:
    """Yield the results of the calls in a batch that need no approval, and errors for those that nobody can judge.

    Args:
        calls: The whole batch.
        run: Runs those among the given calls that need no approval.
    """
    ours = [call for call in calls if call.server is None]
    readable = [call for call in ours if read_arguments(call.arguments) is not None]
    for call in ours:
        if call not in readable:
            yield _result(Content.from_function_result(call.call_id, result=_UNREADABLE, exception=_UNREADABLE))
    settled = set()
    async for content in run(readable):
        settled.add(content.call_id)
        yield _result(content)
    for call in readable:
        if call.call_id not in settled and len(call.arguments) > MAX_SHOWN_CHARS:
            yield _result(Content.from_function_result(call.call_id, result=_TOO_LONG, exception=_TOO_LONG))


def approval_events(turn: Turn) -> Iterator[ThreadStreamEvent]:
    """Store the tool calls that the answer wants allowed, and show the card that asks for them."""
    answer = turn.context.answer
    request = ApprovalRequest(turn.new_id("message"), turn.new_id("message"), tuple(answer.approvals))
    yield ThreadItemDoneEvent(item=request.pending_item(turn.thread.id))
    card = WidgetItem(
        id=request.card_id,
        thread_id=turn.thread.id,
        created_at=utc_now(),
        widget=widget_root(build_card(request, answer.texts)),
        copy_text=card_text(request, answer.texts),
    )
    yield ThreadItemDoneEvent(item=card)


async def check_decision(
    services: Services, thread_id: str, action_type: Any, payload: Any, context: RequestContext, *, is_streamed: bool
) -> None:
    """Refuse a click on a card, before anything is answered, where there is nothing to decide any more.

    Raises:
        ConflictError: When it has been decided already, or the next message came first.
        ActionError: When the answer could not go on after it, because there is no stream.
    """
    if action_type not in (APPROVE, REJECT) or not isinstance(payload, Mapping):
        return
    if not is_streamed:
        raise ActionError("A decision has to be sent as a streamed action.", code="action.not_streamed")
    await _load(services, thread_id, str(payload.get("request_id")), str(payload.get("call_id")), context)


async def decide(turn: ActionTurn, payload: Decision, *, is_allowed: bool) -> None:
    """Note a decision, and show it; with the last one of a request, the answer goes on.

    Raises:
        ConflictError: When it has been decided already, or the next message came first.
    """
    services, thread_id, answer = turn.services, turn.thread.id, turn.context.answer
    is_swapped = False
    while not is_swapped:
        # Again, if another call of the same request was decided meanwhile, elsewhere.
        before, asked = await _load(services, thread_id, payload.request_id, payload.call_id, turn.context)
        request = asked.decide(payload.call_id, is_allowed=is_allowed)
        after = request.pending_item(thread_id) if request.is_open else request.memory_item(thread_id, {})
        is_swapped = await services.store.swap_item(thread_id, before, after, turn.context)
    turn.replace(build_card(request, answer.texts), copy_text=card_text(request, answer.texts))
    said = None if is_allowed else answer.texts.rejected
    await _show_steps(turn, [call for call in request.calls if call.call_id == payload.call_id], said)
    if not request.is_open:
        answer.decided = request
        turn.resume()


async def expire(turn: Turn, items: Sequence[ThreadItem]) -> list[ThreadItem]:
    """Close what is still open now that the person has written something else, and show that.

    Args:
        turn: The answer to what they wrote.
        items: The newest items of its thread.

    Returns:
        The items as they are now.
    """
    now = list(items)
    for index, item in enumerate(items):
        request = read_approval_request(item)
        if request is None:
            continue
        closed = request.expired_item(turn.thread.id)
        if await turn.services.store.swap_item(turn.thread.id, item, closed, turn.context):
            now[index] = closed
            texts = turn.context.answer.texts
            card = build_card(request, texts, is_expired=True)
            turn.replace_widget(request.card_id, card, copy_text=card_text(request, texts, is_expired=True))
            await _show_steps(turn, [c for c in request.calls if c.decision != "rejected"], texts.expired)
    return now


def provider_messages(request: ApprovalRequest | None) -> list[Message]:
    """Return messages that tell the provider the decisions about calls that it makes itself.

    They are sent once, in the answer that continues: sent again, they would have the calls made again.
    """
    hosted = [call for call in (request.calls if request else ()) if call.server is not None]
    if not hosted:
        return []
    asked, answered = [], []
    for call in hosted:
        wanted = Content.from_function_call(
            call.call_id, call.name, arguments=call.arguments, hosted=True, server_name=call.server
        )
        asked.append(Content.from_function_approval_request(call.call_id, wanted))
        answered.append(
            Content.from_function_approval_response(call.decision == "allowed", call.call_id, function_call=wanted)
        )
    return [Message("assistant", asked), Message("user", answered)]


async def _load(
    services: Services, thread_id: str, request_id: str, call_id: str, context: RequestContext
) -> tuple[ThreadItem, ApprovalRequest]:
    try:
        item = await services.store.load_item(thread_id, request_id, context=context)
    except NotFoundError:
        # The thread is the caller's own, or it would not have been loaded.
        raise ConflictError("There is nothing to decide here any more.", code="approval.gone") from None
    request = read_approval_request(item)
    content = item.content if isinstance(item, HiddenContextItem) else None
    if isinstance(content, Mapping) and EXPIRED_KEY in content:
        raise ConflictError("You wrote something else before you decided, so it was not done.", code="approval.expired")
    if request is None or not any(call.call_id == call_id and call.is_open for call in request.calls):
        raise ConflictError("This has been decided already.", code="approval.decided")
    return item, request


async def _show_steps(turn: Turn, calls: Iterable[PendingApproval], content: str | None) -> None:
    """Let the steps that were shown as waiting say something else, as far as they are still there."""
    by_item: dict[str, list[int]] = {}
    for call in calls:
        if call.step is not None:
            by_item.setdefault(call.step, []).append(call.step_index)
    for item_id, indexes in by_item.items():
        try:
            item = await turn.services.store.load_item(turn.thread.id, item_id, context=turn.context)
        except NotFoundError:
            continue
        if isinstance(item, WorkflowItem) and max(indexes) < len(item.workflow.tasks):
            for index in indexes:
                task = item.workflow.tasks[index]
                item.workflow.tasks[index] = task.model_copy(update={"content": content})
            turn.emit(ThreadItemReplacedEvent(item=item))


def _result(content: Content) -> AgentResponseUpdate:
    return AgentResponseUpdate(role="tool", contents=[content])
