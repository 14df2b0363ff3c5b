"""Helpers that read the components, actions, texts and mistakes of a widget."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from widgets.validation import validate_widget

ACTION_PROPS = {"onClickAction", "onSubmitAction", "onChangeAction"}


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
    """Return the mistakes in a widget of our use cases, which must not contain nulls, either."""
    json.dumps(widget, allow_nan=False)
    nulls = [f"{node.get('type')}.{name} is null" for node in nodes_of(widget) for name in node if node[name] is None]
    return nulls + [str(finding) for finding in validate_widget(widget)]
