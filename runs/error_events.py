"""Error events, which report a failure to the person after an answer has begun."""

from __future__ import annotations

from chatkit.types import ErrorEvent


def error_event(message: str, *, allow_retry: bool = True) -> ErrorEvent:
    """Return the event that shows `message`, with ChatKit's code for custom messages.

    Args:
        message: A sentence for the person, without an exception's text.
        allow_retry: Whether the client offers to try again.
    """
    return ErrorEvent(code="custom", message=message, allow_retry=allow_retry)
