"""Checks of classes that subclass the platform's server, made at their definition and again at instantiation.

An author may use any name except those that the platform owns, and a hook's name only for that hook.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partialmethod
from typing import Any, Protocol

from errors import FinalMethodError, PluginError

MAY_OMIT_ARGUMENT = frozenset({"get_agent"})
"""Hooks that may be defined without their argument, as in ChatKit's samples."""

NOT_AWAITED = frozenset({"texts", "limit_message"})
"""Hooks whose result is not awaited."""

MAY_YIELD = frozenset({"post_respond_hook", "action"})
"""Hooks that may be async generators."""

LOOKED_UP_ONCE = frozenset({"action"})
"""Hooks that are looked up only in the class, at instantiation."""

_METHODS = (staticmethod, classmethod, partialmethod)


def check_class(cls: type, platform: type, reserved: frozenset[str], hooks: frozenset[str]) -> None:
    """Refuse a class that defines a name of the platform, or a hook with a wrong signature.

    Args:
        cls: The author's class; all its bases are checked for reserved names, including mixins, and those up to the
            platform's class for hooks.
        platform: The platform's class.
        reserved: The names that the platform owns.
        hooks: The names of the hooks.

    Raises:
        FinalMethodError: When the class defines a reserved name.
        PluginError: When a hook is not a method, has other arguments, or is a coroutine or generator by mistake.
    """
    for base in cls.__mro__:
        # Also bases behind the platform's class, which would silently override them. Protocols define nothing.
        if base in platform.__mro__ or Protocol in base.__bases__:
            continue
        for name in sorted(reserved & vars(base).keys()):
            raise reserved_name_error(f"{base.__module__}.{base.__qualname__} defines '{name}'")
    for base in cls.__mro__[: cls.__mro__.index(platform)]:
        owner = f"{base.__module__}.{base.__qualname__}"
        for name in sorted(hooks & vars(base).keys()):
            for problem in _find_hook_problems(vars(base)[name], name, getattr(platform, name)):
                raise PluginError(owner, f"{owner} defines the hook '{name}' {problem}; rename it if it is no hook")


def overrides(cls: type, platform: type, name: str) -> bool:
    """Return whether `cls`, or a base of it below `platform`, defines a name; custom attribute lookup is bypassed."""
    return any(name in vars(base) for base in cls.__mro__[: cls.__mro__.index(platform)])


def check_attribute(server: object, name: str, value: object) -> None:
    """Refuse an instance attribute that shadows a hook and cannot be called as one.

    Raises:
        PluginError: When the value is not callable, or the hook is looked up only in the class.
    """
    owner = f"{type(server).__module__}.{type(server).__qualname__}"
    if not callable(value):
        kind = type(value).__name__
        raise PluginError(owner, f"{owner} sets 'self.{name}' to a {kind}, and '{name}' is a hook; choose another name")
    if name in LOOKED_UP_ONCE:
        raise PluginError(owner, f"{owner} sets 'self.{name}', and '{name}' is a hook: define it in the class")


def reserved_name_error(usage: str) -> FinalMethodError:
    """Return the error for using a name that the platform owns; `usage` says who uses it, and how."""
    return FinalMethodError(
        f"{usage}, which the platform owns; choose another name, override get_agent or post_respond_hook, or declare "
        "an @action"
    )


def _find_hook_problems(value: Any, name: str, hook: Any) -> Iterator[str]:
    parameters = list(inspect.signature(hook).parameters)[1:]
    call = f"{name}({', '.join(parameters)})"
    if not callable(value) and not isinstance(value, _METHODS):
        yield f"as a {type(value).__name__}, and it is a method: {call}"
        return
    function = getattr(value, "__func__", value)
    if not inspect.isfunction(function):
        return  # the signatures of other callables are not reliable
    count = len(parameters) + (not isinstance(value, staticmethod))
    counts = {count, count - 1} if name in MAY_OMIT_ARGUMENT else {count}
    # A decorator may accept other arguments than the function that it wraps.
    signature = inspect.signature(function, follow_wrapped=False)
    if not any(_accepts(signature, each) for each in counts):
        yield f"with other arguments: it is called as {call}"
    if name in NOT_AWAITED and inspect.iscoroutinefunction(function):
        yield "as 'async def', and it is a plain function"
    is_unread = inspect.isasyncgenfunction(function) and name not in MAY_YIELD
    if is_unread or inspect.isgeneratorfunction(function):
        yield "as a generator, and nobody reads what it yields"


def _accepts(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
