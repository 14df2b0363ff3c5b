"""Requests for approval: the tool calls a person is asked about, each decision, and how the thread keeps them.

While anything is open, a hidden item holds the request. When all is decided, the same item, at the same place, tells
the model what came of each call. It is written at that moment, before the first call is made: then a call of which
nothing is known may have had an effect, and the model must not think otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from chatkit.types import HiddenContextItem, ThreadItem

from turns.clock import utc_now
from turns.tool_memory import REPLAY, remember_tool_calls

PENDING_APPROVALS_KEY = "parlor.approvals"
"""Marks a hidden item that holds tool calls which a person has not decided about."""

EXPIRED_KEY = "parlor.expired"
"""Marks the memory of a request about which not all was decided."""

_CARD_KEY = "parlor.card"

UNKNOWN = "This was begun and not seen through: whether it had any effect is not known."
REJECTED = "This was not done: it was not allowed. It will be tried again only when that is asked for."
NOT_DECIDED = "This was not done: something else was said before it was decided about."


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A tool call of a batch in which at least one needs a person's approval.

    Attributes:
        call_id: The provider's id of the call.
        name: The tool.
        arguments: JSON text.
        title: How people read its name.
        icon: The name of the icon beside the title.
        server: The server on which the provider itself runs it; None for our own tools.
        step: The id of the workflow item that shows the call as waiting; None when none does.
        step_index: The place of the call in that item.
        decision: The person's decision; None while it is pending, and for a call that needs none.
        result: The result that the model is told; None while that is open.
        replay: The data that the server that made the call wants back with it.
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
        """Whether the person has not decided yet."""
        return self.decision is None and self.result is None


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """The calls of one card, as they are stored.

    Attributes:
        id: The hidden item that holds it.
        card_id: The widget that shows it.
        calls: The whole batch, in the order in which the model asked.
    """

    id: str
    card_id: str
    calls: tuple[PendingApproval, ...]

    @property
    def is_open(self) -> bool:
        """Whether anything waits for the person."""
        return any(call.is_open for call in self.calls)

    def decide(self, call_id: str, *, is_allowed: bool) -> ApprovalRequest:
        """Return the request with one call decided."""
        decision: Literal["allowed", "rejected"] = "allowed" if is_allowed else "rejected"
        return replace(
            self, calls=tuple(replace(c, decision=decision) if c.call_id == call_id else c for c in self.calls)
        )

    def pending_item(self, thread_id: str) -> HiddenContextItem:
        """Return the item that holds the request."""
        calls = [{key: value for key, value in asdict(call).items() if value is not None} for call in self.calls]
        return self._item(thread_id, {PENDING_APPROVALS_KEY: calls, _CARD_KEY: self.card_id})

    def memory_item(self, thread_id: str, results: Mapping[str, str]) -> HiddenContextItem:
        """Return the item that tells the model what came of the calls.

        Args:
            thread_id: The thread.
            results: The results of those that were allowed, by call id, as far as they are known.
        """
        told = [(call, call.result or results.get(call.call_id)) for call in self.calls if call.server is None]
        content = remember_tool_calls(
            [
                {
                    "call_id": call.call_id,
                    "name": call.name,
                    "arguments": call.arguments,
                    "result": result if result is not None else UNKNOWN if call.decision == "allowed" else REJECTED,
                    **({REPLAY: call.replay} if call.replay else {}),
                }
                for call, result in told
            ]
        )
        return self._item(thread_id, content)

    def expired_item(self, thread_id: str) -> HiddenContextItem:
        """Return the item that tells the model that some calls were never decided about, so that none was made."""
        late = {call.call_id: NOT_DECIDED for call in self.calls if call.decision != "rejected"}
        item = self.memory_item(thread_id, late)
        return item.model_copy(update={"content": {**item.content, EXPIRED_KEY: True}})

    def _item(self, thread_id: str, content: dict[str, Any]) -> HiddenContextItem:
        return HiddenContextItem(id=self.id, thread_id=thread_id, created_at=utc_now(), content=content)


def read_request(item: ThreadItem) -> ApprovalRequest | None:
    """Return the request that an item holds; None when it holds none, or one that is closed."""
    content = item.content if isinstance(item, HiddenContextItem) else None
    calls = content.get(PENDING_APPROVALS_KEY) if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(calls, list):
        return None
    return ApprovalRequest(item.id, str(content.get(_CARD_KEY)), tuple(PendingApproval(**call) for call in calls))
