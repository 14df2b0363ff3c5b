"""Builds requests of the Responses API from conversations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent_framework import Content, Message

from chat_clients.protocols.history_shape import HistoryForm, make_call_id, shape_history
from chat_clients.protocols.request_options import (
    add_tools,
    audio_format,
    begin_body,
    build_call_arguments,
    is_refusal,
    join_text,
    read_names,
    read_response_format,
    read_tool_choice,
    split_tools,
    to_json_text,
)
from chat_clients.protocols.tool_names import ToolNames
from framework.message_marks import provider_property, read_replay
from framework.returned_parts import mention_returned

# Options that the API does not have, has in another form, or that are about conversations stored at the provider.
_NOT_PASSED_ON = frozenset(
    {
        "allow_multiple_tool_calls",
        "background",
        "continuation_token",
        "conversation",
        "conversation_id",
        "frequency_penalty",
        "logit_bias",
        "max_tokens",
        "presence_penalty",
        "previous_response_id",
        "response_format",
        "seed",
        "stop",
        "store",
        "text",
        "tool_choice",
        "tools",
        "type",
        "verbosity",
    }
)


def build_responses_request(
    model: str,
    messages: Sequence[Message],
    options: Mapping[str, Any],
    *,
    stream: bool,
    names: ToolNames | None = None,
    origin: str | None = None,
    form: HistoryForm | None = None,
) -> dict[str, Any]:
    """Return the body of ``POST /responses``; the provider is always asked to store nothing.

    Args:
        model: The model, unless `options` name another.
        messages: The conversation.
        options: Options of the run, under the framework's names.
        stream: Whether the answer is streamed.
        names: The names under which tools are offered to the model; None for those in `options`.
        origin: The model that is asked, as `build_origin` names it; None for the model's name.
        form: How much of the conversation is sent, and how; None for the default.
    """
    names = names or read_names(options.get("tools"))
    body = begin_body(model, options, _NOT_PASSED_ON)
    body["stream"] = stream
    body["store"] = False
    body["input"] = build_input(
        shape_history(
            messages,
            names=names,
            can_send=_can_send,
            can_stand_alone=_can_stand_alone,
            origin=origin or body["model"],
            form=form,
        )
    )
    if (max_tokens := options.get("max_tokens")) is not None:
        body["max_output_tokens"] = max_tokens
    tools = _build_tools(options.get("tools"), names)
    # As the provider stores nothing, the model's thoughts are sent back to it encrypted.
    body["include"] = list(
        dict.fromkeys([*body.get("include", ()), "reasoning.encrypted_content", *_included_sources(tools)]),
    )
    add_tools(body, tools, _build_tool_choice(options.get("tool_choice"), names) if tools else None, options)
    if text := _build_text_options(options):
        body["text"] = text
    return body


def _can_send(content: Content) -> bool:
    return _build_part("user", content) is not None


def _can_stand_alone(content: Content) -> bool:
    if content.type == "text_reasoning":
        return False
    return _build_part("assistant", content) is not None or _build_item(content, {}) is not None


def _build_tools(tools: Any, names: ToolNames) -> list[Any]:
    functions, hosted = split_tools(tools)
    declared = [
        {
            "type": "function",
            "name": names.offered_name(function.name),
            "description": function.description,
            "parameters": {**function.parameters(), "additionalProperties": False},
            # Set for tools of the Agents SDK whose schema meets strict mode.
            "strict": (function.additional_properties or {}).get("strict") is True,
        }
        for function in functions
    ]
    return declared + hosted


def _included_sources(tools: Iterable[Any]) -> Iterator[str]:
    """Yield the values of ``include`` with which searches report their results."""
    kinds = [str(tool.get("type")) for tool in tools if isinstance(tool, Mapping)]
    # The earlier preview of web search has no sources.
    if any(kind.startswith("web_search") and "preview" not in kind for kind in kinds):
        yield "web_search_call.action.sources"
    if "file_search" in kinds:
        yield "file_search_call.results"


def _build_tool_choice(choice: Any, names: ToolNames) -> Any:
    mode, required, allowed = read_tool_choice(choice)
    if mode == "required" and required is not None:
        return {"type": "function", "name": names.offered_name(required)}
    if mode in ("auto", "required") and allowed is not None:
        tools = [{"type": "function", "name": names.offered_name(name)} for name in allowed]
        return {"type": "allowed_tools", "mode": mode, "tools": tools}
    return mode


def _build_text_options(options: Mapping[str, Any]) -> dict[str, Any]:
    text = dict(options.get("text") or {})
    if (response_format := read_response_format(options.get("response_format"))) is not None:
        if text.get("format", response_format) != response_format:
            raise ValueError("response_format: text.format says something else")
        text["format"] = response_format
    if (verbosity := options.get("verbosity")) is not None:
        text["verbosity"] = verbosity
    return text


def build_input(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the input items of a conversation, in order.

    Calls, results and thoughts are items of their own, next to messages. Contents without a counterpart are left out.
    """
    items: list[dict[str, Any]] = []
    by_id: dict[str, dict[str, Any]] = {}
    for message in messages:
        if message.role != "assistant":
            by_id.clear()  # some servers reuse their ids in each response
        parts: list[dict[str, Any]] = []
        for content in message.contents:
            if part := _build_part(message.role, content):
                if not parts:
                    items.append({"type": "message", "role": message.role, "content": parts})
                parts.append(part)
            elif item := _build_item(content, by_id):
                items.append(item)
                parts = []
    sent = [item for item in items if item.get("type") != "reasoning" or item["encrypted_content"]]
    return list(_with_unique_ids(sent))


