"""Handles tool calls of a model that was offered no tools: it reads that there is no such tool, and is asked again.

The framework ignores the calls of an agent without tools, so such an answer would end without any text. It happens when
the MCP servers of an agent are down, and with models that were trained to call tools in any case.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import ChatResponseUpdate, Content, Message

from framework.merged_updates import MergedUpdates
from framework.response_streams import build_response
from framework.sentences import LIMIT_REACHED

MAX_ROUNDS = 3
"""How many requests an answer may take; if the model still calls tools then, the answer ends with a notice."""

NOT_FOUND = 'Error: Requested function "{name}" not found. There are no tools to call: answer in words.'

Updates = AsyncGenerator[ChatResponseUpdate, None]


def offers_no_tools(options: Mapping[str, Any], invocation: Mapping[str, Any] | None) -> bool:
    """Return whether there is no tool that a call of the model could mean.

    Args:
        options: Options of the run.
        invocation: The client's configuration of the tool loop, which may have further tools; None without a tool loop.
    """
    if options.get("tools") or invocation is None or not invocation.get("enabled", True):
        return False
    # With "none" the framework asks for a closing answer, which gets a notice elsewhere.
    return options.get("tool_choice") != "none" and not invocation.get("additional_tools")


async def without_calls(messages: Sequence[Message], ask: Callable[[Sequence[Message]], Updates]) -> Updates:
    """Yield a model's answer to a conversation without its calls, and ask again after an answer that has calls.

    Args:
        messages: The conversation.
        ask: Returns the updates of the model's answer to a conversation.
    """
    for _ in range(MAX_ROUNDS):
        seen = MergedUpdates(())  # an answer has hundreds of updates, and is only needed if it has a call
        has_called = False
        async with aclosing(ask(messages)) as updates:
            async for update in updates:
                seen.append(update)
                if not any(map(_is_call, update.contents)):
                    yield update
                    continue
                has_called = True
                if contents := [content for content in update.contents if not _is_call(content)]:
                    yield ChatResponseUpdate(
                        contents=contents,
                        role=update.role,
                        message_id=update.message_id,
                        response_id=update.response_id,
                        finish_reason=update.finish_reason,
                    )
        if not has_called:
            return
        answer = build_response(seen).messages
        calls = [content for message in answer for content in message.contents if _is_call(content)]
        results = [Content.from_function_result(call.call_id or "", result=_not_found_text(call)) for call in calls]
        messages = [*messages, *answer, Message("tool", results)]
    yield ChatResponseUpdate(contents=[Content.from_text(LIMIT_REACHED)], role="assistant", message_id="limit")


def _is_call(content: Content) -> bool:
    return content.type == "function_call" and not content.hosted and not content.informational_only


def _not_found_text(call: Content) -> str:
    return NOT_FOUND.format(name=call.name or "")
