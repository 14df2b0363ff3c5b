"""Checks of a conversation by the combined rules of the strictest providers, each with its error message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MISTRAL_ID = re.compile(r"[A-Za-z0-9]{9}")

MESSAGE_MEMBERS = {"role", "content", "tool_calls", "tool_call_id"}
PART_MEMBERS = {"text": "text", "image_url": "image_url", "file": "file", "input_audio": "input_audio"}


class RefusedError(AssertionError):
    """A conversation that a server would refuse with status 400."""


def require(is_so: bool, rule: str) -> None:
    if not is_so:
        raise RefusedError(rule)


def check_completions(messages: Sequence[dict[str, Any]], *, own: frozenset[str] = frozenset()) -> None:
    """Raise `RefusedError` if a server of Chat Completions would refuse the conversation.

    Args:
        messages: The conversation.
        own: Additional members of messages that the server accepts.
    """
    turns = [message for message in messages if message["role"] != "system"]
    require(
        [m["role"] for m in messages[: len(messages) - len(turns)]] in ([], ["system"]), "one system message, first"
    )
    require(bool(turns) and turns[0]["role"] == "user", "Bedrock, Gemma: a conversation must start with a user message")
    require(turns[-1]["role"] in ("user", "tool"), "Mistral: expected last role User or Tool")
    waiting: list[str] = []
    seen: set[str] = set()
    before = ""
    for message in messages:
        role = message["role"]
        require(role in ("system", "user", "assistant", "tool"), "unknown role")
        require(message.keys() <= MESSAGE_MEMBERS | own, f"Mistral: extra inputs are not permitted: {list(message)}")
        if role == "tool":
            require(bool(waiting), "OpenAI: 'tool' must be a response to a preceding message with 'tool_calls'")
            require(message["tool_call_id"] == waiting.pop(0), "results stand in the order of their calls")
            require(bool(message["content"].strip()), "Bedrock: blank content")
        else:
            require(not waiting, "OpenAI: tool_call_ids did not have response messages")
            require(role != before, "Gemma, Mistral: conversation roles must alternate")
            require(not (role == "user" and before == "tool"), "Mistral: unexpected role 'user' after role 'tool'")
        for call in message.get("tool_calls") or ():
            require(bool(NAME.fullmatch(call["function"]["name"])), f"name of a function: {call['function']['name']}")
            require(isinstance(call["function"]["arguments"], str), "arguments are JSON text")
            require(0 < len(call["id"]) <= 64 and call["id"] not in seen, "ids of calls are unique")
            seen.add(call["id"])
            waiting.append(call["id"])
        require(message.get("tool_calls") != [], "OpenAI: empty array 'tool_calls'")
        _check_content(message)
        before = role
    require(not waiting, "OpenAI: tool_call_ids did not have response messages")


def _check_content(message: dict[str, Any]) -> None:
    content = message.get("content")
    if content is None:
        require(bool(message.get("tool_calls")), "Mistral: assistant message must have either content or tool_calls")
    elif isinstance(content, str):
        require(bool(content.strip()), "Bedrock: text content blocks must be non-empty")
    else:
        require(bool(content) and message["role"] == "user", "parts are a person's")
        for part in content:
            require(part["type"] in PART_MEMBERS, f"unknown part {part['type']}")
            require(part["type"] != "text" or bool(part["text"].strip()), "Bedrock: blank text")


def check_responses(items: Sequence[dict[str, Any]]) -> None:
    """Raise `RefusedError` if a server of the Responses API, or its chat template, would refuse the items."""
    turns = [item for item in items if item.get("role") != "system"]
    require(bool(turns) and turns[0].get("role") == "user", "a conversation must start with a user message")
    require(
        turns[-1].get("role") == "user" or turns[-1]["type"] == "function_call_output", "the last is not the model's"
    )
    waiting: list[str] = []
    seen: set[str] = set()
    before = ""
    ids = [item["id"] for item in items if "id" in item]
    require(len(ids) == len(set(ids)), "OpenAI: Duplicate item found with id")
    for item in items:
        kind = item["type"]
        if kind == "function_call":
            require(before != "function_call_output" or not waiting, "No tool output found for function call")
            require(bool(NAME.fullmatch(item["name"])), "name of a function")
            require(0 < len(item["call_id"]) <= 64 and item["call_id"] not in seen, "ids of calls are unique")
            seen.add(item["call_id"])
            waiting.append(item["call_id"])
        elif kind == "function_call_output":
            require(bool(waiting) and item["call_id"] == waiting.pop(0), "No tool call found for function call output")
            require(bool(item["output"]), "blank output")
        elif kind == "message":
            require(item["role"] == "assistant" or not waiting, "No tool output found for function call")
            require(not (item["role"] == "user" and before == "function_call_output"), "user after results")
            require(bool(item["content"]), "blank message")
            texts = [part["text"] for part in item["content"] if part["type"] in ("input_text", "output_text")]
            require(all(text.strip() for text in texts), "blank text")
        before = item["role"] if kind == "message" else kind
    require(not waiting, "No tool output found for function call")
