"""Column types for text, times and JSON that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json
from sqlalchemy import JSON, DateTime, Dialect, String
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from text.surrogates import join_surrogates


def storable_text(value: str) -> str:
    """Return `value` with U+FFFD for NUL and lone surrogates, which no database can store."""
    return join_surrogates(value.replace("\x00", "\ufffd") if "\x00" in value else value)


class PlainText(TypeDecorator[str]):
    """Untrusted text, made storable by `storable_text`: an id that contains a NUL is not found, and raises no error."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it can be stored."""
        return None if value is None else storable_text(value)


class UTCDateTime(TypeDecorator[datetime]):
    """Aware datetime, returned in UTC; a naive one is rejected."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC; raise ValueError for a naive one, which is ambiguous."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC; SQLite does not store the zone, and stored times are in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JSONDocument(TypeDecorator[Any]):
    """JSON value; JSONB on PostgreSQL. None is stored as NULL. Changes inside a value are not tracked."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use JSONB on PostgreSQL."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))


def dump_json(value: Any) -> str:
    """Return the text of a value for a JSON column, without the characters and numbers that PostgreSQL rejects."""
    serialized = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        serialized.encode()
    except UnicodeEncodeError:
        return json.dumps(_make_storable(value), ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" in serialized or "NaN" in serialized or "Infinity" in serialized:
        return json.dumps(_make_storable(value), ensure_ascii=False, separators=(",", ":"))
    return serialized


def _make_storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): _make_storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_make_storable(each) for each in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None  # JSON has no such numbers, and browsers serialise them as null too
    return value


def load_json(document: str | bytes) -> Any:
    """Return the value of a JSON column's text."""
    try:
        return from_json(document)  # a third of the time that `json.loads` needs
    except ValueError:
        return json.loads(document)  # accepts lone surrogates, which another program may have stored
