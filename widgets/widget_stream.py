"""Streams of widgets: the smallest set of events that turns one version of a widget into the next.

ChatKit's own comparison loses the text of components without an id, below a Transition or with a duplicate id, and
fails where a prop is added or removed. Here, applying the events to the first version always gives the second.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from chatkit.types import WidgetComponentUpdated, WidgetRootUpdated, WidgetStreamingTextValueDelta
from chatkit.widgets import DynamicWidgetComponent

from widgets.documents import WidgetDocument, walk_components

WidgetUpdate = WidgetStreamingTextValueDelta | WidgetComponentUpdated | WidgetRootUpdated

_STREAMED_TYPES = ("Text", "Markdown")
"""The components whose value ChatKit's client can extend by deltas."""

_NAMED_FIELDS = frozenset({"type", "id", "key"})


class ComponentDocument(DynamicWidgetComponent):
    """A component as its JSON: the counterpart of `WidgetDocument` for components below the root."""


def widget_updates(before: WidgetDocument, after: WidgetDocument) -> list[WidgetUpdate]:
    """Return the updates that turn one widget into another when a client applies them in order."""
    old, new = _document_json(before), _document_json(after)
    if old == new:
        return []
    updates = _Comparison(old, new).component_updates()
    if updates is None or (len(updates) > 1 and _json_size(updates) >= len(json.dumps(new))):
        return [WidgetRootUpdated(widget=cast("Any", after))]
    return updates


def merge_deltas(before: Any, update: Any) -> WidgetStreamingTextValueDelta | None:
    """Merge two deltas of the same text into one; return None for any other updates."""
    if not isinstance(before, WidgetStreamingTextValueDelta) or not isinstance(update, WidgetStreamingTextValueDelta):
        return None
    if (before.component_id, before.done) != (update.component_id, update.done):
        return None
    return update.model_copy(update={"delta": before.delta + update.delta})


def apply_update(root: dict[str, Any], update: Any) -> dict[str, Any]:
    """Apply an update to the JSON of a widget, as the client does; an unknown id changes nothing."""
    match update:
        case WidgetRootUpdated():
            return widget_json(update.widget)
        case WidgetComponentUpdated():
            component = widget_json(update.component)
            return cast("dict[str, Any]", _replace_component(root, update.component_id, lambda _: component))
        case WidgetStreamingTextValueDelta():
            grown = _replace_component(
                root, update.component_id, lambda node: _append_text(node, update.delta, done=update.done)
            )
            return cast("dict[str, Any]", grown)
        case _:
            return root


def widget_json(widget: Any) -> dict[str, Any]:
    """Return a widget or a component as its JSON, without nulls."""
    return dict(widget.model_dump(mode="json", exclude_none=True))


def _document_json(document: WidgetDocument) -> dict[str, Any]:
    """Return the JSON of a document; its values are not copied, since the comparison only reads them."""
    named = {"type": document.type, "id": document.id, "key": document.key}
    return {name: value for name, value in {**named, **(document.model_extra or {})}.items() if value is not None}


class _Comparison:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old, self._new = old, new
        self._old_ids = Counter(_component_ids(old))
        self._new_ids = Counter(_component_ids(new))

    def component_updates(self) -> list[WidgetUpdate] | None:
        """Return updates of components; None when only an update of the root can express the difference."""
        updates: list[WidgetUpdate] = []
        return updates if self._compare(self._old, self._new, updates) else None

    def _compare(self, old: Any, new: Any, updates: list[WidgetUpdate]) -> bool:
        """Append the updates that turn one component into another; return False when no such updates exist."""
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            return bool(old == new)
        length = len(updates)
        if self._compare_parts(old, new, updates):
            return True
        del updates[length:]
        if old is self._old or not self._has_unique_id(old, new):
            return False
        updates.append(_build_component_update(old["id"], new))
        return True

    def _compare_parts(self, old: Mapping[str, Any], new: Mapping[str, Any], updates: list[WidgetUpdate]) -> bool:
        if old.keys() != new.keys():
            return False
        if any(old[name] != new[name] for name in old if name not in ("children", "value")):
            return False
        if old.get("value") != new.get("value"):
            delta = self._text_delta(old, new)
            if delta is None:
                return False
            updates.append(delta)
        before, after = old.get("children"), new.get("children")
        if before == after:
            return True
        if isinstance(before, list) and isinstance(after, list):
            return len(before) == len(after) and all(
                self._compare(a, b, updates) for a, b in zip(before, after, strict=True) if a != b
            )
        return self._compare(before, after, updates)

    def _text_delta(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> WidgetStreamingTextValueDelta | None:
        before, after = old.get("value"), new.get("value")
        if old.get("type") not in _STREAMED_TYPES or not isinstance(before, str) or not isinstance(after, str):
            return None
        if not after.startswith(before) or not self._has_unique_id(old, new):
            return None
        if new.get("streaming") not in (None, True, False):
            return None
        done = new.get("streaming") is not True
        return WidgetStreamingTextValueDelta(component_id=str(new["id"]), delta=after[len(before) :], done=done)

    def _has_unique_id(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Return whether the old component's id is unique in both widgets, or gone from the new one.

        A component that was moved has its id twice while the updates are applied.
        """
        component_id = old.get("id")
        if not isinstance(component_id, str) or self._old_ids[component_id] != 1:
            return False
        return self._new_ids[component_id] == (1 if new.get("id") == component_id else 0)


def _component_ids(root: Mapping[str, Any]) -> Iterator[str]:
    return (node["id"] for node in walk_components(root) if isinstance(node.get("id"), str))


def _build_component_update(component_id: str, component: Mapping[str, Any]) -> WidgetComponentUpdated:
    named = {"type": str(component.get("type")), "id": component.get("id"), "key": component.get("key")}
    document = ComponentDocument.model_construct(**cast("Any", named))
    cast("dict[str, Any]", document.model_extra).update((k, v) for k, v in component.items() if k not in _NAMED_FIELDS)
    # Validation would choose ChatKit's typed classes, which drop unknown properties.
    return WidgetComponentUpdated.model_construct(component_id=component_id, component=document)


def _json_size(updates: list[WidgetUpdate]) -> int:
    return sum(len(update.model_dump_json(exclude_none=True)) for update in updates)


def _replace_component(node: Any, component_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a tree in which the component with this id is changed; the same object when the id is not in it."""
    if not isinstance(node, dict):
        return node
    if node.get("id") == component_id:
        return change(node)
    children = node.get("children")
    if isinstance(children, list):
        changed = [_replace_component(child, component_id, change) for child in children]
        is_same = all(a is b for a, b in zip(children, changed, strict=True))
        return node if is_same else {**node, "children": changed}
    below = _replace_component(children, component_id, change)
    return node if below is children else {**node, "children": below}


def _append_text(node: dict[str, Any], delta: str, *, done: bool) -> dict[str, Any]:
    value = node.get("value")
    grown = {**node, "value": (value if isinstance(value, str) else "") + delta}
    if not done or "streaming" in node:
        # The end of the stream is marked only on a component that has the prop `streaming`.
        grown["streaming"] = not done
    return grown
