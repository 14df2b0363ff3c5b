"""Tools of an Agents SDK agent within our rules: a time limit, and failures as sentences that the model may know."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable
from typing import Any

from agents import Agent, FunctionTool, Handoff
from agents.run_config import ToolErrorFormatterArgs

from errors import UserFacingError

logger = logging.getLogger(__name__)

TOOL_FAILED = "Error: Function failed."
"""What the model reads of a failure that was not raised for it, as with any agent."""

PATIENCE_S = 2.0
"""How long a tool that is stopped may take to clean up, in seconds; then it is left to itself."""


def tool_error(failed_calls: set[str]) -> Callable[[ToolErrorFormatterArgs[Any]], str | None]:
    """Return what says, for a run, how a tool's failure reads.

    Args:
        failed_calls: Takes the ids of the calls that failed.
    """

    def explain(args: ToolErrorFormatterArgs[Any]) -> str | None:
        failed_calls.add(args.call_id)
        if isinstance(args.error, UserFacingError):
            logger.info("tool refused", extra={"tool": args.tool_name, "code": args.error.code})
            return args.error.message
        if args.kind != "tool_exception":
            return None
        logger.error("tool failed", extra={"tool": args.tool_name}, exc_info=args.error)
        return TOOL_FAILED

    return explain


def guarded_agent(agent: Agent[Any], timeout_s: float, failed_calls: set[str]) -> Agent[Any]:
    """Return a copy of an agent, and of those it may hand over to, whose tools end in time.

    Args:
        agent: The agent; it may be shared by many answers, and stays as it is.
        timeout_s: How long a tool may take, in seconds.
        failed_calls: Takes the ids of the calls that took longer.
    """
    copies: dict[int, Agent[Any]] = {}

    def copied(each: Agent[Any]) -> Agent[Any]:
        known = copies.get(id(each))
        if known is None:
            known = copies[id(each)] = copy.copy(each)
            known.tools = [
                _guarded_tool(tool, timeout_s, failed_calls) if isinstance(tool, FunctionTool) else tool
                for tool in each.tools
            ]
            known.handoffs = [copied_handoff(h) if isinstance(h, Handoff) else copied(h) for h in each.handoffs]
        return known

    def copied_handoff(handoff: Handoff[Any, Any]) -> Handoff[Any, Any]:
        async def hand_over(context: Any, arguments: str) -> Any:
            return copied(await handoff.on_invoke_handoff(context, arguments))

        made = copy.copy(handoff)
        made.on_invoke_handoff = hand_over
        return made

    return copied(agent)


def owner_of(agent: Agent[Any], tool_name: str) -> Agent[Any] | None:
    """Return the agent that has a tool: `agent`, or one that it may hand over to; None when none has."""
    waiting, seen = [agent], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if any(isinstance(tool, FunctionTool) and tool.name == tool_name for tool in each.tools):
            return each
        waiting.extend(other for other in each.handoffs if isinstance(other, Agent))
    return None


def without_questions(agent: Agent[Any]) -> Agent[Any]:
    """Return a copy of an agent whose tools need no approval: a person has given it."""
    made = copy.copy(agent)
    made.tools = [_allowed(tool) if isinstance(tool, FunctionTool) else tool for tool in agent.tools]
    made.input_guardrails, made.handoffs = [], []
    return made


def _allowed(tool: FunctionTool) -> FunctionTool:
    allowed = copy.copy(tool)
    allowed.needs_approval = False
    return allowed


def _guarded_tool(tool: FunctionTool, timeout_s: float, failed_calls: set[str]) -> FunctionTool:
    async def invoke(context: Any, arguments: str) -> Any:
        # A task, as one that does not heed its cancellation would hold up the answer for as long as it likes.
        task = asyncio.ensure_future(tool.on_invoke_tool(context, arguments))
        try:
            await asyncio.wait([task], timeout=timeout_s)
            is_in_time = task.done()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=PATIENCE_S)
                task.add_done_callback(_forget)
        if is_in_time:
            return task.result()
        logger.warning("tool took too long", extra={"tool": tool.name, "timeout_s": timeout_s})
        failed_calls.add(context.tool_call_id)
        return f"The tool took longer than {timeout_s:g} seconds and was stopped."

    made = copy.copy(tool)
    made.on_invoke_tool = invoke
    return made


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # nobody waits for it; unread, it would be reported
