"""Approval requests: the tool calls a person is asked about, the decisions, and their form in the thread.

While a call is open, a hidden item holds the request. When all are decided, the same item, at the same place, holds the
results of the calls for the model. It is written before the first call is made: should the process die, the model must
know that a call without a result may have had an effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from chatkit.types import HiddenContextItem, ThreadItem

from turns.clock import utc_now
from turns.tool_memory import REPLAY, remember_tool_calls

PENDING_APPROVALS_KEY = "parlor.approvals"
"""Key of a hidden item that holds tool calls which a person has not decided yet."""

EXPIRED_KEY = "parlor.expired"
"""Key of a hidden item with the results of a request that expired before all calls were decided."""

_CARD_KEY = "parlor.card"

UNKNOWN_RESULT = "This was begun and not seen through: whether it had any effect is not known."
REJECTED_RESULT = "This was not done: it was not allowed. It will be tried again only when that is asked for."
UNDECIDED_RESULT = "This was not done: something else was said before it was decided about."


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A tool call of a batch in which at least one needs a person's approval.

    Attributes:
        call_id: The provider's id of the call.
        name: The tool.
        arguments: The arguments as JSON text.
        title: The name of the tool for people.
        icon: The name of the icon beside the title.
        server: The server on which the provider itself runs the call; None for our own tools.
        step: The id of the workflow item that shows the call as waiting; None when there is none.
        step_index: The index of the call's task in that item.
        decision: The person's decision; None while it is pending, and for a call that needs none.
        result: The result for the model; None while there is none.
        replay: The provider's data that must be sent back with the call.
    """

    call_id: str
    name: str
    arguments: str
    title: str = ""
    icon: str | None = None
    server: str | None = None
    step: str | None = None
    step_index: int = 0
    decision: Literal["allowed", "rejected"] | None = None
    result: str | None = None
    replay: dict[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the call still needs the person's decision."""
        return self.decision is None and self.result is None


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """The calls of one card, as they are stored.

    Attributes:
        id: The id of the hidden item that holds the request.
        card_id: The id of the widget item that shows it.
        calls: The whole batch, in the model's order.
    """

    id: str
    card_id: str
    calls: tuple[PendingApproval, ...]

    @property
    def is_open(self) -> bool:
        """Whether any call waits for the person."""
        return any(call.is_open for call in self.calls)

    def decide(self, call_id: str, *, is_allowed: bool) -> ApprovalRequest:
        """Return the request with one call decided."""
        decision: Literal["allowed", "rejected"] = "allowed" if is_allowed else "rejected"
        return replace(
            self, calls=tuple(replace(c, decision=decision) if c.call_id == call_id else c for c in self.calls)
        )

    def pending_item(self, thread_id: str) -> HiddenContextItem:
        """Return the hidden item that stores the open request."""
        calls = [{key: value for key, value in asdict(call).items() if value is not None} for call in self.calls]
        return self._build_item(thread_id, {PENDING_APPROVALS_KEY: calls, _CARD_KEY: self.card_id})

    def memory_item(self, thread_id: str, results: Mapping[str, str]) -> HiddenContextItem:
        """Return the hidden item that holds the results of the calls for the model.

        Args:
            thread_id: The thread.
            results: The known results of allowed calls, by call id.
        """
        calls = [
            _remembered_call(call, call.result or results.get(call.call_id))
            for call in self.calls
            if call.server is None
        ]
        return self._build_item(thread_id, remember_tool_calls(calls))

    def expired_item(self, thread_id: str) -> HiddenContextItem:
        """Return the hidden item that tells the model that undecided calls have expired, so that no call was made."""
        results = {call.call_id: UNDECIDED_RESULT for call in self.calls if call.decision != "rejected"}
        item = self.memory_item(thread_id, results)
        return item.model_copy(update={"content": {**item.content, EXPIRED_KEY: True}})

    def _build_item(self, thread_id: str, content: dict[str, Any]) -> HiddenContextItem:
        return HiddenContextItem(id=self.id, thread_id=thread_id, created_at=utc_now(), content=content)


def _remembered_call(call: PendingApproval, result: str | None) -> dict[str, Any]:
    if result is None:
        result = UNKNOWN_RESULT if call.decision == "allowed" else REJECTED_RESULT
    remembered = {"call_id": call.call_id, "name": call.name, "arguments": call.arguments, "result": result}
    return {**remembered, REPLAY: call.replay} if call.replay else remembered


def read_approval_request(item: ThreadItem) -> ApprovalRequest | None:
    """Return the open request that an item holds; None when it holds none."""
    content = item.content if isinstance(item, HiddenContextItem) else None
    stored_calls = content.get(PENDING_APPROVALS_KEY) if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(stored_calls, list):
        return None
    return ApprovalRequest(
        item.id, str(content.get(_CARD_KEY)), tuple(PendingApproval(**call) for call in stored_calls)
    )
