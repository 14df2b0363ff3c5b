"""Decisions about calls that need a person's approval: each call is decided separately, then the answer continues.

The request is stored in a hidden item, so that a decision also counts after a restart, once, and only for its owner.
The framework's own approvals need its session object; ours need only the store. If the person sends a message
before deciding, the open calls expire.
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
from streaming.approvals.card import APPROVE, MAX_SHOWN_CHARS, REJECT, build_card, card_text, parse_arguments
from turns.approval_request import EXPIRED_KEY, ApprovalRequest, PendingApproval, read_approval_request
from turns.clock import utc_now
from turns.request_context import RequestContext
from widgets.documents import widget_root

RunCalls = Callable[[Sequence[PendingApproval]], AsyncGenerator[Content, None]]
"""Runs calls and returns the result of each, as ``function_result`` contents."""

_INVALID_ARGUMENTS = "This was not done: the arguments are not a JSON object. Call the tool again with valid ones."
_TOO_LONG = f"This was not done: nobody can check more than {MAX_SHOWN_CHARS} characters. Call the tool with less."


class Decision(BaseModel, extra="forbid"):
    """The payload of a button on the card.

    Attributes:
        request_id: The id of the hidden item with the request.
        call_id: The id of the call that is decided.
    """

    request_id: str
    call_id: str


async def settle_calls(calls: Sequence[PendingApproval], run: RunCalls) -> AsyncGenerator[AgentResponseUpdate, None]:
    """Yield the results of the calls in a batch that need no approval, and errors for calls that nobody could check.

    Args:
        calls: The whole batch.
        run: Runs those among the given calls that need no approval.
    """
    ours = [call for call in calls if call.server is None]
    readable = [call for call in ours if parse_arguments(call.arguments) is not None]
    for call in ours:
        if call not in readable:
            yield _build_error_update(call.call_id, _INVALID_ARGUMENTS)
    settled = set()
    async for content in run(readable):
        settled.add(content.call_id)
        yield _build_result_update(content)
    for call in readable:
        if call.call_id not in settled and len(call.arguments) > MAX_SHOWN_CHARS:
            yield _build_error_update(call.call_id, _TOO_LONG)


def approval_events(turn: Turn) -> Iterator[ThreadStreamEvent]:
    """Yield the events that store the answer's approval request, and show its card."""
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
    """Refuse a click on a card whose call is not open any more, before the response begins.

    Raises:
        ConflictError: When the call has been decided already, or the next message came first.
        ActionError: When there is no stream in which the answer could continue.
    """
    if action_type not in (APPROVE, REJECT) or not isinstance(payload, Mapping):
        return
    if not is_streamed:
        raise ActionError("A decision has to be sent as a streamed action.", code="action.not_streamed")
    await _load_open_request(services, thread_id, str(payload.get("request_id")), str(payload.get("call_id")), context)


async def decide(turn: ActionTurn, payload: Decision, *, is_allowed: bool) -> None:
    """Store a decision and show it; the answer continues after the last decision of a request.

    Raises:
        ConflictError: When the call has been decided already, or the next message came first.
    """
    services, thread_id, answer = turn.services, turn.thread.id, turn.context.answer
    is_swapped = False
    while not is_swapped:
        # Repeated if another call of the same request was decided concurrently.
        open_item, request = await _load_open_request(
            services, thread_id, payload.request_id, payload.call_id, turn.context
        )
        request = request.decide(payload.call_id, is_allowed=is_allowed)
        decided_item = request.pending_item(thread_id) if request.is_open else request.memory_item(thread_id, {})
        is_swapped = await services.store.swap_item(thread_id, open_item, decided_item, turn.context)
    turn.replace(build_card(request, answer.texts), copy_text=card_text(request, answer.texts))
    note = None if is_allowed else answer.texts.rejected
    await _show_steps(turn, [call for call in request.calls if call.call_id == payload.call_id], note)
    if not request.is_open:
        answer.decide(request)


async def expire_requests(turn: Turn, items: Sequence[ThreadItem]) -> list[ThreadItem]:
    """Close the open approval requests of a thread after a new message, and show them as expired.

    Args:
        turn: The turn that answers the message.
        items: The newest items of the thread.

    Returns:
        The items, with closed requests in place of open ones.
    """
    current = list(items)
    for index, item in enumerate(items):
        request = read_approval_request(item)
        if request is None:
            continue
        closed = request.expired_item(turn.thread.id)
        if await turn.services.store.swap_item(turn.thread.id, item, closed, turn.context):
            current[index] = closed
            texts = turn.context.answer.texts
            card = build_card(request, texts, is_expired=True)
            turn.replace_widget(request.card_id, card, copy_text=card_text(request, texts, is_expired=True))
            await _show_steps(turn, [c for c in request.calls if c.decision != "rejected"], texts.expired)
    return current


def provider_messages(request: ApprovalRequest | None) -> list[Message]:
    """Return messages that tell the provider the decisions about calls that it runs itself.

    They are sent only in the answer that continues: sent again, they would make the calls run again.
    """
    hosted = [call for call in (request.calls if request else ()) if call.server is not None]
    if not hosted:
        return []
    requests, responses = [], []
    for call in hosted:
        function_call = Content.from_function_call(
            call.call_id, call.name, arguments=call.arguments, hosted=True, server_name=call.server
        )
        requests.append(Content.from_function_approval_request(call.call_id, function_call))
        is_allowed = call.decision == "allowed"
        responses.append(Content.from_function_approval_response(is_allowed, call.call_id, function_call=function_call))
    return [Message("assistant", requests), Message("user", responses)]


async def _load_open_request(
    services: Services, thread_id: str, request_id: str, call_id: str, context: RequestContext
) -> tuple[ThreadItem, ApprovalRequest]:
    try:
        item = await services.store.load_item(thread_id, request_id, context=context)
    except NotFoundError:
        # The thread was loaded before, so it belongs to the caller.
        raise ConflictError("There is nothing to decide here any more.", code="approval.gone") from None
    request = read_approval_request(item)
    content = item.content if isinstance(item, HiddenContextItem) else None
    if isinstance(content, Mapping) and EXPIRED_KEY in content:
        raise ConflictError("You wrote something else before you decided, so it was not done.", code="approval.expired")
    if request is None or not any(call.call_id == call_id and call.is_open for call in request.calls):
        raise ConflictError("This has been decided already.", code="approval.decided")
    return item, request


async def _show_steps(turn: Turn, calls: Iterable[PendingApproval], content: str | None) -> None:
    """Replace the text of steps that were shown as waiting, if they still exist."""
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


def _build_error_update(call_id: str, error: str) -> AgentResponseUpdate:
    return _build_result_update(Content.from_function_result(call_id, result=error, exception=error))


def _build_result_update(content: Content) -> AgentResponseUpdate:
    return AgentResponseUpdate(role="tool", contents=[content])
