"""Calls of tools by a model that was offered none: it is told that there is no such tool, and asked again.

The framework makes no calls for an agent without tools, and so such an answer would end with nothing said. It happens
where the servers of an agent's tools are down, and with models that were trained to call tools whatever they are told.
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
"""Requests for one answer; of a model that calls even then, the person is told that it ends here."""

NOT_FOUND = 'Error: Requested function "{name}" not found. There are no tools to call: answer in words.'

Updates = AsyncGenerator[ChatResponseUpdate, None]


def offers_no_tools(options: Mapping[str, Any], invocation: Mapping[str, Any] | None) -> bool:
    """Return whether nobody can make what a model calls.

    Args:
        options: Options of the run.
        invocation: How a client makes calls, which may know tools that are not offered; None where others make them.
    """
    if options.get("tools") or invocation is None or not invocation.get("enabled", True):
        return False
    # Of a closing answer the framework says itself that it ends there.
    return options.get("tool_choice") != "none" and not invocation.get("additional_tools")


async def without_calls(messages: Sequence[Message], ask: Callable[[Sequence[Message]], Updates]) -> Updates:
    """Yield what a model says to a conversation, and of its calls nothing.

    Args:
        messages: The conversation.
        ask: Returns the updates of the model's answer to one.
    """
    for _ in range(MAX_ROUNDS):
        answered = MergedUpdates(())  # an answer is hundreds of pieces, and is kept whole for the sake of a call
        has_called = False
        async with aclosing(ask(messages)) as updates:
            async for update in updates:
                answered.append(update)
                if not any(map(_is_call, update.contents)):
                    yield update
                    continue
                has_called = True
                if kept := [content for content in update.contents if not _is_call(content)]:
                    yield ChatResponseUpdate(
                        contents=kept,
                        role=update.role,
                        message_id=update.message_id,
                        response_id=update.response_id,
                        finish_reason=update.finish_reason,
                    )
        if not has_called:
            return
        said = build_response(answered).messages
        calls = [content for message in said for content in message.contents if _is_call(content)]
        results = [Content.from_function_result(each.call_id or "", result=_not_found(each)) for each in calls]
        messages = [*messages, *said, Message("tool", results)]
    yield ChatResponseUpdate(contents=[Content.from_text(LIMIT_REACHED)], role="assistant", message_id="limit")


def _is_call(content: Content) -> bool:
    return content.type == "function_call" and not content.hosted and not content.informational_only


def _not_found(call: Content) -> str:
    return NOT_FOUND.format(name=call.name or "")
