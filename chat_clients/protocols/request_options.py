"""An agent's options as the JSON that both protocols of OpenAI share, or differ in by an envelope only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Content, FunctionTool, normalize_tools, validate_tool_mode
from pydantic import BaseModel

from chat_clients.protocols.call_arguments import read_arguments
from chat_clients.protocols.tool_names import ToolNames
from framework.returned_parts import mention_all_returned

_SCHEMA_WORDS = frozenset({"properties", "anyOf", "oneOf", "allOf", "$ref", "$defs"})
_SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})

REFUSAL = {"core": {"model_output_kind": "refusal"}}
"""Properties by which the framework knows a text as the model's refusal."""


def begin_body(model: str, options: Mapping[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    """Return the model, and the options that are passed on as they are.

    Args:
        model: Unless `options` name another.
        options: Options of the run, under the framework's names.
        left_out: The options that the protocol has in another form, or not at all.
    """
    passed_on = {key: value for key, value in options.items() if key not in left_out and value is not None}
    return {"model": passed_on.pop("model", None) or model, **passed_on}


def add_tools(body: dict[str, Any], tools: Sequence[Any], choice: Any, options: Mapping[str, Any]) -> None:
    """Put tools into a request, with what is said of their use, which servers refuse without any.

    Args:
        body: The request.
        tools: The tools, in the form of the protocol.
        choice: The tool that the model is to call, in that form; None where that is left to the model.
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
    """Return an agent's own functions, and the provider's tools, which are passed on as they are."""
    functions: list[FunctionTool] = []
    hosted: list[Any] = []
    for tool in normalize_tools(tools):
        if isinstance(tool, FunctionTool):
            functions.append(tool)
        else:
            hosted.append(tool)
    return functions, hosted


def read_names(tools: Any) -> ToolNames:
    """Return what an agent's own functions are called towards the model."""
    return ToolNames(function.name for function in split_tools(tools)[0]) if tools else ToolNames()


def read_tool_choice(choice: Any) -> tuple[str | None, str | None, list[str] | None]:
    """Return mode, the one function that is required, and the functions that are allowed; None where not said."""
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
        schema = _strict(response_format.model_json_schema())
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
    if kind in _SCHEMA_TYPES or (kind is None and _SCHEMA_WORDS & response_format.keys()):
        schema = dict(response_format)
        name = schema.pop("title", None) or "response"
        if kind == "object":
            schema.setdefault("additionalProperties", False)
        return {"type": "json_schema", "name": str(name), "schema": schema, "strict": True}
    return dict(response_format)


def _strict(schema: Any) -> Any:
    """Return a Pydantic schema with what strict mode demands: closed objects, all of whose properties are required."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {
        key: {name: _strict(part) for name, part in value.items()}
        if key in ("properties", "$defs") and isinstance(value, dict)
        else _strict(value)
        for key, value in schema.items()
        # Strict mode knows no default: the model says everything.
        if key != "default"
    }
    if strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
        strict["required"] = list(strict.get("properties", {}))
    # A reference must stand alone; its description is in the definition too, as a rule.
    return {"$ref": strict["$ref"]} if "$ref" in strict else strict


def to_json_text(value: Any) -> str:
    """Return `value` as a string: itself if it is one, else as JSON; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def build_call_arguments(content: Content) -> str:
    """Return the arguments of a call that the model has made, as JSON; none of them when they are no JSON object.

    Servers parse what comes back to them, and refuse a conversation in which the model once wrote them badly.
    """
    return read_arguments(to_json_text(content.arguments)) or "{}"


def build_result_text(content: Content) -> str:
    """Return the result of a call in words; where it is no text, that there was something."""
    return "\n".join(part for part in (to_json_text(content.result), *mention_all_returned(content)) if part)


def join_text(values: Any) -> str:
    """Return the texts that an MCP server's output consists of, in whatever form they are."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return to_json_text(values)
    return "".join(value.text or "" if isinstance(value, Content) else to_json_text(value) for value in values)


def is_refusal(content: Content) -> bool:
    """Return whether a text content is the model's refusal."""
    core = content.additional_properties.get("core")
    return isinstance(core, Mapping) and core.get("model_output_kind") == "refusal"


def audio_format(content: Content) -> str | None:
    """Return ``"wav"`` or ``"mp3"``, which models hear; None for all else."""
    media_type = (content.media_type or "").partition(";")[0].strip().lower()
    if media_type in ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"):
        return "wav"
    return "mp3" if media_type in ("audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/x-mpeg") else None
