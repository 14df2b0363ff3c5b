"""Fields and actions of a stored widget: which form a field belongs to, and which actions may send its value."""

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
        kind: The type of the component: ``Input``, …, or ``Text`` if it is editable.
        name: The name under which its value is sent.
        spec: The JSON with the field's constraints.
        default: The initial value.
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
    """A form with its fields; components outside of all forms share one that is not real.

    Attributes:
        is_real: Whether the fields are in a Form, or in a Card with ``asForm``.
        fields: The fields of the form, in the order of the widget.
        labels: Labels by the names of their fields.
        has_action: Whether submitting it fires an action of its own.
    """

    is_real: bool = False
    fields: list[Field] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    has_action: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """An action that a widget offers, with the fields whose values may be added to its payload.

    Attributes:
        action: The JSON of the action.
        form: The form around it.
        changed_field: The field whose change fires the action; None for a click.
        is_submit: Whether the client sends the action only when all fields are valid.
    """

    action: Mapping[str, Any]
    form: Form
    changed_field: Field | None
    is_submit: bool

    @property
    def fields(self) -> list[Field]:
        """The fields whose values may be added to the payload, the changed one first."""
        others = [each for each in self.form.fields if each is not self.changed_field] if self.form.is_real else []
        return others if self.changed_field is None else [self.changed_field, *others]


def is_on(value: Any) -> bool:
    """Return whether the client treats a value as true."""
    return value is True or value == "true"


def collect_offers(widget: Mapping[str, Any]) -> list[Offer]:
    """Return all actions that a stored widget offers, each with the complete fields of its form."""
    return list(_walk_offers(widget, Form()))


def collect_fields(widget: Mapping[str, Any]) -> list[Field]:
    """Return all fields of a stored widget, whichever form they are in."""
    return [parsed for node in walk_components(widget) if (parsed := _parse_field(node)) is not None]


def _walk_offers(node: Mapping[str, Any], form: Form) -> Iterator[Offer]:
    kind = node.get("type")
    if kind == "Card" and node.get("collapsed") is True:
        # A collapsed card shows only its status: nothing in it can be clicked.
        return
    if kind == "Form" or (kind == "Card" and node.get("asForm") is True):
        form = Form(is_real=True, has_action=kind == "Card" or _is_action(node.get("onSubmitAction")))
    own_field = _parse_field(node)
    if own_field is not None:
        form.fields.append(own_field)
    if kind == "Label" and isinstance(node.get("fieldName"), str) and isinstance(node.get("value"), str):
        form.labels.setdefault(node["fieldName"], node["value"])
    for prop in ACTION_PROPS:
        action = node.get(prop)
        # A disabled component sends nothing.
        if isinstance(action, Mapping) and not (is_on(node.get("disabled")) and prop != "onSubmitAction"):
            is_submit = prop == "onSubmitAction" or (node.get("submit") is True and form.is_real)
            yield Offer(action, form, own_field if prop == "onChangeAction" else None, is_submit)
    for prop in NESTED_ACTION_PROPS:
        holder = node.get(prop)
        if isinstance(holder, Mapping) and isinstance(holder.get("action"), Mapping):
            yield Offer(holder["action"], form, None, prop == "confirm" and form.is_real)
    children = node.get("children")
    for child in children if isinstance(children, list) else [children]:
        if isinstance(child, Mapping):
            yield from _walk_offers(child, form)


def _is_action(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("type"), str)


def _parse_field(node: Mapping[str, Any]) -> Field | None:
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
