"""ChatKit's widget components and their properties, as its own package declares them.

ChatKit accepts unknown components, properties and values silently, so our widgets are checked against this.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import chatkit.widgets
from chatkit.actions import ActionConfig
from chatkit.icons import IconName
from pydantic import BaseModel, TypeAdapter, ValidationError

ACTION_PROPS = {"onClickAction", "onSubmitAction", "onChangeAction"}
ROOTS = {"Card", "ListView", "Basic"}

# The Python package has no model for it; ChatKit's JavaScript types name these.
_BASIC_PROPS = {"type", "id", "key", "children", "theme", "direction", "gap", "padding", "align", "justify"}
_ICON_PROPS = {"Button": ("iconStart", "iconEnd"), "Icon": ("name",)}
_ICON: TypeAdapter[Any] = TypeAdapter(IconName)


def _components() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for model in vars(chatkit.widgets).values():
        if isinstance(model, type) and issubclass(model, BaseModel) and "type" in model.model_fields:
            annotation = model.model_fields["type"].annotation
            if typing.get_origin(annotation) is typing.Literal and len(typing.get_args(annotation)) == 1:
                found[typing.get_args(annotation)[0]] = model
    assert {"Card", "ListView", "Chart", "Row", "Image", "line", "area"} <= set(found)
    return found


COMPONENTS = _components()


def nodes_of(node: Any) -> Iterator[Mapping[str, Any]]:
    """Return every component of a widget, the root first, and every series of its charts."""
    if isinstance(node, list):
        for child in node:
            yield from nodes_of(child)
    elif isinstance(node, Mapping):
        yield node
        yield from nodes_of(node.get("children"))
        yield from nodes_of(node.get("series"))


def actions_of(widget: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all actions that a widget offers."""
    return [node[prop] for node in nodes_of(widget) for prop in ACTION_PROPS & node.keys()]


def action_of(widget: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the first action called `name`."""
    return next(action for action in actions_of(widget) if action["type"] == name)


def texts_of(widget: Mapping[str, Any]) -> list[str]:
    """Return everything a person reads in a widget."""
    words = [str(node[key]) for node in nodes_of(widget) for key in ("value", "label") if key in node]
    return words + ([widget["status"]["text"]] if "status" in widget else [])


def problems(widget: Mapping[str, Any]) -> list[str]:
    """Return what ChatKit would ignore or not draw: unknown components, properties and values, nulls, other roots."""
    json.dumps(widget, allow_nan=False)
    found = [] if widget.get("type") in ROOTS else [f"{widget.get('type')} is no root"]
    for node in nodes_of(widget):
        found += _problems_of(node)
    return found


def _problems_of(node: Mapping[str, Any]) -> list[str]:
    kind = str(node.get("type"))
    found = [f"{kind}.{name} is null" for name, value in node.items() if value is None]
    if kind == "Basic":
        return found + [f"Basic.{name} is unknown" for name in node.keys() - _BASIC_PROPS]
    model = COMPONENTS.get(kind)
    if model is None:
        return [*found, f"{kind} is unknown"]
    found += [f"{kind}.{name} is unknown" for name in node.keys() - model.model_fields.keys()]
    # Children have their own turn: a wrong one would only make this node fall back to "anything goes".
    own = {name: [] if name in ("children", "series") else value for name, value in node.items()}
    found += _errors(kind, partial(model.model_validate, own))
    for name in (name for name in _ICON_PROPS.get(kind, ()) if name in node):
        found += _errors(f"{kind}.{name}", partial(_ICON.validate_python, node[name]))
    for name in node.keys() & ACTION_PROPS:
        found += [f"{kind}.{name}.{key} is unknown" for key in node[name].keys() - ActionConfig.model_fields.keys()]
    return found


def _errors(where: str, check: typing.Callable[[], object]) -> list[str]:
    try:
        check()
    except ValidationError as exc:
        return [f"{'.'.join(map(str, (where, *error['loc'])))}: {error['msg']}" for error in exc.errors()]
    return []
