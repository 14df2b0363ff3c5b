"""Converts an agent's options to the parts of a request that both protocols of OpenAI share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Content, FunctionTool, normalize_tools, validate_tool_mode
from pydantic import BaseModel

from chat_clients.protocols.call_arguments import read_arguments
from chat_clients.protocols.tool_names import ToolNames
from framework.returned_parts import mention_all_returned

_SCHEMA_KEYS = frozenset({"properties", "anyOf", "oneOf", "allOf", "$ref", "$defs"})
_SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})

REFUSAL = {"core": {"model_output_kind": "refusal"}}
"""Properties that mark a text as the model's refusal for the framework."""


def begin_body(model: str, options: Mapping[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    """Return a request with the model and the options that are passed on unchanged.

    Args:
        model: The model, unless `options` name another.
        options: Options of the run, under the framework's names.
        left_out: The options that the protocol has in another form, or not at all.
    """
    passed_on = {key: value for key, value in options.items() if key not in left_out and value is not None}
    return {"model": passed_on.pop("model", None) or model, **passed_on}


def add_tools(body: dict[str, Any], tools: Sequence[Any], choice: Any, options: Mapping[str, Any]) -> None:
    """Add tools and the options for their use to a request; without tools neither, which servers would refuse.

    Args:
        body: The request.
        tools: The tools in the protocol's form.
        choice: The tool choice in the protocol's form; None to leave it to the model.
        options: Options of the run.
    """
    if not tools:
        return
    body["tools"] = list(tools)
    if choice is not None:
        body["tool_choice"] = choice
    if (parallel := options.get("allow_multiple_tool_calls")) is not None:
        body["parallel_tool_calls"] = parallel


def split_tools(tools: Any) -> tuple[list[FunctionTool], list[Any]]:
    """Return an agent's own functions, and the provider's tools, which are passed on unchanged."""
    functions: list[FunctionTool] = []
    hosted: list[Any] = []
    for tool in normalize_tools(tools):
        if isinstance(tool, FunctionTool):
            functions.append(tool)
        else:
            hosted.append(tool)
    return functions, hosted


def read_names(tools: Any) -> ToolNames:
    """Return the names under which an agent's own functions are offered to the model."""
    return ToolNames(function.name for function in split_tools(tools)[0]) if tools else ToolNames()


def read_tool_choice(choice: Any) -> tuple[str | None, str | None, list[str] | None]:
    """Return the mode, the required function, and the allowed functions, each None if it is not given."""
    mode = validate_tool_mode(choice)
    if mode is None:
        return None, None, None
    allowed = mode.get("allowed_tools")
    return mode.get("mode"), mode.get("required_function_name"), None if allowed is None else list(allowed)


def read_response_format(response_format: Any) -> dict[str, Any] | None:
    """Return ``{"type": "json_schema", "name", "schema", …}`` or another plain format; None for free text.

    Args:
        response_format: A Pydantic model, a JSON schema, or a format of either protocol.

    Raises:
        ValueError: When it is none of these.
    """
    if response_format is None:
        return None
    if isinstance(response_format, type) and issubclass(response_format, BaseModel):
        schema = _make_strict(response_format.model_json_schema())
        return {"type": "json_schema", "name": response_format.__name__, "schema": schema, "strict": True}
    if not isinstance(response_format, Mapping):
        raise ValueError("response_format: expected a Pydantic model, a JSON schema or a format of the provider")
    nested = response_format.get("format")
    if isinstance(nested, Mapping):
        return dict(nested)
    kind = response_format.get("type")
    if kind == "json_schema":
        inner = response_format.get("json_schema", response_format)
        named = {key: inner[key] for key in ("strict", "description") if inner.get(key) is not None}
        schema = inner.get("schema")
        if not isinstance(schema, Mapping):
            raise ValueError("response_format: a json_schema needs its schema")
        name = inner.get("name") or inner.get("title") or schema.get("title") or "response"
        return {"type": "json_schema", "name": str(name), "schema": schema, **named}
    if kind in _SCHEMA_TYPES or (kind is None and _SCHEMA_KEYS & response_format.keys()):
        schema = dict(response_format)
        name = schema.pop("title", None) or "response"
        if kind == "object":
            schema.setdefault("additionalProperties", False)
        return {"type": "json_schema", "name": str(name), "schema": schema, "strict": True}
    return dict(response_format)


def _make_strict(schema: Any) -> Any:
    """Return a Pydantic schema for strict mode: objects with no further properties, all of which are required."""
    if isinstance(schema, list):
        return [_make_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {
        key: {name: _make_strict(part) for name, part in value.items()}
        if key in ("properties", "$defs") and isinstance(value, dict)
        else _make_strict(value)
        for key, value in schema.items()
        # Strict mode has no defaults: the model gives every value.
        if key != "default"
    }
    if strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
        strict["required"] = list(strict.get("properties", {}))
    # A reference must have no other keys; its description is usually in the definition, too.
    return {"$ref": strict["$ref"]} if "$ref" in strict else strict


def to_json_text(value: Any) -> str:
    """Return a string unchanged, any other value as JSON, and "" for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def build_call_arguments(content: Content) -> str:
    """Return the arguments of a call as the text of a JSON object, which is empty if they are not an object.

    Servers parse the arguments in a conversation, and refuse all of it if the model once wrote invalid ones.
    """
    return read_arguments(to_json_text(content.arguments)) or "{}"


def build_result_text(content: Content) -> str:
    """Return the result of a call as text, with a mention of each part that is not text."""
    return "\n".join(part for part in (to_json_text(content.result), *mention_all_returned(content)) if part)


def join_text(values: Any) -> str:
    """Return the output of an MCP server as one text."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return to_json_text(values)
    return "".join(value.text or "" if isinstance(value, Content) else to_json_text(value) for value in values)


def is_refusal(content: Content) -> bool:
    """Return whether a text content is the model's refusal."""
    core = content.additional_properties.get("core")
    return isinstance(core, Mapping) and core.get("model_output_kind") == "refusal"


def audio_format(content: Content) -> str | None:
    """Return ``"wav"`` or ``"mp3"``, the formats that models accept; None for other contents."""
    media_type = (content.media_type or "").partition(";")[0].strip().lower()
    if media_type in ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"):
        return "wav"
    return "mp3" if media_type in ("audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/x-mpeg") else None
