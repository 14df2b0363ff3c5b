"""Column types: text, times and JSON that SQLite and PostgreSQL store and return alike."""

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
    """Text that may come from anywhere; see `storable_text`. An id with a NUL in it is merely not found."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make the text storable."""
        return None if value is None else storable_text(value)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time: a naive one is refused on the way in, UTC comes out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: nobody could say which one it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC; SQLite forgets the zone, and stored times are UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JSONDocument(TypeDecorator[Any]):
    """Any JSON value; JSONB on PostgreSQL. None is NULL. Assign a new value: changes inside it are not noticed."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use JSONB where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))


def dump_json(value: Any) -> str:
    """Serialise for a JSON column; the slow way only for what PostgreSQL would refuse."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(_storable(value), ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" in written or "NaN" in written or "Infinity" in written:
        return json.dumps(_storable(value), ensure_ascii=False, separators=(",", ":"))
    return written


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): _storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None  # JSON has no such numbers; the browser would get null too
    return value


def load_json(document: str | bytes) -> Any:
    """Return the value of a JSON column's text."""
    try:
        return from_json(document)  # a third of the time that `json.loads` needs
    except ValueError:
        return json.loads(document)  # which reads what another program may have stored, such as half a surrogate pair
