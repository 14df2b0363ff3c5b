"""Checks of actions against the stored widget that they claim to come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from errors import ActionError
from streaming.actions.field_values import check_values
from streaming.actions.form_fields import Offer, Path, collect_fields, collect_offers

NOT_OFFERED = "This widget does not offer this action any more."


def check_offered(widget: Mapping[str, Any], action_type: str, payload: Any) -> Offer:
    """Return the offer of `widget` that an action matches.

    The payload must contain the widget's own payload unchanged. It may also contain values of the fields that belong to
    the action, which ChatKit merges into the payload (dotted names become nested objects), if a person can enter them.

    Args:
        widget: The JSON of the stored root.
        action_type: The type of the action in the request.
        payload: The payload of the request; None counts as an empty object.

    Raises:
        ActionError: When the widget does not offer the action, or a field does not allow its value.
    """
    refusal: ActionError | None = None
    strays: set[str] = set()
    for offer in collect_offers(widget):
        if offer.action.get("type") != action_type:
            continue
        sent: dict[Path, Any] = {}
        stray = _find_difference(offer.action.get("payload"), payload, {field.path for field in offer.fields}, sent)
        if stray is not None:
            strays.add(stray)
        elif offer.action.get("handler") == "client":
            refusal = refusal or ActionError("This action is the page's own.", code="action.not_offered")
        else:
            try:
                check_values(offer, sent)
            except ActionError as exc:
                refusal = refusal or exc
            else:
                return offer
    if refusal is not None:
        raise refusal
    if foreign := sorted({field.name for field in collect_fields(widget)} & strays):
        raise ActionError(f"“{foreign[0]}” belongs to another form.", code="action.not_offered")
    raise ActionError(NOT_OFFERED, code="action.not_offered")


def check_field_values(widget: Mapping[str, Any], action_type: str, payload: Any) -> None:
    """Check the field values of an action that may come from the widget or from the page itself.

    An action that the widget does not offer with this payload counts as the page's own and is not checked.

    Args:
        widget: The JSON of the stored root.
        action_type: The type of the action in the request.
        payload: The payload of the request.

    Raises:
        ActionError: When the widget offers the action, but a field does not allow its value.
    """
    refusal: ActionError | None = None
    for offer in collect_offers(widget):
        if offer.action.get("type") != action_type or offer.action.get("handler") == "client":
            continue
        sent: dict[Path, Any] = {}
        paths = {field.path for field in offer.fields}
        if _find_difference(offer.action.get("payload"), payload, paths, sent) is not None:
            continue
        try:
            check_values(offer, sent)
        except ActionError as exc:
            refusal = refusal or exc
        else:
            return
    if refusal is not None:
        raise refusal


def is_offered(widget: Mapping[str, Any], action_type: str, payload: Any) -> bool:
    """Return whether `widget` offers the action `action_type` with this payload."""
    try:
        check_offered(widget, action_type, payload)
    except ActionError:
        return False
    return True


def _find_difference(offered: Any, sent: Any, fields: set[Path], values: dict[Path, Any], at: Path = ()) -> str | None:
    """Return the path of the first difference between two payloads; None if there are only field values besides.

    Args:
        offered: The payload of the widget, or a part of it.
        sent: The payload of the request, or the same part of it.
        fields: The paths of the fields whose values may be added.
        values: Receives the field values by path.
        at: The path of the part.
    """
    if not at:
        offered, sent = {} if offered is None else offered, {} if sent is None else sent
    if not isinstance(offered, Mapping) or not isinstance(sent, Mapping):
        return None if _is_same(offered, sent) else ".".join(at)
    for key in offered:
        # Nulls are removed when a widget is sent to the browser.
        if offered[key] is not None and sent.get(key) is None:
            return ".".join((*at, str(key)))
    for key, value in sent.items():
        place = (*at, str(key))
        if offered.get(key) is not None:
            difference = _find_difference(offered[key], value, fields, values, place)
        elif place in fields:
            values[place] = value
            difference = None
        elif isinstance(value, Mapping) and value and any(path[: len(place)] == place for path in fields):
            difference = _find_difference({}, value, fields, values, place)
        else:
            difference = None if value is None else ".".join(place)
        if difference is not None:
            return difference
    return None


def _is_same(offered: Any, sent: Any) -> bool:
    if isinstance(offered, Mapping) and isinstance(sent, Mapping):
        return _find_difference(offered, sent, set(), {}, ("",)) is None
    if isinstance(offered, list) and isinstance(sent, list):
        return len(offered) == len(sent) and all(_is_same(a, b) for a, b in zip(offered, sent, strict=True))
    # 1 and True are equal in Python and different on the wire.
    return bool(offered == sent) and isinstance(offered, bool) == isinstance(sent, bool)
