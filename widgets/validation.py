"""Validation of widgets: every mistake of a tree, with its exact path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from widgets.catalogue import Catalogue, Shape, load_catalogue
from widgets.documents import MAX_WIDGET_DEPTH, Widget, WidgetDocument
from widgets.findings import Finding, Kind, nearest
from widgets.form_scopes import FIELD_TYPES, FormScope
from widgets.prop_values import ValueChecker

MAX_FINDINGS = 100
"""Limit of the findings that are returned: nobody reads more."""

MAX_COMPONENTS = 50_000
"""Limit of the components that are checked: a widget that contains itself has no end."""


def validate_widget(widget: Widget, *, actions: Iterable[str] | None = None) -> list[Finding]:
    """Return the mistakes in a widget, in the order of the tree.

    Args:
        widget: The JSON of a root component, one of ChatKit's widget models, or a rendered template.
        actions: The names of the declared actions; None when they are not known.
    """
    checker = _TreeChecker(None if actions is None else frozenset(actions), isinstance(widget, WidgetDocument))
    checker.check_root(unwrap_model(widget))
    return checker.findings[:MAX_FINDINGS]


def unwrap_model(value: Any) -> Any:
    """Return the fields that were set on a model, nulls included, without its nested models; other values unchanged."""
    if not isinstance(value, BaseModel):
        return value
    given = {name: getattr(value, name) for name in value.model_fields_set if name in type(value).model_fields}
    if "type" in type(value).model_fields:
        given["type"] = getattr(value, "type", None)
    return given | (value.model_extra or {})


class _TreeChecker:
    def __init__(self, actions: frozenset[str] | None, is_stored: bool) -> None:
        self.findings: list[Finding] = []
        self._catalogue: Catalogue = load_catalogue()
        # The store drops nulls, so that a required prop that may be null can be missing from a stored widget.
        self._is_stored = is_stored
        self._values = ValueChecker(self._report, actions, is_stored)
        self._ids: dict[str, str] = {}
        self._has_fields = False
        self._remaining = MAX_COMPONENTS

    def check_root(self, node: Any) -> None:
        if not isinstance(node, Mapping):
            self._report("widget", "a widget is the JSON of a component, {'type': 'Card', …}", "wrong_type")
            return
        kind = node.get("type")
        roots = ", ".join(self._catalogue.roots)
        if not isinstance(kind, str) or not kind:
            self._report("widget.type", f"a widget needs a 'type': one of {roots}", "missing")
            return
        if kind in self._catalogue.components and kind not in self._catalogue.roots:
            self._report(kind, f"a widget begins with one of {roots}, not with '{kind}'", "wrong_root")
        outside = FormScope()
        self._check_component(node, kind, outside, 0)
        if self._has_fields:
            outside.check_submits(self._report)

    def _check_component(self, node: Mapping[str, Any], path: str, form: FormScope, depth: int) -> None:
        self._remaining -= 1
        if self._remaining < 0 or len(self.findings) > MAX_FINDINGS:
            return
        if depth > MAX_WIDGET_DEPTH:
            self._report(path, f"more than {MAX_WIDGET_DEPTH} levels of components below the root", "too_deep")
            return
        kind = str(node["type"])
        shape = self._catalogue.components.get(kind)
        if shape is None:
            near = nearest(kind, self._catalogue.components)
            self._report(path, f"there is no component '{kind}'" + _hint(near), "unknown_component", near)
            # The children of a misspelled component are checked as if it were spelled correctly.
            kind = near or ""
            self._check_id(node, path)
        else:
            self._check_props(node, shape, path, kind)
        form = self._form_scope(node, kind, path, form)
        self._has_fields = self._has_fields or form.is_form or kind in FIELD_TYPES
        if shape is not None:
            form.check(node, kind, path, self._report)
        if "children" in node and (shape is None or "children" in shape):
            self._check_children(node["children"], kind, path, form, depth)

    def _check_props(self, node: Mapping[str, Any], shape: Shape, path: str, kind: str) -> None:
        self._values.check_keys(node, shape, path, kind, ignored=("type",))
        for name, value in node.items():
            prop = shape.get(name)
            if prop is None or value is None or name == "children" or prop.is_plainly_valid(value):
                continue
            self._values.check(value, prop, f"{path}.{name}")
        self._check_id(node, path)

    def _check_id(self, node: Mapping[str, Any], path: str) -> None:
        own = node.get("id")
        if isinstance(own, str):
            first = self._ids.setdefault(own, path)
            if first != path:
                self._report(f"{path}.id", f"the id '{own}' is that of {first} too", "duplicate_id")

    def _form_scope(self, node: Mapping[str, Any], kind: str, path: str, form: FormScope) -> FormScope:
        if kind == "Form":
            return FormScope(path)
        if kind == "Card" and node.get("asForm") is True:
            return FormScope(path)
        return form

    def _check_children(self, children: Any, kind: str, path: str, form: FormScope, depth: int) -> None:
        if children is None:
            return
        children = unwrap_model(children)
        allowed = self._catalogue.children.get(kind)
        if isinstance(children, Mapping):
            self._check_child(children, f"{path}.children", allowed, kind, form, depth)
            return
        if not isinstance(children, list | tuple):
            self._report(f"{path}.children", f"children are components, not {_describe_type(children)}", "wrong_type")
            return
        if kind == "Transition":
            self._report(f"{path}.children", "a Transition holds one component, not a list", "wrong_type")
        keys: dict[str, str] = {}
        for index, element in enumerate(children):
            child = unwrap_model(element)
            if child is None:
                continue
            place = f"{path}.children[{index}]"
            self._check_child(child, place, allowed, kind, form, depth)
            key = child.get("key") if isinstance(child, Mapping) else None
            if isinstance(key, str):
                where = f"{place}.{child.get('type')}"
                if keys.setdefault(key, where) != where:
                    self._report(f"{where}.key", f"the key '{key}' is that of {keys[key]} too", "duplicate_key")

    def _check_child(
        self, child: Any, place: str, allowed: frozenset[str] | None, parent: str, form: FormScope, depth: int
    ) -> None:
        if not isinstance(child, Mapping):
            self._report(place, f"a child is a component, not {_describe_type(child)}", "wrong_type")
            return
        kind = child.get("type")
        if not isinstance(kind, str) or not kind:
            self._report_missing_type(child, place)
            return
        path = f"{place}.{kind}"
        if allowed is not None and kind in self._catalogue.components and kind not in allowed:
            self._report(path, self._describe_wrong_child(kind, parent, allowed), "wrong_child")
        self._check_component(child, path, form, depth + 1)

    def _report_missing_type(self, child: Mapping[str, Any], place: str) -> None:
        for key, value in child.items():
            if isinstance(value, str) and value in self._catalogue.components and nearest(str(key), ("type",)):
                self._report(
                    f"{place}.{key}", f"a component has no '{key}'; did you mean 'type'?", "unknown_prop", "type"
                )
                return
        self._report(f"{place}.type", "a component needs a 'type', the name of the component", "missing")

    def _describe_wrong_child(self, kind: str, parent: str, allowed: frozenset[str]) -> str:
        if len(allowed) == 1:
            return f"'{parent}' holds '{next(iter(allowed))}' only, not '{kind}'"
        homes = sorted(name for name, children in self._catalogue.children.items() if kind in children)
        if not homes or kind in self._catalogue.roots:
            return f"'{kind}' is a root: it cannot stand in '{parent}'"
        return f"'{kind}' can only stand in {' or '.join(homes)}, not in '{parent}'"

    def _report(self, path: str, message: str, kind: Kind, near: str | None = None) -> None:
        # One more than is returned tells `_check_component` to stop.
        if len(self.findings) <= MAX_FINDINGS:
            self.findings.append(Finding(path, message, kind, near))


def _hint(near: str | None) -> str:
    return f"; did you mean '{near}'?" if near else ""


def _describe_type(value: Any) -> str:
    return "a text" if isinstance(value, str) else f"a {type(value).__name__}"
