"""Sign-in to PostgreSQL with the Azure identity of the machine: a short-lived token instead of a password."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from sqlalchemy.engine import URL

from errors import ConfigError

AUTH_OPTION = "parlor_auth"
"""Query parameter of `DATABASE_URL` that enables the sign-in: `?parlor_auth=azure`."""

TOKEN_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"  # noqa: S105 - the name of a service
TOKEN_TIMEOUT_S = 20.0

GetToken = Callable[[], str]
Connect = Callable[..., Awaitable[Any]]


def wants_token(url: URL) -> bool:
    """Return whether the URL enables the sign-in by identity.

    Raises:
        ConfigError: When the parameter has another value, or the URL has a password as well.
    """
    value = url.query.get(AUTH_OPTION)
    if value is None:
        return False
    if value != "azure":
        raise ConfigError("DATABASE_URL", f"{AUTH_OPTION} is not 'azure', the only one that there is")
    if url.password:
        raise ConfigError("DATABASE_URL", f"has a password and {AUTH_OPTION}=azure, which asks for a token: remove one")
    return True


def build_connector(url: URL, connect: Connect, get_token: GetToken, timeout_s: int) -> Callable[[], Awaitable[Any]]:
    """Return a function that opens a connection with a fresh token; open connections need no new one.

    Args:
        url: URL of the database; its user is the name of the identity.
        connect: The driver's function that opens a connection.
        get_token: Returns a token; called in a thread, as it may send a request.
        timeout_s: Time limit for connecting, in seconds.
    """
    options = {name: value for name, value in url.query.items() if name != AUTH_OPTION}
    address = {"host": url.host, "port": url.port or 5432, "user": url.username, "dbname": url.database}

    async def open_connection() -> Any:
        async with asyncio.timeout(TOKEN_TIMEOUT_S):
            token = await asyncio.to_thread(get_token)
        return await connect(**address, **options, password=token, connect_timeout=timeout_s)

    return open_connection


def build_machine_token_getter() -> GetToken:
    """Return a function that gets a token for the machine's identity and caches it; see `AZURE_CLIENT_ID`.

    Raises:
        ConfigError: When the package azure-identity is not installed.
    """
    try:
        identity = import_module("azure.identity")
    except ImportError as exc:
        raise ConfigError(
            "DATABASE_URL", f"{AUTH_OPTION}=azure needs the package azure-identity (extra azure)"
        ) from exc
    credential = identity.DefaultAzureCredential()

    def get_token() -> str:
        token: str = credential.get_token(TOKEN_SCOPE).token
        return token

    return get_token
