"""Servers and stores written for ChatKit: the methods that they override, and a way to replace methods of an object."""

from __future__ import annotations

import inspect
from typing import Any

from chatkit.server import ChatKitServer


def overridden_methods(cls: type[Any]) -> set[str]:
    """Return the methods of ChatKit's server that a subclass overrides, private ones included."""
    own = cls.__mro__[: cls.__mro__.index(ChatKitServer)]
    known = {name for name, value in vars(ChatKitServer).items() if inspect.isfunction(value) and name[:2] != "__"}
    return {name for name in known if any(name in vars(each) for each in own)}


def mix_in_class(given: object, kind: type[Any]) -> bool:
    """Change the class of an object to one that derives from `kind` first, then from its own class.

    All references to the object see the change, and `isinstance` with its own class is still true.

    Returns:
        Whether Python allows the change; it does not for an object that has only slots.
    """
    own = type(given)
    try:
        given.__class__ = type(own.__name__, (kind, own), {"__module__": own.__module__, "__doc__": own.__doc__})
    except TypeError:
        return False
    return True
