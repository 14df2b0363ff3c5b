"""Sign-in to PostgreSQL by the machine's Azure identity: a short-lived token instead of a password."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from sqlalchemy.engine import URL

from errors import ConfigError

OPTION = "parlor_auth"
"""The option of `DATABASE_URL` that asks for it: `?parlor_auth=azure`."""

TOKEN_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"  # noqa: S105 - the name of a service
TOKEN_TIMEOUT_S = 20.0

GetToken = Callable[[], str]
Connect = Callable[..., Awaitable[Any]]


def wants_token(url: URL) -> bool:
    """Return whether the URL asks for the sign-in by identity.

    Raises:
        ConfigError: When it asks for another one, or has a password as well.
    """
    value = url.query.get(OPTION)
    if value is None:
        return False
    if value != "azure":
        raise ConfigError("DATABASE_URL", f"{OPTION} is not 'azure', the only one that there is")
    if url.password:
        raise ConfigError("DATABASE_URL", f"has a password and {OPTION}=azure, which asks for a token: remove one")
    return True


def build_connector(url: URL, connect: Connect, get_token: GetToken, timeout_s: int) -> Callable[[], Awaitable[Any]]:
    """Return a function that opens a connection with a fresh token; open connections need no new one.

    Args:
        url: Address of the database; its user is the name of the identity.
        connect: The driver's own way to open a connection.
        get_token: Returns a token; called in a thread, as it may ask the machine's network.
        timeout_s: Time to connect, in seconds.
    """
    options = {name: value for name, value in url.query.items() if name != OPTION}
    address = {"host": url.host, "port": url.port or 5432, "user": url.username, "dbname": url.database}

    async def open_connection() -> Any:
        async with asyncio.timeout(TOKEN_TIMEOUT_S):
            token = await asyncio.to_thread(get_token)
        return await connect(**address, **options, password=token, connect_timeout=timeout_s)

    return open_connection


def token_of_machine() -> GetToken:
    """Return a function that gets a token for the machine's identity and caches it; see `AZURE_CLIENT_ID`.

    Raises:
        ConfigError: When the package for it is not installed.
    """
    try:
        identity = import_module("azure.identity")
    except ImportError as exc:
        raise ConfigError("DATABASE_URL", f"{OPTION}=azure needs the package azure-identity (extra azure)") from exc
    credential = identity.DefaultAzureCredential()

    def get_token() -> str:
        token: str = credential.get_token(TOKEN_SCOPE).token
        return token

    return get_token
