"""The history of a conversation in the shape that every server of a protocol takes.

A history that a server refuses is refused again with every message: the conversation is locked. The rules are those of
the strictest servers. Sources: the chat templates of Gemma and Mistral ("conversation roles must alternate"), Mistral's
API ("Unexpected role 'user' after role 'tool'", ids of nine letters and digits), Bedrock (blank texts, the first
message is a person's), OpenAI (each call has its result), Gemini and Kimi (members of a call that must come back).
"""

from __future__ import annotations

import copy
import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from agent_framework import Content, Message

from chat_clients.protocols.replay import comes_from_another
from chat_clients.protocols.request_options import build_call_arguments, build_result_text, to_json_text
from chat_clients.protocols.tool_names import ToolNames
from framework.message_marks import PROVIDER_PROPERTY

EARLIER_LEFT_OUT = "[What was said before is left out.]"
"""Stands in a person's place before a history that begins with an assistant."""

NO_CLOSING_WORDS = "[The answer ended here.]"
"""Stands for the words that an assistant never said after its tools."""

GO_ON = "[Go on.]"
"""Stands in a person's place behind a history that ends with an assistant, as in a workflow."""

NO_RESULT = "[Nothing is known of what came of this call.]"
NO_OUTPUT = "[It returned nothing.]"

RESULTS_TAG = "tool_results"
"""Under this name the model is told in words what tools have returned."""

MAX_TOLD_RESULT_CHARS = 4_000

_KEPT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# Mistral's own, which all take; Kimi's, which its chat template reads.
_LASTING_ID = re.compile(r"[A-Za-z0-9]{9}|functions\.[A-Za-z0-9_.-]+:\d+")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MADE_ID_CHARS = 9

_MEDIA = ("data", "uri", "hosted_file")
_LEADING = ("system", "developer")


@dataclass(frozen=True, slots=True)
class HistoryForm:
    """How much of a history is sent, and in which form.

    Attributes:
        told: Which calls of tools are told in words: 0 none, 1 those of earlier turns, 2 all.
        has_pictures: Whether the model takes pictures; if not, they are named.
        has_thoughts: Whether a model's thoughts, and what it wants back with its calls, are sent to it again.
        ends_with_person: Whether an assistant that has the last word, as in a workflow, is told by a person to go on.
        max_chars: What is older than that many characters is left out; the newest turn never is. None for no bound, 0
            for the newest turn alone, with its results shortened.
    """

    told: int = 0
    has_pictures: bool = True
    has_thoughts: bool = True
    ends_with_person: bool = True
    max_chars: int | None = None


@dataclass(slots=True)
class _Call:
    """A call, and what came of it."""

    given: Content
    result: Content | None = None
    sent_id: str = ""


@dataclass(slots=True)
class _Piece:
    """A message of the history, with the calls that it holds.

    Attributes:
        plain: The message itself, where it is nothing but words and can be sent as it is.
    """

    role: str
    contents: list[Content]
    author: str | None = None
    calls: list[_Call] = field(default_factory=list)
    plain: Message | None = None


def shape_history(
    messages: Iterable[Message],
    *,
    names: ToolNames,
    can_send: Callable[[Content], bool],
    can_say: Callable[[Content], bool],
    origin: str | None = None,
    form: HistoryForm | None = None,
) -> list[Message]:
    """Return the same conversation as messages that every server of the protocol takes.

    What the system says comes first. Then people and the assistant take turns, beginning and ending with a person or
    the results of tools; an assistant always stands between results and a person. Every call has its result right
    behind it, and no result is without its call. Nothing is blank. The messages that are given stay as they are.

    Args:
        messages: The conversation.
        names: What tools are called towards the model.
        can_send: Whether the protocol has a part for a file or picture of a person.
        can_say: Whether the protocol has words for a content of the assistant that may stand alone.
        origin: Who is asked: the thoughts of another model, and what it wanted back with its calls, are not sent.
        form: How much of it, and in which form; None for all as it is.
    """
    form = form or HistoryForm()
    leading, pieces = _read(messages)
    newest = max((at for at, piece in enumerate(pieces) if piece.role == "user"), default=0)
    if form.max_chars is not None:
        start = _start_within(pieces, newest, form.max_chars)
        pieces, newest = pieces[start:], newest - start
    _choose_ids(pieces, newest)
    shaped: list[Message] = []
    for at, piece in enumerate(pieces):
        is_told = form.told > 1 or (form.told == 1 and at < newest)
        if piece.plain is not None:
            shaped.append(piece.plain)
        elif piece.role == "user":
            shaped += _person(piece, can_send, has_pictures=form.has_pictures and not is_told)
        else:
            shaped += _assistant(piece, names, can_say, origin, form, is_told=is_told)
    return [*leading, *_taking_turns(_with_authors(shaped), ends_with_person=form.ends_with_person)]


