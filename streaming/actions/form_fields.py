"""Fields of a stored widget: which there are, in which form, and which actions may send them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from widgets.documents import walk_components
from widgets.form_scopes import FIELD_TYPES, FORBIDDEN_NAME_PARTS

# Props of ChatKit's components that hold an action, and those that hold an object with one.
ACTION_PROPS = ("onClickAction", "onSubmitAction", "onChangeAction")
NESTED_ACTION_PROPS = ("confirm", "cancel")

Path = tuple[str, ...]
"""The parts of a dotted name: ``todo.title`` is sent as ``{"todo": {"title": …}}``."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field of a form.

    Attributes:
        kind: The component: ``Input``, …, or ``Text`` for one that can be edited.
        name: The name under which its value is sent.
        spec: The JSON that says what may be sent.
        default: The value that it has at first.
    """

    kind: str
    name: str
    spec: Mapping[str, Any]
    default: Any

    @property
    def path(self) -> Path:
        """The parts of the name."""
        return tuple(self.name.split("."))


@dataclass(eq=False, slots=True)
class Form:
    """A form with its fields; components outside of forms belong to one that sends nothing.

    Attributes:
        is_real: Whether the fields are in a Form, or in a Card with ``asForm``.
        fields: The fields in it, in the order of the widget.
        labels: Labels by the names of their fields.
        has_action: Whether submitting it fires an action of its own.
    """

    is_real: bool = False
    fields: list[Field] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    has_action: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """An action that a widget offers, with what may join its payload.

    Attributes:
        action: The JSON of the action.
        form: The form around it.
        own: The field whose change it is; None for a click.
        is_submit: Whether the client lets it go only when all fields are right.
    """

    action: Mapping[str, Any]
    form: Form
    own: Field | None
    is_submit: bool

    @property
    def fields(self) -> list[Field]:
        """The fields whose values may join its payload, the one that has changed first."""
        others = [each for each in self.form.fields if each is not self.own] if self.form.is_real else []
        return others if self.own is None else [self.own, *others]


def is_on(value: Any) -> bool:
    """Whether the client takes a value for true."""
    return value is True or value == "true"


def offers_of(widget: Mapping[str, Any]) -> list[Offer]:
    """Return all actions of a stored widget; the fields of each form are complete when they are returned."""
    return list(_offers(widget, Form()))


def fields_of(widget: Mapping[str, Any]) -> list[Field]:
    """Return all fields of a stored widget, whichever form they are in."""
    return [found for node in walk_components(widget) if (found := _field(node)) is not None]


def _offers(node: Mapping[str, Any], form: Form) -> Iterator[Offer]:
    kind = node.get("type")
    if kind == "Card" and node.get("collapsed") is True:
        # Nothing of it is shown but its status: there is nothing to click.
        return
    if kind == "Form" or (kind == "Card" and node.get("asForm") is True):
        form = Form(is_real=True, has_action=kind == "Card" or _is_action(node.get("onSubmitAction")))
    own = _field(node)
    if own is not None:
        form.fields.append(own)
    if kind == "Label" and isinstance(node.get("fieldName"), str) and isinstance(node.get("value"), str):
        form.labels.setdefault(node["fieldName"], node["value"])
    for prop in ACTION_PROPS:
        action = node.get(prop)
        # What is disabled sends nothing.
        if isinstance(action, Mapping) and not (is_on(node.get("disabled")) and prop != "onSubmitAction"):
            is_submit = prop == "onSubmitAction" or (node.get("submit") is True and form.is_real)
            yield Offer(action, form, own if prop == "onChangeAction" else None, is_submit)
    for prop in NESTED_ACTION_PROPS:
        holder = node.get(prop)
        if isinstance(holder, Mapping) and isinstance(holder.get("action"), Mapping):
            yield Offer(holder["action"], form, None, prop == "confirm" and form.is_real)
    children = node.get("children")
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, Mapping):
            yield from _offers(child, form)


def _is_action(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("type"), str)


def _field(node: Mapping[str, Any]) -> Field | None:
    kind = str(node.get("type"))
    editable = node.get("editable")
    if kind == "Text" and isinstance(editable, Mapping):
        spec, default = editable, node.get("value")
    elif kind in FIELD_TYPES:
        spec, default = node, node.get("defaultChecked", False) if kind == "Checkbox" else node.get("defaultValue")
    else:
        return None
    name = spec.get("name")
    if not isinstance(name, str) or FORBIDDEN_NAME_PARTS & set(name.split(".")):
        return None
    return Field(kind, name, spec, default)
