"""The built-in model, which answers without a network: deterministic, and open about what it is.

It is a chat client of Agent Framework like any other and takes part in the tool loop, so an assistant's tools and
widgets work end to end even if no model is configured.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
    UsageDetails,
)
from agent_framework.observability import ChatTelemetryLayer

from chat_clients.offline.phrases import PhraseBook, Reply, ToolCall
from chat_clients.offline.pictures import MAX_PICTURE_BYTES, describe_picture
from framework.message_marks import ANSWERS_PROPERTY, FILE_PROPERTY, ORIGINAL_PROPERTY
from framework.response_streams import build_response_stream

if TYPE_CHECKING:
    from chat_clients.offline.offline_phrase import OfflinePhrase

MAX_PICTURES = 4
MAX_EXAMPLES = 12

_SETTINGS_HINT = (
    "set `OPENAI_API_KEY`, or `COMPATIBLE_BASE_URL` and `COMPATIBLE_MODEL`, "
    "or `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_MODEL`, and start again"
)
_GREETING = re.compile(
    r"\W*(?:hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|all|again))?\W*", re.I
)
_THANKS = re.compile(r"\W*(?:many )?(?:thanks|thank you|thx|cheers)(?: (?:a lot|very much|so much))?\W*", re.I)
_HELP = re.compile(r"\W*(?:/?help(?: me)?(?: please)?|what can (?:you|i) (?:do|ask)(?: here)?|who are you)\W*", re.I)
_WORD = re.compile(r"\s*\S+\s*")
_YIELD_EVERY = 32


class RawOfflineChatClient(BaseChatClient[Any]):
    """The model itself; use `OfflineChatClient`, which runs the tools that this one calls."""

    OTEL_PROVIDER_NAME: ClassVar[str] = "parlor"

    def __init__(
        self,
        *,
        phrases: Sequence[OfflinePhrase] = (),
        token_delay_ms: float = 0,
        is_chosen: bool = False,
        **layers: Any,
    ) -> None:
        super().__init__(**layers)
        self.model = "offline"
        self._book = PhraseBook(phrases)
        self._delay_s = token_delay_ms / 1000
        self._hint = f"To connect a model, {_SETTINGS_HINT}."
        if is_chosen:
            self._hint = f"To connect a model, remove `MODEL_PROVIDER=offline`, {_SETTINGS_HINT}."

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        if stream:
            updates = self._stream(messages, options)
            return build_response_stream(updates, options.get("response_format"))
        return self._respond(messages, options)

    async def _respond(self, messages: Sequence[Message], options: Mapping[str, Any]) -> ChatResponse[Any]:
        key = _hash_messages(messages)
        reply = await self._find_reply(messages, options)
        contents = [Content.from_text(reply.text)] if reply.text else []
        contents.extend(_build_function_calls(reply.calls, key))
        return ChatResponse(
            messages=[Message("assistant", contents, message_id=f"msg_{key}")],
            response_id=f"resp_{key}",
            model=self.model,
            finish_reason="tool_calls" if reply.calls else "stop",
            usage_details=_count_words(messages, reply.text),
            response_format=options.get("response_format"),
        )

    async def _stream(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        key = _hash_messages(messages)
        reply = await self._find_reply(messages, options)

        def update(contents: list[Content], finish_reason: Any = None) -> ChatResponseUpdate:
            return ChatResponseUpdate(
                role="assistant",
                contents=contents,
                response_id=f"resp_{key}",
                message_id=f"msg_{key}",
                model=self.model,
                finish_reason=finish_reason,
            )

        for at, word in enumerate(_WORD.findall(reply.text)):
            if at and self._delay_s:
                await asyncio.sleep(self._delay_s)
            elif at and at % _YIELD_EVERY == 0:
                await asyncio.sleep(0)  # let other tasks run during a long answer
            yield update([Content.from_text(word)])
        for call in _build_function_calls(reply.calls, key):
            yield update([call])
        usage = Content.from_usage(_count_words(messages, reply.text))
        yield update([usage], "tool_calls" if reply.calls else "stop")

    async def _find_reply(self, messages: Sequence[Message], options: Mapping[str, Any]) -> Reply:
        if messages and messages[-1].role == "tool":
            return Reply(text=_describe_results(messages))
        if messages and messages[-1].additional_properties.get(ANSWERS_PROPERTY):
            return Reply(
                "Thank you. What follows from your answer needs a model, and none is configured here: "
                f"I am the small built-in one.\n\n{self._hint}"
            )
        question = next((message for message in reversed(messages) if message.role == "user"), None)
        text, files = _split_message(question)
        text = text.strip()
        pictures = [content for content in question.contents if _is_picture(content)] if question else []
        tools, must_call = _callable_tools(options)
        reply = self._book.find_reply(text, tools, must_call=must_call)
        if reply is None and must_call:
            reply = _call_without_arguments(tools)
        if pictures:
            description = await _describe_pictures(pictures)
            description += f"\n\nI cannot say what it shows: no vision model is configured. {self._hint}"
            return Reply(f"{description}\n\n{reply.text}".strip(), reply.calls) if reply else Reply(description)
        if files and reply is None:
            names = ", ".join(f"“{name}”" for name in files)
            return Reply(f"I have got {names}. To read it needs a model, and none is configured here. {self._hint}")
        return reply or Reply(self._explain_limits(text, options))

    def _explain_limits(self, text: str, options: Mapping[str, Any]) -> str:
        """Return an answer that says what this model is, what it can do, and how to connect another."""
        abilities = self._describe_abilities(options)
        if _THANKS.fullmatch(text):
            return "You are welcome!"
        if _GREETING.fullmatch(text) or _HELP.fullmatch(text):
            opening = "Hello! " if _GREETING.fullmatch(text) else ""
            return (
                f"{opening}No model is configured here, so you are talking to the small built-in one, "
                f"which understands a few phrasings.\n\n{abilities}\n\n{self._hint}"
            )
        return (
            "I cannot answer that, because no model is configured. "
            f"I am the small built-in one and understand a few phrasings only.\n\n{abilities}\n\n{self._hint}"
        )

    def _describe_abilities(self, options: Mapping[str, Any]) -> str:
        if examples := self._book.examples:
            return "You can say, for example:\n\n" + "\n".join(f"- {example}" for example in examples[:MAX_EXAMPLES])
        if tools := _tools_by_name(options):
            return "With a model, I could use these tools:\n\n" + "\n".join(f"- `{name}`" for name in tools)
        return "This assistant has no phrasing that works without a model."


class OfflineChatClient(
    FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], ChatTelemetryLayer[Any], RawOfflineChatClient
):
    """The built-in model with the framework's layers: tool loop, then middleware, then telemetry.

    Args:
        phrases: The phrasings that the model understands; the first that matches wins.
        token_delay_ms: Pause between two words, in milliseconds; 0 for none.
        is_chosen: Whether `MODEL_PROVIDER` selects this model, as opposed to no model being configured.
        layers: Arguments of the framework's layers, such as `function_invocation_configuration`.

    Raises:
        ValueError: When a phrase cannot work; the message names it.
    """


def _tools_by_name(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tools of a request by name."""
    return {tool.name: tool for tool in options.get("tools") or () if getattr(tool, "name", None)}


