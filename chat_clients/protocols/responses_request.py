"""A conversation as a request of the Responses API, in plain JSON."""

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
from framework.message_marks import provider_note, replay_of
from framework.returned_parts import mention_returned

# Of no meaning here, in another form here, or about a conversation that the provider keeps, which it never does for us.
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
        model: Unless `options` name another.
        messages: The conversation.
        options: Options of the run, under the framework's names.
        stream: Whether the answer comes in pieces.
        names: What the tools are called towards the model; None to read that from `options`.
        origin: Who is asked, in the words that answers note; None for the model's name.
        form: How much of the conversation is sent; None for all of it.
    """
    names = names or read_names(options.get("tools"))
    body = begin_body(model, options, _NOT_PASSED_ON)
    body["stream"] = stream
    body["store"] = False
    body["input"] = build_input(
        shape_history(
            messages, names=names, can_send=_can_send, can_say=_can_say, origin=origin or body["model"], form=form
        )
    )
    if (max_tokens := options.get("max_tokens")) is not None:
        body["max_output_tokens"] = max_tokens
    tools = _tools(options.get("tools"), names)
    # Without the provider's memory, a model's thoughts go back to it sealed.
    body["include"] = list(
        dict.fromkeys([*body.get("include", ()), "reasoning.encrypted_content", *_sources(tools)]),
    )
    add_tools(body, tools, _tool_choice(options.get("tool_choice"), names) if tools else None, options)
    if text := _text_options(options):
        body["text"] = text
    return body


def _can_send(content: Content) -> bool:
    return _part("user", content) is not None


def _can_say(content: Content) -> bool:
    if content.type == "text_reasoning":
        return False
    return _part("assistant", content) is not None or _item(content, {}) is not None


def _tools(tools: Any, names: ToolNames) -> list[Any]:
    functions, hosted = split_tools(tools)
    own = [
        {
            "type": "function",
            "name": names.offered(function.name),
            "description": function.description,
            "parameters": {**function.parameters(), "additionalProperties": False},
            # An agent of the Agents SDK says that its schema is one that the model can be held to.
            "strict": (function.additional_properties or {}).get("strict") is True,
        }
        for function in functions
    ]
    return own + hosted


def _sources(tools: Iterable[Any]) -> Iterator[str]:
    """Return what has to be asked for so that searches say what they have found."""
    kinds = [str(tool.get("type")) for tool in tools if isinstance(tool, Mapping)]
    # The preview of the search in the web, which came before, knows no sources.
    if any(kind.startswith("web_search") and "preview" not in kind for kind in kinds):
        yield "web_search_call.action.sources"
    if "file_search" in kinds:
        yield "file_search_call.results"


def _tool_choice(choice: Any, names: ToolNames) -> Any:
    mode, required, allowed = read_tool_choice(choice)
    if mode == "required" and required is not None:
        return {"type": "function", "name": names.offered(required)}
    if mode in ("auto", "required") and allowed is not None:
        tools = [{"type": "function", "name": names.offered(name)} for name in allowed]
        return {"type": "allowed_tools", "mode": mode, "tools": tools}
    return mode


def _text_options(options: Mapping[str, Any]) -> dict[str, Any]:
    text = dict(options.get("text") or {})
    if (response_format := read_response_format(options.get("response_format"))) is not None:
        if text.get("format", response_format) != response_format:
            raise ValueError("response_format: text.format says something else")
        text["format"] = response_format
    if (verbosity := options.get("verbosity")) is not None:
        text["verbosity"] = verbosity
    return text


def build_input(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the items of a conversation, in their order.

    What belongs to a message stands in it; calls, results and thoughts are items of their own. What the API has no
    item for is left out.
    """
    items: list[dict[str, Any]] = []
    by_id: dict[str, dict[str, Any]] = {}
    for message in messages:
        if message.role != "assistant":
            by_id.clear()  # some servers count anew in each response
        parts: list[dict[str, Any]] = []
        for content in message.contents:
            if part := _part(message.role, content):
                if not parts:
                    items.append({"type": "message", "role": message.role, "content": parts})
                parts.append(part)
            elif item := _item(content, by_id):
                items.append(item)
                parts = []
    sent = [item for item in items if item.get("type") != "reasoning" or item["encrypted_content"]]
    return list(_with_own_ids(sent))


