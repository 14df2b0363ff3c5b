"""Errors of a provider by status: the words of a refusal, in whatever form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_REASON_CHARS = 300
MAX_REFUSAL_CHARS = 2_000
"""Looked at for what a refusal says: its beginning, and its end."""

MAX_JSON_CHARS = 64_000
"""The longest JSON that is read of a refusal within a refusal."""

MAX_DEPTH = 16
MAX_WORDS = 32
MAX_STEPS = 500

# Under these names servers say what their error is called, which member of a request it is about, and what it is.
_CODE_NAMES = frozenset({"code", "error_code", "errorcode", "type", "error_type", "status", "reason", "quotaid"})
_PARAM_NAMES = frozenset(
    {"param", "parameter", "field", "fields", "loc", "path", "pointer", "property", "instance_path"}
)
_TEXT_NAMES = frozenset(
    {"message", "error", "detail", "msg", "description", "error_message", "errormessage", "error_msg", "title", "raw"}
    | {"error_description", "reason", "quotaid", "status_msg", "errmsg", "faultstring"}
)
# Libraries between us and a server name their error's class in front of its sentence: "litellm.RateLimitError: …".
_ERROR_CLASS = re.compile(r"\b([A-Z][A-Za-z]{3,60}?)(?:Error|Exception)\b")
_NO_WORDS = frozenset({"", "none", "null"})
# What repeats the request, whose words are not the server's.
_ECHOES = frozenset({"input", "body", "request", "received", "ctx", "url", "headers", "user_id"})


class ProviderStatusError(Exception):
    """The provider answered with an error.

    Attributes:
        status: The HTTP status.
        provider_code: The provider's own word for it, e.g. ``"context_length_exceeded"``, or None.
        request_id: Under which the provider's support finds it, or None.
        codes: All words that the provider has for it, in small letters, nearest first.
        params: The members of the request that it is about, if the provider says so, e.g. ``"messages[1].content"``.
        text: All that the provider says about it, bounded; never to be shown or logged.
    """

    def __init__(
        self,
        status: int,
        provider_code: str | None,
        reason: str,
        request_id: str | None,
        *,
        codes: Sequence[str] = (),
        params: Sequence[str] = (),
        text: str | None = None,
    ) -> None:
        parts = [f"HTTP {status}", provider_code, reason, f"request {request_id}" if request_id else None]
        super().__init__(", ".join(part for part in parts if part))
        self.status = status
        self.provider_code = provider_code
        self.request_id = request_id
        self.codes = tuple(codes)
        self.params = tuple(params)
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
    words = _Words()
    _read(error, words)
    if isinstance(body, Mapping) and error is not body:
        _read({name: value for name, value in body.items() if name != "error"}, words)
    code = None
    if isinstance(error, dict):
        # Servers that have no word for it repeat the status as a number; some have one as the error's type.
        found = (error.get(name) for name in ("code", "type", "status"))
        code = next((word for word in found if isinstance(word, str)), None)
    text = "\n".join(dict.fromkeys(words.texts)) or json.dumps(error)
    is_sentence = isinstance(error, dict) and isinstance(error.get("message"), str)
    # Refusals of a key repeat parts of the key, and pages of proxies say nothing.
    reason = error["message"] if is_sentence and status not in (401, 403) else ""
    return ProviderStatusError(
        status,
        code,
        reason[:MAX_REASON_CHARS],
        request_id,
        codes=list(dict.fromkeys(words.codes))[:MAX_WORDS],
        params=list(dict.fromkeys(words.params))[:MAX_WORDS],
        text=text if len(text) <= MAX_REFUSAL_CHARS else f"{text[: MAX_REFUSAL_CHARS - 500]}\n{text[-499:]}",
    )


@dataclass(slots=True)
class _Words:
    """The words of a refusal, by what they are."""

    codes: list[str] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    steps: int = 0


def _read(value: Any, words: _Words, name: str = "", depth: int = 0) -> None:
    """Gather the words of a refusal, also of one within another, as JSON or as a text that is JSON.

    Proxies pass on what they were answered: OpenRouter as ``metadata.raw``, others within the message. FastAPI's
    servers say in a list where what is wrong, Google in ``details`` and ``fieldViolations``, Azure in ``innererror``.
    """
    words.steps += 1
    if depth > MAX_DEPTH or words.steps > MAX_STEPS:
        return
    if isinstance(value, str):
        if (inner := _parsed(value)) is not None:
            _read(inner, words, name, depth + 1)
            return
        if value.lower() in _NO_WORDS:
            return  # as Python's proxies say it
        if name in _CODE_NAMES:
            words.codes.append(value.lower())
        if name in _PARAM_NAMES:
            words.params.append(value)
        if name in _TEXT_NAMES or not name:
            words.texts.append(" ".join(value.split()))
            classes = _ERROR_CLASS.findall(value[:MAX_REFUSAL_CHARS])
            words.codes += (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", each).lower() for each in classes[:MAX_WORDS])
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if str(key).lower() in _ECHOES:
                continue
            _read(each, words, str(key).lower(), depth + 1)
    elif isinstance(value, list):
        if name == "loc":
            words.params.append(".".join(str(each) for each in value if each != "body"))
            return
        for each in value:
            _read(each, words, name, depth + 1)


def _parsed(text: str) -> Any:
    """Return the JSON object or list that a text is, or ends with; None for plain words."""
    for start in _starts(text):
        try:
            value = json.loads(text[start:])
        except (ValueError, RecursionError):
            continue
        if value and (isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict))):
            return value if start == 0 else {"message": text[:start], "error": value}
    return None


def _starts(text: str) -> Iterator[int]:
    """Return where JSON may begin in a text."""
    if len(text) <= MAX_JSON_CHARS and text.rstrip()[-1:] in ("}", "]"):
        found = [at for at in (text.find("{"), text.find("[")) if at >= 0]
        yield from sorted(found)
