"""Forms of a widget: checks that depend on the form around a component, such as names of fields and submit buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from widgets.prop_values import Report
from widgets.value_formats import parse_day

FIELD_TYPES = frozenset({"Input", "Textarea", "Select", "DatePicker", "Checkbox", "RadioGroup"})
"""The components that are fields, besides a Text with `editable`."""

FORBIDDEN_NAME_PARTS = frozenset({"", "__proto__", "constructor", "prototype"})
"""Parts of a dotted field name that make the client leave the field out."""


def field_name(node: Mapping[str, Any], kind: str) -> Any:
    """Return the name of a field, unchecked; None for a component that is not a field or has no name."""
    if kind in FIELD_TYPES:
        return node.get("name")
    editable = node.get("editable") if kind == "Text" else None
    if isinstance(editable, BaseModel):
        editable = editable.model_dump()
    return editable.get("name") if isinstance(editable, Mapping) else None


class FormScope:
    """The form that a component belongs to, or the part of the widget outside of forms.

    Args:
        path: The path of the form in the widget; empty outside of forms.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._names: dict[str, str] = {}
        self._submits: list[str] = []

    @property
    def is_form(self) -> bool:
        """Whether the scope is a form's."""
        return bool(self._path)

    def check_submits(self, report: Report) -> None:
        """Report the submit buttons outside of forms; call it when the widget has fields or forms."""
        for place in self._submits:
            report(place, "'submit' has no effect outside of a Form or a Card with 'asForm'", "no_effect", None)

    def check(self, node: Mapping[str, Any], kind: str, path: str, report: Report) -> None:
        """Report the mistakes of a component that depend on its form."""
        name = field_name(node, kind)
        if isinstance(name, str) and name:
            place = f"{path}.editable.name" if kind == "Text" else f"{path}.name"
            self._register_name(node, name, path, place, report)
        if kind == "Button" and node.get("submit") is True and not self.is_form:
            self._submits.append(f"{path}.submit")
        if kind in ("Select", "RadioGroup"):
            _check_options(node, path, report)
        elif kind == "DatePicker":
            _check_date_range(node, path, report)
        elif kind == "Chart":
            _check_chart(node, path, report)

    def _register_name(self, node: Mapping[str, Any], name: str, path: str, place: str, report: Report) -> None:
        if FORBIDDEN_NAME_PARTS & set(name.split(".")):
            report(place, f"nothing is sent under the name {name!r}", "no_effect", None)
            return
        if not self._path and node.get("onChangeAction") is not None:
            # Outside of a form each field is sent alone, with its own action.
            return
        taken = self._names.get(name)
        if taken is None:
            # One payload cannot hold both "a" and "a.b".
            taken = next(
                (
                    at
                    for other, at in self._names.items()
                    if name.startswith(f"{other}.") or other.startswith(f"{name}.")
                ),
                None,
            )
        if taken is not None:
            report(place, f"the name '{name}' is taken by {taken}: only the first is sent", "duplicate_name", None)
        else:
            self._names[name] = path


def _check_options(node: Mapping[str, Any], path: str, report: Report) -> None:
    options = node.get("options")
    if not isinstance(options, list | tuple):
        return
    values: dict[str, int] = {}
    for index, option in enumerate(options):
        value = option.get("value") if isinstance(option, Mapping) else None
        if isinstance(value, str) and values.setdefault(value, index) != index:
            first = values[value]
            report(
                f"{path}.options[{index}].value", f"'{value}' is the value of options[{first}] too", "no_effect", None
            )
    chosen = node.get("defaultValue")
    # An option without a valid value is reported by itself, and may be the chosen one.
    have_values = all(isinstance(option, Mapping) and isinstance(option.get("value"), str) for option in options)
    if isinstance(chosen, str) and chosen and have_values and chosen not in values:
        report(f"{path}.defaultValue", f"none of the options has the value '{chosen}'", "no_effect", None)


def _check_date_range(node: Mapping[str, Any], path: str, report: Report) -> None:
    first, last, chosen = (parse_day(str(node.get(name))) for name in ("min", "max", "defaultValue"))
    if first and last and first > last:
        report(f"{path}.min", f"'min' is {first} and 'max' is {last}: no day can be chosen", "out_of_range", None)
    elif chosen and ((first and chosen < first) or (last and chosen > last)):
        report(f"{path}.defaultValue", f"{chosen} is not between 'min' and 'max'", "out_of_range", None)


def _check_chart(node: Mapping[str, Any], path: str, report: Report) -> None:
    data, series, axis = node.get("data"), node.get("series"), node.get("xAxis")
    rows = [row for row in data if isinstance(row, Mapping)] if isinstance(data, list | tuple) else []
    keys = {key for row in rows for key in row}
    if not keys:
        return
    references = [("xAxis", axis)] if isinstance(axis, str) else [("xAxis.dataKey", _data_key(axis))]
    references += [
        (f"series[{index}].dataKey", _data_key(entry))
        for index, entry in enumerate(series if isinstance(series, list | tuple) else ())
    ]
    for place, key in references:
        if isinstance(key, str) and key and key not in keys:
            report(f"{path}.{place}", f"no row of the data has '{key}'", "no_effect", None)


def _data_key(holder: Any) -> Any:
    return holder.get("dataKey") if isinstance(holder, Mapping) else getattr(holder, "dataKey", None)
