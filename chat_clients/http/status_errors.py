"""Errors of a provider by status: the words of a refusal, in whatever form."""

from __future__ import annotations

import json
from typing import Any

MAX_REASON_CHARS = 300
MAX_REFUSAL_CHARS = 8_000


class ProviderStatusError(Exception):
    """The provider answered with an error.

    Attributes:
        status: The HTTP status.
        provider_code: The provider's own word for it, e.g. ``"context_length_exceeded"``, or None.
        request_id: Under which the provider's support finds it, or None.
        param: Which member of the request it is about, if the provider says so.
        text: All that the provider says about it, bounded; never to be shown or logged.
    """

    def __init__(
        self,
        status: int,
        provider_code: str | None,
        reason: str,
        request_id: str | None,
        *,
        param: str | None = None,
        text: str | None = None,
    ) -> None:
        parts = [f"HTTP {status}", provider_code, reason, f"request {request_id}" if request_id else None]
        super().__init__(", ".join(part for part in parts if part))
        self.status = status
        self.provider_code = provider_code
        self.request_id = request_id
        self.param = param
        self.text = reason if text is None else text


def build_status_error(status: int, body: Any, request_id: str | None = None) -> ProviderStatusError:
    """Return what the JSON of a refusal says, in whatever form.

    Args:
        status: The HTTP status; 0 for an error within a stream.
        body: An object with an ``error`` in it, the error itself, a list around it as Google sends it, or a text.
        request_id: Under which the provider's support finds it, or None.
    """
    if isinstance(body, list):
        body = next((each for each in body if isinstance(each, dict)), None)
    error = body.get("error", body) if isinstance(body, dict) else body
    code = param = None
    said: Any = error
    if isinstance(error, dict):
        # Servers that have no word for it repeat the status as a number; some have one as the error's type.
        words = (error.get(name) for name in ("code", "type", "status"))
        code = next((word for word in words if isinstance(word, str)), None)
        param = error.get("param") if isinstance(error.get("param"), str) else None
        # FastAPI's servers say in detail which member they do not take.
        said = error.get("message") or error.get("detail") or error
    text = said if isinstance(said, str) else json.dumps(said)
    is_sentence = isinstance(error, dict) and isinstance(error.get("message"), str)
    # Refusals of a key repeat parts of the key, and pages of proxies say nothing.
    reason = text if is_sentence and status not in (401, 403) else ""
    return ProviderStatusError(
        status, code, reason[:MAX_REASON_CHARS], request_id, param=param, text=text[:MAX_REFUSAL_CHARS]
    )
