"""Offered actions: those of a stored widget, which a click on it may claim to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from widgets.documents import components_of

# Props of ChatKit's components that hold an action, and those that hold an object with one.
ACTION_PROPS = ("onClickAction", "onSubmitAction", "onChangeAction")
NESTED_ACTION_PROPS = ("confirm", "cancel")


def offers(widget: Mapping[str, Any], action_type: str, payload: Any) -> bool:
    """Say whether `widget` offers the action `action_type` with this payload.

    The payload must hold what the widget put into it, unchanged. Beyond that it may hold only values of the widget's
    own form fields, because ChatKit merges them into the payload (dotted names become nested objects).

    Args:
        widget: The JSON of the stored root.
        action_type: The name that the request claims.
        payload: The payload of the request; None reads as an empty object.
    """
    fields = set(_field_names(widget))
    return any(
        offered.get("type") == action_type and _matches(offered.get("payload"), payload, fields)
        for offered in _actions(widget)
    )


def _actions(widget: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for node in components_of(widget):
        for prop in ACTION_PROPS:
            if isinstance(node.get(prop), Mapping):
                yield node[prop]
        for prop in NESTED_ACTION_PROPS:
            holder = node.get(prop)
            if isinstance(holder, Mapping) and isinstance(holder.get("action"), Mapping):
                yield holder["action"]


def _field_names(widget: Mapping[str, Any]) -> Iterator[str]:
    for node in components_of(widget):
        editable = node.get("editable")
        name = node.get("name") if node.get("type") != "Icon" else None
        if isinstance(editable, Mapping):
            name = editable.get("name")
        if isinstance(name, str):
            yield name.split(".")[0]


def _matches(offered: Any, sent: Any, fields: set[str]) -> bool:
    if offered is None:
        offered = {}
    if sent is None:
        sent = {}
    if not isinstance(offered, Mapping) or not isinstance(sent, Mapping):
        return bool(offered == sent)
    for key, value in offered.items():
        # Nulls do not survive a widget's way to the browser.
        if value is not None and not _same(value, sent.get(key), key in fields):
            return False
    return all(key in offered or key in fields or sent[key] is None for key in sent)


def _same(offered: Any, sent: Any, may_grow: bool) -> bool:
    """Compare a value; an object that shares its name with a form field may have got fields of it."""
    if isinstance(offered, Mapping) and isinstance(sent, Mapping):
        return all(v is None or _same(v, sent.get(k), may_grow) for k, v in offered.items()) and (
            may_grow or all(k in offered or sent[k] is None for k in sent)
        )
    if isinstance(offered, list) and isinstance(sent, list):
        return len(offered) == len(sent) and all(_same(a, b, False) for a, b in zip(offered, sent, strict=True))
    # 1 and True are equal in Python and different on the wire.
    return bool(offered == sent) and isinstance(offered, bool) == isinstance(sent, bool)