def _with_own_ids(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return items of which no two have the same id, which would be refused; the first keeps its own."""
    taken: set[Any] = set()
    for item in items:
        item_id, is_approval = item.get("id"), str(item.get("type")).startswith("mcp_approval")
        if item_id is None or is_approval or item_id not in taken:
            taken.add(item_id)
            yield item
        elif item.get("type") == "function_call":
            yield {name: value for name, value in item.items() if name != "id"}
        else:
            # Of these the id is no wish; its beginning tells the kind.
            kind, number = str(item_id).partition("_")[0], 2
            while f"{kind}_{make_call_id(f'{item_id} {number}')}" in taken:
                number += 1
            fresh_id = f"{kind}_{make_call_id(f'{item_id} {number}')}"
            taken.add(fresh_id)
            yield {**item, "id": fresh_id}


def _part(role: str, content: Content) -> dict[str, Any] | None:
    """Return what `content` is within a message, or None when it is no part of one."""
    match content.type:
        case "text" if role != "assistant":
            return {"type": "input_text", "text": content.text}
        case "text" if is_refusal(content):
            return {"type": "refusal", "refusal": content.text}
        case "text" if content.text:
            # Some servers insist on annotations; their content would only repeat what the text says.
            return {"type": "output_text", "text": content.text, "annotations": []}
        case "data" | "uri" | "hosted_file" if role != "assistant":
            return _media_part(content)
        case _:
            return None


def _media_part(content: Content) -> dict[str, Any] | None:
    is_image = bool(content.media_type) and content.has_top_level_media_type("image")
    if content.type == "hosted_file":
        if is_image:
            return {"type": "input_image", "file_id": content.file_id, "detail": "auto"}
        return {"type": "input_file", "file_id": content.file_id}
    if is_image:
        return {"type": "input_image", "image_url": content.uri, "detail": _detail(content)}
    uri = content.uri or ""
    if (sound := audio_format(content)) is not None:
        return {"type": "input_audio", "input_audio": {"data": uri.partition(",")[2] or uri, "format": sound}}
    if content.media_type and content.has_top_level_media_type("application"):
        part = {"type": "input_file", "file_data" if uri.startswith("data:") else "file_url": uri}
        if name := content.name or content.additional_properties.get("filename"):
            part["filename"] = name
        return part
    return None


def _detail(content: Content) -> str:
    return provider_note(content, "image_detail") or content.additional_properties.get("detail") or "auto"


def _item(content: Content, by_id: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the new item that `content` is, or None when it adds to an earlier one or has none."""
    match content.type:
        case "text_reasoning":
            return _reasoning(content, by_id)
        case "function_call" if content.call_id and not content.informational_only:
            call = {
                **((replay_of(content) or {}).get("call") or {}),
                "type": "function_call",
                "call_id": content.call_id,
                "name": content.name,
                "arguments": build_call_arguments(content),
            }
            item_id = provider_note(content, "item_id")
            # Ids that come from elsewhere, such as our memory of earlier turns, would be refused.
            return {**call, "id": item_id} if str(item_id or "").startswith("fc_") else call
        case "function_result":
            return {"type": "function_call_output", "call_id": content.call_id, "output": _output(content)}
        case "function_approval_request" if content.function_call and content.function_call.hosted:
            asked = content.function_call
            return {
                "type": "mcp_approval_request",
                "id": content.id,
                "arguments": to_json_text(asked.arguments),
                "name": asked.name,
                "server_label": asked.server_name,
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
            # A thought is only accepted together with what it led to.
            given = provider_note(content, "item")
            return dict(given) if isinstance(given, Mapping) else None
        case _:
            return None


def _reasoning(content: Content, by_id: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the reasoning item that `content` begins, or None when it adds to one."""
    if not content.id:
        return None
    item = by_id.get(content.id)
    is_new = item is None
    if item is None:
        item = {"type": "reasoning", "id": content.id, "summary": [], "encrypted_content": None}
        by_id[content.id] = item
    item["encrypted_content"] = content.protected_data or item["encrypted_content"]
    if content.text:
        if provider_note(content, "reasoning_text"):
            item.setdefault("content", []).append({"type": "reasoning_text", "text": content.text})
        else:
            item["summary"].append({"type": "summary_text", "text": content.text})
    return item if is_new else None


def _output(content: Content) -> str | list[dict[str, Any]]:
    """Return a function's result: parts when it holds more than text."""
    items = content.items or ()
    if any(item.type in ("data", "uri", "hosted_file") for item in items):
        return [_output_part(item) for item in items if item.type != "text" or item.text]
    return to_json_text(content.result)


def _output_part(item: Content) -> dict[str, Any]:
    part = _part("user", item)
    if part is None or part["type"] == "input_audio":  # which results may not hold
        return {"type": "input_text", "text": mention_returned(item)}
    return part
