"""Streams of widgets: the smallest set of events that turns one whole widget into the next.

ChatKit's own comparison loses the text of components without an id, below a Transition or with an id that is there
twice, and fails where a prop comes or goes. Here, whatever the two are, the events of the difference give the second.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from chatkit.types import WidgetComponentUpdated, WidgetRootUpdated, WidgetStreamingTextValueDelta
from chatkit.widgets import DynamicWidgetComponent

from widgets.documents import WidgetDocument, components_of

WidgetUpdate = WidgetStreamingTextValueDelta | WidgetComponentUpdated | WidgetRootUpdated

_GROWING = ("Text", "Markdown")
"""The components to whose value ChatKit's client appends."""

_KEPT = frozenset({"type", "id", "key"})


class ComponentDocument(DynamicWidgetComponent):
    """A component as its JSON, as `WidgetDocument` is a root."""


def widget_updates(before: WidgetDocument, after: WidgetDocument) -> list[WidgetUpdate]:
    """Return the updates that turn one widget into another, each seen by a client before the next."""
    old, new = _json_of(before), _json_of(after)
    if old == new:
        return []
    found = _Comparison(old, new).updates()
    if found is None or (len(found) > 1 and _size_of(found) >= len(json.dumps(new))):
        return [WidgetRootUpdated(widget=cast("Any", after))]
    return found


def merged_growth(before: Any, update: Any) -> WidgetStreamingTextValueDelta | None:
    """Return one update for two by which the same text grows; None when they are others."""
    if not isinstance(before, WidgetStreamingTextValueDelta) or not isinstance(update, WidgetStreamingTextValueDelta):
        return None
    if (before.component_id, before.done) != (update.component_id, update.done):
        return None
    return update.model_copy(update={"delta": before.delta + update.delta})


def apply_update(root: dict[str, Any], update: Any) -> dict[str, Any]:
    """Return the JSON of a widget after an update, as the client does it; an id that is nowhere changes nothing."""
    match update:
        case WidgetRootUpdated():
            return widget_json(update.widget)
        case WidgetComponentUpdated():
            component = widget_json(update.component)
            return cast("dict[str, Any]", _changed(root, update.component_id, lambda _: component))
        case WidgetStreamingTextValueDelta():
            grown = _changed(root, update.component_id, lambda node: _grown(node, update.delta, done=update.done))
            return cast("dict[str, Any]", grown)
        case _:
            return root


def widget_json(widget: Any) -> dict[str, Any]:
    """Return a widget or a component as its JSON, without nulls."""
    return dict(widget.model_dump(mode="json", exclude_none=True))


def _json_of(document: WidgetDocument) -> dict[str, Any]:
    """Return the JSON of a document without a copy: nobody writes to it."""
    named = {"type": document.type, "id": document.id, "key": document.key}
    return {name: value for name, value in {**named, **(document.model_extra or {})}.items() if value is not None}


class _Comparison:
    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old, self._new = old, new
        self._old_ids = Counter(_ids(old))
        self._new_ids = Counter(_ids(new))

    def updates(self) -> list[WidgetUpdate] | None:
        """Return updates of components; None when the root itself is another."""
        found: list[WidgetUpdate] = []
        return found if self._compare(self._old, self._new, found) else None

    def _compare(self, old: Any, new: Any, found: list[WidgetUpdate]) -> bool:
        """Append the updates that turn one component into another; say whether updates of it or below it can do so."""
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            return bool(old == new)
        length = len(found)
        if self._compare_parts(old, new, found):
            return True
        del found[length:]
        if old is self._old or not self._can_be_named(old, new):
            return False
        found.append(_component_updated(old["id"], new))
        return True

    def _compare_parts(self, old: Mapping[str, Any], new: Mapping[str, Any], found: list[WidgetUpdate]) -> bool:
        if old.keys() != new.keys():
            return False
        if any(old[name] != new[name] for name in old if name not in ("children", "value")):
            return False
        if old.get("value") != new.get("value"):
            delta = self._delta(old, new)
            if delta is None:
                return False
            found.append(delta)
        before, after = old.get("children"), new.get("children")
        if before == after:
            return True
        if isinstance(before, list) and isinstance(after, list):
            return len(before) == len(after) and all(
                self._compare(a, b, found) for a, b in zip(before, after, strict=True) if a != b
            )
        return self._compare(before, after, found)

    def _delta(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> WidgetStreamingTextValueDelta | None:
        was, is_now = old.get("value"), new.get("value")
        if old.get("type") not in _GROWING or not isinstance(was, str) or not isinstance(is_now, str):
            return None
        if not is_now.startswith(was) or not self._can_be_named(old, new):
            return None
        if new.get("streaming") not in (None, True, False):
            return None
        done = new.get("streaming") is not True
        return WidgetStreamingTextValueDelta(component_id=str(new["id"]), delta=is_now[len(was) :], done=done)

    def _can_be_named(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether the id is this component's alone, before and after: what is moved here is there twice meanwhile."""
        own = old.get("id")
        if not isinstance(own, str) or self._old_ids[own] != 1:
            return False
        return self._new_ids[own] == (1 if new.get("id") == own else 0)


def _ids(root: Mapping[str, Any]) -> Iterator[str]:
    return (node["id"] for node in components_of(root) if isinstance(node.get("id"), str))


def _component_updated(component_id: str, component: Mapping[str, Any]) -> WidgetComponentUpdated:
    named = {"type": str(component.get("type")), "id": component.get("id"), "key": component.get("key")}
    document = ComponentDocument.model_construct(**cast("Any", named))
    cast("dict[str, Any]", document.model_extra).update((k, v) for k, v in component.items() if k not in _KEPT)
    # Given to the model, ChatKit's typed classes would be chosen, which drop what they do not know.
    return WidgetComponentUpdated.model_construct(component_id=component_id, component=document)


def _size_of(updates: list[WidgetUpdate]) -> int:
    return sum(len(update.model_dump_json(exclude_none=True)) for update in updates)


def _changed(node: Any, component_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a component with the change in it or below it; the same object when the id is nowhere there."""
    if not isinstance(node, dict):
        return node
    if node.get("id") == component_id:
        return change(node)
    children = node.get("children")
    if isinstance(children, list):
        changed = [_changed(child, component_id, change) for child in children]
        is_same = all(a is b for a, b in zip(children, changed, strict=True))
        return node if is_same else {**node, "children": changed}
    below = _changed(children, component_id, change)
    return node if below is children else {**node, "children": below}


def _grown(node: dict[str, Any], delta: str, *, done: bool) -> dict[str, Any]:
    value = node.get("value")
    grown = {**node, "value": (value if isinstance(value, str) else "") + delta}
    if not done or "streaming" in node:
        # A component that never said that it streams does not say that it has ended.
        grown["streaming"] = not done
    return grown
