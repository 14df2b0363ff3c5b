"""Checks of field values against the stored widget: a request may send only values that a person can enter there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from errors import ActionError
from streaming.actions.form_fields import Field, Offer, Path, is_on
from widgets.patterns import SlowPatternError, matches
from widgets.value_formats import parse_day

MAX_VALUE_CHARS = 100_000
"""The longest text of a field, well below the longest request."""

# The formats that browsers send, which are ASCII in every language.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")

_UNSET = object()


def check_values(offer: Offer, sent: Mapping[Path, Any]) -> None:
    """Refuse field values that a person cannot enter in the widget.

    Args:
        offer: The offer of the action that was sent.
        sent: The field values in its payload, by the parts of their names.

    Raises:
        ActionError: When a value is wrong; the text names the field.
    """
    by_path: dict[Path, list[Field]] = {}
    for field in offer.fields:
        by_path.setdefault(field.path, []).append(field)
    for path, fields in by_path.items():
        if _is_in_payload(offer.action.get("payload"), path):
            # The widget's own payload takes precedence over a field of the same name, and was compared already.
            continue
        value = sent.get(path, _UNSET)
        # If several fields have one name, the client sends the first usable one: one of them must allow the value.
        problems = [_find_problem(field, value, offer) for field in fields]
        if all(problem is not None for problem in problems):
            words = f"“{_field_label(fields[0], offer)}”: {problems[0]}"
            raise ActionError(words, code="action.invalid_field", field=fields[0].name)


def _is_in_payload(payload: Any, path: Path) -> bool:
    for part in path:
        if not isinstance(payload, Mapping):
            return payload is not None
        payload = payload.get(part)
    return payload is not None


def _find_problem(field: Field, value: Any, offer: Offer) -> str | None:
    is_disabled = is_on(field.spec.get("disabled"))
    is_required = offer.is_submit and is_on(field.spec.get("required")) and not is_disabled
    if value is _UNSET or value is None:
        return "a value is needed." if is_required else None
    if is_disabled:
        return None if _is_default(field, value) else "this cannot be changed."
    if field.kind == "Checkbox":
        if not isinstance(value, bool):
            return "this is either on or off."
        return "this has to be on." if is_required and not value else None
    if not isinstance(value, str):
        return "a text is needed."
    if len(value) > MAX_VALUE_CHARS:
        return "this is too long."
    if field.kind in ("Select", "RadioGroup"):
        return _find_choice_problem(field, value, is_required)
    if not value:
        return "a value is needed." if is_required else None
    if field.kind == "DatePicker":
        return _find_date_problem(field, value)
    return _find_text_problem(field, value, is_submit=offer.is_submit)


def _is_default(field: Field, value: Any) -> bool:
    if field.kind == "DatePicker":
        return bool(value == str(field.default)[:10])
    return bool(value == (field.default if field.default is not None else "")) and isinstance(value, str | bool)


def _find_choice_problem(field: Field, value: str, is_required: bool) -> str | None:
    options = field.spec.get("options")
    # A number in the widget's options is sent as a text.
    choices = {
        str(option.get("value")): option
        for option in (options if isinstance(options, Sequence) and not isinstance(options, str) else ())
        if isinstance(option, Mapping)
    }
    if value in choices:
        is_free = not is_on(choices[value].get("disabled")) or value == field.default
        return None if is_free else "this choice cannot be made."
    if value:
        return "this is none of the choices."
    if is_required:
        return "a choice is needed."
    # Some clients send an empty text for no choice; if the field has a default, it must be clearable.
    may_be_empty = str(field.default) not in choices or is_on(field.spec.get("clearable"))
    return None if may_be_empty else "this is none of the choices."


def _find_date_problem(field: Field, value: str) -> str | None:
    day = parse_day(value) if _DAY.fullmatch(value) else None
    if day is None:
        return "a date is needed, as 2026-05-01."
    first, last = (parse_day(str(field.spec.get(name))) for name in ("min", "max"))
    if first is not None and day < first:
        return f"the first day is {first}."
    return f"the last day is {last}." if last is not None and day > last else None


def _find_text_problem(field: Field, value: str, *, is_submit: bool) -> str | None:
    if field.kind == "Input" and ("\n" in value or "\r" in value):
        # Browsers remove line breaks from pasted text, and handlers may rely on that, e.g. for the header of a mail.
        return "this has to be one line."
    kind = field.spec.get("inputType")
    if kind == "number":
        # Neither JSON nor browsers have an infinity.
        return None if _NUMBER.fullmatch(value) and isfinite(float(value)) else "a number is needed."
    if not is_submit:
        return None
    if kind == "email" and not _EMAIL.fullmatch(value):
        return "an e-mail address is needed."
    if kind == "url" and not _URL.fullmatch(value):
        return "an address is needed, as https://example.org."
    pattern = field.spec.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        return None
    try:
        return None if matches(pattern, value) else "this has not the form that is asked for."
    except SlowPatternError:
        return "this could not be checked; try something shorter."


def _field_label(field: Field, offer: Offer) -> str:
    """Return the label under which a person knows a field."""
    labels = (offer.form.labels.get(field.name), field.spec.get("label"), field.spec.get("placeholder"), field.name)
    return next(each for each in labels if isinstance(each, str) and each)
