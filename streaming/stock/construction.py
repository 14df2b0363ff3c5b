"""Construction of a server written for ChatKit: it gets the platform's stores, and its overrides are checked."""

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
from streaming.stock.stock_store import ExplainingStore, StockAttachments, StockStore

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
"""The methods of ChatKit's server that a subclass may override; overrides of others would never be called."""

_STORE_NAMES = ("store", "data_store", "thread_store", "chat_store", "memory_store")
_ATTACHMENTS_NAMES = ("attachment_store", "attachments", "file_store", "attachments_store")


@dataclass(frozen=True, slots=True)
class ConstructedServer:
    """A server that is ready to answer requests.

    Attributes:
        server: The object of the author's class.
        notes: Sentences about parts of the server that are replaced by the platform's.
    """

    server: ChatKitServer[Any]
    notes: tuple[str, ...]


def construct_server(server_or_factory: Make | ChatKitServer[Any], services: Services) -> ConstructedServer:
    """Construct a server with the platform's stores.

    Args:
        server_or_factory: A subclass of ChatKit's server, an object of one, or a function ``(store, attachments)`` that
            returns an object.
        services: The platform's services.

    Raises:
        ServerError: When it cannot be constructed, or overrides what only the platform may do; the text says what.
    """
    store_kind: type[StockStore] = _bind_platform_store(StockStore, services.store)
    files_kind: type[StockAttachments] = _bind_platform_store(StockAttachments, services.attachments)
    store, files = _bind_platform_store(ExplainingStore, services.store)(), files_kind()
    if isinstance(server_or_factory, ChatKitServer):
        server = server_or_factory
    elif isinstance(server_or_factory, type):
        server = _construct_from_class(server_or_factory, store, files)
    else:
        server = _construct_from_factory(server_or_factory, store, files)
    _check_methods(type(server))
    notes = [
        *_install_store(server, "store", store, StockStore, store_kind, "conversations are in Parlor's"),
        *_install_store(server, "attachment_store", files, StockAttachments, files_kind, "files are in Parlor's"),
    ]
    return ConstructedServer(server, tuple(notes))


def _bind_platform_store(kind: Any, parlor: object) -> Any:
    return type(kind.__name__, (kind,), {"parlor": parlor, "__module__": kind.__module__, "__doc__": kind.__doc__})


def _construct_from_class(cls: type[Any], store: Any, files: Any) -> ChatKitServer[Any]:
    name = cls.__qualname__
    if not issubclass(cls, ChatKitServer):
        raise ServerError(f"{name} is no subclass of chatkit.server.ChatKitServer")
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise ServerError(f"{name} does not define {', '.join(missing)}")
    _check_methods(cls)
    arguments = _constructor_arguments(cls, store, files)
    try:
        return cls(**arguments)
    except Exception as exc:
        raise ServerError(f"{name}({', '.join(arguments)}) raised {type(exc).__name__}: {exc}") from exc


def _constructor_arguments(cls: type[Any], store: Any, files: Any) -> dict[str, Any]:
    """Return the arguments of a class's constructor: the stores, recognised by parameter name or type."""
    arguments: dict[str, Any] = {}
    unknown: list[str] = []
    try:
        hints = get_type_hints(cls.__init__)
    except Exception:  # noqa: BLE001 - a name may be imported for type checkers alone
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


def _construct_from_factory(make: Make, store: Any, files: Any) -> ChatKitServer[Any]:
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
        returned = f"the class {server.__qualname__}" if isinstance(server, type) else f"a {type(server).__qualname__}"
        raise ServerError(
            f"the function that makes the server returned {returned}, and not an object of a subclass of "
            "chatkit.server.ChatKitServer"
        )
    return server


def _check_methods(cls: type[Any]) -> None:
    """Refuse overrides that would never be called, so that they are not ignored silently.

    Raises:
        ServerError: When there are such overrides, whose names are in the text, or a method is of the wrong kind.
    """
    ignored = sorted(overridden_methods(cls) - OVERRIDABLE)
    if ignored:
        raise ServerError(
            f"{cls.__qualname__} overrides {', '.join(ignored)}, which the platform does itself: requests, storing and "
            "streaming are its own. Put what it is for into respond or action, or, where it is a method of your own, "
            "rename it"
        )
    respond: Any = cls.respond
    if inspect.iscoroutinefunction(respond) or inspect.isgeneratorfunction(respond):
        kind = "has no 'yield'" if inspect.iscoroutinefunction(respond) else "is not 'async def'"
        raise ServerError(f"{cls.__qualname__}.respond {kind}: it must be an async generator that yields events")
    if inspect.iscoroutinefunction(cls.get_stream_options):
        raise ServerError(f"{cls.__qualname__}.get_stream_options is 'async def': it must be a plain function")


def _install_store(server: Any, name: str, ours: Any, kind: type[Any], bound: type[Any], instead: str) -> list[str]:
    """Make a server use the platform's store; return a note if it brought a store of its own.

    The methods of the platform's store are mixed into the server's own store: so they apply wherever the server keeps a
    reference to it, and its other methods and attributes still work. Where Python does not allow that, only the
    server's attribute is replaced.
    """
    own_store = getattr(server, name, None)
    if isinstance(own_store, kind):
        if own_store.parlor is not bound.parlor:
            # The store is a module's global, and has outlived the services of an earlier test.
            type(own_store).parlor = bound.parlor
        return []
    if own_store is None:
        setattr(server, name, ours)
        return []
    class_name = type(own_store).__name__
    if not (isinstance(own_store, Store | AttachmentStore) and mix_in_class(own_store, bound)):
        setattr(server, name, ours)
    return [f"its own {class_name} holds nothing here: {instead}"]
