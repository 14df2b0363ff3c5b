"""Items of the Responses API, and what they cite, as the framework's contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import Annotation, Content, TextSpanRegion, detect_media_type_from_base64

from chat_clients.protocols.loose_json import read_list, read_object, read_objects, read_word
from framework.message_marks import PROVIDER_PROPERTY


def build_annotation(raw: Any) -> Annotation | None:
    """Return what a text cites and where, or None for what is no citation."""
    if not isinstance(raw, Mapping):
        return None
    start = raw.get("start_index")
    end = raw.get("end_index")
    if not isinstance(start, int) or not isinstance(end, int):
        # Files are cited at a place, not over a span.
        start = end = raw.get("index") if isinstance(raw.get("index"), int) else None
    annotation = Annotation(type="citation")
    properties: dict[str, Any] = {"kind": raw.get("type")}
    match raw.get("type"):
        case "url_citation" if raw.get("url"):
            annotation["url"] = str(raw["url"])
            annotation["title"] = str(raw.get("title") or "")
        case "file_citation" | "file_path" | "container_file_citation" if raw.get("file_id"):
            annotation["file_id"] = str(raw["file_id"])
            # A file's name is no address: as `url` it would become a link to nowhere.
            if raw.get("filename"):
                annotation["title"] = str(raw["filename"])
            if raw.get("container_id"):
                properties["container_id"] = raw["container_id"]
        case _:
            return None
    annotation["additional_properties"] = properties
    if start is not None and end is not None:
        annotation["annotated_regions"] = [TextSpanRegion(type="text_span", start_index=start, end_index=end)]
    return annotation


def shift_regions(annotation: Annotation, by: int) -> None:
    """Move the places that a citation stands for, by so many characters; never before the beginning."""
    for region in annotation.get("annotated_regions") or ():
        region["start_index"] = max(0, (region.get("start_index") or 0) + by)
        region["end_index"] = max(0, (region.get("end_index") or 0) + by)


def search_call(item: Mapping[str, Any], item_id: str) -> Content:
    """Return the beginning of a search in the web or in files."""
    is_web = item.get("type") == "web_search_call"
    return Content.from_search_tool_call(
        item_id,
        tool_name="web_search" if is_web else "file_search",
        arguments=item.get("action") if is_web else {"queries": read_list(item.get("queries"))},
        status=item.get("status"),
    )


def item_contents(item: Mapping[str, Any], item_id: str, *, is_begun: bool) -> list[Content]:
    """Return what a finished item of a provider's own tools says; nothing for kinds that we do not know.

    Args:
        item: The item.
        item_id: The id of the item, or one that stands for it.
        is_begun: Whether the call was said when it began.
    """
    match item.get("type"):
        case "web_search_call" | "file_search_call":
            # Only now it is known what was looked for, and so the result holds that too.
            is_web = item["type"] == "web_search_call"
            result = Content.from_search_tool_result(
                item_id,
                tool_name="web_search" if is_web else "file_search",
                result={"action": item.get("action")} if is_web else {"results": item.get("results")},
                status=item.get("status"),
                additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
            )
            return [result] if is_begun else [search_call(item, item_id), result]
        case "code_interpreter_call":
            return [
                Content.from_code_interpreter_tool_result(
                    call_id=item_id,
                    outputs=[_code_output(output) for output in read_objects(item.get("outputs"))],
                    status=item.get("status"),
                    additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
                )
            ]
        case "shell_call":
            action = read_object(item.get("action"))
            return [
                Content.from_shell_tool_call(
                    call_id=read_word(item.get("call_id")) or item_id,
                    commands=[str(command) for command in read_list(action.get("commands"))],
                    timeout_ms=action.get("timeout_ms"),
                    max_output_length=action.get("max_output_length"),
                    status=item.get("status"),
                    additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
                )
            ]
        case "shell_call_output":
            return [
                Content.from_shell_tool_result(
                    call_id=read_word(item.get("call_id")) or item_id,
                    outputs=[_command_output(output) for output in read_objects(item.get("output"))],
                    max_output_length=item.get("max_output_length"),
                    additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
                )
            ]
        case "image_generation_call":
            image = build_image(item.get("result"))
            call = [] if is_begun else [Content.from_image_generation_tool_call(image_id=item_id)]
            return [*call, Content.from_image_generation_tool_result(image_id=item_id, outputs=image)]
        case "mcp_call":
            result = _mcp_result(item, item_id)
            return [result] if is_begun else [mcp_call(item, item_id, item.get("arguments")), result]
        case "mcp_approval_request":
            label = item.get("server_label")
            call_content = Content.from_function_call(
                item_id,
                read_word(item.get("name")),
                arguments=item.get("arguments"),
                hosted=True,
                server_name=label,
            )
            return [Content.from_function_approval_request(item_id, call_content)]
        case "custom_tool_call":
            return [_told_call(item, item_id, read_word(item.get("name")), item.get("input"))]
        case "tool_search_call":
            return [_told_call(item, item_id, "tool_search", item.get("arguments"))]
        case _:
            return []


def build_image(data: Any, **properties: Any) -> Content | None:
    """Return a picture that arrives in base64; None for what is none."""
    if not isinstance(data, str) or not data:
        return None
    try:
        media_type = detect_media_type_from_base64(data_str=data)
    except ValueError:
        return None
    uri = f"data:{media_type or 'image/png'};base64,{data}"
    return Content.from_uri(uri, additional_properties=properties or None)


def _code_output(output: Mapping[str, Any]) -> Content:
    if output.get("type") == "image":
        return Content.from_uri(read_word(output.get("url")), media_type="image")
    return Content.from_text(read_word(output.get("logs")))


def _command_output(output: Mapping[str, Any]) -> Content:
    outcome = read_object(output.get("outcome"))
    return Content.from_shell_command_output(
        stdout=read_word(output.get("stdout")),
        stderr=read_word(output.get("stderr")),
        exit_code=outcome.get("exit_code"),
        timed_out=outcome.get("type") == "timeout",
    )


def mcp_call(item: Mapping[str, Any], item_id: str, arguments: Any) -> Content:
    """Return a call of a tool on a server that the provider has asked itself."""
    return Content.from_mcp_server_tool_call(
        item_id, read_word(item.get("name")), server_name=item.get("server_label"), arguments=arguments
    )


def _mcp_result(item: Mapping[str, Any], item_id: str) -> Content:
    output, error = item.get("output"), item.get("error")
    if not isinstance(output, str) and error:
        output = "The call failed."
    texts = [Content.from_text(output)] if isinstance(output, str) else None
    properties = {"is_error": True} if error else None
    return Content.from_mcp_server_tool_result(item_id, output=texts, additional_properties=properties)


def _told_call(item: Mapping[str, Any], item_id: str, name: str, arguments: Any) -> Content:
    """Return a call that the provider has made itself, for the record."""
    return Content.from_function_call(
        read_word(item.get("call_id")) or item_id,
        name,
        arguments=arguments,
        informational_only=True,
        hosted=True,
        status=item.get("status"),
        additional_properties={PROVIDER_PROPERTY: {"item_id": item_id}},
    )
