"""ChatKit's widget components and their properties, as its own package declares them.

ChatKit accepts unknown components and properties silently, so our widgets are checked against this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chatkit import widgets
from chatkit.icons import IconName
from pydantic import BaseModel, TypeAdapter

_ACTION_PROPS = {"onClickAction", "onSubmitAction", "onChangeAction"}


def _components() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for name in dir(widgets):
        model = getattr(widgets, name)
        if isinstance(model, type) and issubclass(model, BaseModel) and "type" in model.model_fields:
            kind = re.fullmatch(r"typing\.Literal\['(\w+)'\]", str(model.model_fields["type"].annotation))
            if kind:
                found[kind[1]] = model
    assert {"Card", "ListView", "Chart", "Row", "Image", "line", "area"} <= set(found)
    return found


COMPONENTS = _components()
ICON: TypeAdapter[Any] = TypeAdapter(IconName)


def nodes_of(node: Any) -> Iterator[Mapping[str, Any]]:
    """Return every component of a widget, and every series of its charts."""
    if isinstance(node, list):
        for child in node:
            yield from nodes_of(child)
    elif isinstance(node, Mapping) and "type" in node:
        yield node
        yield from nodes_of(node.get("children") or [])
        yield from nodes_of(node.get("series") or [])


def actions_of(widget: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all actions that a widget offers."""
    return [node[prop] for node in nodes_of(widget) for prop in _ACTION_PROPS if prop in node]


def action_of(widget: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the first action called `name`."""
    return next(action for action in actions_of(widget) if action["type"] == name)


def texts_of(widget: Mapping[str, Any]) -> list[str]:
    """Return everything a person reads in a widget."""
    words = [str(node[key]) for node in nodes_of(widget) for key in ("value", "label") if key in node]
    return words + ([widget["status"]["text"]] if "status" in widget else [])


def check_widget(widget: Mapping[str, Any]) -> None:
    """Fail when a component, property or value is not one that ChatKit declares."""
    json.dumps(widget, allow_nan=False)
    assert widget["type"] in ("Card", "ListView", "Basic")
    for node in nodes_of(widget):
        model = COMPONENTS.get(node["type"])
        assert model is not None, f"unknown component {node['type']}"
        unknown = set(node) - set(model.model_fields)
        assert not unknown, f"{node['type']} has no {unknown}"
        assert not [key for key, value in node.items() if value is None], f"{node['type']} holds null"
        model.model_validate(node)
        for key in (
            ("iconStart", "iconEnd") if node["type"] == "Button" else ("name",) if node["type"] == "Icon" else ()
        ):
            if key in node:
                ICON.validate_python(node[key])
        for prop in _ACTION_PROPS & set(node):
            assert set(node[prop]) <= {"type", "payload", "handler", "loadingBehavior", "streaming"}
