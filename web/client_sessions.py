"""ClientSessions: opens and cancels sessions, and authenticates each request that shows a client secret."""

from __future__ import annotations

from datetime import UTC, datetime

from errors import UnauthorizedError
from process.lifecycle import Lifecycle
from storage.chat_sessions import ChatSessions
from turns.chat_session import ChatSession
from turns.clock import utc_now
from web.client_secrets import PREFIX, ClientSecrets, ServerKeys
from web.visible_use_cases import START_WAIT_S

_SIGN_IN_AGAIN = "The page has to sign you in again."
# A server key arrives here when the base URL lacks its /v1: OpenAI's library then asks at /chatkit/sessions.
_SERVER_KEY_MESSAGE = (
    "This is no client secret. The page has to sign you in again; its server, which asks with a server key, does so at "
    "/v1/chatkit/sessions: the base URL of OpenAI's libraries ends in /v1."
)


class ClientSessions:
    """Opens, cancels and authenticates sessions.

    Args:
        secrets: Signs and verifies client secrets.
        keys: The keys of servers; removing a key ends the sessions that it has opened.
        stored: The sessions in the database.
        lifecycle: Tells when the tables have been created.
    """

    def __init__(self, secrets: ClientSecrets, keys: ServerKeys, stored: ChatSessions, lifecycle: Lifecycle) -> None:
        self._secrets = secrets
        self._keys = keys
        self._stored = stored
        self._lifecycle = lifecycle

    async def authenticate(self, secret: str) -> ChatSession:
        """Return the session that `secret` opens.

        Raises:
            UnauthorizedError: When it opens no session; the code gives the reason.
            UnavailableError: When the start is not done in time.
        """
        claims = self._secrets.parse(secret)
        if claims is None and not secret.startswith(PREFIX):
            raise UnauthorizedError(_SERVER_KEY_MESSAGE, code="secret.invalid")
        if claims is None:
            raise UnauthorizedError(f"This client secret is not valid. {_SIGN_IN_AGAIN}", code="secret.invalid")
        expired = UnauthorizedError(f"This client secret has expired. {_SIGN_IN_AGAIN}", code="secret.expired")
        # An expired secret is rejected without a database query.
        if datetime.fromtimestamp(claims.expires_at_s, UTC) <= utc_now():
            raise expired
        await self._lifecycle.wait_until_started(START_WAIT_S)
        session = await self._stored.load(claims.session_id)
        if session is None:
            raise expired
        if session.key_name not in self._keys:
            raise UnauthorizedError(
                f"The server that signed you in may not any more. {_SIGN_IN_AGAIN}", code="secret.revoked"
            )
        if session.is_cancelled:
            raise UnauthorizedError(f"This session was ended. {_SIGN_IN_AGAIN}", code="secret.cancelled")
        return session

    async def open(self, session: ChatSession) -> None:
        """Store a new session."""
        await self._stored.save(session)

    async def cancel(self, session_id: str, key_name: str) -> ChatSession | None:
        """End a session of a server key; None when it has none with this id. Answers in progress go on."""
        return await self._stored.cancel(session_id, key_name)

    async def count_request(self, session: ChatSession) -> int:
        """Count one request; return 0, or the seconds to wait when the rate limit is exceeded."""
        return await self._stored.count_request(session)

    async def count_upload(self, session: ChatSession) -> bool:
        """Count one upload; return False when the session has reached its limit."""
        return await self._stored.count_upload(session)

    async def uncount_upload(self, session: ChatSession) -> None:
        """Undo `count_upload` for a file that was rejected."""
        await self._stored.uncount_upload(session)

    def build_secret(self, session: ChatSession) -> str:
        """Return the client secret of a session."""
        return self._secrets.build(session.id, int(session.expires_at.timestamp()))
