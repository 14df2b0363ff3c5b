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
    """A widget as its JSON: no property is lost, and children are not parsed into models.

    ChatKit's typed widget classes drop unknown properties, and its serializer walks a tree once per level, which
    takes a third of a second for a list of 300 rows. Here everything but id, key and type is plain JSON: read it with
    `model_dump()`; the attribute `children` is None.
    """


def widget_root(widget: Widget) -> WidgetDocument:
    """Return `widget` as a document that keeps all of its properties.

    Args:
        widget: The JSON of a root component, or one of ChatKit's widget models.

    Raises:
        ValueError: When `widget` is not a valid tree of components; the message names the place.
    """
    if isinstance(widget, WidgetDocument):
        return widget
    if not isinstance(widget, Mapping | BaseModel):
        raise ValueError(f"a widget is the JSON of a component, not {type(widget).__name__}")
    root = _copy_component(_as_mapping(widget), ())
    if root.get("type") not in WIDGET_ROOTS:
        raise ValueError(f"a widget's root must be one of {', '.join(WIDGET_ROOTS)}, not {root.get('type')!r}")
    return stored_widget(root)


def stored_widget(root: Mapping[str, Any]) -> WidgetDocument:
    """Return the JSON of a stored root as a document, unchecked: `widget_root` has checked it before it was stored.

    Widgets that an earlier version stored are shown even if they exceed today's bounds.
    """
    named = {"type": root["type"], "id": root.get("id"), "key": root.get("key")}
    document = WidgetDocument.model_construct(**named)
    # As an extra field, `children` may be plain JSON; the declared field of that name takes models only.
    cast("dict[str, Any]", document.model_extra).update((k, v) for k, v in root.items() if k not in named)
    return document


def walk_components(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a component and all of its descendants, parents before their children.

    Args:
        component: The JSON of a stored widget, whose depth `widget_root` has checked.
    """
    yield component
    children = component.get("children")
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, Mapping):
            yield from walk_components(child)


def _copy_component(component: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
    """Return a copy without nulls, as ChatKit sends widgets; check that children are components.

    Args:
        component: The JSON of a component, in which properties may still be models.
        above: The types of the ancestors, the root first.
    """
    path = (*above, str(component.get("type")))
    copy: dict[str, Any] = {}
    for key, value in component.items():
        if value is None:
            continue
        if key != "children":
            copy[join_surrogates(str(key))] = _copy_value(value, path, 0)
        elif isinstance(value, list | tuple):
            copy[key] = [_copy_component(_parse_child(child, path), path) for child in value if child is not None]
        else:
            copy[key] = _copy_component(_parse_child(value, path), path)
    return copy


def _parse_child(child: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
    data = _as_mapping(child) if isinstance(child, Mapping | BaseModel) else {}
    if not isinstance(data.get("type"), str):
        raise ValueError(f"{_join_path(path)}: a child is not a component with a 'type'")
    if len(path) > MAX_WIDGET_DEPTH:
        raise ValueError(
            f"{_join_path(path)}: '{data['type']}' is more than {MAX_WIDGET_DEPTH} levels of components below the root"
        )
    return data


def _copy_value(value: Any, path: tuple[str, ...], depth: int) -> Any:
    if depth > _MAX_VALUE_DEPTH:
        raise ValueError(f"{_join_path(path)}: a property is more than {_MAX_VALUE_DEPTH} levels deep")
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping | BaseModel):
        return {
            join_surrogates(str(key)): _copy_value(member, path, depth + 1)
            for key, member in _as_mapping(value).items()
            if member is not None
        }
    if isinstance(value, list | tuple):
        return [_copy_value(element, path, depth + 1) for element in value if element is not None]
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(f"{_join_path(path)}: a {type(value).__name__} is not JSON")


def _as_mapping(value: Widget) -> Mapping[str, Any]:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True) if isinstance(value, BaseModel) else value


def _join_path(path: tuple[str, ...]) -> str:
    """Return the types from the root down to a component, the middle of a long path left out."""
    shown = path if len(path) <= 6 else (*path[:2], "…", *path[-3:])
    return " › ".join(("widget", *shown))
