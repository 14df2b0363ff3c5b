"""Refusals of a conversation by the strictest servers: the rules of all of them at once, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MISTRAL_ID = re.compile(r"[A-Za-z0-9]{9}")

MESSAGE_MEMBERS = {"role", "content", "tool_calls", "tool_call_id"}
PART_MEMBERS = {"text": "text", "image_url": "image_url", "file": "file", "input_audio": "input_audio"}


class RefusedError(AssertionError):
    """A server of the protocol would answer 400."""


def demand(is_so: bool, rule: str) -> None:
    if not is_so:
        raise RefusedError(rule)


def check_completions(messages: Sequence[dict[str, Any]], *, own: frozenset[str] = frozenset()) -> None:
    """Raise where a server of Chat Completions would refuse.

    Args:
        messages: The conversation.
        own: Members of messages that this server knows beside the usual ones.
    """
    turns = [message for message in messages if message["role"] != "system"]
    demand([m["role"] for m in messages[: len(messages) - len(turns)]] in ([], ["system"]), "one system message, first")
    demand(bool(turns) and turns[0]["role"] == "user", "Bedrock, Gemma: a conversation must start with a user message")
    demand(turns[-1]["role"] in ("user", "tool"), "Mistral: expected last role User or Tool")
    waiting: list[str] = []
    seen: set[str] = set()
    before = ""
    for message in messages:
        role = message["role"]
        demand(role in ("system", "user", "assistant", "tool"), "unknown role")
        demand(message.keys() <= MESSAGE_MEMBERS | own, f"Mistral: extra inputs are not permitted: {list(message)}")
        if role == "tool":
            demand(bool(waiting), "OpenAI: 'tool' must be a response to a preceding message with 'tool_calls'")
            demand(message["tool_call_id"] == waiting.pop(0), "results stand in the order of their calls")
            demand(bool(message["content"].strip()), "Bedrock: blank content")
        else:
            demand(not waiting, "OpenAI: tool_call_ids did not have response messages")
            demand(role != before, "Gemma, Mistral: conversation roles must alternate")
            demand(not (role == "user" and before == "tool"), "Mistral: unexpected role 'user' after role 'tool'")
        for call in message.get("tool_calls") or ():
            demand(bool(NAME.fullmatch(call["function"]["name"])), f"name of a function: {call['function']['name']}")
            demand(isinstance(call["function"]["arguments"], str), "arguments are JSON text")
            demand(0 < len(call["id"]) <= 64 and call["id"] not in seen, "ids of calls are unique")
            seen.add(call["id"])
            waiting.append(call["id"])
        demand(message.get("tool_calls") != [], "OpenAI: empty array 'tool_calls'")
        _check_content(message)
        before = role
    demand(not waiting, "OpenAI: tool_call_ids did not have response messages")


def _check_content(message: dict[str, Any]) -> None:
    content = message.get("content")
    if content is None:
        demand(bool(message.get("tool_calls")), "Mistral: assistant message must have either content or tool_calls")
    elif isinstance(content, str):
        demand(bool(content.strip()), "Bedrock: text content blocks must be non-empty")
    else:
        demand(bool(content) and message["role"] == "user", "parts are a person's")
        for part in content:
            demand(part["type"] in PART_MEMBERS, f"unknown part {part['type']}")
            demand(part["type"] != "text" or bool(part["text"].strip()), "Bedrock: blank text")


def check_responses(items: Sequence[dict[str, Any]]) -> None:
    """Raise where a server of the Responses API would refuse, also one that turns items into a chat template."""
    turns = [item for item in items if item.get("role") != "system"]
    demand(bool(turns) and turns[0].get("role") == "user", "a conversation must start with a user message")
    demand(
        turns[-1].get("role") == "user" or turns[-1]["type"] == "function_call_output", "the last is not the model's"
    )
    waiting: list[str] = []
    seen: set[str] = set()
    before = ""
    ids = [item["id"] for item in items if "id" in item]
    demand(len(ids) == len(set(ids)), "OpenAI: Duplicate item found with id")
    for item in items:
        kind = item["type"]
        if kind == "function_call":
            demand(before != "function_call_output" or not waiting, "No tool output found for function call")
            demand(bool(NAME.fullmatch(item["name"])), "name of a function")
            demand(0 < len(item["call_id"]) <= 64 and item["call_id"] not in seen, "ids of calls are unique")
            seen.add(item["call_id"])
            waiting.append(item["call_id"])
        elif kind == "function_call_output":
            demand(bool(waiting) and item["call_id"] == waiting.pop(0), "No tool call found for function call output")
            demand(bool(item["output"]), "blank output")
        elif kind == "message":
            demand(item["role"] == "assistant" or not waiting, "No tool output found for function call")
            demand(not (item["role"] == "user" and before == "function_call_output"), "user after results")
            demand(bool(item["content"]), "blank message")
            texts = [part["text"] for part in item["content"] if part["type"] in ("input_text", "output_text")]
            demand(all(text.strip() for text in texts), "blank text")
        before = item["role"] if kind == "message" else kind
    demand(not waiting, "No tool output found for function call")
