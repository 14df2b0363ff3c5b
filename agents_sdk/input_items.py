"""Input items of the Responses API -> messages of Agent Framework, which is what our chat clients take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent_framework import Content, Message


def read_input(items: str | Iterable[Any]) -> list[Message]:
    """Return the messages that an SDK's input stands for; what has no counterpart is left out."""
    if isinstance(items, str):
        return [Message("user", [Content.from_text(items)])]
    return [message for item in items if (message := _message(item)) is not None]


def _message(item: Any) -> Message | None:
    if not isinstance(item, Mapping):
        item = item.model_dump(exclude_none=True)
    match item.get("type", "message"):
        case "message":
            contents = list(_parts(item.get("content") or ""))
            return Message(str(item["role"]), contents) if contents else None
        case "function_call":
            call = Content.from_function_call(item["call_id"], item["name"], arguments=item.get("arguments") or "{}")
            return Message("assistant", [call])
        case "function_call_output":
            return Message("tool", [Content.from_function_result(item["call_id"], result=_output(item.get("output")))])
        case "reasoning":
            summary = "".join(part.get("text") or "" for part in item.get("summary") or ())
            sealed = item.get("encrypted_content")
            thought = Content.from_text_reasoning(id=item.get("id"), text=summary, protected_data=sealed)
            return Message("assistant", [thought]) if sealed else None
        case _:
            return None


def _parts(content: str | Iterable[Mapping[str, Any]]) -> Iterator[Content]:
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
                yield Content.from_uri(part["image_url"], media_type=_media_type(part["image_url"], "image/*"))
            case "input_file" if uri := part.get("file_data") or part.get("file_url"):
                named = {"filename": part["filename"]} if part.get("filename") else {}
                kind = _media_type(uri, "application/octet-stream")
                yield Content.from_uri(uri, media_type=kind, additional_properties=named)
            case _:
                pass


def _media_type(uri: str, default: str) -> str:
    return uri[5:].partition(";")[0].partition(",")[0] or default if uri.startswith("data:") else default


def _output(output: Any) -> str:
    if isinstance(output, list):
        return "\n".join(part.text or "" for part in _parts(output) if part.type == "text")
    return "" if output is None else str(output)
