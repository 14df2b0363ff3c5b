"""Input items of the SDK, which are those of the Responses API, and messages of Agent Framework, which we have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from agent_framework import Content, Message

from chat_clients.protocols.response_items import build_item_contents
from chat_clients.protocols.responses_request import build_input


class KnownContents:
    """Calls and thoughts as our clients gave them: the SDK's items have no place for all that goes back with them."""

    def __init__(self) -> None:
        self._calls: dict[str, Content] = {}
        self._thoughts: dict[str, Content] = {}

    def note(self, messages: Iterable[Message]) -> None:
        """Remember the calls and thoughts among messages."""
        for message in messages:
            for content in message.contents:
                if content.type == "function_call" and content.call_id:
                    self._calls[content.call_id] = content
                elif content.type == "text_reasoning" and content.id and content.protected_data:
                    self._thoughts[content.id] = content

    def call(self, item: Mapping[str, Any]) -> Content:
        """Return the call that an item stands for."""
        call_id, name, arguments = item["call_id"], item["name"], item.get("arguments") or "{}"
        known = self._calls.get(call_id)
        if known is not None and known.name == name:
            return known
        return Content.from_function_call(call_id, name, arguments=arguments)

    def signed_calls(self, call_ids: Collection[str]) -> list[Content]:
        """Return the calls among `call_ids` that carry properties which the provider needs back."""
        return [call for call_id, call in self._calls.items() if call_id in call_ids and call.additional_properties]

    def thought(self, item: Mapping[str, Any]) -> Content | None:
        """Return the thought that an item stands for; None when it cannot go back."""
        known = self._thoughts.get(item.get("id") or "")
        if known is not None:
            return known
        sealed = item.get("encrypted_content")
        summary = "".join(part.get("text") or "" for part in item.get("summary") or ())
        return Content.from_text_reasoning(id=item.get("id"), text=summary, protected_data=sealed) if sealed else None


def write_input(messages: Iterable[Message]) -> list[Any]:
    """Return messages as the SDK's input, in the form in which it keeps them itself.

    What an assistant has said has an id there: without one the SDK takes it for the author's own shorthand, and its
    models of Chat Completions refuse it.
    """
    return [
        {"id": f"msg_{uuid4().hex}", "status": "completed", **item} if item.get("role") == "assistant" else item
        for item in build_input(messages)
    ]


def read_input(items: str | Iterable[Any], known: KnownContents | None = None) -> list[Message]:
    """Return the messages that an SDK's input stands for; what has no counterpart is left out.

    Args:
        items: The input.
        known: The contents that our clients returned earlier.
    """
    if isinstance(items, str):
        return [Message("user", [Content.from_text(items)])]
    known = known or KnownContents()
    messages: list[Message] = []
    was_said = True
    each: Any
    for each in items:
        item: Mapping[str, Any] = each if isinstance(each, Mapping) else each.model_dump(exclude_none=True)
        message = _message(item, known)
        if message is None:
            continue
        is_said = item.get("type", "message") == "message"
        if messages and message.role == messages[-1].role == "assistant" and not (is_said and was_said):
            # A thought and what it led to are of one answer; alone it would not be sent.
            messages[-1].contents.extend(message.contents)
        else:
            messages.append(message)
        was_said = is_said
    return messages


def _message(item: Mapping[str, Any], known: KnownContents) -> Message | None:
    match item.get("type", "message"):
        case "message":
            contents = list(read_parts(item.get("content") or ""))
            return Message(str(item["role"]), contents) if contents else None
        case "input_text" | "input_image" | "input_file" | "input_audio":
            # A part without its message, as ChatKit's documentation puts what a page shows before the messages.
            return Message("user", contents) if (contents := list(read_parts([item]))) else None
        case "function_call":
            return Message("assistant", [known.call(item)])
        case "function_call_output":
            return Message("tool", [read_result(item)])
        case "reasoning":
            thought = known.thought(item)
            return Message("assistant", [thought]) if thought is not None else None
        case "mcp_approval_request":
            return Message("assistant", [Content.from_function_approval_request(item["id"], _hosted_call(item))])
        case "mcp_approval_response":
            asked = item["approval_request_id"]
            call = _hosted_call({"id": asked, **item})
            return Message(
                "user", [Content.from_function_approval_response(item["approve"], asked, function_call=call)]
            )
        case _:
            # A thought is only taken back together with the search that it led to.
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
    """Return the result of a call, with its pictures and files."""
    output = item.get("output")
    call_id = str(item.get("call_id") or item.get("id"))
    if isinstance(output, list):
        return Content.from_function_result(call_id, result=list(read_parts(output)))
    return Content.from_function_result(call_id, result="" if output is None else str(output))


def read_parts(content: str | Iterable[Mapping[str, Any]]) -> Iterator[Content]:
    """Return the parts of a message or of a result; those of an unknown kind are left out."""
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
    """Return an address; the SDK's tools may give the bare bytes of a file in base64."""
    return uri if ":" in uri[:10] else f"data:application/octet-stream;base64,{uri}"


def _media_type(uri: str, default: str) -> str:
    return uri[5:].partition(";")[0].partition(",")[0] or default if uri.startswith("data:") else default
