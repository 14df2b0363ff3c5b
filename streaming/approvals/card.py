"""The card that shows what tools want to do, asks for each call whether it may, and says what became of it."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from turns.answer_texts import AnswerTexts
from turns.approval_request import ApprovalRequest, PendingApproval

APPROVE = "parlor.approve"
REJECT = "parlor.reject"
CARD_ID = "parlor.approval"

MAX_SHOWN_CHARS = 20_000
"""How long the arguments of a call may be that a person is to check, in characters of JSON."""

_LINES_SHOWN = "\n\t"


def build_card(request: ApprovalRequest, texts: AnswerTexts, *, is_expired: bool = False) -> dict[str, Any]:
    """Return the card of a request: the calls with all their values, and for each two buttons or what was decided.

    Args:
        request: The calls. Those that need no approval are not shown.
        texts: The words around the calls.
        is_expired: Whether time is up for the calls that are open.
    """
    shown = _shown(request)
    is_open = request.is_open and not is_expired
    children: list[dict[str, Any]] = [{"type": "Title", "value": texts.ask, "size": "sm"}] if is_open else []
    for call in shown:
        if children:
            children.append({"type": "Divider"})
        children.append(_call(request, call, texts, is_expired=is_expired))
    if is_open and any(not call.is_open for call in shown):
        children.append({"type": "Caption", "value": texts.undecided, "color": "secondary"})
    return {"type": "Card", "id": CARD_ID if is_open else f"{CARD_ID}.decided", "size": "md", "children": children}


def card_text(request: ApprovalRequest, texts: AnswerTexts, *, is_expired: bool = False) -> str:
    """Return the card in words."""
    lines = []
    for call in _shown(request):
        values = ", ".join(f"{name}: {value}" for name, value in _values(call))
        state = _state(call, texts, is_expired=is_expired) or texts.ask
        lines.append(f"{state} – {call.title} ({values})" if values else f"{state} – {call.title}")
    return "\n".join(lines)


def read_arguments(text: str) -> dict[str, Any] | None:
    """Return a call's arguments by name; None when the text is no JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _shown(request: ApprovalRequest) -> list[PendingApproval]:
    return [call for call in request.calls if call.result is None]


def _call(request: ApprovalRequest, call: PendingApproval, texts: AnswerTexts, *, is_expired: bool) -> dict[str, Any]:
    rows = [
        {
            "type": "Row",
            "align": "start",
            "gap": 2,
            "children": [
                {"type": "Caption", "value": _readable(name), "color": "secondary"},
                {"type": "Text", "value": value, "size": "sm"},
            ],
        }
        for name, value in _values(call)
    ]
    title = {"type": "Text", "value": call.title, "weight": "semibold"}
    state = _state(call, texts, is_expired=is_expired)
    end = _buttons(request.id, call.call_id, texts) if state is None else _badge(call, state, is_expired=is_expired)
    values = [{"type": "Col", "gap": 1, "children": rows}] if rows else []
    return {"type": "Col", "gap": 3, "children": [title, *values, end]}


def _state(call: PendingApproval, texts: AnswerTexts, *, is_expired: bool) -> str | None:
    """Return the state of a call in words; None while it is open."""
    if call.decision == "rejected":
        return texts.rejected
    if is_expired:
        return texts.expired
    return texts.allowed if call.decision == "allowed" else None


def _badge(call: PendingApproval, label: str, *, is_expired: bool) -> dict[str, Any]:
    is_allowed = call.decision == "allowed" and not is_expired
    return {"type": "Badge", "label": label, "color": "success" if is_allowed else "secondary"}


def _buttons(request_id: str, call_id: str, texts: AnswerTexts) -> dict[str, Any]:
    def button(label: str, action: str, **looks: str) -> dict[str, Any]:
        click = {
            "type": action,
            "payload": {"request_id": request_id, "call_id": call_id},
            "loadingBehavior": "container",
        }
        return {"type": "Button", "label": label, **looks, "onClickAction": click}

    buttons = [
        button(texts.reject, REJECT, variant="outline", color="secondary"),
        button(texts.allow, APPROVE, style="primary"),
    ]
    return {"type": "Row", "gap": 2, "justify": "end", "wrap": "wrap", "children": buttons}


def _values(call: PendingApproval) -> list[tuple[str, str]]:
    """Return all arguments as a person can check them: whole, and with nothing invisible in them."""
    return [
        (_visible(name), _visible(_written(value))) for name, value in (read_arguments(call.arguments) or {}).items()
    ]


def _readable(name: str) -> str:
    """Return an argument's name as words: ``due_date`` and ``dueDate`` are "Due date:"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    text = " ".join(word if word.isupper() else word.lower() for word in words) or name
    return f"{text[:1].upper()}{text[1:]}:"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _visible(text: str) -> str:
    """Write out what cannot be seen, or changes how the rest is read, such as marks of the writing direction."""
    return "".join(
        f"\\u{ord(char):04x}" if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in _LINES_SHOWN else char
        for char in text
    )
