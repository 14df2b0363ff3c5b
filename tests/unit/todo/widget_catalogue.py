"""The component and prop names that ChatKit knows, read from its own models: it accepts unknown ones silently."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

import chatkit.widgets
from chatkit.actions import ActionConfig
from chatkit.widgets import WidgetComponentBase
from pydantic import BaseModel, ValidationError

# The Python package has no model for it; ChatKit's JavaScript types name these.
BASIC_PROPS = {"type", "id", "key", "children", "theme", "direction", "gap", "padding", "align", "justify"}
ACTION_PROPS = {"onClickAction", "onSubmitAction", "onChangeAction"}


def _models() -> dict[str, type[BaseModel]]:
    models: dict[str, type[BaseModel]] = {}
    for value in vars(chatkit.widgets).values():
        if isinstance(value, type) and issubclass(value, WidgetComponentBase):
            annotation = value.model_fields["type"].annotation
            if typing.get_origin(annotation) is typing.Literal and len(typing.get_args(annotation)) == 1:
                models[typing.get_args(annotation)[0]] = value
    return models


MODELS = _models()


def nodes(widget: Any) -> Iterator[Mapping[str, Any]]:
    """Return the components of a widget, the root first."""
    if isinstance(widget, list):
        for child in widget:
            yield from nodes(child)
    elif isinstance(widget, Mapping):
        yield widget
        yield from nodes(widget.get("children"))


def problems(widget: Mapping[str, Any]) -> list[str]:
    """Return what ChatKit would silently ignore: unknown components, props and values."""
    found = []
    for node in nodes(widget):
        kind = node.get("type")
        if kind == "Basic":
            found += [f"Basic.{name} is unknown" for name in node.keys() - BASIC_PROPS]
            continue
        model = MODELS.get(str(kind))
        if model is None:
            found.append(f"{kind} is unknown")
            continue
        found += [f"{kind}.{name} is unknown" for name in node.keys() - model.model_fields.keys()]
        try:
            # The children have their own turn: a wrong one would only make this node fall back to "anything goes".
            model.model_validate({**node, "children": []} if "children" in node else node)
        except ValidationError as exc:
            found += [f"{kind}.{error['loc'][0]}: {error['msg']}" for error in exc.errors()]
        for name in node.keys() & ACTION_PROPS:
            unknown = node[name].keys() - ActionConfig.model_fields.keys()
            found += [f"{kind}.{name}.{key} is unknown" for key in unknown]
    return found
