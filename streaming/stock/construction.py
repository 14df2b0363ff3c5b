"""Construction of a server written for ChatKit: it is given the platform's stores, and told what it cannot have."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_origin, get_type_hints

from chatkit.server import ChatKitServer
from chatkit.store import AttachmentStore, Store

from context import Services
from errors import ServerError
from framework.chatkit_servers import mix_in_class, overridden_methods
from streaming.stock.stock_store import GivenStore, StockAttachments, StockStore

Make = Callable[..., ChatKitServer[Any]]

OVERRIDABLE = frozenset(
    {
        "respond",
        "action",
        "sync_action",
        "add_feedback",
        "transcribe",
        "get_stream_options",
        "handle_stream_cancelled",
    }
)
"""The methods of ChatKit's server that are asked of a subclass; whatever else of it a subclass defines is not."""

_STORE_NAMES = ("store", "data_store", "thread_store", "chat_store", "memory_store")
_ATTACHMENTS_NAMES = ("attachment_store", "attachments", "file_store", "attachments_store")


@dataclass(frozen=True, slots=True)
class MadeServer:
    """A server that is ready to be asked.

    Attributes:
        server: The object of the author's class.
        notes: Things that the server brought and does not have here, a sentence each.
    """

    server: ChatKitServer[Any]
    notes: tuple[str, ...]


def make_server(make: Make | ChatKitServer[Any], services: Services) -> MadeServer:
    """Return the server that a class or a factory makes, with the platform's stores.

    Args:
        make: A subclass of ChatKit's server, an object of one, or a function ``(store, attachments)`` that returns one.
        services: The platform's services.

    Raises:
        ServerError: When it cannot be made, or does what only the platform may do; the text names it.
    """
    store_kind: type[StockStore] = _subclass_with_platform(StockStore, services.store)
    files_kind: type[StockAttachments] = _subclass_with_platform(StockAttachments, services.attachments)
    store, files = _subclass_with_platform(GivenStore, services.store)(), files_kind()
    if isinstance(make, ChatKitServer):
        server = make
    else:
        server = _made_by_class(make, store, files) if isinstance(make, type) else _made_by_factory(make, store, files)
    _check_methods(type(server))
    notes = [
        *_give(server, "store", store, StockStore, store_kind, "conversations are in Parlor's"),
        *_give(server, "attachment_store", files, StockAttachments, files_kind, "files are in Parlor's"),
    ]
    return MadeServer(server, tuple(notes))


def _subclass_with_platform(kind: Any, parlor: object) -> Any:
    return type(kind.__name__, (kind,), {"parlor": parlor, "__module__": kind.__module__, "__doc__": kind.__doc__})


def _made_by_class(cls: type[Any], store: Any, files: Any) -> ChatKitServer[Any]:
    name = cls.__qualname__
    if not issubclass(cls, ChatKitServer):
        raise ServerError(f"{name} is no subclass of chatkit.server.ChatKitServer")
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise ServerError(f"{name} does not define {', '.join(missing)}")
    _check_methods(cls)
    arguments = _arguments(cls, store, files)
    try:
        return cls(**arguments)
    except Exception as exc:
        raise ServerError(f"{name}({', '.join(arguments)}) raised {type(exc).__name__}: {exc}") from exc


def _arguments(cls: type[Any], store: Any, files: Any) -> dict[str, Any]:
    """Return the arguments with which a class is called: the stores, under the names that it has for them."""
    arguments: dict[str, Any] = {}
    unknown: list[str] = []
    try:
        hints = get_type_hints(cls.__init__)
    except Exception:  # noqa: BLE001 - a name that is there for a type checker alone
        hints = {}
    for parameter in inspect.signature(cls).parameters.values():
        kind = hints.get(parameter.name)
        kind = get_origin(kind) or kind
        if parameter.name in _STORE_NAMES or (isinstance(kind, type) and issubclass(kind, Store)):
            arguments[parameter.name] = store
        elif parameter.name in _ATTACHMENTS_NAMES or (isinstance(kind, type) and issubclass(kind, AttachmentStore)):
            arguments[parameter.name] = files
        elif parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            unknown.append(parameter.name)
    if unknown:
        raise ServerError(
            f"{cls.__qualname__} wants {', '.join(unknown)}; say where that comes from: "
            f"StockServer(lambda store, attachments: {cls.__qualname__}(…))"
        )
    return arguments


def _made_by_factory(make: Make, store: Any, files: Any) -> ChatKitServer[Any]:
    if not callable(make):
        raise ServerError(
            f"StockServer takes a subclass of chatkit.server.ChatKitServer, or a function (store, attachments) that "
            f"returns an object of one; this is a {type(make).__qualname__}"
        )
    try:
        server = make(store, files)
    except Exception as exc:
        raise ServerError(f"the function that makes the server raised {type(exc).__name__}: {exc}") from exc
    if inspect.iscoroutine(server):
        server.close()
    if not isinstance(server, ChatKitServer):
        what = f"the class {server.__qualname__}" if isinstance(server, type) else f"a {type(server).__qualname__}"
        raise ServerError(
            f"the function that makes the server returned {what}, and not an object of a subclass of "
            "chatkit.server.ChatKitServer"
        )
    return server


def _check_methods(cls: type[Any]) -> None:
    """Refuse what a class overrides and would not be asked: what it does there must not be lost in silence.

    Raises:
        ServerError: With the names.
    """
    lost = sorted(overridden_methods(cls) - OVERRIDABLE)
    if lost:
        raise ServerError(
            f"{cls.__qualname__} overrides {', '.join(lost)}, which the platform does itself: requests, storing and "
            "streaming are its own. Put what it is for into respond or action, or, where it is a method of your own, "
            "rename it"
        )
    respond: Any = cls.respond
    if inspect.iscoroutinefunction(respond) or inspect.isgeneratorfunction(respond):
        kind = "has no 'yield'" if inspect.iscoroutinefunction(respond) else "is not 'async def'"
        raise ServerError(f"{cls.__qualname__}.respond {kind}: it must be an async generator that yields events")
    if inspect.iscoroutinefunction(cls.get_stream_options):
        raise ServerError(f"{cls.__qualname__}.get_stream_options is 'async def': it must be a plain function")


def _give(server: Any, name: str, ours: Any, kind: type[Any], bound: type[Any], instead: str) -> list[str]:
    """Give the server our store; one that it brought stays what it is but for what ChatKit asks of a store.

    An object of its own class is made one that answers by ours: so each place where the server keeps it has ours, and
    what else it can do, or holds, it still does. Where Python cannot do that, ours takes its place in the server alone.
    """
    given = getattr(server, name, None)
    if isinstance(given, kind):
        if given.parlor is not bound.parlor:
            # A store that stands in a module, and outlives the services of a test.
            type(given).parlor = bound.parlor
        return []
    if given is None:
        setattr(server, name, ours)
        return []
    name_of_own = type(given).__name__
    if not (isinstance(given, Store | AttachmentStore) and mix_in_class(given, bound)):
        setattr(server, name, ours)
    return [f"its own {name_of_own} holds nothing here: {instead}"]
