"""The OpenAI client that an exported file makes, with the platform's key if the platform's provider is OpenAI."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NoReturn, TypeVar

import httpx
import openai

from agents_sdk.workflows.openai_services import CLIENT_SERVICES
from errors import UnavailableError

Kind = TypeVar("Kind", bound=type)

NO_KEY = "no-key"
"""The key of a client that cannot ask OpenAI, as a client cannot be created without one."""

_CHAT_SERVICES = {"chat": "chat completions", "embeddings": "embeddings", "completions": "completions"}


def build_unavailable_error(service: str, who: str | None = None) -> UnavailableError:
    """Return the error that tells a person which service of OpenAI the answer needs."""
    needs = f"“{who}” needs {service}" if who else f"This needs {service}"
    return UnavailableError(
        f"{needs}, which runs at OpenAI only, and this assistant uses another model.",
        code="openai.needed",
        allow_retry=False,
    )


def build_platform_client(kind: Kind, settings: Any, opened: list[Any]) -> Kind:
    """Return a subclass of a client that uses the platform's key and address, unless the file gives its own.

    Args:
        kind: The client class of OpenAI's library.
        settings: The platform's settings; None while a file is only examined.
        opened: Receives the clients that are created, so that they can be closed.
    """
    provider = settings.provider if settings is not None else None

    class PlatformClient(kind):  # type: ignore[misc,valid-type]
        def __init__(self, **options: Any) -> None:
            key = options.get("api_key")
            has_platform_key = key in (NO_KEY, find_platform_key(settings))
            self.is_own = not has_platform_key if key else bool(options.get("base_url"))
            if not self.is_own:
                options.update(_default_options(settings, provider))
            if options.get("http_client") is None:
                options["http_client"] = _build_http_client(kind)
            super().__init__(**options)
            opened.append(self)

        def post(self, path: str, *, body: Any = None, **options: Any) -> Any:
            if provider == "compatible" and not self.is_own and isinstance(body, Mapping) and "model" in body:
                # The file names a model of OpenAI's, which that server does not have.
                body = {**body, "model": settings.compatible_model}
            return super().post(path, body=body, **options)

    services = dict(CLIENT_SERVICES)
    if provider != "compatible":
        services |= _CHAT_SERVICES
    if settings is None or not settings.is_openai:
        for name, service in services.items():
            setattr(PlatformClient, name, property(_build_refusing_getter(kind, name, service)))
    PlatformClient.__name__ = PlatformClient.__qualname__ = kind.__name__
    return PlatformClient  # type: ignore[return-value]


def find_platform_key(settings: Any) -> str:
    """Return the OpenAI key that a file finds in the environment: the platform's, or else `NO_KEY`."""
    key = settings.openai_api_key if settings is not None and settings.is_openai else None
    return key.get_secret_value() if key is not None else NO_KEY


@cache
def _load_ssl_context() -> ssl.SSLContext:
    """Return an SSL context for all clients; each answer creates some, and reading the certificates takes 30 ms."""
    return httpx.create_ssl_context()


def _build_http_client(kind: type) -> Any:
    if issubclass(kind, openai.AsyncOpenAI):
        return openai.DefaultAsyncHttpxClient(verify=_load_ssl_context())
    return openai.DefaultHttpxClient(verify=_load_ssl_context())


def _default_options(settings: Any, provider: str | None) -> dict[str, Any]:
    if settings is not None and settings.is_openai:
        key, address = settings.openai_api_key, settings.openai_base_url
    elif provider == "compatible":
        key, address = settings.compatible_api_key, settings.compatible_base_url
    else:
        key = address = None
    options: dict[str, Any] = {"api_key": key.get_secret_value() if key is not None else NO_KEY}
    if address is not None:
        options["base_url"] = str(address)
    return options


def _build_refusing_getter(kind: type, name: str, service: str) -> Callable[[Any], Any]:
    def get(client: Any) -> Any:
        if client.is_own:
            return getattr(super(type(client), client), name)
        return _raise_unavailable(service)

    return get


def _raise_unavailable(service: str) -> NoReturn:
    raise build_unavailable_error(service)
