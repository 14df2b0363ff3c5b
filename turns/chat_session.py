"""ChatSession: what a server with a key has opened for one of its people, and what they may do in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

Variable = str | int | float | bool
"""A value that the server hands over for the agent: one of JSON's primitive types."""

NO_VARIABLES: Mapping[str, Variable] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SessionConfiguration:
    """The variables, limits and features of one session.

    Attributes:
        variables: Handed to the agent as `turn.context.variables`; read-only.
        max_requests_per_minute: How many requests the session answers in a minute.
        has_titles: Whether new threads are given a title.
        has_uploads: Whether files may be attached.
        max_file_mb: The largest file, in MB.
        max_files: How many files may be uploaded during the session.
        has_history: Whether the threads of the person are listed.
        recent_threads: How many of them are within reach, the newest first; None for all.
        version: The version of the workflow that was asked for; it is told back and means nothing here.
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
    """A session of one person with one use case, for a short time.

    Attributes:
        id: Such as ``"cksess_4f…"``.
        key_name: The name of the server key that opened it.
        user: The person's name or id, as that server gives it.
        use_case: The only use case that it opens.
        expires_at: From then on it opens nothing.
        is_cancelled: Whether the server has ended it.
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
        """The owner of all that the person has here, in every session that this server opens for them.

        It does not depend on the signing key: a new one ends sessions, and nobody loses a conversation.
        """
        # The length in front keeps ("a", "b:c") and ("a:b", "c") apart.
        person = f"{len(self.key_name)}:{self.key_name}:{self.user}"
        return f"usr_{hashlib.sha256(person.encode()).hexdigest()[:32]}"
