"""Values of props, checked against the catalogue: names, types, ranges, and formats of texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from widgets.catalogue import Prop, Shape, load_catalogue
from widgets.findings import Kind, nearest
from widgets.value_formats import check_format

Report = Callable[[str, str, Kind, str | None], None]

_TYPE_LABELS = {
    "string": "a text",
    "number": "a number",
    "boolean": "true or false",
    "icon": "the name of an icon",
    "Record": "an object of texts",
    "any": "anything",
}


class ValueChecker:
    """Checks the values of props and reports mistakes.

    Args:
        report: Called for each mistake with its path, message, kind, and the nearest valid name.
        actions: The names of the declared actions; None when they are not known.
        is_stored: Whether the widget comes from the store, which drops nulls.
    """

    def __init__(self, report: Report, actions: frozenset[str] | None, is_stored: bool) -> None:
        self._report = report
        self._actions = actions
        self._is_stored = is_stored
        self._catalogue = load_catalogue()

    def check_keys(
        self, node: Mapping[str, Any], shape: Shape, path: str, owner: str, *, ignored: tuple[str, ...] = ()
    ) -> None:
        """Report unknown keys and missing required props."""
        explained: set[str] = set()
        for key in node:
            if key in shape or key in ignored:
                continue
            near = nearest(str(key), shape.keys() - node.keys()) or nearest(str(key), shape)
            if near is not None:
                explained.add(near)
            self._report(f"{path}.{key}", self._describe_unknown_key(str(key), owner, near), "unknown_prop", near)
        for prop in self._catalogue.required[owner]:
            name = prop.name
            if node.get(name) is not None or name in explained or (prop.nullable and (name in node or self._is_stored)):
                continue
            null = ", which is null" if name in node else ""
            is_field = name == "name" and owner != "Icon"
            self._report(
                f"{path}.{name}", f"'{owner}' needs '{name}'{null}", "unnamed_field" if is_field else "missing", None
            )

    def check(self, value: Any, prop: Prop, path: str) -> None:
        """Report the mistakes in one value."""
        # The most frequent types come first.
        if isinstance(value, str):
            self._check_text(value, prop, path)
        elif isinstance(value, bool):
            if (
                "boolean" not in prop.types
                and not any(value is allowed for allowed in prop.values)
                and not _accepts_any(prop)
            ):
                self._report_wrong_type(value, prop, path)
        elif isinstance(value, int | float):
            self._check_number(value, prop, path)
        elif isinstance(value, Mapping | BaseModel):
            self._check_object(value, prop, path)
        elif isinstance(value, list | tuple):
            self._check_list(value, prop, path)
        elif not (isinstance(value, date) and prop.format == "date") and not _accepts_any(prop):
            self._report_wrong_type(value, prop, path)

    def _describe_unknown_key(self, key: str, owner: str, near: str | None) -> str:
        hint = f"; did you mean '{near}'?" if near else ""
        homes = self._catalogue.components_by_prop.get(key, ())
        if homes and owner in self._catalogue.components:
            others = ", ".join(homes[:3]) + (" and others" if len(homes) > 3 else "")
            return f"'{key}' has no effect on '{owner}': it is a prop of {others}{hint}"
        return f"'{owner}' has no '{key}'{hint}"

    def _check_text(self, value: str, prop: Prop, path: str) -> None:
        if prop.not_empty and not value:
            is_field = prop.name == "name" and "icon" not in prop.types
            self._report(path, f"'{prop.name}' is empty", "unnamed_field" if is_field else "missing", None)
        elif "string" in prop.types:
            problem = check_format(value, prop.format, prop.tokens) if prop.format else None
            if problem is not None:
                kind: Kind = "out_of_range" if "less than" in problem[0] else "wrong_value"
                self._report(path, problem[0], kind, problem[1])
        elif "icon" in prop.types:
            self._check_icon(value, path)
        elif prop.values and value not in prop.values:
            allowed = [choice for choice in prop.values if isinstance(choice, str)]
            near = nearest(value, allowed)
            also = " or ".join(_TYPE_LABELS.get(name, f"a {name}") for name in sorted(prop.types))
            choices = ", ".join(map(repr, prop.values)) + (f", or {also}" if also else "")
            hint = f"; did you mean '{near}'?" if near else ""
            self._report(path, f"{value!r} is not one of {choices}{hint}", "wrong_value", near)
        elif not prop.values and not _accepts_any(prop):
            self._report_wrong_type(value, prop, path)

    def _check_icon(self, value: str, path: str) -> None:
        if value in self._catalogue.icons or value.startswith(self._catalogue.icon_schemes):
            return
        near = nearest(value, self._catalogue.icons)
        hint = f"; did you mean '{near}'?" if near else ""
        self._report(path, f"there is no icon '{value}'{hint}", "unknown_icon", near)

    def _check_number(self, value: float, prop: Prop, path: str) -> None:
        if _accepts_any(prop):
            return
        if "number" not in prop.types:
            self._report_wrong_type(value, prop, path)
        elif not math.isfinite(value):
            self._report(path, f"{value} is no number of JSON", "out_of_range", None)
        elif prop.integer and value != int(value):
            self._report(path, f"'{prop.name}' is a whole number, not {value}", "wrong_type", None)
        elif prop.minimum is not None and value < prop.minimum:
            self._report(path, f"'{prop.name}' is at least {prop.minimum:g}, not {value}", "out_of_range", None)
        elif prop.above is not None and value <= prop.above:
            self._report(path, f"'{prop.name}' is more than {prop.above:g}, not {value}", "out_of_range", None)

    def _check_object(self, value: Mapping[str, Any] | BaseModel, prop: Prop, path: str) -> None:
        if _accepts_any(prop):
            return
        node = _as_mapping(value)
        if "Record" in prop.types and not prop.types & self._catalogue.objects.keys():
            self._check_labels(node, path)
            return
        name = self._choose_object(node, prop.types)
        if name is None and "Record" in prop.types:
            self._check_labels(node, path)
        elif name is None:
            self._report_wrong_type(value, prop, path)
        else:
            self._check_members(node, name, path)

    def _choose_object(self, node: Mapping[str, Any], types: frozenset[str]) -> str | None:
        """Return the name of the object type, among those that are allowed, that `node` is most likely meant to be."""
        if "Borders" in types and "Border" in types:
            is_line = node.keys() & {"size", "color", "style"} or any(
                nearest(str(key), ("size", "color", "style")) for key in node if key not in ("x", "y")
            )
            return "Border" if is_line and not node.keys() & self._catalogue.objects["Borders"].keys() else "Borders"
        return next((name for name in sorted(types) if name in self._catalogue.objects), None)

    def _check_members(self, node: Mapping[str, Any], name: str, path: str) -> None:
        shape = self._catalogue.objects[name]
        self.check_keys(node, shape, path, name)
        for key, value in node.items():
            if value is not None and key in shape and not shape[key].is_plainly_valid(value):
                self.check(value, shape[key], f"{path}.{key}")
        if name == "ActionConfig":
            self._check_action(node, path)

    def _check_action(self, node: Mapping[str, Any], path: str) -> None:
        kind = node.get("type")
        if self._actions is None or not isinstance(kind, str) or not kind or node.get("handler") == "client":
            return
        if kind not in self._actions:
            near = nearest(kind, self._actions)
            hint = f"; did you mean '{near}'?" if near else ""
            self._report(f"{path}.type", f"no action '{kind}' is declared{hint}", "undeclared_action", near)

    def _check_labels(self, node: Mapping[str, Any], path: str) -> None:
        for key, value in node.items():
            if value is not None and not isinstance(value, str):
                self._report(f"{path}.{key}", f"a label is a text, not {_format_value(value)}", "wrong_type", None)

    def _check_list(self, value: list[Any] | tuple[Any, ...], prop: Prop, path: str) -> None:
        if _accepts_any(prop):
            return
        if not prop.lists:
            self._report_wrong_type(value, prop, path)
            return
        for index, element in enumerate(value):
            place = f"{path}[{index}]"
            if element is None:
                continue
            if not isinstance(element, Mapping | BaseModel):
                self._report(
                    place, f"an object is meant to stand here, not {_format_value(element)}", "wrong_type", None
                )
            elif prop.lists == ("Record",):
                self._check_row(_as_mapping(element), place)
            elif "BarSeries" in prop.lists:
                self._check_series(_as_mapping(element), place)
            else:
                self._check_members(_as_mapping(element), prop.lists[0], place)

    def _check_row(self, row: Mapping[str, Any], path: str) -> None:
        for key, value in row.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not isinstance(value, str) and not (is_number and math.isfinite(value)):
                self._report(
                    f"{path}.{key}", f"a row holds texts and numbers, not {_format_value(value)}", "wrong_type", None
                )

    def _check_series(self, node: Mapping[str, Any], path: str) -> None:
        names = {str(self._catalogue.objects[name]["type"].values[0]): name for name in _SERIES_TYPES}
        kind = node.get("type")
        if isinstance(kind, str) and kind in names:
            self._check_members(node, names[kind], path)
        elif kind is None:
            # All series share these props, so that misspelled keys are found without knowing the type.
            self.check_keys(node, self._catalogue.objects["AreaSeries"], path, "AreaSeries")
        else:
            near = nearest(str(kind), names)
            hint = f"; did you mean '{near}'?" if near else ""
            choices = ", ".join(map(repr, names))
            self._report(f"{path}.type", f"{kind!r} is not one of {choices}{hint}", "wrong_value", near)

    def _report_wrong_type(self, value: Any, prop: Prop, path: str) -> None:
        allowed = [_TYPE_LABELS.get(name, f"an object ({name})") for name in sorted(prop.types)]
        allowed += ["a list"] if prop.lists else []
        allowed += [f"one of {', '.join(map(repr, prop.values))}"] if prop.values else []
        self._report(path, f"'{prop.name}' is {' or '.join(allowed)}, not {_format_value(value)}", "wrong_type", None)


_SERIES_TYPES = ("BarSeries", "AreaSeries", "LineSeries")


def _accepts_any(prop: Prop) -> bool:
    return "any" in prop.types


def _as_mapping(value: Mapping[str, Any] | BaseModel) -> Mapping[str, Any]:
    if isinstance(value, BaseModel):
        given = {name: getattr(value, name) for name in value.model_fields_set}
        kind = {"type": getattr(value, "type", None)} if "type" in type(value).model_fields else {}
        return kind | given | (value.model_extra or {})
    return value


def _format_value(value: Any) -> str:
    if isinstance(value, str | bool | int | float):
        return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}…"
    return {"dict": "an object", "list": "a list", "tuple": "a list"}.get(type(value).__name__, type(value).__name__)
