"""Engine for PostgreSQL: pool, timeouts and sign-in."""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from databases.azure_sign_in import AUTH_OPTION, GetToken, build_connector, build_machine_token_getter, wants_token
from errors import ConfigError

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 30
CONNECTIONS = 10


def create_postgres_engine(
    url: URL, *, wait_s: float, get_token: GetToken | None = None, **options: Any
) -> AsyncEngine:
    """Return an engine for asynchronous sessions and connections.

    Args:
        url: URL of the database.
        wait_s: Longest wait for a connection of the pool, in seconds.
        get_token: Returns the token for a sign-in by identity; None for that of the machine's identity.
        options: Options of the engine, such as `json_serializer`.

    Raises:
        ConfigError: When the driver is missing.
    """
    try:
        if wants_token(url):
            import psycopg

            connect_with_token = build_connector(
                url, psycopg.AsyncConnection.connect, get_token or build_machine_token_getter(), CONNECT_TIMEOUT_S
            )
            options["async_creator"] = connect_with_token
            url = url.difference_update_query([AUTH_OPTION])
        engine = create_async_engine(
            url,
            **options,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=wait_s,
            pool_pre_ping=True,  # detects connections that a restart of the server has closed
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        )
    except ImportError as exc:
        # Not Parlor's extra `postgres`, as a clone is not installed as a package.
        command = f"{sys.executable} -m pip install 'psycopg[binary]'"
        raise ConfigError("DATABASE_URL", f"PostgreSQL needs its driver ({exc}); install it with: {command}") from exc

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_S * 1000}")
        cursor.close()
        connection.commit()

    return engine
