"""Idempotency keys: a client gives an action a key, so that a repetition is not carried out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from errors import BadRequestError

MAX_IDEMPOTENCY_KEY_CHARS = 128


def idempotency_key(metadata: Mapping[str, Any]) -> str | None:
    """Return the request's ``metadata.idempotency_key``; None when it has none.

    Raises:
        BadRequestError: When the key is not a text of 1 to `MAX_IDEMPOTENCY_KEY_CHARS` characters.
    """
    key = metadata.get("idempotency_key")
    if key is None:
        return None
    if not isinstance(key, str) or not 0 < len(key) <= MAX_IDEMPOTENCY_KEY_CHARS:
        raise BadRequestError(f"'idempotency_key' must be a text of 1 to {MAX_IDEMPOTENCY_KEY_CHARS} characters.")
    return key
