"""Adapts requests that a model's server has refused, and remembers what helped.

A history that a server has refused is refused again with every further message, so the next request differs: a field
that the server does not know is removed, pictures are replaced by their names, tool calls by text, or the oldest
messages are left out. `RefusalMemory` keeps what helped, for the model or for the conversation.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from agent_framework import Message

from chat_clients.failures import build_model_error, find_refusal
from chat_clients.http.foreign_refusals import NO_PICTURES
from chat_clients.http.refusal_meanings import is_about_length, is_about_tools
from chat_clients.http.status_errors import ProviderStatusError
from chat_clients.protocols.history_shape import HistoryForm, has_pictures, history_chars
from chat_clients.refusal_memory import RefusalMemory
from chat_clients.refused_fields import (
    MAX_TOKENS_FIELDS,
    find_refused_field,
    find_replacement_name,
    find_suspect_fields,
    is_about_unnamed_fields,
    remove_field,
)
from errors import ModelError

logger = logging.getLogger(__name__)

MAX_TRIES = 8
"""How many requests one round of an answer may take."""

MAX_REMOVED_FIELDS = 16
MAX_TOOLS_LOGGED = 32
"""How many names of tools one log line has."""

_PICTURES_REFUSED = re.compile(
    r"not? supported?[^.]{0,60}(?:image|picture|vision|multi-?modal|media)"
    r"|not support[^.]{0,40}(?:image|picture|vision|multi-?modal|media)"
    r"|(?:image|picture|vision|multi-?modal|media)\w*[^.]{0,60}"
    r"(?:not? supported|not support|unsupported|not available|not enabled|disabled|only supported)"
    r"|not a (?:multi-?modal|vision)|support image input|at most 0 image|mmproj|text[- ]only|only (?:supports )?text\b"
    r"|unknown variant .?(?:image_url|input_image)|content must be a (?:valid )?string|data required for image"
    r"|content\W.{0,40}(?:valid string|string_type)|only (?:accepts|takes|handles) text\b"
    r"|(?:can(?:no|')t|(?:un|not )able to) (?:see|view|process|read|accept|handle|understand) (?:images|pictures)"
    rf"|{NO_PICTURES}",
    re.IGNORECASE | re.DOTALL,
)
_ABOUT_PICTURES = re.compile(r"\bimage|\bpicture|image_url|input_image|vision", re.IGNORECASE)
# The refusal is about this one picture; others may be accepted.
_ABOUT_ONE_PICTURE = re.compile(
    r"\bformat|corrupt|too (?:large|big|small|many)|\bsize|\bpixels?|mime|decod|base64|download|\bfetch|valid image"
    r"|invalid image|\burl\b",
    re.IGNORECASE,
)
_SYSTEM_REFUSED = re.compile(
    r"(?:system|developer)\W{0,3}(?:role|message|instruction|prompt)s?[^.]{0,40}(?:not|un)\W?\w*(?:support|allow|enabled)"
    r"|only user and assistant roles",
    re.IGNORECASE,
)
_TEMPLATE_ERROR = re.compile(
    r"jinja|chat.?template|roles must|must alternate|raise_exception|rendering prompt|system role|roles are supported"
    r"|unknown field|unexpected keyword|extra inputs|deserializ",
    re.IGNORECASE,
)
_ABOUT_ANSWER_LENGTH = re.compile(
    r"\bcompletion\b|output tokens|max_new_tokens|tokens to (?:generate|sample)", re.IGNORECASE
)
_ABOUT_THOUGHTS = re.compile(
    r"\b(?:reasoning|thinking|thought)[ _](?:items?|blocks?|content|details|signatures?)|encrypted[ _]content|\brs_\w",
    re.IGNORECASE,
)
_LARGE_NUMBER = re.compile(r"\d{3,}")


class Attempt:
    """The requests of one round of an answer: each refusal leads to another form of the request.

    Args:
        memory: What earlier refusals have taught; added to.
        model: The model that is asked.
        messages: The conversation.
        build: Builds a request with the conversation in a form.
        form: The form to begin with, unless the memory knows a better one; None for the default.

    Attributes:
        body: The request to send next.
    """

    def __init__(
        self,
        memory: RefusalMemory,
        model: str,
        messages: Sequence[Message],
        build: Callable[[HistoryForm], dict[str, Any]],
        *,
        form: HistoryForm | None = None,
    ) -> None:
        self._memory = memory
        self._model = model
        self._messages = messages
        self._build = build
        self._tries = 1
        self._has_max_tokens = True
        self._has_system = True
        self._suspect_fields: list[str] = []
        self._default_form = form or HistoryForm()
        self._initial_form = self._form = memory.find_form(model, messages) or self._default_form
        self.body = self._build_body(self._form)

    @property
    def omits_picture(self) -> bool:
        """Whether the request leaves out a picture that the person has just sent."""
        if self._form.has_pictures and self._memory.model_limits(self._model).takes_pictures:
            return False
        newest = []
        for message in reversed(self._messages):
            if message.role in ("assistant", "tool"):
                break
            newest.append(message)
        return has_pictures(newest)

    def adapt(self, failure: ModelError) -> bool:
        """Change `body` after a refusal; return whether there is another form to try.

        Args:
            failure: The refusal, which came before any part of the answer.
        """
        refusal = find_refusal(failure)
        is_last = self._tries >= MAX_TRIES or not self._has_system
        if refusal is None or is_last or self._are_tools_refused(refusal):
            return False
        self._tries += 1
        before = self.body
        adaptations = (
            self._remove_max_tokens,
            self._remove_thoughts,
            self._learn_limit,
            self._change_form,
            self._remove_suspect_fields,
            self._move_system_text,
        )
        if not any(adapt(failure, refusal) for adapt in adaptations):
            return False
        self.body = self._build_body(self._form)
        logger.info(
            "model request is sent in another form",
            extra={"model": self._model, "status": refusal.status, "attempt": self._tries},
        )
        return self.body != before

    def explain(self, failure: ModelError) -> ModelError:
        """Return the error to show for a failure after which no other request is tried.

        A model that takes no tools is not asked without them, since it would invent their results.
        """
        if failure.code == "model.not_found":
            return build_model_error(failure.code, model=self._model)
        refusal = find_refusal(failure)
        if refusal is None or not self._are_tools_refused(refusal):
            return failure
        logger.warning(
            "model takes no tools: choose one that does, or start its server so that it does",
            extra={"model": self._model, "tools": self._tool_names[:MAX_TOOLS_LOGGED], "status": refusal.status},
        )
        return build_model_error("model.no_tools")

    def note_success(self) -> None:
        """Remember the changes that led to this success."""
        limits = self._memory.model_limits(self._model)
        limits.takes_system = limits.takes_system and self._has_system
        left_out_fields = limits.left_out_fields
        for name in self._suspect_fields[: MAX_REMOVED_FIELDS - len(left_out_fields)]:
            left_out_fields[name] = None
        if self._form != self._default_form:
            self._memory.remember_form(self._model, self._messages, self._form)

    @property
    def _tool_names(self) -> list[str]:
        offers = [offer.get("function") or offer for offer in self.body.get("tools") or ()]
        return [str(offer.get("name") or offer.get("type")) for offer in offers]

    def _are_tools_refused(self, refusal: ProviderStatusError) -> bool:
        return bool(self.body.get("tools")) and is_about_tools(refusal)

    def _remove_max_tokens(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Remove the maximum length of the answer if the conversation leaves no room for it."""
        text = refusal.text
        is_named = any(name in text for name in MAX_TOKENS_FIELDS) or _ABOUT_ANSWER_LENGTH.search(text) is not None
        is_about_request = _is_request_refused(failure, refusal) and is_about_length(refusal)
        is_refused = failure.code == "model.too_long" or is_about_request
        if self._has_max_tokens and is_refused and is_named and any(name in self.body for name in MAX_TOKENS_FIELDS):
            self._has_max_tokens = False
            return True
        return False

    def _remove_thoughts(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Send the model's earlier thoughts no more if they are refused."""
        form = replace(self._form, has_thoughts=False)
        is_refused = _is_request_refused(failure, refusal) and _ABOUT_THOUGHTS.search(refusal.text) is not None
        if is_refused and self._build_body(form) != self.body:
            self._form = form
            return True
        return False

    def _learn_limit(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Note a field, role or picture that the model never takes; return whether there is a new one."""
        limits = self._memory.model_limits(self._model)
        is_refused = failure.code in ("model.bad_request", "model.failed", "model.not_found")
        if is_refused and self._has_pictures() and _is_about_all_pictures(refusal.text):
            limits.takes_pictures = False
            return True
        if not _is_request_refused(failure, refusal):
            return False
        if limits.takes_system and _SYSTEM_REFUSED.search(refusal.text):
            limits.takes_system = False
            return True
        name = find_refused_field(self.body, refusal) if len(limits.left_out_fields) < MAX_REMOVED_FIELDS else None
        if name is not None:
            other = find_replacement_name(name, refusal)
            limits.left_out_fields[name] = other if other not in limits.left_out_fields else None
        return name is not None or (is_about_unnamed_fields(refusal) and self._remove_suspect_fields(failure, refusal))

    def _change_form(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Choose the next form of the history; return whether there is one that changes the request."""
        if failure.code == "model.too_long":
            forms = self._shorter_forms(refusal)
        elif _is_request_refused(failure, refusal):
            forms = self._simpler_forms(refusal)
        elif failure.code == "model.failed" and refusal.status in (500, 501):
            # Some servers report a chat template that fails on calls, or a model that fails on pictures, as an error of
            # their own.
            with_text = replace(self._form, calls_as_text=max(1, self._form.calls_as_text))
            forms = iter([with_text, replace(with_text, has_pictures=False)])
        else:
            return False
        for form in forms:
            if self._build_body(form) != self.body:
                self._form = form
                return True
        return False

    def _remove_suspect_fields(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Remove all optional fields of the author if a server does not say what it refuses."""
        if self._suspect_fields or not _is_request_refused(failure, refusal):
            return False
        suspects = find_suspect_fields(self.body)
        if suspects:
            # The form of the history is reset, as it was probably not the cause.
            self._suspect_fields, self._form = suspects, self._initial_form
        return bool(suspects)

    def _move_system_text(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Move the system's text into the person's first message if nothing else has helped."""
        limits = self._memory.model_limits(self._model)
        if not (limits.takes_system and _is_request_refused(failure, refusal)):
            return False
        self._has_system, self._form, self._suspect_fields = False, self._initial_form, []
        return self._build_body(self._initial_form) != self._build_body_with_system(self._initial_form)

    def _shorter_forms(self, refusal: ProviderStatusError) -> Iterator[HistoryForm]:
        now = self._form.max_chars
        if now is None:
            now = history_chars(self._messages)
        if self._tries < MAX_TRIES // 2:
            yield replace(self._form, max_chars=int(now * _share_that_fits(refusal.text)))
        yield replace(self._form, max_chars=0)

    def _simpler_forms(self, refusal: ProviderStatusError) -> Iterator[HistoryForm]:
        if not self._form.ends_with_person:
            yield replace(self._form, ends_with_person=True)
        if self._form.has_thoughts:
            # This also removes fields of calls which some servers send and do not take back.
            yield replace(self._form, has_thoughts=False)
        if self._form.has_pictures and _ABOUT_PICTURES.search(refusal.text):
            yield replace(self._form, has_pictures=False)
        for level in range(self._form.calls_as_text + 1, 3):
            yield replace(self._form, calls_as_text=level, has_pictures=self._form.has_pictures and level < 2)
        yield HistoryForm(calls_as_text=2, has_pictures=False, max_chars=0)

    def _has_pictures(self) -> bool:
        limits = self._memory.model_limits(self._model)
        return limits.takes_pictures and self._form.has_pictures and has_pictures(self._messages)

    def _build_body(self, form: HistoryForm) -> dict[str, Any]:
        body = self._build_body_with_system(form)
        takes_system = self._has_system and self._memory.model_limits(self._model).takes_system
        return body if takes_system else _without_system(body)

    def _build_body_with_system(self, form: HistoryForm) -> dict[str, Any]:
        limits = self._memory.model_limits(self._model)
        if form.has_pictures and not limits.takes_pictures:
            form = replace(form, has_pictures=False)
        body = self._build(form)
        for name, other in limits.left_out_fields.items():
            remove_field(body, name, other)
        for name in (*self._suspect_fields, *(() if self._has_max_tokens else MAX_TOKENS_FIELDS)):
            remove_field(body, name)
        return body


def _is_request_refused(failure: ModelError, refusal: ProviderStatusError) -> bool:
    """Return whether a server has refused the request itself, and not merely failed."""
    if failure.code == "model.bad_request":
        return True
    # The error of a chat template in llama.cpp or LM Studio, or of a server that cannot parse the request.
    return failure.code == "model.failed" and _TEMPLATE_ERROR.search(refusal.text) is not None


def _is_about_all_pictures(text: str) -> bool:
    return _PICTURES_REFUSED.search(text) is not None and _ABOUT_ONE_PICTURE.search(text) is None


def _share_that_fits(text: str) -> float:
    """Return the share of a history that is too long which to keep, by the server's own numbers if it gives any."""
    counts = sorted({int(number) for number in _LARGE_NUMBER.findall(text.replace(",", ""))[:10]})
    # Instructions and tools need some of the room.
    share = counts[-2] / counts[-1] * 0.8 if len(counts) > 1 and counts[-1] else 0.5
    return min(0.8, share) if share > 0.05 else 0.5


def _without_system(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose system text is moved into the person's first message."""
    field = "messages" if "messages" in body else "input"
    texts = [body["instructions"]] if body.get("instructions") else []
    rest: list[dict[str, Any]] = []
    for message in body[field]:
        if message.get("role") == "system":
            texts.append(_join_text_parts(message["content"]))
        else:
            rest.append(message)
    if not texts or not rest or rest[0].get("role") != "user":
        return body
    system_text, content = "\n\n".join(texts), rest[0]["content"]
    if isinstance(content, str):
        content = f"{system_text}\n\n{content}"
    else:
        content = [{"type": "text" if field == "messages" else "input_text", "text": system_text}, *content]
    changed = {key: value for key, value in body.items() if key != "instructions"}
    return {**changed, field: [{**rest[0], "content": content}, *rest[1:]]}


def _join_text_parts(content: Any) -> str:
    return content if isinstance(content, str) else "\n\n".join(part.get("text", "") for part in content)
