from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.engine import make_url

from databases.azure_sign_in import build_connector, wants_token
from databases.postgres import create_postgres_engine
from errors import ConfigError

URL = "postgresql+psycopg://id-parlor@db.example/parlor?sslmode=verify-full&sslrootcert=system&parlor_auth=azure"


async def test_each_connection_is_opened_with_a_token_of_its_own() -> None:
    asked: list[dict[str, Any]] = []
    tokens = iter(["first", "second"])

    async def connect(**options: Any) -> str:
        asked.append(options)
        return "a connection"

    opening = build_connector(make_url(URL), connect, lambda: next(tokens), 5)
    assert [await opening(), await opening()] == ["a connection"] * 2
    assert [each.pop("password") for each in asked] == ["first", "second"]
    assert asked[0] == {
        "host": "db.example", "port": 5432, "user": "id-parlor", "dbname": "parlor",
        "sslmode": "verify-full", "sslrootcert": "system", "connect_timeout": 5,
    }  # fmt: skip


async def test_the_engine_asks_for_a_token_only_where_the_url_says_so() -> None:
    asked: list[str] = []

    def get_token() -> str:
        asked.append("token")
        raise OSError("no identity here")

    for url, expected in ((URL, ["token"]), ("postgresql+psycopg://me@127.0.0.1:1/x", [])):
        asked.clear()
        engine = create_postgres_engine(make_url(url), wait_s=1.0, get_token=get_token)
        with pytest.raises(Exception):  # noqa: B017, PT011 - there is no database: what matters is what was asked
            async with engine.connect():
                pass
        await engine.dispose()
        assert asked == expected


@pytest.mark.parametrize("url", [URL.replace("azure", "aws"), URL.replace("id-parlor@", "id-parlor:secret@")])
def test_unsupported_sign_in_settings_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^DATABASE_URL: ") as caught:
        wants_token(make_url(url))
    assert "secret" not in str(caught.value)
