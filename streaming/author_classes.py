"""Classes that subclass the platform's server, checked when they are defined and again when an object is made.

An author may use any name but those that the platform owns, and a hook's name for that hook alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partialmethod
from typing import Any, Protocol

from errors import FinalMethodError, PluginError

CALLED_BARE_TOO = frozenset({"get_agent"})
"""Hooks that may leave out their argument, as ChatKit's samples do."""

CALLED_WITHOUT_WAITING = frozenset({"texts", "limit_message"})
"""Hooks whose result is not awaited."""

MAY_YIELD = frozenset({"post_respond_hook", "action"})
"""Hooks that may be async generators."""

LOOKED_UP_ONCE = frozenset({"action"})
"""Hooks that are looked for in the class, when an object of it is made."""

_METHODS = (staticmethod, classmethod, partialmethod)


def check_class(cls: type, platform: type, reserved: frozenset[str], hooks: frozenset[str]) -> None:
    """Refuse a class that defines what the platform owns, or a hook as what cannot be called as one.

    Args:
        cls: The author's class; mixins are looked at too, and of hooks those before the platform's class.
        platform: The platform's class.
        reserved: The names that the platform owns.
        hooks: The names of its hooks.

    Raises:
        FinalMethodError: When the class defines a reserved name.
        PluginError: When a hook is no method, has other arguments, or is awaited in vain.
    """
    for base in cls.__mro__:
        # Behind the platform's too: what it has there would give way without a word. A protocol only describes.
        if base in platform.__mro__ or Protocol in base.__bases__:
            continue
        for name in sorted(reserved & vars(base).keys()):
            raise owned_name_error(f"{base.__module__}.{base.__qualname__} defines '{name}'")
    for base in cls.__mro__[: cls.__mro__.index(platform)]:
        owner = f"{base.__module__}.{base.__qualname__}"
        for name in sorted(hooks & vars(base).keys()):
            for problem in _problems(vars(base)[name], name, getattr(platform, name)):
                raise PluginError(owner, f"{owner} defines the hook '{name}' {problem}; rename it if it is no hook")


def overrides(cls: type, platform: type, name: str) -> bool:
    """Say whether a class, or one between it and the platform's, defines a name; the class itself is not asked."""
    return any(name in vars(base) for base in cls.__mro__[: cls.__mro__.index(platform)])


def check_attribute(server: object, name: str, value: object) -> None:
    """Refuse an object's attribute that stands in the place of a hook and cannot be called.

    Raises:
        PluginError: When it cannot, or is set too late to be asked.
    """
    owner = f"{type(server).__module__}.{type(server).__qualname__}"
    if not callable(value):
        kind = type(value).__name__
        raise PluginError(owner, f"{owner} sets 'self.{name}' to a {kind}, and '{name}' is a hook; choose another name")
    if name in LOOKED_UP_ONCE:
        raise PluginError(owner, f"{owner} sets 'self.{name}', and '{name}' is a hook: define it in the class")


def owned_name_error(deed: str) -> FinalMethodError:
    """Return the error for using a name that the platform owns; `deed` says who does so, and how."""
    return FinalMethodError(
        f"{deed}, which the platform owns; choose another name, override get_agent or post_respond_hook, or declare an "
        "@action"
    )


def _problems(value: Any, name: str, hook: Any) -> Iterator[str]:
    wanted = list(inspect.signature(hook).parameters)[1:]
    call = f"{name}({', '.join(wanted)})"
    if not callable(value) and not isinstance(value, _METHODS):
        yield f"as a {type(value).__name__}, and it is a method: {call}"
        return
    function = getattr(value, "__func__", value)
    if not inspect.isfunction(function):
        return  # what else can be called says nothing certain of its arguments
    count = len(wanted) + (not isinstance(value, staticmethod))
    counts = {count, count - 1} if name in CALLED_BARE_TOO else {count}
    # A decorator may take other arguments than what it wraps.
    signature = inspect.signature(function, follow_wrapped=False)
    if not any(_takes(signature, each) for each in counts):
        yield f"with other arguments: it is called as {call}"
    if name in CALLED_WITHOUT_WAITING and inspect.iscoroutinefunction(function):
        yield "as 'async def', and it is a plain function"
    is_unread = inspect.isasyncgenfunction(function) and name not in MAY_YIELD
    if is_unread or inspect.isgeneratorfunction(function):
        yield "as a generator, and nobody reads what it yields"


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
