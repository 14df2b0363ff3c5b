"""Converts items and citations of the Responses API to the framework's contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import Annotation, Content, TextSpanRegion, detect_media_type_from_base64

from chat_clients.protocols.loose_json import read_list, read_object, read_objects, read_string
from framework.message_marks import PROVIDER_PROPERTY


def build_annotation(raw: Any) -> Annotation | None:
    """Return a citation with its place in the text; None for any other value."""
    if not isinstance(raw, Mapping):
        return None
    start = raw.get("start_index")
    end = raw.get("end_index")
    if not isinstance(start, int) or not isinstance(end, int):
        # A file is cited at a position, not over a span.
        start = end = raw.get("index") if isinstance(raw.get("index"), int) else None
    annotation = Annotation(type="citation")
    properties: dict[str, Any] = {"kind": raw.get("type")}
    match raw.get("type"):
        case "url_citation" if raw.get("url"):
            annotation["url"] = str(raw["url"])
            annotation["title"] = str(raw.get("title") or "")
        case "file_citation" | "file_path" | "container_file_citation" if raw.get("file_id"):
            annotation["file_id"] = str(raw["file_id"])
            # Not as `url`, which would make the file's name a broken link.
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
    """Move the regions of a citation by a number of characters, not before the beginning of the text."""
    for region in annotation.get("annotated_regions") or ():
        region["start_index"] = max(0, (region.get("start_index") or 0) + by)
        region["end_index"] = max(0, (region.get("end_index") or 0) + by)


def build_search_call(item: Mapping[str, Any], item_id: str) -> Content:
    """Return the call of a search in the web or in files."""
    is_web = item.get("type") == "web_search_call"
    return Content.from_search_tool_call(
        item_id,
        tool_name="web_search" if is_web else "file_search",
        arguments=item.get("action") if is_web else {"queries": read_list(item.get("queries"))},
        status=item.get("status"),
    )


def build_item_contents(item: Mapping[str, Any], item_id: str, *, has_begun: bool) -> list[Content]:
    """Return the contents of a finished item of a provider's own tools; an empty list for unknown types.

    Args:
        item: The item.
        item_id: The id of the item, or the name that replaces it.
        has_begun: Whether the call was already reported when it began.
    """
    match item.get("type"):
        case "web_search_call" | "file_search_call":
            result = _build_search_result(item, item_id)
            return [result] if has_begun else [build_search_call(item, item_id), result]
        case "code_interpreter_call":
            return [_build_code_result(item, item_id)]
        case "shell_call":
            return [_build_shell_call(item, item_id)]
        case "shell_call_output":
            return [_build_shell_result(item, item_id)]
        case "image_generation_call":
            image = build_image(item.get("result"))
            call = [] if has_begun else [Content.from_image_generation_tool_call(image_id=item_id)]
            return [*call, Content.from_image_generation_tool_result(image_id=item_id, outputs=image)]
        case "mcp_call":
            result = _build_mcp_result(item, item_id)
            return [result] if has_begun else [build_mcp_call(item, item_id, item.get("arguments")), result]
        case "mcp_approval_request":
            return [_build_approval_request(item, item_id)]
        case "custom_tool_call":
            return [_build_reported_call(item, item_id, read_string(item.get("name")), item.get("input"))]
        case "tool_search_call":
            return [_build_reported_call(item, item_id, "tool_search", item.get("arguments"))]
        case _:
            return []


def _build_search_result(item: Mapping[str, Any], item_id: str) -> Content:
    is_web = item["type"] == "web_search_call"
    return Content.from_search_tool_result(
        item_id,
        tool_name="web_search" if is_web else "file_search",
        # With the query, which is known only now.
        result={"action": item.get("action")} if is_web else {"results": item.get("results")},
        status=item.get("status"),
        additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
    )


def _build_code_result(item: Mapping[str, Any], item_id: str) -> Content:
    return Content.from_code_interpreter_tool_result(
        call_id=item_id,
        outputs=[_build_code_output(output) for output in read_objects(item.get("outputs"))],
        status=item.get("status"),
        additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
    )


def _build_shell_call(item: Mapping[str, Any], item_id: str) -> Content:
    action = read_object(item.get("action"))
    return Content.from_shell_tool_call(
        call_id=read_string(item.get("call_id")) or item_id,
        commands=[str(command) for command in read_list(action.get("commands"))],
        timeout_ms=action.get("timeout_ms"),
        max_output_length=action.get("max_output_length"),
        status=item.get("status"),
        additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
    )


def _build_shell_result(item: Mapping[str, Any], item_id: str) -> Content:
    return Content.from_shell_tool_result(
        call_id=read_string(item.get("call_id")) or item_id,
        outputs=[_build_command_output(output) for output in read_objects(item.get("output"))],
        max_output_length=item.get("max_output_length"),
        additional_properties={PROVIDER_PROPERTY: {"item": dict(item)}},
    )


def _build_approval_request(item: Mapping[str, Any], item_id: str) -> Content:
    call = Content.from_function_call(
        item_id,
        read_string(item.get("name")),
        arguments=item.get("arguments"),
        hosted=True,
        server_name=item.get("server_label"),
    )
    return Content.from_function_approval_request(item_id, call)


def build_image(data: Any, **properties: Any) -> Content | None:
    """Return a picture from Base64 data; None for any other value."""
    if not isinstance(data, str) or not data:
        return None
    try:
        media_type = detect_media_type_from_base64(data_str=data)
    except ValueError:
        return None
    uri = f"data:{media_type or 'image/png'};base64,{data}"
    return Content.from_uri(uri, additional_properties=properties or None)


def _build_code_output(output: Mapping[str, Any]) -> Content:
    if output.get("type") == "image":
        return Content.from_uri(read_string(output.get("url")), media_type="image")
    return Content.from_text(read_string(output.get("logs")))


def _build_command_output(output: Mapping[str, Any]) -> Content:
    outcome = read_object(output.get("outcome"))
    return Content.from_shell_command_output(
        stdout=read_string(output.get("stdout")),
        stderr=read_string(output.get("stderr")),
        exit_code=outcome.get("exit_code"),
        timed_out=outcome.get("type") == "timeout",
    )


def build_mcp_call(item: Mapping[str, Any], item_id: str, arguments: Any) -> Content:
    """Return the call of a tool on an MCP server, which the provider itself has called."""
    return Content.from_mcp_server_tool_call(
        item_id, read_string(item.get("name")), server_name=item.get("server_label"), arguments=arguments
    )


def _build_mcp_result(item: Mapping[str, Any], item_id: str) -> Content:
    output, error = item.get("output"), item.get("error")
    if not isinstance(output, str) and error:
        output = "The call failed."
    texts = [Content.from_text(output)] if isinstance(output, str) else None
    properties = {"is_error": True} if error else None
    return Content.from_mcp_server_tool_result(item_id, output=texts, additional_properties=properties)


def _build_reported_call(item: Mapping[str, Any], item_id: str, name: str, arguments: Any) -> Content:
    """Return a call that the provider has made itself, which is not to be run."""
    return Content.from_function_call(
        read_string(item.get("call_id")) or item_id,
        name,
        arguments=arguments,
        informational_only=True,
        hosted=True,
        status=item.get("status"),
        additional_properties={PROVIDER_PROPERTY: {"item_id": item_id}},
    )
