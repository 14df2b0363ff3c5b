"""Shapes the history of a conversation so that every server of a protocol accepts it.

A server that refuses a history refuses it again with every further message, and the conversation is stuck. The rules
are those of the strictest servers. Sources: the chat templates of Gemma and Mistral ("conversation roles must
alternate"), Mistral's API ("Unexpected role 'user' after role 'tool'", call ids of nine letters and digits), Bedrock
(no blank texts, a person's message first), OpenAI (a result for each call), Gemini and Kimi (fields of a call that must
be sent back).
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

from chat_clients.protocols.replay import is_from_other_model
from chat_clients.protocols.request_options import build_call_arguments, build_result_text, to_json_text
from chat_clients.protocols.tool_names import ToolNames
from framework.message_marks import PROVIDER_PROPERTY

EARLIER_LEFT_OUT = "[What was said before is left out.]"
"""A person's message that is put before a history that begins with the assistant."""

NO_CLOSING_WORDS = "[The answer ended here.]"
"""An assistant's message that is put between the results of tools and a person's message."""

GO_ON = "[Go on.]"
"""A person's message that is put after a history that ends with the assistant, as in a workflow."""

NO_RESULT = "[Nothing is known of what came of this call.]"
NO_OUTPUT = "[It returned nothing.]"

RESULTS_TAG = "tool_results"
"""The tag around the results of tools that are sent as text."""

MAX_RESULT_CHARS = 4_000

_VALID_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# The format of Mistral's ids, which all servers accept, and that of Kimi's, which its chat template parses.
_PORTABLE_ID = re.compile(r"[A-Za-z0-9]{9}|functions\.[A-Za-z0-9_.-]+:\d+")
_ID_CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CALL_ID_LENGTH = 9

_MEDIA_TYPES = ("data", "uri", "hosted_file")
_SYSTEM_ROLES = ("system", "developer")


@dataclass(frozen=True, slots=True)
class HistoryForm:
    """How much of a history is sent, and in which form.

    Attributes:
        calls_as_text: Which tool calls are sent as text: 0 for none, 1 for those of earlier turns, 2 for all.
        has_pictures: Whether pictures are sent; if not, they are replaced by their names.
        has_thoughts: Whether the model's thoughts, and the unknown fields of its calls, are sent back.
        ends_with_person: Whether a history that ends with the assistant, as in a workflow, gets `GO_ON` at its end.
        max_chars: Length of the text from the end of the history that is sent, and at least the newest turn. None for
            no limit, 0 for the newest turn alone, with its results shortened.
    """

    calls_as_text: int = 0
    has_pictures: bool = True
    has_thoughts: bool = True
    ends_with_person: bool = True
    max_chars: int | None = None


@dataclass(slots=True)
class _Call:
    """A tool call with its result."""

    content: Content
    result: Content | None = None
    sent_id: str = ""


