"""Refusals of a model's server: the next request differs, and what helped is remembered.

A history that was refused once is refused again with every message, and so the next try differs: a member of the
request that the server does not know is left out, pictures are named, calls of tools are told in words, the oldest is
left out. What helped is kept in `Learnt`, for the model or for the conversation, so that it is not learnt each time.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from agent_framework import Message

from chat_clients.failures import build_model_error, refusal_in
from chat_clients.http.foreign_words import NO_PICTURES
from chat_clients.http.refusal_meanings import is_about_length, is_about_tools
from chat_clients.http.status_errors import ProviderStatusError
from chat_clients.learnt import Learnt
from chat_clients.protocols.history_shape import HistoryForm, has_pictures, history_chars
from chat_clients.refused_fields import (
    LENGTHS,
    find_culprit,
    is_about_unnamed,
    leave_out,
    other_name,
    unnamed_culprits,
)
from errors import ModelError

logger = logging.getLogger(__name__)

MAX_TRIES = 8
"""Requests for one round of an answer, all refusals together."""

MAX_FIELDS = 16
MAX_TOOLS_NAMED = 32
"""How many tools one line of the log names."""

_NO_PICTURES = re.compile(
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
# It is this one picture that is not taken, and another may be.
_ONE_PICTURE = re.compile(
    r"\bformat|corrupt|too (?:large|big|small|many)|\bsize|\bpixels?|mime|decod|base64|download|\bfetch|valid image"
    r"|invalid image|\burl\b",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"(?:system|developer)\W{0,3}(?:role|message|instruction|prompt)s?[^.]{0,40}(?:not|un)\W?\w*(?:support|allow|enabled)"
    r"|only user and assistant roles",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"jinja|chat.?template|roles must|must alternate|raise_exception|rendering prompt|system role|roles are supported"
    r"|unknown field|unexpected keyword|extra inputs|deserializ",
    re.IGNORECASE,
)
_OF_ANSWER = re.compile(r"\bcompletion\b|output tokens|max_new_tokens|tokens to (?:generate|sample)", re.IGNORECASE)
_THOUGHTS = re.compile(
    r"\b(?:reasoning|thinking|thought)[ _](?:items?|blocks?|content|details|signatures?)|encrypted[ _]content|\brs_\w",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\d{3,}")


class Attempt:
    """One round of an answer, with the tries that it takes.

    Args:
        learnt: What was learnt before; added to.
        model: Who is asked.
        messages: The conversation.
        build: Makes a request of it in a form.
        form: The form that its server takes, as far as nothing was learnt; None for the one that all take.

    Attributes:
        body: What is to be sent now.
    """

    def __init__(
        self,
        learnt: Learnt,
        model: str,
        messages: Sequence[Message],
        build: Callable[[HistoryForm], dict[str, Any]],
        *,
        form: HistoryForm | None = None,
    ) -> None:
        self._learnt = learnt
        self._model = model
        self._messages = messages
        self._build = build
        self._tries = 1
        self._has_length = True
        self._has_system = True
        self._suspects: list[str] = []
        self._usual = form or HistoryForm()
        self._first = self._form = learnt.form_of(model, messages) or self._usual
        self.body = self._request(self._form)

    @property
    def lacks_picture(self) -> bool:
        """Whether the person has just sent a picture that is not passed on."""
        if self._form.has_pictures and self._learnt.of_model(self._model).takes_pictures:
            return False
        asked = []
        for message in reversed(self._messages):
            if message.role in ("assistant", "tool"):
                break
            asked.append(message)
        return has_pictures(asked)

    def differs_after(self, failure: ModelError) -> bool:
        """Return whether another request may be taken where this one was not; if so, it is the `body` now.

        Args:
            failure: Before anything of the answer was said.
        """
        refusal = refusal_in(failure)
        is_last = self._tries >= MAX_TRIES or not self._has_system
        if refusal is None or is_last or self._are_tools_refused(refusal):
            return False
        self._tries += 1
        before = self.body
        adaptations = (
            self._adapt_length,
            self._adapt_thoughts,
            self._adapt_to_model,
            self._adapt_history,
            self._adapt_wishes,
            self._adapt_system,
        )
        if not any(adapt(failure, refusal) for adapt in adaptations):
            return False
        self.body = self._request(self._form)
        logger.info(
            "model request is sent in another form",
            extra={"model": self._model, "status": refusal.status, "attempt": self._tries},
        )
        return self.body != before

    def explain(self, failure: ModelError) -> ModelError:
        """Return what the person is told of a failure for which there is no other request.

        A model that takes no tools is not asked without them: it would make up what they return.
        """
        if failure.code == "model.not_found":
            return build_model_error(failure.code, model=self._model)
        refusal = refusal_in(failure)
        if refusal is None or not self._are_tools_refused(refusal):
            return failure
        logger.warning(
            "model takes no tools: choose one that does, or start its server so that it does",
            extra={"model": self._model, "tools": self._tools[:MAX_TOOLS_NAMED], "status": refusal.status},
        )
        return build_model_error("model.no_tools")

    def note_success(self) -> None:
        """Remember what helped."""
        known = self._learnt.of_model(self._model)
        known.takes_system = known.takes_system and self._has_system
        left_out = known.left_out
        for name in self._suspects[: MAX_FIELDS - len(left_out)]:
            left_out[name] = None
        if self._form != self._usual:
            self._learnt.remember(self._model, self._messages, self._form)

    @property
    def _tools(self) -> list[str]:
        offers = [offer.get("function") or offer for offer in self.body.get("tools") or ()]
        return [str(offer.get("name") or offer.get("type")) for offer in offers]

    def _are_tools_refused(self, refusal: ProviderStatusError) -> bool:
        return bool(self.body.get("tools")) and is_about_tools(refusal)

    def _adapt_length(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Ask for no longest length, where it is that which does not fit beside the conversation."""
        is_named = any(name in refusal.text for name in LENGTHS) or _OF_ANSWER.search(refusal.text) is not None
        is_refused = failure.code == "model.too_long" or (_is_refusal(failure, refusal) and is_about_length(refusal))
        if self._has_length and is_refused and is_named and any(name in self.body for name in LENGTHS):
            self._has_length = False
            return True
        return False

    def _adapt_thoughts(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Keep the model's earlier thoughts back, where it is those that are refused."""
        form = replace(self._form, has_thoughts=False)
        if _is_refusal(failure, refusal) and _THOUGHTS.search(refusal.text) and self._request(form) != self.body:
            self._form = form
            return True
        return False

    def _adapt_to_model(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Learn what the model never takes; return whether it is something new."""
        known = self._learnt.of_model(self._model)
        is_refused = failure.code in ("model.bad_request", "model.failed", "model.not_found")
        if is_refused and self._has_pictures() and _is_about_all_pictures(refusal.text):
            known.takes_pictures = False
            return True
        if not _is_refusal(failure, refusal):
            return False
        if known.takes_system and _NO_SYSTEM.search(refusal.text):
            known.takes_system = False
            return True
        name = find_culprit(self.body, refusal) if len(known.left_out) < MAX_FIELDS else None
        if name is not None:
            other = other_name(name, refusal)
            known.left_out[name] = other if other not in known.left_out else None
        return name is not None or (is_about_unnamed(refusal) and self._adapt_wishes(failure, refusal))

    def _adapt_history(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Choose the next form of the history; return whether there is one that differs."""
        if failure.code == "model.too_long":
            forms = self._shorter(refusal)
        elif _is_refusal(failure, refusal):
            forms = self._simpler(refusal)
        elif failure.code == "model.failed" and refusal.status in (500, 501):
            # A template that fails on calls, or a model on pictures, is nothing but a failure at some servers.
            told = replace(self._form, told=max(1, self._form.told))
            forms = iter([told, replace(told, has_pictures=False)])
        else:
            return False
        for form in forms:
            if self._request(form) != self.body:
                self._form = form
                return True
        return False

    def _adapt_wishes(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Leave out all that the author wishes, where a server does not say what it refuses."""
        suspects = unnamed_culprits(self.body) if _is_refusal(failure, refusal) and not self._suspects else []
        if suspects:
            # It was not the history, as far as is known.
            self._suspects, self._form = suspects, self._first
        return bool(suspects)

    def _adapt_system(self, failure: ModelError, refusal: ProviderStatusError) -> bool:
        """Let the person say what the system would say, where nothing else has helped."""
        known = self._learnt.of_model(self._model)
        if not (known.takes_system and _is_refusal(failure, refusal)):
            return False
        self._has_system, self._form, self._suspects = False, self._first, []
        return self._request(self._first) != self._request_with_system(self._first)

    def _shorter(self, refusal: ProviderStatusError) -> Iterator[HistoryForm]:
        now = self._form.max_chars
        if now is None:
            now = history_chars(self._messages)
        if self._tries < MAX_TRIES // 2:
            yield replace(self._form, max_chars=int(now * _share_that_fits(refusal.text)))
        yield replace(self._form, max_chars=0)

    def _simpler(self, refusal: ProviderStatusError) -> Iterator[HistoryForm]:
        if not self._form.ends_with_person:
            yield replace(self._form, ends_with_person=True)
        if self._form.has_thoughts:
            # Or members of calls, which a server gives and does not take; the calls themselves it may.
            yield replace(self._form, has_thoughts=False)
        if self._form.has_pictures and _ABOUT_PICTURES.search(refusal.text):
            yield replace(self._form, has_pictures=False)
        for told in range(self._form.told + 1, 3):
            yield replace(self._form, told=told, has_pictures=self._form.has_pictures and told < 2)
        yield HistoryForm(told=2, has_pictures=False, max_chars=0)

    def _has_pictures(self) -> bool:
        known = self._learnt.of_model(self._model)
        return known.takes_pictures and self._form.has_pictures and has_pictures(self._messages)

    def _request(self, form: HistoryForm) -> dict[str, Any]:
        body = self._request_with_system(form)
        takes_system = self._has_system and self._learnt.of_model(self._model).takes_system
        return body if takes_system else _without_system(body)

    def _request_with_system(self, form: HistoryForm) -> dict[str, Any]:
        known = self._learnt.of_model(self._model)
        if form.has_pictures and not known.takes_pictures:
            form = replace(form, has_pictures=False)
        body = self._build(form)
        for name, other in known.left_out.items():
            leave_out(body, name, other)
        for name in (*self._suspects, *(() if self._has_length else LENGTHS)):
            leave_out(body, name)
        return body


def _is_refusal(failure: ModelError, refusal: ProviderStatusError) -> bool:
    """Return whether a server has refused what it was sent, and not merely failed."""
    if failure.code == "model.bad_request":
        return True
    # llama.cpp and LM Studio say so that their chat template has raised an error, others that they cannot read it.
    return failure.code == "model.failed" and _TEMPLATE.search(refusal.text) is not None


def _is_about_all_pictures(text: str) -> bool:
    return _NO_PICTURES.search(text) is not None and _ONE_PICTURE.search(text) is None


def _share_that_fits(text: str) -> float:
    """Return how much of a history to keep that is too long: by the server's own numbers, if it says any."""
    counts = sorted({int(found) for found in _COUNT.findall(text.replace(",", ""))[:10]})
    # Some of the room is taken by what is no history.
    share = counts[-2] / counts[-1] * 0.8 if len(counts) > 1 and counts[-1] else 0.5
    return min(0.8, share) if share > 0.05 else 0.5


def _without_system(body: dict[str, Any]) -> dict[str, Any]:
    """Return a request in which the person's first message says what the system would have said."""
    place = "messages" if "messages" in body else "input"
    texts = [body["instructions"]] if body.get("instructions") else []
    rest: list[dict[str, Any]] = []
    for message in body[place]:
        if message.get("role") == "system":
            texts.append(_text_of(message["content"]))
        else:
            rest.append(message)
    if not texts or not rest or rest[0].get("role") != "user":
        return body
    said, content = "\n\n".join(texts), rest[0]["content"]
    if isinstance(content, str):
        content = f"{said}\n\n{content}"
    else:
        content = [{"type": "text" if place == "messages" else "input_text", "text": said}, *content]
    changed = {key: value for key, value in body.items() if key != "instructions"}
    return {**changed, place: [{**rest[0], "content": content}, *rest[1:]]}


def _text_of(content: Any) -> str:
    return content if isinstance(content, str) else "\n\n".join(part.get("text", "") for part in content)
