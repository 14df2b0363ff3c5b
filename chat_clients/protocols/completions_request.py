"""Builds requests of the Chat Completions API from conversations."""

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
from framework.message_marks import provider_property, read_replay

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
        model: The model, unless `options` name another.
        messages: The conversation.
        options: Options of the run, under the framework's names.
        stream: Whether the answer is streamed.
        max_tokens_name: The server's name of the field for the maximum length of an answer.
        names: The names under which tools are offered to the model; None for those in `options`.
        origin: The model that is asked, as `build_origin` names it; None for the model's name.
        form: How much of the conversation is sent, and how; None for the default.
    """
    names = names or read_names(options.get("tools"))
    body = begin_body(model, options, _NOT_PASSED_ON)
    shaped = shape_history(
        messages,
        names=names,
        can_send=_can_send,
        can_stand_alone=_can_stand_alone,
        origin=origin or body["model"],
        form=form,
    )
    body["messages"] = _merge_neighbours([*_system_messages(options.get("instructions")), *build_messages(shaped)])
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    if (max_tokens := options.get("max_tokens")) is not None:
        body[max_tokens_name] = max_tokens
    functions, hosted = split_tools(options.get("tools"))
    tools: list[Any] = [_build_function_tool(function, names) for function in functions]
    for tool in hosted:
        if isinstance(tool, Mapping) and tool.get("type") == "web_search":
            body["web_search_options"] = {key: value for key, value in tool.items() if key != "type"}
        else:
            tools.append(tool)
    add_tools(body, tools, _build_tool_choice(options.get("tool_choice"), names) if tools else None, options)
    if (response_format := read_response_format(options.get("response_format"))) is not None:
        if response_format["type"] == "json_schema":
            schema = {key: value for key, value in response_format.items() if key != "type"}
            response_format = {"type": "json_schema", "json_schema": schema}
        body["response_format"] = response_format
    return body


def _build_function_tool(function: FunctionTool, names: ToolNames) -> dict[str, Any]:
    offer = function.to_json_schema_spec()
    return {**offer, "function": {**offer["function"], "name": names.offered_name(function.name)}}


def _build_tool_choice(choice: Any, names: ToolNames) -> Any:
    mode, required, _ = read_tool_choice(choice)
    if mode == "required" and required is not None:
        return {"type": "function", "function": {"name": names.offered_name(required)}}
    return mode


def _can_send(content: Content) -> bool:
    return _build_part(content) is not None


def _can_stand_alone(content: Content) -> bool:
    return content.type in ("text", "function_call")


def _system_messages(instructions: Any) -> list[dict[str, Any]]:
    texts = [instructions] if isinstance(instructions, str) else instructions or ()
    return [{"role": "system", "content": text} for text in texts if text.strip()]


def build_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the messages of a conversation, in order.

    Text and calls of one message stay together, and so do the parts of a person's message. Each result of a call is a
    message of its own. Contents without a counterpart are left out.
    """
    built: list[dict[str, Any]] = []
    for message in messages:
        built.extend(_tool_messages(message))
        if message.role == "assistant":
            built.extend(_assistant_messages(message))
        elif parts := [part for content in message.contents if (part := _build_part(content))]:
            built.append({"role": message.role, "content": _flatten_text(parts)})
    return built


def _merge_neighbours(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge neighbouring messages of the same role, except results of tools.

    Otherwise the chat templates of Gemma, Mistral and others raise an error, which ends the conversation.
    """
    built: list[dict[str, Any]] = []
    for message in messages:
        last = built[-1] if built else {}
        # A message with more than text, such as calls, is not merged.
        is_plain = last.keys() <= {"role", "content"} and message["role"] != "tool"
        if is_plain and last.get("role") == message["role"]:
            built[-1] = {**message, "content": _join_contents(last["content"], message["content"])}
        else:
            built.append(message)
    return built


def _join_contents(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_as_parts(first), *_as_parts(second)]


def _as_parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _tool_messages(message: Message) -> list[dict[str, Any]]:
    return [
        # Text only: a picture would need a message of its own, which models without vision refuse.
        {"role": "tool", "tool_call_id": content.call_id, "content": build_result_text(content)}
        for content in message.contents
        if content.type == "function_result"
    ]


def _assistant_messages(message: Message) -> list[dict[str, Any]]:
    """Return an assistant's contents as one message; none if they are empty."""
    parts: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    beside: dict[str, Any] = {}
    thoughts: dict[str, str] = {}
    details: list[Any] = []
    for content in message.contents:
        match content.type:
            case "text" if content.text:
                # Refusals too, since not every server knows their field.
                parts.append({"type": "text", "text": content.text})
            case "function_call":
                replay = read_replay(content) or {}
                beside.update(replay.get("beside") or {})
                function = {**(replay.get("function") or {}), "name": content.name}
                function["arguments"] = build_call_arguments(content)
                call = {"id": content.call_id, "type": "function", "function": function}
                calls.append({**(replay.get("call") or {}), **call})
            case "text_reasoning":
                if name := provider_property(content, "thought_field"):
                    thoughts[name] = thoughts.get(name, "") + (content.text or "")
                if content.protected_data:
                    details.extend(_decode_details(content.protected_data))
            case _:
                pass
    built: dict[str, Any] = {"content": _flatten_text(parts)} if parts else {}
    if calls:
        # Models need the thoughts behind a call together with its results; without a call, some servers refuse them.
        built.update({**thoughts, **beside}, tool_calls=calls)
    if details:
        built["reasoning_details"] = details
    if not built:
        return []
    return [{"role": "assistant", "content": built.pop("content", None), **built}]


def _decode_details(data: str) -> list[Any]:
    try:
        details = json.loads(data)
    except ValueError:
        return []  # data of another provider
    return details if isinstance(details, list) else [details]


def _flatten_text(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return text parts as a plain string, since smaller servers do not support parts."""
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _build_part(content: Content) -> dict[str, Any] | None:
    """Return a content as a part of a message; None if the API has no such part."""
    uri = content.uri or ""
    match content.type:
        case "text":
            return {"type": "text", "text": content.text}
        case "data" | "uri" if content.media_type and content.has_top_level_media_type("image"):
            image = {"url": uri}
            detail = provider_property(content, "image_detail") or content.additional_properties.get("detail")
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
