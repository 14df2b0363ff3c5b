"""The plugin API: the hook that registers a use case, and the classes that describe it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from chat_clients.offline.offline_phrase import OfflinePhrase as OfflinePhrase
from turns.request_context import RequestContext

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from context import Services
    from runs.viewer import Viewer
    from widgets.documents import Widget

MAX_HEADERS = 32
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "cookie2", "proxy-authorization", "set-cookie", "x-api-key", "x-forwarded-access-token"}
)
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""RFC 9110, 5.1, in lower case."""

hookspec = pluggy.HookspecMarker("parlor")
hookimpl = pluggy.HookimplMarker("parlor")
"""Marks a use case's implementation of a hook."""


class HookSpecs:
    """The hooks of the platform."""

    @hookspec
    def register_use_case(self, services: Services) -> UseCase:
        """Return the use case of this plugin.

        Called once per process, at the start, before the first request. It must not do I/O, since it is also called by
        commands that only list the use cases. Override `BaseChatKitServer.open` to open resources.

        Args:
            services: The platform's services, to be handed to the server.

        Returns:
            The use case. It is served at ``POST /chatkit/{name}``.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Prompt:
    """A button on the start screen that sends `prompt` at once."""

    label: str
    prompt: str
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Composer:
    """Options of the composer of a use case, in the form of ChatKit's own options.

    Attributes:
        placeholder: The placeholder of the empty input.
        attachments: ChatKit's `composer.attachments`, e.g. ``{"enabled": True, "accept": {"image/*": [".png"]}}``.
        tools: ChatKit's `composer.tools`; only these ids are accepted as a forced tool.
        models: ChatKit's `composer.models`; only these ids are accepted as a model.
    """

    placeholder: str | None = None
    attachments: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    models: Sequence[Mapping[str, Any]] = ()


class UseCaseServer(Protocol):
    """Interface of the server of a use case: `BaseChatKitServer` or `StockServer`.

    Attributes:
        use_case: The use case of the server; set once by the platform.
    """

    use_case: UseCase | None

    async def handle(self, body: bytes, context: RequestContext) -> bytes | Viewer:
        """Answer one ChatKit request: JSON, or an iterator of server-sent events."""
        ...

    async def open(self) -> None:
        """Open the resources of the use case; called once, before the first request."""
        ...

    async def close(self) -> None:
        """Close the resources that `open` has opened."""
        ...


@dataclass(frozen=True, slots=True)
class UseCase:
    """Description of a use case for the platform and the client.

    Attributes:
        name: Name of the folder, URL segment and action prefix: lower case, e.g. ``"todo"``.
        title: Name for people, e.g. ``"To-do list"``.
        server: The server that answers its requests.
        description: One sentence about the use case, for people.
        icon: A name of ChatKit's icon list, e.g. ``"check-circle"``.
        greeting: The headline of the start screen.
        prompts: The buttons of the start screen.
        composer: The options of the composer.
        accent_color: Colour that replaces the brand's primary one, ``"#rrggbb"``.
        tables: The use case's own tables, created with the platform's.
        is_allowed: Whether the asking user may use it; None allows everybody. Must not block.
        headers: Names of headers that a page sets in `api.fetch` and that reach `turn.context.headers`, at most 32,
            e.g. ``("x-page-id",)``. They are kept in lower case.
        sample_widgets: Function that returns widgets by name, to look at: `parlor widgets` and `/dev/widgets` show
            them. Called in development only, in a thread.

    Raises:
        ValueError: When one of `headers` is not a header name, or the name of a header that carries a secret.
    """

    name: str
    title: str
    server: UseCaseServer
    description: str = ""
    icon: str = "sparkle"
    greeting: str | None = None
    prompts: Sequence[Prompt] = ()
    composer: Composer = field(default_factory=Composer)
    accent_color: str | None = None
    tables: MetaData | None = None
    is_allowed: Callable[[RequestContext], bool] | None = None
    headers: Sequence[str] = ()
    sample_widgets: Callable[[], Mapping[str, Widget]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", _normalize_header_names(self.headers))


def _normalize_header_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return header names in lower case, without duplicates."""
    if isinstance(names, str):
        raise ValueError(f"headers must be a sequence of names: ({names!r},)")
    unique = tuple(dict.fromkeys(name.lower() if isinstance(name, str) else name for name in names))
    for name in unique:
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers: {name!r} is no name of a header")
        if name in SECRET_HEADERS:
            raise ValueError(
                f"headers: '{name}' carries a secret, which no agent gets; let the page set one of its own"
            )
    if len(unique) > MAX_HEADERS:
        raise ValueError(f"headers: {len(unique)} names are more than {MAX_HEADERS}")
    return unique
