"""Client secrets, which are signed session ids with an expiry, and the keys of servers that may open sessions."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers

PREFIX = "ek_"

_SECRET = re.compile(r"ek_v1_([0-9a-f]{32})_([0-9]{10,12})_([0-9a-f]{64})")
_SESSION_ID = re.compile(r"cksess_([0-9a-f]{32})")
_PURPOSE = "client_secret:v1:"
_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """Claims of a client secret.

    Attributes:
        session_id: The id of the session that the secret opens.
        expires_at_s: The end of the session, in seconds since 1970.
    """

    session_id: str
    expires_at_s: int


class ClientSecrets:
    """Makes and reads client secrets.

    Args:
        key: The signing key, 32 bytes or more; it is also that of the cookies.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def build(self, session_id: str, expires_at_s: int) -> str:
        """Return the secret of a session whose id came from `new_session_id`."""
        match = _SESSION_ID.fullmatch(session_id)
        if match is None:
            raise ValueError("the session id is not one of ours")
        claims = f"{match[1]}_{expires_at_s}"
        return f"{PREFIX}v1_{claims}_{self._sign(claims)}"

    def parse(self, value: str) -> ClientSecret | None:
        """Return the claims of a secret that was signed with our key, expired or not; None for any other text."""
        match = _SECRET.fullmatch(value)
        if match is None or not hmac.compare_digest(match[3], self._sign(f"{match[1]}_{match[2]}")):
            return None
        return ClientSecret(f"cksess_{match[1]}", int(match[2]))

    def _sign(self, claims: str) -> str:
        # The purpose is part of the message, so that a signature made for anything else opens no session.
        return hmac.new(self._key, f"{_PURPOSE}{claims}".encode(), hashlib.sha256).hexdigest()


def new_session_id() -> str:
    """Return the id of a new session: 128 random bits."""
    return f"cksess_{secrets.token_hex(16)}"


class ServerKeys:
    """The keys of servers that may open sessions.

    Args:
        keys: The keys by their names.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        # Digests are of one length, so that the time of a comparison reveals nothing about a key, not even its length.
        self._digests = {name: _digest(key) for name, key in keys.items()}

    def __bool__(self) -> bool:
        return bool(self._digests)

    def __contains__(self, name: str) -> bool:
        return name in self._digests

    def find_name(self, key: str) -> str | None:
        """Return the name of a key, in constant time; None when the key is not known."""
        digest, match = _digest(key), None
        for name, known_digest in self._digests.items():
            if hmac.compare_digest(digest, known_digest):
                match = name
        return match


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def bearer_token(headers: Headers) -> str | None:
    """Return the token of `Authorization: Bearer …`; None without one.

    Other schemes are ignored, as a proxy that asks for a password passes its own header on. Of several headers none
    can be trusted: the token is then empty, which no check accepts.
    """
    values = headers.getlist("authorization")
    tokens = [value[len(_BEARER) :].strip() for value in values if value[: len(_BEARER)].lower() == _BEARER]
    # Browsers strip the trailing space of `Bearer ` when the token is empty.
    tokens += ["" for value in values if value.strip().lower() == _BEARER.strip()]
    if not tokens:
        return None
    return tokens[0] if len(values) == 1 else ""
