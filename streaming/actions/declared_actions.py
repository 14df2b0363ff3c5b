"""Actions as a server's class declares them: the decorator, and what the signatures of its handlers say."""

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
    """An action as its decorator declared it.

    Attributes:
        name: The type by which a widget and a request name it.
        needs_widget: Whether only a stored widget that offers it may send it.
        once: Whether the action is carried out once for each widget, whatever is sent again.
    """

    name: str
    needs_widget: bool
    once: bool = False


@dataclass(frozen=True, slots=True)
class BoundAction:
    """A declared action with what its handler's signature says."""

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
            False only for what the page around the chat may ask for at any time.
        once: Whether a widget that offers the action has it carried out once for each of its payloads, whatever is
            sent again: a double click, a replayed request, at the same time, after a restart, to another replica. A
            handler that raises has not carried it out. Only for what comes from a widget.

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
    found: dict[str, BoundAction] = {}
    # Not by `dir` and `getattr`: a class may answer those itself, and so may what is kept in it.
    methods: dict[str, Any] = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    for name, method in sorted(methods.items()):
        if not type(method).__dictoffset__:
            continue  # nothing can be marked on it
        # Most are functions, which cannot answer by themselves, and `getattr_static` takes far longer to look into.
        look = getattr if isinstance(method, FunctionType) else inspect.getattr_static
        spec = look(method, _ACTION_MARK, None)
        if not isinstance(spec, ActionSpec):
            continue
        where = f"{cls.__qualname__}.{name}"
        if not inspect.iscoroutinefunction(method):
            raise PluginError(spec.name, f"the handler {where} must be 'async def'")
        if spec.name in found:
            raise PluginError(spec.name, f"{where} and {cls.__qualname__}.{found[spec.name].method} both handle it")
        found[spec.name] = BoundAction(spec, name, _payload_type(method, where, spec.name))
    return found


def _payload_type(method: Callable[..., Any], where: str, action_name: str) -> type[BaseModel] | None:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    if len(parameters) == 1:
        return None
    if len(parameters) != 2:
        raise PluginError(action_name, f"the handler {where} must take (self, payload, turn) or (self, turn)")
    try:
        hints = typing.get_type_hints(method)
    except NameError as exc:
        raise PluginError(action_name, f"the annotations of {where} cannot be read at run time: {exc}") from exc
    payload = hints.get(parameters[0].name)
    if not (isinstance(payload, type) and issubclass(payload, BaseModel)):
        raise PluginError(action_name, f"'{parameters[0].name}' of {where} must be annotated with a pydantic model")
    return payload


def explain_payload(exc: ValidationError) -> str:
    """Name the field and the rule, never the value."""
    error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in error["loc"]) or "payload"
    return f"“{field}” is not valid: {error['msg']}."
