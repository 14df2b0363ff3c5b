"""A widget as its JSON: what a use case writes is what is sent, stored and read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, cast

from chatkit.widgets import DynamicWidgetRoot
from pydantic import BaseModel

from text.surrogates import join_surrogates

WIDGET_ROOTS = ("Card", "ListView", "Basic")

MAX_WIDGET_DEPTH = 64
"""How many levels of components a widget may have below its root; Parlor's client draws as many."""

_MAX_VALUE_DEPTH = 32
"""Most lists and objects that may be nested in one property of a component."""

Widget = Mapping[str, Any] | BaseModel
"""A widget as a use case writes it: the JSON of a root component, or one of ChatKit's widget models."""


class WidgetDocument(DynamicWidgetRoot):
    """A widget as its JSON: no property is lost, and nothing is parsed that nobody asks for.

    ChatKit's typed widget classes drop what they do not know, and its serializer walks a tree once per level, which
    takes a third of a second for a list of 300 rows. Here all but id, key and type are plain JSON: read it with
    `model_dump()`; the attribute `children` is None.
    """


def widget_root(widget: Widget) -> WidgetDocument:
    """Return `widget` as a root that keeps what it was given.

    Args:
        widget: The JSON of a root component, or one of ChatKit's widget models.

    Raises:
        ValueError: When it is no widget; the text says where.
    """
    if isinstance(widget, WidgetDocument):
        return widget
    if not isinstance(widget, Mapping | BaseModel):
        raise ValueError(f"a widget is the JSON of a component, not {type(widget).__name__}")
    root = _component(_dumped(widget), ())
    if root.get("type") not in WIDGET_ROOTS:
        raise ValueError(f"a widget's root must be one of {', '.join(WIDGET_ROOTS)}, not {root.get('type')!r}")
    return stored_widget(root)


def stored_widget(root: Mapping[str, Any]) -> WidgetDocument:
    """Return the JSON of a root as a widget, as it stands: `widget_root` has looked at it before it was stored.

    What an earlier version stored is shown, whatever the bounds are today.
    """
    named = {"type": root["type"], "id": root.get("id"), "key": root.get("key")}
    document = WidgetDocument.model_construct(**named)
    # Among the extra fields, children are taken as they are; under their own name they would have to be models.
    cast("dict[str, Any]", document.model_extra).update((k, v) for k, v in root.items() if k not in named)
    return document


def components_of(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Return a component and all below it, each before its children.

    Args:
        component: The JSON of a stored widget: `widget_root` has checked how deep it is.
    """
    yield component
    children = component.get("children")
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, Mapping):
            yield from components_of(child)


def _component(component: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
    """Return a copy without nulls, as ChatKit sends widgets; check that children are components.

    Args:
        component: The JSON of a component; its properties may be models still.
        above: The types of the components above it, the root first.
    """
    path = (*above, str(component.get("type")))
    copy: dict[str, Any] = {}
    for key, value in component.items():
        if value is None:
            continue
        if key != "children":
            copy[join_surrogates(str(key))] = _value(value, path, 0)
        elif isinstance(value, list | tuple):
            copy[key] = [_component(_child(each, path), path) for each in value if each is not None]
        else:
            copy[key] = _component(_child(value, path), path)
    return copy


def _child(child: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
    data = _dumped(child) if isinstance(child, Mapping | BaseModel) else {}
    if not isinstance(data.get("type"), str):
        raise ValueError(f"{_where(path)}: a child is not a component with a 'type'")
    if len(path) > MAX_WIDGET_DEPTH:
        raise ValueError(
            f"{_where(path)}: '{data['type']}' is more than {MAX_WIDGET_DEPTH} levels of components below the root"
        )
    return data


def _value(value: Any, path: tuple[str, ...], depth: int) -> Any:
    if depth > _MAX_VALUE_DEPTH:
        raise ValueError(f"{_where(path)}: a property is more than {_MAX_VALUE_DEPTH} levels deep")
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping | BaseModel):
        return {
            join_surrogates(str(key)): _value(each, path, depth + 1)
            for key, each in _dumped(value).items()
            if each is not None
        }
    if isinstance(value, list | tuple):
        return [_value(each, path, depth + 1) for each in value if each is not None]
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(f"{_where(path)}: a {type(value).__name__} is not JSON")


def _dumped(value: Widget) -> Mapping[str, Any]:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True) if isinstance(value, BaseModel) else value


def _where(path: tuple[str, ...]) -> str:
    """Name a component by those above it; of a long way its two ends."""
    shown = path if len(path) <= 6 else (*path[:2], "…", *path[-3:])
    return " › ".join(("widget", *shown))
