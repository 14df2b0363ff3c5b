"""Declarations of actions in a server's class: the decorator, and the signatures of the handlers."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from errors import PluginError

_ACTION_MARK = "_parlor_action"

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """The arguments of the decorator that declares an action.

    Attributes:
        name: The action's type in widgets and requests.
        needs_widget: Whether the action must come from a stored widget that offers it.
        once: Whether the action is carried out only once for each widget and payload.
    """

    name: str
    needs_widget: bool
    once: bool = False


@dataclass(frozen=True, slots=True)
class BoundAction:
    """A declared action, with the name of its method and the type of its payload."""

    spec: ActionSpec
    method: str
    payload: type[BaseModel] | None


def action(name: str, *, needs_widget: bool = True, once: bool = False) -> Callable[[Handler], Handler]:
    """Declare a method as the handler of the action `name`.

    The method is ``async def handler(self, payload: Model, turn: ActionTurn)``, or without `payload`. `Model` is a
    pydantic model. It may return a widget, which then replaces the one that was clicked.

    Args:
        name: By convention ``"{use case}.{verb}"``, e.g. ``"todo.complete"``.
        needs_widget: Whether the request must come from a stored widget that offers exactly this action. Set it to
            False only for actions that the page around the chat may send at any time.
        once: Whether the action is carried out only once for each widget and payload, in spite of double clicks and
            replayed requests, also concurrent ones, after a restart, and on another replica. An action whose handler
            raises counts as not carried out. Only for actions of widgets.

    Raises:
        PluginError: When `once` is asked for without a widget.
    """
    if once and not needs_widget:
        raise PluginError(name, "once=True is for actions of widgets: leave out needs_widget=False")

    def mark(method: Handler) -> Handler:
        setattr(method, _ACTION_MARK, ActionSpec(name, needs_widget, once))
        return method

    return mark


def collect_actions(cls: type) -> Mapping[str, BoundAction]:
    """Return the actions that `cls` and its bases declare, by name.

    Raises:
        PluginError: When two methods declare the same action, or a handler's signature is wrong.
    """
    actions: dict[str, BoundAction] = {}
    # Not by `dir` and `getattr`, which a class and its members may override.
    methods: dict[str, Any] = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    for name, method in sorted(methods.items()):
        if not type(method).__dictoffset__:
            continue  # nothing can be marked on it
        # Plain `getattr` is safe with functions, which are the majority, and much faster than `getattr_static`.
        get_member = getattr if isinstance(method, FunctionType) else inspect.getattr_static
        spec = get_member(method, _ACTION_MARK, None)
        if not isinstance(spec, ActionSpec):
            continue
        handler = f"{cls.__qualname__}.{name}"
        if not inspect.iscoroutinefunction(method):
            raise PluginError(spec.name, f"the handler {handler} must be 'async def'")
        if spec.name in actions:
            raise PluginError(spec.name, f"{handler} and {cls.__qualname__}.{actions[spec.name].method} both handle it")
        actions[spec.name] = BoundAction(spec, name, _payload_type(method, handler, spec.name))
    return actions


def _payload_type(method: Callable[..., Any], handler: str, action_name: str) -> type[BaseModel] | None:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    if len(parameters) == 1:
        return None
    if len(parameters) != 2:
        raise PluginError(action_name, f"the handler {handler} must take (self, payload, turn) or (self, turn)")
    try:
        hints = typing.get_type_hints(method)
    except NameError as exc:
        raise PluginError(action_name, f"the annotations of {handler} cannot be read at run time: {exc}") from exc
    payload = hints.get(parameters[0].name)
    if not (isinstance(payload, type) and issubclass(payload, BaseModel)):
        raise PluginError(action_name, f"'{parameters[0].name}' of {handler} must be annotated with a pydantic model")
    return payload


def explain_invalid_payload(exc: ValidationError) -> str:
    """Return a sentence that names the invalid field and the rule, never the value."""
    error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in error["loc"]) or "payload"
    return f"“{field}” is not valid: {error['msg']}."
