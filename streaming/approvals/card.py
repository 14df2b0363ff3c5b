"""The approval card: it shows tool calls with their arguments, and for each two buttons or its state."""

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
"""The longest arguments of a call that a person may be asked to check, in characters of JSON."""

_SHOWN_CONTROLS = "\n\t"


def build_card(request: ApprovalRequest, texts: AnswerTexts, *, is_expired: bool = False) -> dict[str, Any]:
    """Return the card of a request: the calls with all their arguments, and for each two buttons or the decision.

    Args:
        request: The calls; those that already have a result are not shown.
        texts: The texts around the calls.
        is_expired: Whether the open calls have expired.
    """
    calls = _calls_on_card(request)
    is_open = request.is_open and not is_expired
    children: list[dict[str, Any]] = [{"type": "Title", "value": texts.ask, "size": "sm"}] if is_open else []
    for call in calls:
        if children:
            children.append({"type": "Divider"})
        children.append(_build_call(request, call, texts, is_expired=is_expired))
    if is_open and any(not call.is_open for call in calls):
        children.append({"type": "Caption", "value": texts.undecided, "color": "secondary"})
    return {"type": "Card", "id": CARD_ID if is_open else f"{CARD_ID}.decided", "size": "md", "children": children}


def card_text(request: ApprovalRequest, texts: AnswerTexts, *, is_expired: bool = False) -> str:
    """Return the card as text."""
    lines = []
    for call in _calls_on_card(request):
        values = ", ".join(f"{name}: {value}" for name, value in _visible_arguments(call))
        state = _state_text(call, texts, is_expired=is_expired) or texts.ask
        lines.append(f"{state} – {call.title} ({values})" if values else f"{state} – {call.title}")
    return "\n".join(lines)


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Return a call's arguments by name; None when the text is not a JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _calls_on_card(request: ApprovalRequest) -> list[PendingApproval]:
    return [call for call in request.calls if call.result is None]


def _build_call(
    request: ApprovalRequest, call: PendingApproval, texts: AnswerTexts, *, is_expired: bool
) -> dict[str, Any]:
    rows = [
        {
            "type": "Row",
            "align": "start",
            "gap": 2,
            "children": [
                {"type": "Caption", "value": _argument_label(name), "color": "secondary"},
                {"type": "Text", "value": value, "size": "sm"},
            ],
        }
        for name, value in _visible_arguments(call)
    ]
    title = {"type": "Text", "value": call.title, "weight": "semibold"}
    state = _state_text(call, texts, is_expired=is_expired)
    if state is None:
        end = _build_buttons(request.id, call.call_id, texts)
    else:
        end = _build_badge(call, state, is_expired=is_expired)
    values = [{"type": "Col", "gap": 1, "children": rows}] if rows else []
    return {"type": "Col", "gap": 3, "children": [title, *values, end]}


def _state_text(call: PendingApproval, texts: AnswerTexts, *, is_expired: bool) -> str | None:
    """Return the state of a call as text; None while it is open."""
    if call.decision == "rejected":
        return texts.rejected
    if is_expired:
        return texts.expired
    return texts.allowed if call.decision == "allowed" else None


def _build_badge(call: PendingApproval, label: str, *, is_expired: bool) -> dict[str, Any]:
    is_allowed = call.decision == "allowed" and not is_expired
    return {"type": "Badge", "label": label, "color": "success" if is_allowed else "secondary"}


def _build_buttons(request_id: str, call_id: str, texts: AnswerTexts) -> dict[str, Any]:
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


def _visible_arguments(call: PendingApproval) -> list[tuple[str, str]]:
    """Return all arguments in a form that a person can check: complete, with invisible characters escaped."""
    arguments = parse_arguments(call.arguments) or {}
    return [(_escape_invisible(name), _escape_invisible(_value_text(value))) for name, value in arguments.items()]


def _argument_label(name: str) -> str:
    """Return an argument's name as words: ``due_date`` and ``dueDate`` are "Due date:"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    text = " ".join(word if word.isupper() else word.lower() for word in words) or name
    return f"{text[:1].upper()}{text[1:]}:"


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _escape_invisible(text: str) -> str:
    """Return a text in which invisible characters, and those that change the text direction, are escaped."""
    return "".join(f"\\u{ord(char):04x}" if _is_invisible(char) else char for char in text)


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in _SHOWN_CONTROLS
