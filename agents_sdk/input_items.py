"""Converts between messages of Agent Framework and input items of the SDK, which are those of the Responses API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from agent_framework import Content, Message

from chat_clients.protocols.response_items import build_item_contents
from chat_clients.protocols.responses_request import build_input


class KnownContents:
    """Keeps calls and thoughts as our clients have returned them, as the SDK's items lack some of their properties."""

    def __init__(self) -> None:
        self._calls: dict[str, Content] = {}
        self._thoughts: dict[str, Content] = {}

    def note(self, messages: Iterable[Message]) -> None:
        """Keep the calls and thoughts in messages."""
        for message in messages:
            for content in message.contents:
                if content.type == "function_call" and content.call_id:
                    self._calls[content.call_id] = content
                elif content.type == "text_reasoning" and content.id and content.protected_data:
                    self._thoughts[content.id] = content

    def find_call(self, item: Mapping[str, Any]) -> Content:
        """Return the call of an item, with its original properties if they are known."""
        call_id, name, arguments = item["call_id"], item["name"], item.get("arguments") or "{}"
        known = self._calls.get(call_id)
        if known is not None and known.name == name:
            return known
        return Content.from_function_call(call_id, name, arguments=arguments)

    def calls_with_properties(self, call_ids: Collection[str]) -> list[Content]:
        """Return the calls among `call_ids` that have properties which the provider needs back."""
        return [call for call_id, call in self._calls.items() if call_id in call_ids and call.additional_properties]

    def find_thought(self, item: Mapping[str, Any]) -> Content | None:
        """Return the thought of an item; None if it cannot be sent back."""
        known = self._thoughts.get(item.get("id") or "")
        if known is not None:
            return known
        encrypted = item.get("encrypted_content")
        summary = "".join(part.get("text") or "" for part in item.get("summary") or ())
        return (
            Content.from_text_reasoning(id=item.get("id"), text=summary, protected_data=encrypted)
            if encrypted
            else None
        )


def write_input(messages: Iterable[Message]) -> list[Any]:
    """Return messages as input items, in the form in which the SDK itself keeps them.

    Messages of the assistant get an id: without one the SDK takes them for the author's own shorthand, and its models
    of Chat Completions refuse them.
    """
    return [
        {"id": f"msg_{uuid4().hex}", "status": "completed", **item} if item.get("role") == "assistant" else item
        for item in build_input(messages)
    ]


def read_input(items: str | Iterable[Any], known: KnownContents | None = None) -> list[Message]:
    """Return the messages of an input of the SDK; items without a counterpart are left out.

    Args:
        items: The input.
        known: The contents that our clients have returned earlier.
    """
    if isinstance(items, str):
        return [Message("user", [Content.from_text(items)])]
    known = known or KnownContents()
    messages: list[Message] = []
    was_message = True
    each: Any
    for each in items:
        item: Mapping[str, Any] = each if isinstance(each, Mapping) else each.model_dump(exclude_none=True)
        message = _read_item(item, known)
        if message is None:
            continue
        is_message = item.get("type", "message") == "message"
        if messages and message.role == messages[-1].role == "assistant" and not (is_message and was_message):
            # A thought and the item after it belong to one answer; alone the thought would not be sent.
            messages[-1].contents.extend(message.contents)
        else:
            messages.append(message)
        was_message = is_message
    return messages


def _read_item(item: Mapping[str, Any], known: KnownContents) -> Message | None:
    match item.get("type", "message"):
        case "message":
            contents = list(read_parts(item.get("content") or ""))
            return Message(str(item["role"]), contents) if contents else None
        case "input_text" | "input_image" | "input_file" | "input_audio":
            # A part without a message, in which ChatKit's documentation puts the content of the page.
            return Message("user", contents) if (contents := list(read_parts([item]))) else None
        case "function_call":
            return Message("assistant", [known.find_call(item)])
        case "function_call_output":
            return Message("tool", [read_result(item)])
        case "reasoning":
            thought = known.find_thought(item)
            return Message("assistant", [thought]) if thought is not None else None
        case "mcp_approval_request":
            return Message("assistant", [Content.from_function_approval_request(item["id"], _hosted_call(item))])
        case "mcp_approval_response":
            request_id = item["approval_request_id"]
            call = _hosted_call({"id": request_id, **item})
            return Message(
                "user", [Content.from_function_approval_response(item["approve"], request_id, function_call=call)]
            )
        case _:
            # A thought is only accepted together with the search that it led to.
            contents = build_item_contents(item, str(item.get("id") or ""), has_begun=True)
            return Message("assistant", contents) if contents else None


def _hosted_call(item: Mapping[str, Any]) -> Content:
    return Content.from_function_call(
        item["id"],
        item.get("name") or "",
        arguments=item.get("arguments"),
        hosted=True,
        server_name=item.get("server_label"),
    )


def read_result(item: Mapping[str, Any]) -> Content:
    """Return the result of a call, including pictures and files."""
    output = item.get("output")
    call_id = str(item.get("call_id") or item.get("id"))
    if isinstance(output, list):
        return Content.from_function_result(call_id, result=list(read_parts(output)))
    return Content.from_function_result(call_id, result="" if output is None else str(output))


def read_parts(content: str | Iterable[Mapping[str, Any]]) -> Iterator[Content]:
    """Yield the parts of a message or of a result, without those of an unknown type."""
    if isinstance(content, str):
        if content:
            yield Content.from_text(content)
        return
    for part in content:
        match part.get("type"):
            case "input_text" | "output_text" | "text":
                yield Content.from_text(part.get("text") or "")
            case "refusal":
                yield Content.from_text(part.get("refusal") or "")
            case "input_image" if part.get("image_url"):
                detail = {"detail": part["detail"]} if part.get("detail") else {}
                kind = _media_type(part["image_url"], "image/*")
                yield Content.from_uri(part["image_url"], media_type=kind, additional_properties=detail)
            case "input_image" if part.get("file_id"):
                yield Content.from_hosted_file(part["file_id"], media_type="image/*")
            case "input_file" if uri := part.get("file_data") or part.get("file_url"):
                named = {"filename": part["filename"]} if part.get("filename") else {}
                kind = _media_type(uri, "application/octet-stream")
                yield Content.from_uri(_data_uri(uri), media_type=kind, additional_properties=named)
            case "input_file" if part.get("file_id"):
                yield Content.from_hosted_file(part["file_id"])
            case "input_audio" if isinstance(sound := part.get("input_audio"), Mapping):
                kind = f"audio/{sound.get('format') or 'wav'}"
                yield Content.from_uri(f"data:{kind};base64,{sound.get('data')}", media_type=kind)
            case _:
                pass


def _data_uri(uri: str) -> str:
    """Return a URI; the SDK's tools may return a file as bare Base64 data."""
    return uri if ":" in uri[:10] else f"data:application/octet-stream;base64,{uri}"


def _media_type(uri: str, default: str) -> str:
    return uri[5:].partition(";")[0].partition(",")[0] or default if uri.startswith("data:") else default
