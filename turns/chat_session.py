"""ChatSession: a session that a server with an API key has opened for one person, with its limits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

Variable = str | int | float | bool
"""A value that the server passes to the agent: one of JSON's primitive types."""

NO_VARIABLES: Mapping[str, Variable] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """The variables, limits and features of one session.

    Attributes:
        variables: Values for the agent, which finds them in `turn.context.variables`; read-only.
        max_requests_per_minute: The maximum number of requests in a minute.
        has_titles: Whether new threads are given a title.
        has_uploads: Whether files may be attached.
        max_file_mb: The largest file, in MB.
        max_files: The maximum number of files that may be uploaded during the session.
        has_history: Whether the threads of the person are listed.
        recent_threads: How many of the newest threads are listed; None for all.
        version: The workflow version that was requested; it is echoed in the response and otherwise unused.
    """

    variables: Mapping[str, Variable] = field(default_factory=lambda: NO_VARIABLES)
    max_requests_per_minute: int = 60
    has_titles: bool = True
    has_uploads: bool = False
    max_file_mb: int = 512
    max_files: int = 10
    has_history: bool = True
    recent_threads: int | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ChatSession:
    """A short-lived session of one person with one use case.

    Attributes:
        id: The id, e.g. ``"cksess_4f…"``.
        key_name: The name of the server key that opened it.
        user: The person's name or id, as the server gave it.
        use_case: The only use case that the session may use.
        expires_at: The time from which the session is invalid.
        is_cancelled: Whether the server has ended the session.
        configuration: The features and limits of the session.
    """

    id: str
    key_name: str
    user: str
    use_case: str
    expires_at: datetime
    is_cancelled: bool
    configuration: SessionConfiguration

    @property
    def user_id(self) -> str:
        """The id under which the person's data is stored, the same in all sessions that this server opens for them.

        It does not depend on the signing key: a new key ends sessions, but nobody loses a conversation.
        """
        # The length prefix keeps ("a", "b:c") and ("a:b", "c") apart.
        person = f"{len(self.key_name)}:{self.key_name}:{self.user}"
        return f"usr_{hashlib.sha256(person.encode()).hexdigest()[:32]}"
