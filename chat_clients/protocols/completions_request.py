"""A conversation as a request of the Chat Completions API, in plain JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent_framework import Content, FunctionTool, Message

from chat_clients.protocols.history_shape import HistoryForm, shape_history
from chat_clients.protocols.request_options import (
    add_tools,
    audio_format,
    begin_body,
    build_call_arguments,
    build_result_text,
    read_names,
    read_response_format,
    read_tool_choice,
    split_tools,
)
from chat_clients.protocols.tool_names import ToolNames
from framework.message_marks import provider_note, replay_of

_NOT_PASSED_ON = frozenset(
    {
        "allow_multiple_tool_calls",
        "continuation_token",
        "conversation_id",
        "instructions",
        "max_tokens",
        "messages",
        "parallel_tool_calls",
        "response_format",
        "store",
        "stream",
        "stream_options",
        "tool_choice",
        "tools",
    }
)


def build_completions_request(
    model: str,
    messages: Sequence[Message],
    options: Mapping[str, Any],
    *,
    stream: bool,
    max_tokens_name: str = "max_completion_tokens",
    names: ToolNames | None = None,
    origin: str | None = None,
    form: HistoryForm | None = None,
) -> dict[str, Any]:
    """Return the body of ``POST /chat/completions``.

    Args:
        model: Unless `options` name another.
        messages: The conversation.
        options: Options of the run, under the framework's names.
        stream: Whether the answer comes in pieces.
        max_tokens_name: What the server calls the longest length of an answer.
        names: What the tools are called towards the model; None to read that from `options`.
        origin: Who is asked, in the words that answers note; None for the model's name.
        form: How much of the conversation is sent; None for all of it.
    """
    names = names or read_names(options.get("tools"))
    body = begin_body(model, options, _NOT_PASSED_ON)
    shaped = shape_history(
        messages, names=names, can_send=_can_send, can_say=_can_say, origin=origin or body["model"], form=form
    )
    body["messages"] = _alternating([*_instructions(options.get("instructions")), *build_messages(shaped)])
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    if (max_tokens := options.get("max_tokens")) is not None:
        body[max_tokens_name] = max_tokens
    functions, hosted = split_tools(options.get("tools"))
    tools: list[Any] = [_offer(function, names) for function in functions]
    for tool in hosted:
        if isinstance(tool, Mapping) and tool.get("type") == "web_search":
            body["web_search_options"] = {key: value for key, value in tool.items() if key != "type"}
        else:
            tools.append(tool)
    add_tools(body, tools, _tool_choice(options.get("tool_choice"), names) if tools else None, options)
    if (wanted := read_response_format(options.get("response_format"))) is not None:
        if wanted["type"] == "json_schema":
            wanted = {"type": "json_schema", "json_schema": {k: v for k, v in wanted.items() if k != "type"}}
        body["response_format"] = wanted
    return body


def _offer(function: FunctionTool, names: ToolNames) -> dict[str, Any]:
    offer = function.to_json_schema_spec()
    return {**offer, "function": {**offer["function"], "name": names.offered(function.name)}}


def _tool_choice(choice: Any, names: ToolNames) -> Any:
    mode, required, _ = read_tool_choice(choice)
    if mode == "required" and required is not None:
        return {"type": "function", "function": {"name": names.offered(required)}}
    return mode


def _can_send(content: Content) -> bool:
    return _part(content) is not None


def _can_say(content: Content) -> bool:
    return content.type in ("text", "function_call")


def _instructions(instructions: Any) -> list[dict[str, Any]]:
    texts = [instructions] if isinstance(instructions, str) else instructions or ()
    return [{"role": "system", "content": text} for text in texts if text.strip()]


def build_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the messages of a conversation, in their order.

    Text and calls of one message stay together, and so do the parts of a person's message. Every result of a call is
    a message of its own. What the API has no word for is left out.
    """
    built: list[dict[str, Any]] = []
    for message in messages:
        built.extend(_results(message))
        if message.role == "assistant":
            built.extend(_assistant(message))
        elif parts := [part for content in message.contents if (part := _part(content))]:
            built.append({"role": message.role, "content": _flat(parts)})
    return built


def _alternating(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages of which no two neighbours are of one role, except results of tools.

    The chat templates of Gemma, Mistral and others raise an error otherwise, which ends the conversation.
    """
    built: list[dict[str, Any]] = []
    for message in messages:
        last = built[-1] if built else {}
        # A message with more than words, such as calls, is followed by their results or stands for itself.
        is_plain = last.keys() <= {"role", "content"} and message["role"] != "tool"
        if is_plain and last.get("role") == message["role"]:
            built[-1] = {**message, "content": _joined(last["content"], message["content"])}
        else:
            built.append(message)
    return built


def _joined(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _results(message: Message) -> list[dict[str, Any]]:
    return [
        # Results are text here, and a picture in a message of its own would be refused by models that cannot see.
        {"role": "tool", "tool_call_id": content.call_id, "content": build_result_text(content)}
        for content in message.contents
        if content.type == "function_result"
    ]


def _assistant(message: Message) -> list[dict[str, Any]]:
    """Return the one message that an assistant's contents are, or none when they say nothing."""
    parts: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    beside: dict[str, Any] = {}
    thoughts: dict[str, str] = {}
    details: list[Any] = []
    for content in message.contents:
        match content.type:
            case "text" if content.text:
                # A refusal too: not every server knows a field of its own for that.
                parts.append({"type": "text", "text": content.text})
            case "function_call":
                replay = replay_of(content) or {}
                beside.update(replay.get("beside") or {})
                function = {**(replay.get("function") or {}), "name": content.name}
                function["arguments"] = build_call_arguments(content)
                call = {"id": content.call_id, "type": "function", "function": function}
                calls.append({**(replay.get("call") or {}), **call})
            case "text_reasoning":
                if name := provider_note(content, "thought_field"):
                    thoughts[name] = thoughts.get(name, "") + (content.text or "")
                if content.protected_data:
                    details.extend(_unsealed(content.protected_data))
            case _:
                pass
    built: dict[str, Any] = {"content": _flat(parts)} if parts else {}
    if calls:
        # Models that think before they call want to read their thought again with the results; without a call, some
        # servers refuse it.
        built.update({**thoughts, **beside}, tool_calls=calls)
    if details:
        built["reasoning_details"] = details
    if not built:
        return []
    return [{"role": "assistant", "content": built.pop("content", None), **built}]


def _unsealed(data: str) -> list[Any]:
    try:
        details = json.loads(data)
    except ValueError:
        return []  # another provider's
    return details if isinstance(details, list) else [details]


def _flat(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return text as a plain string: smaller servers know no parts."""
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _part(content: Content) -> dict[str, Any] | None:
    """Return what `content` is within a message, or None when the API has no part for it."""
    uri = content.uri or ""
    match content.type:
        case "text":
            return {"type": "text", "text": content.text}
        case "data" | "uri" if content.media_type and content.has_top_level_media_type("image"):
            image = {"url": uri}
            detail = provider_note(content, "image_detail") or content.additional_properties.get("detail")
            if isinstance(detail, str):
                image["detail"] = detail
            return {"type": "image_url", "image_url": image}
        case "data" | "uri" if (sound := audio_format(content)) is not None:
            return {"type": "input_audio", "input_audio": {"data": uri.partition(",")[2] or uri, "format": sound}}
        case "data" if content.media_type and content.has_top_level_media_type("application"):
            file = {"file_data": uri}
            if name := content.name or content.additional_properties.get("filename"):
                file["filename"] = name
            return {"type": "file", "file": file}
        case _:
            return None