def _callable_tools(options: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the tools that `tool_choice` allows, and whether one of them has to be called."""
    tools = _tools_by_name(options)
    choice = options.get("tool_choice")
    choice = choice if isinstance(choice, Mapping) else {"mode": choice}
    if choice.get("mode") == "none":
        return {}, False
    allowed = choice.get("allowed_tools")
    if name := choice.get("required_function_name"):
        allowed = [name]
    if allowed is not None:
        tools = {name: tool for name, tool in tools.items() if name in allowed}
    return tools, choice.get("mode") == "required" and bool(tools)


def _call_without_arguments(tools: Mapping[str, Any]) -> Reply | None:
    """Return a call of the only tool, if it has no required arguments, as arguments are never made up."""
    if len(tools) != 1:
        return None
    [(name, tool)] = tools.items()
    return None if tool.parameters().get("required") else Reply(calls=(ToolCall(name, {}),))


def _build_function_calls(calls: Sequence[ToolCall], key: str) -> list[Content]:
    return [
        Content.from_function_call(
            f"call_{key}_{at}", call.name, arguments=json.dumps(dict(call.arguments), ensure_ascii=False, default=str)
        )
        for at, call in enumerate(calls)
    ]


def _describe_results(messages: Sequence[Message]) -> str:
    """Return the texts of the tool results at the end of `messages`, each once, with a blank line between them."""
    names = {
        content.call_id: content.name
        for message in messages
        for content in message.contents
        if content.type == "function_call"
    }
    results: list[Content] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        results[:0] = [content for content in message.contents if content.type == "function_result"]
    texts: dict[str, None] = {}
    for result in results:
        if result.exception:
            # The text of the exception may contain secrets, and the result is a note to a model.
            texts[f"The tool `{names.get(result.call_id) or 'unknown'}` failed, so I have no answer from it."] = None
        else:
            has_picture = any(_is_picture(item) for item in result.items or ())
            texts[_format_result(str(result.result or "")) or ("Here it is." if has_picture else "Done.")] = None
    return "\n\n".join(texts)


def _format_result(result: str) -> str:
    """Return a tool's result for a person; JSON, as the page around the chat returns it, becomes a list."""
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        return result.strip()
    match value:
        case dict():
            return "\n".join(f"- {name}: {_format_value(part)}" for name, part in value.items())
        case list():
            return "\n".join(f"- {_format_value(part)}" for part in value)
        case None:
            return ""
        case _:
            return _format_value(value)


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _split_message(question: Message | None) -> tuple[str, list[str]]:
    """Return the text of a person's message, without the texts of attached files, and the names of these files."""
    contents = question.contents if question is not None else []
    files = [str(content.additional_properties[FILE_PROPERTY]) for content in contents if _is_file(content)]
    texts = [content.text or "" for content in contents if content.type == "text" and not _is_file(content)]
    return " ".join(texts), files


def _is_file(content: Content) -> bool:
    return FILE_PROPERTY in content.additional_properties


def _is_picture(content: Content) -> bool:
    return content.type in ("data", "uri") and (content.media_type or "").startswith("image/")


async def _describe_pictures(pictures: Sequence[Content]) -> str:
    sentences = [await _describe_attached_picture(picture) for picture in pictures[:MAX_PICTURES]]
    if len(pictures) > MAX_PICTURES:
        sentences.append(f"There are {len(pictures) - MAX_PICTURES} more pictures, which I did not look at.")
    return "\n\n".join(sentences)


async def _describe_attached_picture(picture: Content) -> str:
    head, comma, body = (picture.uri or "").partition(",")
    if not head.startswith("data:") or not comma:
        return "This picture is only linked, so I cannot look at it."
    if not head.endswith(";base64") or len(body) > MAX_PICTURE_BYTES * 4 // 3 + 4:
        return "I cannot read this picture: it is too large, or encoded in a way that I do not know."
    try:
        data = await asyncio.to_thread(base64.b64decode, body, validate=True)
    except ValueError:
        return "I cannot read this picture: it is damaged."
    return await describe_picture(data, picture.additional_properties.get(ORIGINAL_PROPERTY))


def _hash_messages(messages: Sequence[Message]) -> str:
    """Return a short hash of a conversation, so that the same question gets the same ids."""
    digest = hashlib.sha256()
    for message in messages:
        digest.update(f"\0{message.role}\0{message.text}".encode())
        for content in message.contents:
            digest.update(f"\0{content.type}\0{content.call_id or ''}".encode())
    return digest.hexdigest()[:24]


def _count_words(messages: Sequence[Message], text: str) -> UsageDetails:
    """Return the token usage, counted in words."""
    input_words = sum(len(message.text.split()) for message in messages)
    output_words = len(text.split())
    return UsageDetails(
        input_token_count=input_words, output_token_count=output_words, total_token_count=input_words + output_words
    )
