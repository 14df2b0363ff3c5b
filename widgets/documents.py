"""A widget as its JSON: what a use case writes is what is sent, stored and read again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from chatkit.widgets import DynamicWidgetRoot
from pydantic import BaseModel

WIDGET_ROOTS = ("Card", "ListView", "Basic")
MAX_WIDGET_DEPTH = 128

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
    data = widget.model_dump(mode="json", by_alias=True, exclude_none=True) if isinstance(widget, BaseModel) else widget
    root = _without_nulls(dict(data), "widget", 0)
    if root.get("type") not in WIDGET_ROOTS:
        raise ValueError(f"a widget's root must be one of {', '.join(WIDGET_ROOTS)}, not {root.get('type')!r}")
    document = WidgetDocument.model_construct(type=root.pop("type"), id=root.pop("id", None), key=root.pop("key", None))
    # Among the extra fields, children are taken as they are; under their own name they would have to be models.
    cast("dict[str, Any]", document.model_extra).update(root)
    return document


def _without_nulls(value: Any, where: str, depth: int) -> Any:
    """Return a copy without nulls, as ChatKit sends widgets; check that children are components."""
    if depth > MAX_WIDGET_DEPTH:
        raise ValueError(f"{where}: more than {MAX_WIDGET_DEPTH} levels deep")
    if isinstance(value, Mapping):
        copy = {str(key): _without_nulls(each, where, depth + 1) for key, each in value.items() if each is not None}
        children = copy.get("children")
        for child in children if isinstance(children, list) else (children,) if children is not None else ():
            if not isinstance(child, dict) or not isinstance(child.get("type"), str):
                raise ValueError(f"{where} › {copy.get('type')}: a child is not a component with a 'type'")
        return copy
    if isinstance(value, BaseModel):
        return _without_nulls(value.model_dump(mode="json", by_alias=True, exclude_none=True), where, depth)
    if isinstance(value, list | tuple):
        return [_without_nulls(each, where, depth + 1) for each in value if each is not None]
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(f"{where}: a {type(value).__name__} is not JSON")
