"""Classes of servers and stores written for ChatKit: what they override, and how they answer by other methods."""

from __future__ import annotations

import inspect
from typing import Any

from chatkit.server import ChatKitServer


def overridden_methods(cls: type[Any]) -> set[str]:
    """Return the methods of ChatKit's server that a subclass overrides, private ones included."""
    own = cls.__mro__[: cls.__mro__.index(ChatKitServer)]
    known = {name for name, value in vars(ChatKitServer).items() if inspect.isfunction(value) and name[:2] != "__"}
    return {name for name in known if any(name in vars(each) for each in own)}


def become(given: object, kind: type[Any]) -> bool:
    """Let an object answer by the methods of `kind` first, and by those of its own class for all else.

    Whoever holds the object has it so, and `isinstance` with its class holds as before.

    Returns:
        Whether Python can do that: not with an object that has slots alone.
    """
    own = type(given)
    try:
        given.__class__ = type(own.__name__, (kind, own), {"__module__": own.__module__, "__doc__": own.__doc__})
    except TypeError:
        return False
    return True