def history_chars(messages: Iterable[Message]) -> int:
    """Return how many characters of text a conversation holds, calls and results included."""
    return sum(_chars(content) for message in messages for content in message.contents)


def has_pictures(messages: Iterable[Message]) -> bool:
    """Return whether a person has sent a picture, or is shown one that the model made."""
    return any(is_picture(content) for message in messages for content in message.contents)


def is_picture(content: Content) -> bool:
    """Return whether a content is a picture."""
    return content.type in _MEDIA and bool(content.media_type) and content.has_top_level_media_type("image")


def make_call_id(seed: str) -> str:
    """Return nine letters and digits, which please every server; the same for the same `seed`."""
    number = int.from_bytes(blake2b(seed.encode(errors="replace"), digest_size=8).digest(), "big")
    return "".join(_DIGITS[number // len(_DIGITS) ** place % len(_DIGITS)] for place in range(MADE_ID_CHARS))


# Reading


def _read(messages: Iterable[Message]) -> tuple[list[Message], list[_Piece]]:
    """Return what the system says, and the rest as pieces; results lie with their calls, and where lost are told."""
    leading: list[Message] = []
    pieces: list[_Piece] = []
    open_calls: dict[str, list[_Call]] = {}
    for message in messages:
        if message.role in _LEADING:
            contents = [content for content in message.contents if content.type == "text" and not _is_blank(content)]
            if contents:
                leading.append(_message("system", contents))
            continue
        role = "user" if message.role == "user" else "assistant"
        if len(message.contents) == 1 and message.contents[0].type == "text" and message.role == role:
            # By far the most frequent.
            if not _is_blank(message.contents[0]):
                pieces.append(_Piece(role, message.contents, message.author_name, plain=message))
            continue
        piece = _Piece(role, [], message.author_name)
        for content in message.contents:
            match content.type:
                case "function_result":
                    waiting = open_calls.get(content.call_id or "")
                    if waiting:
                        # The newest of those with the same id: some servers use their ids again.
                        waiting.pop().result = content
                    else:
                        pieces.append(_Piece("user", [_told([(None, content)])]))
                case "function_call":
                    if content.name and not content.informational_only:
                        call = _Call(content)
                        piece.calls.append(call)
                        piece.contents.append(content)
                        open_calls.setdefault(content.call_id or "", []).append(call)
                case _ if not _is_blank(content):
                    piece.contents.append(content)
        if piece.contents:
            pieces.append(piece)
    return leading, pieces


def _is_blank(content: Content) -> bool:
    return content.type == "text" and not (content.text or "").strip()


def _chars(content: Content) -> int:
    match content.type:
        case "function_call":
            return len(content.name or "") + len(to_json_text(content.arguments))
        case "function_result":
            return len(build_result_text(content))
        case _:
            return len(content.text or "")


def _start_within(pieces: Sequence[_Piece], newest: int, max_chars: int) -> int:
    """Return where the history begins whose text is at most `max_chars` long: with a person, at latest the newest."""
    start, used = len(pieces), 0
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        used += sum(_chars(content) for content in piece.contents)
        used += sum(_chars(call.result) for call in piece.calls if call.result is not None)
        if at < newest and used > max_chars:
            break
        if piece.role == "user" and (at == 0 or pieces[at - 1].role != "user"):
            start = at
    return min(start, newest)


def _choose_ids(pieces: Sequence[_Piece], newest: int) -> None:
    """Give every call an id that is unique.

    Those of the newest turn stay as they came, for its server may know them. Of earlier ones the server need not be
    the one that gave them: they stay only in a form that none refuses.
    """
    taken: set[str] = set()
    used: Counter[str] = Counter()
    for at, piece in enumerate(pieces):
        for call in piece.calls:
            given = call.given.call_id or ""
            pattern = _LASTING_ID if at < newest else _KEPT_ID
            call.sent_id = given
            while call.sent_id in taken or not pattern.fullmatch(call.sent_id):
                used[given] += 1
                call.sent_id, pattern = make_call_id(f"{given}\0{used[given]}"), _KEPT_ID
            taken.add(call.sent_id)


# Writing


def _message(role: str, contents: Sequence[Content], author: str | None = None) -> Message:
    return Message(role, list(contents), author_name=author)


def _person(piece: _Piece, can_send: Callable[[Content], bool], *, has_pictures: bool) -> Iterator[Message]:
    contents = []
    for content in piece.contents:
        if content.type in _MEDIA and (not can_send(content) or (is_picture(content) and not has_pictures)):
            contents.append(Content.from_text(_mention(content)))
        elif content.type in ("text", *_MEDIA, "function_approval_response"):
            contents.append(content)
    if contents:
        yield _message("user", contents, piece.author)


def _mention(content: Content) -> str:
    name = content.name or content.additional_properties.get("filename")
    called = f" “{name}”" if isinstance(name, str) and name else ""
    if is_picture(content):
        return f"[Here is a picture{called} that you cannot see.]"
    return f"[Here is a file{called} that you cannot read.]"


def _assistant(
    piece: _Piece,
    names: ToolNames,
    can_say: Callable[[Content], bool],
    origin: str | None,
    form: HistoryForm,
    *,
    is_told: bool,
) -> Iterator[Message]:
    results = [_result(call, is_short=form.max_chars == 0) for call in piece.calls]
    if is_told:
        # The provider's own items belong to its calls; without them they mean nothing.
        words = [content for content in piece.contents if content.type == "text"]
        if words:
            yield _message("assistant", words, piece.author)
        if piece.calls:
            told = zip((call.given for call in piece.calls), results, strict=True)
            yield _message("user", [_told(list(told))])
        return
    by_content = {id(call.given): call for call in piece.calls}
    contents = [
        _sent_call(by_content[id(content)], names, origin, form) if id(content) in by_content else content
        for content in piece.contents
        if id(content) in by_content or content.type == "text" or not _is_kept_back(content, origin, form)
    ]
    if not any(can_say(content) for content in contents):
        return  # such as a thought that led to nothing, which is refused alone
    yield _message("assistant", contents, piece.author)
    if results:
        yield _message("tool", results)


def _is_kept_back(content: Content, origin: str | None, form: HistoryForm) -> bool:
    """Return whether a content is for another model's eyes, such as a sealed thought."""
    return comes_from_another(content, origin) or (content.type == "text_reasoning" and not form.has_thoughts)


def _sent_call(call: _Call, names: ToolNames, origin: str | None, form: HistoryForm) -> Content:
    given = call.given
    properties = dict(given.additional_properties)
    if comes_from_another(given, origin) or not form.has_thoughts:
        properties.pop(PROVIDER_PROPERTY, None)
    return Content.from_function_call(
        call.sent_id,
        names.offered(given.name or ""),
        arguments=build_call_arguments(given),
        hosted=given.hosted,
        server_name=given.server_name,
        additional_properties=properties,
    )


def _result(call: _Call, *, is_short: bool) -> Content:
    if call.result is None:
        return Content.from_function_result(call.sent_id, result=NO_RESULT)
    text = build_result_text(call.result)
    if not text.strip():
        return Content.from_function_result(call.sent_id, result=NO_OUTPUT)
    if is_short and len(text) > MAX_TOLD_RESULT_CHARS:
        return Content.from_function_result(call.sent_id, result=f"{text[:MAX_TOLD_RESULT_CHARS]} …")
    result = copy.copy(call.result)
    result.call_id = call.sent_id
    return result


def _told(calls: Sequence[tuple[Content | None, Content]]) -> Content:
    """Return what tools have returned in words, escaped: nobody can pose as it, and it as nobody."""
    lines = []
    for call, result in calls:
        text = build_result_text(result)[:MAX_TOLD_RESULT_CHARS] or NO_OUTPUT
        asked = f"{call.name}({build_call_arguments(call)}) returned: " if call is not None else ""
        lines.append(html.escape(f"{asked}{text}", quote=False))
    return Content.from_text("\n".join([f"<{RESULTS_TAG}>", *lines, f"</{RESULTS_TAG}>"]))


def _with_authors(messages: list[Message]) -> list[Message]:
    """Return messages in which neighbours of different authors say whose they are: names are refused by some."""
    if not any(message.author_name for message in messages):
        return messages
    named: list[Message] = []
    for at, message in enumerate(messages):
        around = (*messages[max(0, at - 1) : at], *messages[at + 1 : at + 2])
        is_beside_another = any(
            other.role == message.role and other.author_name != message.author_name for other in around
        )
        if message.author_name and is_beside_another:
            said = Content.from_text(f"{message.author_name}:")
            named.append(_message(message.role, [said, *message.contents], message.author_name))
        else:
            named.append(message)
    return named


def _taking_turns(messages: list[Message], *, ends_with_person: bool) -> Iterator[Message]:
    before = ""
    for message in messages:
        if not before and message.role != "user":
            yield _message("user", [Content.from_text(EARLIER_LEFT_OUT)])
        if before == "tool" and message.role == "user":
            yield _message("assistant", [Content.from_text(NO_CLOSING_WORDS)])
        before = message.role
        yield message
    if not before or (before == "assistant" and ends_with_person):
        yield _message("user", [Content.from_text(GO_ON)])
