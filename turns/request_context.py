"""RequestContext: the person, the use case and other data of a request, passed to every method of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from turns.answer_state import AnswerState
from turns.chat_session import NO_VARIABLES, Variable

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Context of a request: the person, the use case and more. ChatKit passes it to every method of the store.

    Attributes:
        user_id: The owner of all that this request may see. Never empty.
        use_case: The name of the requested use case.
        request_id: The id of the request, also in the log and in error messages.
        locale: The first language of the browser as a BCP 47 tag, e.g. ``"de-CH"``.
        time_zone: The browser's time zone by its IANA name, e.g. ``"Europe/Zurich"``; None when the client sends none.
        headers: The page's own headers that `UseCase.headers` names, in lower case; untrusted, read-only.
        is_resumable: Whether the client declares by `Accept` that it can reconnect to an answer.
        metadata: The request's own `metadata` object, untrusted.
        variables: Values for the agent from the server that opened the person's session; read-only, empty without one.
        session_id: The session that a server has opened for the person; None without one.
        has_titles: Whether a new thread is given a title.
        base_url: The address under which the person's browser reaches this server; empty where that is
            not known.
        answer: The state of the answer in the making; the platform's own.
    """

    user_id: str
    use_case: str
    request_id: str
    locale: str = "en"
    time_zone: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    is_resumable: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=lambda: NO_VARIABLES)
    session_id: str | None = None
    has_titles: bool = True
    base_url: str = ""
    answer: AnswerState = field(default_factory=AnswerState, repr=False, compare=False)

    @property
    def run_id(self) -> str:
        """The id of the run that answers this request, if it starts one."""
        return f"run_{self.request_id}"


def with_metadata(context: RequestContext, metadata: Mapping[str, Any]) -> RequestContext:
    """Return the same context with the metadata of its request; the state of the answer is shared."""
    return replace(context, metadata=metadata)