@dataclass(slots=True)
class _Piece:
    """A message of the history, with its calls.

    Attributes:
        plain: The original message, if it only has text and can be sent unchanged.
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
    can_stand_alone: Callable[[Content], bool],
    origin: str | None = None,
    form: HistoryForm | None = None,
) -> list[Message]:
    """Return a conversation as messages that every server of the protocol accepts.

    System messages come first. Then the person and the assistant alternate, beginning and ending with a message of the
    person or the results of tools; between results and the person's next message there is always the assistant's. The
    result of a call follows the call directly, and no result is without its call. No message is blank. The given
    messages are not modified.

    Args:
        messages: The conversation.
        names: The names under which tools are offered to the model.
        can_send: Returns whether the protocol has a part for a file or picture of a person.
        can_stand_alone: Returns whether a content of the assistant may be the only one of its message.
        origin: The model that is asked; thoughts of other models, and unknown fields of their calls, are not sent.
        form: How much of the history is sent, and how; None for the default.
    """
    form = form or HistoryForm()
    leading, pieces = _parse_history(messages)
    newest = max((at for at, piece in enumerate(pieces) if piece.role == "user"), default=0)
    if form.max_chars is not None:
        start = _find_start(pieces, newest, form.max_chars)
        pieces, newest = pieces[start:], newest - start
    _choose_ids(pieces, newest)
    shaped: list[Message] = []
    for at, piece in enumerate(pieces):
        is_text = form.calls_as_text > 1 or (form.calls_as_text == 1 and at < newest)
        if piece.plain is not None:
            shaped.append(piece.plain)
        elif piece.role == "user":
            shaped += _person_messages(piece, can_send, has_pictures=form.has_pictures and not is_text)
        else:
            shaped += _assistant_messages(piece, names, can_stand_alone, origin, form, is_text=is_text)
    return [*leading, *_alternate_roles(_name_authors(shaped), ends_with_person=form.ends_with_person)]


def history_chars(messages: Iterable[Message]) -> int:
    """Return how many characters of text a conversation has, including calls and results."""
    return sum(_count_chars(content) for message in messages for content in message.contents)


def has_pictures(messages: Iterable[Message]) -> bool:
    """Return whether a conversation has a picture, sent by the person or made by the model."""
    return any(is_picture(content) for message in messages for content in message.contents)


def is_picture(content: Content) -> bool:
    """Return whether a content is a picture."""
    return content.type in _MEDIA_TYPES and bool(content.media_type) and content.has_top_level_media_type("image")


def make_call_id(seed: str) -> str:
    """Return a call id that every server accepts, nine letters and digits; the same for the same `seed`."""
    number = int.from_bytes(blake2b(seed.encode(errors="replace"), digest_size=8).digest(), "big")
    return "".join(_ID_CHARS[number // len(_ID_CHARS) ** place % len(_ID_CHARS)] for place in range(CALL_ID_LENGTH))


# Reading the history


def _parse_history(messages: Iterable[Message]) -> tuple[list[Message], list[_Piece]]:
    """Return the system messages, and the rest as pieces, in which a result belongs to its call.

    A result without a call becomes text of the person.
    """
    leading: list[Message] = []
    pieces: list[_Piece] = []
    open_calls: dict[str, list[_Call]] = {}
    for message in messages:
        if message.role in _SYSTEM_ROLES:
            contents = [content for content in message.contents if content.type == "text" and not _is_blank(content)]
            if contents:
                leading.append(_message("system", contents))
            continue
        role = "user" if message.role == "user" else "assistant"
        if len(message.contents) == 1 and message.contents[0].type == "text" and message.role == role:
            # The most frequent case by far.
            if not _is_blank(message.contents[0]):
                pieces.append(_Piece(role, message.contents, message.author_name, plain=message))
            continue
        piece = _Piece(role, [], message.author_name)
        for content in message.contents:
            match content.type:
                case "function_result":
                    waiting = open_calls.get(content.call_id or "")
                    if waiting:
                        # The newest call with the id, since some servers reuse their ids.
                        waiting.pop().result = content
                    else:
                        pieces.append(_Piece("user", [_results_as_text([(None, content)])]))
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


def _count_chars(content: Content) -> int:
    match content.type:
        case "function_call":
            return len(content.name or "") + len(to_json_text(content.arguments))
        case "function_result":
            return len(build_result_text(content))
        case _:
            return len(content.text or "")


def _find_start(pieces: Sequence[_Piece], newest: int, max_chars: int) -> int:
    """Return the index of the person's message at which to begin, so that at most `max_chars` follow it.

    The newest message of the person is always included.
    """
    start, used = len(pieces), 0
    for at in range(len(pieces) - 1, -1, -1):
        piece = pieces[at]
        used += sum(_count_chars(content) for content in piece.contents)
        used += sum(_count_chars(call.result) for call in piece.calls if call.result is not None)
        if at < newest and used > max_chars:
            break
        if piece.role == "user" and (at == 0 or pieces[at - 1].role != "user"):
            start = at
    return min(start, newest)


def _choose_ids(pieces: Sequence[_Piece], newest: int) -> None:
    """Give every call a unique id.

    The ids of the newest turn are kept, since its server may know them. Earlier ones may come from another server, and
    are kept only in a form that every server accepts.
    """
    taken: set[str] = set()
    used: Counter[str] = Counter()
    for at, piece in enumerate(pieces):
        for call in piece.calls:
            original_id = call.content.call_id or ""
            pattern = _PORTABLE_ID if at < newest else _VALID_ID
            call.sent_id = original_id
            while call.sent_id in taken or not pattern.fullmatch(call.sent_id):
                used[original_id] += 1
                call.sent_id, pattern = make_call_id(f"{original_id}\0{used[original_id]}"), _VALID_ID
            taken.add(call.sent_id)


# Writing the messages


def _message(role: str, contents: Sequence[Content], author: str | None = None) -> Message:
    return Message(role, list(contents), author_name=author)


def _person_messages(piece: _Piece, can_send: Callable[[Content], bool], *, has_pictures: bool) -> Iterator[Message]:
    contents = []
    for content in piece.contents:
        if content.type in _MEDIA_TYPES and (not can_send(content) or (is_picture(content) and not has_pictures)):
            contents.append(Content.from_text(_file_placeholder(content)))
        elif content.type in ("text", *_MEDIA_TYPES, "function_approval_response"):
            contents.append(content)
    if contents:
        yield _message("user", contents, piece.author)


def _file_placeholder(content: Content) -> str:
    name = content.name or content.additional_properties.get("filename")
    quoted = f" “{name}”" if isinstance(name, str) and name else ""
    if is_picture(content):
        return f"[Here is a picture{quoted} that you cannot see.]"
    return f"[Here is a file{quoted} that you cannot read.]"


def _assistant_messages(
    piece: _Piece,
    names: ToolNames,
    can_stand_alone: Callable[[Content], bool],
    origin: str | None,
    form: HistoryForm,
    *,
    is_text: bool,
) -> Iterator[Message]:
    results = [_build_result(call, is_short=form.max_chars == 0) for call in piece.calls]
    if is_text:
        # The provider's own items belong to its calls, and mean nothing without them.
        texts = [content for content in piece.contents if content.type == "text"]
        if texts:
            yield _message("assistant", texts, piece.author)
        if piece.calls:
            pairs = zip((call.content for call in piece.calls), results, strict=True)
            yield _message("user", [_results_as_text(list(pairs))])
        return
    by_content = {id(call.content): call for call in piece.calls}
    contents = [
        _build_call(by_content[id(content)], names, origin, form) if id(content) in by_content else content
        for content in piece.contents
        if id(content) in by_content or content.type == "text" or not _is_withheld(content, origin, form)
    ]
    if not any(can_stand_alone(content) for content in contents):
        return  # e.g. a thought without text or calls after it, which servers refuse
    yield _message("assistant", contents, piece.author)
    if results:
        yield _message("tool", results)


def _is_withheld(content: Content, origin: str | None, form: HistoryForm) -> bool:
    """Return whether a content must not be sent to this model, such as the encrypted thought of another."""
    return is_from_other_model(content, origin) or (content.type == "text_reasoning" and not form.has_thoughts)


def _build_call(call: _Call, names: ToolNames, origin: str | None, form: HistoryForm) -> Content:
    content = call.content
    properties = dict(content.additional_properties)
    if is_from_other_model(content, origin) or not form.has_thoughts:
        properties.pop(PROVIDER_PROPERTY, None)
    return Content.from_function_call(
        call.sent_id,
        names.offered_name(content.name or ""),
        arguments=build_call_arguments(content),
        hosted=content.hosted,
        server_name=content.server_name,
        additional_properties=properties,
    )


def _build_result(call: _Call, *, is_short: bool) -> Content:
    if call.result is None:
        return Content.from_function_result(call.sent_id, result=NO_RESULT)
    text = build_result_text(call.result)
    if not text.strip():
        return Content.from_function_result(call.sent_id, result=NO_OUTPUT)
    if is_short and len(text) > MAX_RESULT_CHARS:
        return Content.from_function_result(call.sent_id, result=f"{text[:MAX_RESULT_CHARS]} …")
    result = copy.copy(call.result)
    result.call_id = call.sent_id
    return result


def _results_as_text(calls: Sequence[tuple[Content | None, Content]]) -> Content:
    """Return the results of calls as text, escaped so that it cannot be forged and forges nothing."""
    lines = []
    for call, result in calls:
        text = build_result_text(result)[:MAX_RESULT_CHARS] or NO_OUTPUT
        prefix = f"{call.name}({build_call_arguments(call)}) returned: " if call is not None else ""
        lines.append(html.escape(f"{prefix}{text}", quote=False))
    return Content.from_text("\n".join([f"<{RESULTS_TAG}>", *lines, f"</{RESULTS_TAG}>"]))


def _name_authors(messages: list[Message]) -> list[Message]:
    """Put the author's name before a message next to one of another author; some servers refuse a field for names."""
    if not any(message.author_name for message in messages):
        return messages
    named: list[Message] = []
    for at, message in enumerate(messages):
        around = (*messages[max(0, at - 1) : at], *messages[at + 1 : at + 2])
        is_beside_another = any(
            other.role == message.role and other.author_name != message.author_name for other in around
        )
        if message.author_name and is_beside_another:
            label = Content.from_text(f"{message.author_name}:")
            named.append(_message(message.role, [label, *message.contents], message.author_name))
        else:
            named.append(message)
    return named


def _alternate_roles(messages: list[Message], *, ends_with_person: bool) -> Iterator[Message]:
    last_role = ""
    for message in messages:
        if not last_role and message.role != "user":
            yield _message("user", [Content.from_text(EARLIER_LEFT_OUT)])
        if last_role == "tool" and message.role == "user":
            yield _message("assistant", [Content.from_text(NO_CLOSING_WORDS)])
        last_role = message.role
        yield message
    if not last_role or (last_role == "assistant" and ends_with_person):
        yield _message("user", [Content.from_text(GO_ON)])
