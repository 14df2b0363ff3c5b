"""ClientSessions: the sessions that client secrets open, checked at the door of each request."""

from __future__ import annotations

from datetime import UTC, datetime

from errors import UnauthorizedError
from process.lifecycle import Lifecycle
from storage.chat_sessions import ChatSessions
from turns.chat_session import ChatSession
from turns.clock import utc_now
from web.client_secrets import PREFIX, ClientSecrets, ServerKeys
from web.visible_use_cases import START_WAIT_S

_AGAIN = "The page has to sign you in again."
# The key of a server comes here when its base URL lacks the end, as OpenAI's library then asks at /chatkit/sessions.
_OTHER_KEY = (
    "This is no client secret. The page has to sign you in again; its server, which asks with a server key, does so at "
    "/v1/chatkit/sessions: the base URL of OpenAI's libraries ends in /v1."
)


class ClientSessions:
    """Opens, ends and finds sessions.

    Args:
        secrets: Signs and reads client secrets.
        keys: A key that is taken away ends the sessions that it has opened.
        stored: Knows which sessions there are.
        lifecycle: Before the start is done, there is no table to ask.
    """

    def __init__(self, secrets: ClientSecrets, keys: ServerKeys, stored: ChatSessions, lifecycle: Lifecycle) -> None:
        self._secrets = secrets
        self._keys = keys
        self._stored = stored
        self._lifecycle = lifecycle

    async def authenticate(self, secret: str) -> ChatSession:
        """Return the session that `secret` opens.

        Raises:
            UnauthorizedError: When it opens none; the code says why.
            UnavailableError: When the start is not done in time.
        """
        said = self._secrets.parse(secret)
        if said is None and not secret.startswith(PREFIX):
            raise UnauthorizedError(_OTHER_KEY, code="secret.invalid")
        if said is None:
            raise UnauthorizedError(f"This client secret is not valid. {_AGAIN}", code="secret.invalid")
        expired = UnauthorizedError(f"This client secret has expired. {_AGAIN}", code="secret.expired")
        # What has run out is refused without asking the database.
        if datetime.fromtimestamp(said.expires_at_s, UTC) <= utc_now():
            raise expired
        await self._lifecycle.wait_until_started(START_WAIT_S)
        session = await self._stored.load(said.session_id)
        if session is None:
            raise expired
        if session.key_name not in self._keys:
            raise UnauthorizedError(f"The server that signed you in may not any more. {_AGAIN}", code="secret.revoked")
        if session.is_cancelled:
            raise UnauthorizedError(f"This session was ended. {_AGAIN}", code="secret.cancelled")
        return session

    async def open(self, session: ChatSession) -> None:
        """Keep a new session."""
        await self._stored.save(session)

    async def cancel(self, session_id: str, key_name: str) -> ChatSession | None:
        """End a session of a server; None when it has none with this id. An answer that is being written goes on."""
        return await self._stored.cancel(session_id, key_name)

    async def count_request(self, session: ChatSession) -> int:
        """Count one request; return 0, or in how many seconds the session may ask again."""
        return await self._stored.count_request(session)

    async def count_upload(self, session: ChatSession) -> bool:
        """Count one file; return whether it may be uploaded."""
        return await self._stored.count_upload(session)

    async def uncount_upload(self, session: ChatSession) -> None:
        """Take back the count of a file that was refused."""
        await self._stored.uncount_upload(session)

    def secret_of(self, session: ChatSession) -> str:
        """Return the client secret of a session."""
        return self._secrets.build(session.id, int(session.expires_at.timestamp()))
