"""Browser tokens: they identify a browser on pages of other origins, where third-party cookies may be blocked.

Without a cookie, each request of an exported page would come from a new user. So the page asks for a token, keeps it,
and sends it with every request. A token is bound to one origin and grants what the cookie would. It is short-lived: an
expired one grants nothing but its own renewal, for as long as the cookie would last.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass

PREFIX = "bt_"
LIFETIME_S = 3600
RENEWABLE_S = 365 * 24 * 3600
"""How long after its expiry a token can still be exchanged for the next one, in seconds."""

_TOKEN = re.compile(r"bt_v1_([0-9a-f]{32})_([0-9]{10,12})_([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class BrowserToken:
    """Claims of a browser token.

    Attributes:
        user_id: The id of the browser's anonymous user.
        expires_at_s: The expiry of the token, in seconds since 1970.
    """

    user_id: str
    expires_at_s: int

    @property
    def is_current(self) -> bool:
        """Whether the token has not expired."""
        return time.time() < self.expires_at_s

    @property
    def is_renewable(self) -> bool:
        """Whether the token can be exchanged for the next one."""
        return time.time() < self.expires_at_s + RENEWABLE_S


class BrowserTokens:
    """Makes and reads browser tokens.

    Args:
        key: The signing key, 32 bytes or more; it is also that of the cookies.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def build(self, user_id: str, origin: str, expires_at_s: int) -> str:
        """Return the token of an anonymous user for the pages of `origin`."""
        claims = f"{user_id.removeprefix('anon_')}_{expires_at_s}"
        return f"{PREFIX}v1_{claims}_{self._sign(claims, origin)}"

    def parse(self, value: str, origin: str) -> BrowserToken | None:
        """Return the claims of a token that was signed for `origin`, expired or not; None for any other text."""
        match = _TOKEN.fullmatch(value)
        if match is None or not hmac.compare_digest(match[3], self._sign(f"{match[1]}_{match[2]}", origin)):
            return None
        return BrowserToken(f"anon_{match[1]}", int(match[2]))

    def _sign(self, claims: str, origin: str) -> str:
        # The purpose is part of the message, so that a signature made for anything else is not accepted here.
        return hmac.new(self._key, f"browser_token:v1:{claims}:{origin.lower()}".encode(), hashlib.sha256).hexdigest()