def _with_unique_ids(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield items with unique ids, which servers insist on; the first item with an id keeps it."""
    taken: set[Any] = set()
    for item in items:
        item_id, is_approval = item.get("id"), str(item.get("type")).startswith("mcp_approval")
        if item_id is None or is_approval or item_id not in taken:
            taken.add(item_id)
            yield item
        elif item.get("type") == "function_call":
            yield {name: value for name, value in item.items() if name != "id"}
        else:
            # Other items need an id, with a prefix for their type.
            kind, number = str(item_id).partition("_")[0], 2
            while f"{kind}_{make_call_id(f'{item_id} {number}')}" in taken:
                number += 1
            fresh_id = f"{kind}_{make_call_id(f'{item_id} {number}')}"
            taken.add(fresh_id)
            yield {**item, "id": fresh_id}


def _build_part(role: str, content: Content) -> dict[str, Any] | None:
    """Return a content as a part of a message; None if it cannot be one."""
    match content.type:
        case "text" if role != "assistant":
            return {"type": "input_text", "text": content.text}
        case "text" if is_refusal(content):
            return {"type": "refusal", "refusal": content.text}
        case "text" if content.text:
            # Some servers insist on the field; the citations themselves would only repeat the text.
            return {"type": "output_text", "text": content.text, "annotations": []}
        case "data" | "uri" | "hosted_file" if role != "assistant":
            return _build_media_part(content)
        case _:
            return None


def _build_media_part(content: Content) -> dict[str, Any] | None:
    is_image = bool(content.media_type) and content.has_top_level_media_type("image")
    if content.type == "hosted_file":
        if is_image:
            return {"type": "input_image", "file_id": content.file_id, "detail": "auto"}
        return {"type": "input_file", "file_id": content.file_id}
    if is_image:
        return {"type": "input_image", "image_url": content.uri, "detail": _image_detail(content)}
    uri = content.uri or ""
    if (sound := audio_format(content)) is not None:
        return {"type": "input_audio", "input_audio": {"data": uri.partition(",")[2] or uri, "format": sound}}
    if content.media_type and content.has_top_level_media_type("application"):
        part = {"type": "input_file", "file_data" if uri.startswith("data:") else "file_url": uri}
        if name := content.name or content.additional_properties.get("filename"):
            part["filename"] = name
        return part
    return None


def _image_detail(content: Content) -> str:
    return provider_property(content, "image_detail") or content.additional_properties.get("detail") or "auto"


def _build_item(content: Content, by_id: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return a content as a new item; None if it is added to an earlier item, or has no counterpart."""
    match content.type:
        case "text_reasoning":
            return _add_reasoning(content, by_id)
        case "function_call" if content.call_id and not content.informational_only:
            call = {
                **((read_replay(content) or {}).get("call") or {}),
                "type": "function_call",
                "call_id": content.call_id,
                "name": content.name,
                "arguments": build_call_arguments(content),
            }
            item_id = provider_property(content, "item_id")
            # Other ids, such as those of earlier turns from our store, would be refused.
            return {**call, "id": item_id} if str(item_id or "").startswith("fc_") else call
        case "function_result":
            return {"type": "function_call_output", "call_id": content.call_id, "output": _build_output(content)}
        case "function_approval_request" if content.function_call and content.function_call.hosted:
            mcp_call = content.function_call
            return {
                "type": "mcp_approval_request",
                "id": content.id,
                "arguments": to_json_text(mcp_call.arguments),
                "name": mcp_call.name,
                "server_label": mcp_call.server_name,
            }
        case "function_approval_response" if content.function_call and content.function_call.hosted:
            return {
                "type": "mcp_approval_response",
                "approval_request_id": content.id,
                "approve": bool(content.approved),
            }
        case "mcp_server_tool_call" if content.call_id:
            by_id[content.call_id] = {
                "type": "mcp_call",
                "id": content.call_id,
                "server_label": content.server_name or "",
                "name": content.tool_name or "",
                "arguments": to_json_text(content.arguments),
            }
            return by_id[content.call_id]
        case "mcp_server_tool_result" if call_item := by_id.get(content.call_id or ""):
            call_item["output"] = join_text(content.output)
            return None
        case "search_tool_result" | "code_interpreter_tool_result" | "shell_tool_call" | "shell_tool_result":
            # A thought is only accepted together with the item that it led to.
            original = provider_property(content, "item")
            return dict(original) if isinstance(original, Mapping) else None
        case _:
            return None


def _add_reasoning(content: Content, by_id: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return a new reasoning item; None if the content is added to an earlier one."""
    if not content.id:
        return None
    item = by_id.get(content.id)
    is_new = item is None
    if item is None:
        item = {"type": "reasoning", "id": content.id, "summary": [], "encrypted_content": None}
        by_id[content.id] = item
    item["encrypted_content"] = content.protected_data or item["encrypted_content"]
    if content.text:
        if provider_property(content, "reasoning_text"):
            item.setdefault("content", []).append({"type": "reasoning_text", "text": content.text})
        else:
            item["summary"].append({"type": "summary_text", "text": content.text})
    return item if is_new else None


def _build_output(content: Content) -> str | list[dict[str, Any]]:
    """Return the result of a call: text, or parts if it has files or pictures."""
    items = content.items or ()
    if any(item.type in ("data", "uri", "hosted_file") for item in items):
        return [_build_output_part(item) for item in items if item.type != "text" or item.text]
    return to_json_text(content.result)


def _build_output_part(item: Content) -> dict[str, Any]:
    part = _build_part("user", item)
    if part is None or part["type"] == "input_audio":  # not allowed in results
        return {"type": "input_text", "text": mention_returned(item)}
    return part
