"""The error that a provider answers with, read from the many JSON forms of its body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_REASON_CHARS = 300
MAX_REFUSAL_CHARS = 2_000
"""How much of a refusal's text is searched: its beginning, and its end."""

MAX_JSON_CHARS = 64_000
"""The longest text that is parsed as JSON within a refusal."""

MAX_DEPTH = 16
MAX_WORDS = 32
MAX_VALUES = 500

# Names under which servers send an error's code, the field of the request that it is about, and its sentences.
_CODE_NAMES = frozenset({"code", "error_code", "errorcode", "type", "error_type", "status", "reason", "quotaid"})
_PARAM_NAMES = frozenset(
    {"param", "parameter", "field", "fields", "loc", "path", "pointer", "property", "instance_path"}
)
_TEXT_NAMES = frozenset(
    {"message", "error", "detail", "msg", "description", "error_message", "errormessage", "error_msg", "title", "raw"}
    | {"error_description", "reason", "quotaid", "status_msg", "errmsg", "faultstring"}
)
# Libraries between us and a server put the class of their error in front of its sentence: "litellm.RateLimitError: …".
_ERROR_CLASS = re.compile(r"\b([A-Z][A-Za-z]{3,60}?)(?:Error|Exception)\b")
_EMPTY_WORDS = frozenset({"", "none", "null"})
# Fields that repeat the request, whose words are not the server's.
_ECHO_NAMES = frozenset({"input", "body", "request", "received", "ctx", "url", "headers", "user_id"})


class ProviderStatusError(Exception):
    """The provider answered with an error.

    Attributes:
        status: The HTTP status.
        provider_code: The provider's error code, e.g. ``"context_length_exceeded"``, or None.
        request_id: The id by which the provider's support finds the request, or None.
        codes: All error codes in the body, in lower case, those of the error itself first.
        params: The addresses of the request's fields that the error is about, e.g. ``"messages[1].content"``.
        text: All sentences of the error, bounded; never to be shown or logged.
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
    """Return the error that the body of a refusal describes.

    Args:
        status: The HTTP status; 0 for an error within a stream.
        body: An object with an ``error`` in it, the error itself, a list around it as Google sends it, or a text.
        request_id: The id by which the provider's support finds the request, or None.
    """
    if isinstance(body, list):
        body = next((item for item in body if isinstance(item, dict)), None)
    error = body.get("error", body) if isinstance(body, dict) else body
    words = _ErrorWords()
    _collect_words(error, words)
    if isinstance(body, Mapping) and error is not body:
        _collect_words({name: value for name, value in body.items() if name != "error"}, words)
    code = None
    if isinstance(error, dict):
        # Servers without an error code send the status as a number; some put the code into the error's type.
        candidates = (error.get(name) for name in ("code", "type", "status"))
        code = next((candidate for candidate in candidates if isinstance(candidate, str)), None)
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
class _ErrorWords:
    """The codes, field addresses and sentences of a refusal."""

    codes: list[str] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    values_read: int = 0


def _collect_words(value: Any, words: _ErrorWords, name: str = "", depth: int = 0) -> None:
    """Collect the words of a refusal, and of refusals nested in it as JSON or as text that contains JSON.

    Proxies pass on the refusal that they received: OpenRouter as ``metadata.raw``, others within the message. FastAPI
    lists the invalid fields, Google sends ``details`` and ``fieldViolations``, Azure ``innererror``.
    """
    words.values_read += 1
    if depth > MAX_DEPTH or words.values_read > MAX_VALUES:
        return
    if isinstance(value, str):
        if (nested := _parse_embedded_json(value)) is not None:
            _collect_words(nested, words, name, depth + 1)
            return
        if value.lower() in _EMPTY_WORDS:
            return  # None, converted by a proxy in Python
        if name in _CODE_NAMES:
            words.codes.append(value.lower())
        if name in _PARAM_NAMES:
            words.params.append(value)
        if name in _TEXT_NAMES or not name:
            words.texts.append(" ".join(value.split()))
            classes = _ERROR_CLASS.findall(value[:MAX_REFUSAL_CHARS])
            words.codes += (
                re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).lower() for class_name in classes[:MAX_WORDS]
            )
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if str(key).lower() in _ECHO_NAMES:
                continue
            _collect_words(item, words, str(key).lower(), depth + 1)
    elif isinstance(value, list):
        if name == "loc":
            words.params.append(".".join(str(part) for part in value if part != "body"))
            return
        for item in value:
            _collect_words(item, words, name, depth + 1)


def _parse_embedded_json(text: str) -> Any:
    """Return the JSON object or list that a text consists of or ends with; None if there is none."""
    for start in _json_starts(text):
        try:
            value = json.loads(text[start:])
        except (ValueError, RecursionError):
            continue
        if value and (isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict))):
            return value if start == 0 else {"message": text[:start], "error": value}
    return None


def _json_starts(text: str) -> Iterator[int]:
    """Yield the indexes in a text at which JSON may begin."""
    if len(text) <= MAX_JSON_CHARS and text.rstrip()[-1:] in ("}", "]"):
        yield from sorted(at for at in (text.find("{"), text.find("[")) if at >= 0)
