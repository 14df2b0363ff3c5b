"""Guards the tools of an Agents SDK agent: a time limit, and failures as sentences that the model may read."""

from __future__ import annotations

import asyncio
import copy
import functools
import logging
from collections.abc import Callable
from typing import Any

from agents import FunctionTool
from agents.run_config import ToolErrorFormatterArgs

from agents_sdk.platform_model import AnswerWaitsError
from errors import AgentError, UserFacingError, WidgetError, run_without_exit
from turns.tool_limits import describe_timeout, find_own_timeout_s
from turns.widget_checks import widget_remarks

logger = logging.getLogger(__name__)

TOOL_FAILED = "Error: Function failed."
"""The text that the model reads of an unexpected failure, as with any agent."""

ANSWER_WAITS = "The person is being asked. Wait for the answer."

CLEANUP_TIMEOUT_S = 2.0
"""How long a stopped tool may take to clean up, in seconds; after that nobody waits for it."""


def build_tool_error_formatter(
    mark_call_failed: Callable[[str], object],
) -> Callable[[ToolErrorFormatterArgs[Any]], str | None]:
    """Return a formatter of a run, which turns failures of tools into texts for the model.

    Args:
        mark_call_failed: Receives the ids of the calls that failed.
    """

    def explain(args: ToolErrorFormatterArgs[Any]) -> str | None:
        if isinstance(args.error, AnswerWaitsError):
            return ANSWER_WAITS
        mark_call_failed(args.call_id)
        if isinstance(args.error, WidgetError):
            logger.warning("tool made a widget that cannot be shown", extra={"tool": args.tool_name})
            return f"The widget cannot be shown: {args.error.reason}"
        if isinstance(args.error, UserFacingError):
            logger.info("tool refused", extra={"tool": args.tool_name, "code": args.error.code})
            return args.error.message
        if args.kind != "tool_exception":
            return None
        logger.error("tool failed", extra={"tool": args.tool_name}, exc_info=args.error)
        return TOOL_FAILED

    return explain


def guard_tool(tool: FunctionTool, timeout_s: float, mark_call_failed: Callable[[str], object]) -> FunctionTool:
    """Return a copy of a tool with a time limit.

    Args:
        tool: The tool, which stays as it is.
        timeout_s: How long a call may take, in seconds, unless the tool has a limit of its own.
        mark_call_failed: Receives the ids of the calls that took longer.
    """
    limit_s = _find_timeout_s(tool, timeout_s)

    @functools.wraps(tool.on_invoke_tool)
    async def invoke(context: Any, arguments: str) -> Any:
        with widget_remarks() as remarks:
            # A task, as one that does not heed its cancellation would hold up the answer for as long as it likes.
            task = asyncio.ensure_future(
                run_without_exit(tool.on_invoke_tool(context, arguments), f"tool '{tool.name}'")
            )
        try:
            await asyncio.wait([task], timeout=limit_s)
            is_in_time = task.done()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=CLEANUP_TIMEOUT_S)
                task.add_done_callback(_ignore_result)
        if is_in_time:
            try:
                result = task.result()
            except AgentError:
                # The tool has tried to exit the process, which the SDK does not treat as a tool's failure.
                logger.exception("tool failed", extra={"tool": tool.name})
                mark_call_failed(context.tool_call_id)
                return TOOL_FAILED
            return "\n".join([result, *remarks]) if remarks and isinstance(result, str) else result
        logger.warning("tool took too long", extra={"tool": tool.name, "timeout_s": limit_s})
        mark_call_failed(context.tool_call_id)
        return describe_timeout(limit_s)

    guarded = copy.copy(tool)
    guarded.on_invoke_tool = invoke
    return guarded


def _find_timeout_s(tool: FunctionTool, default_s: float) -> float:
    own_timeout_s = find_own_timeout_s(tool)
    if own_timeout_s is not None:
        return own_timeout_s
    # The SDK enforces an author's limit itself; ours then only covers tools that ignore it.
    return tool.timeout_seconds + CLEANUP_TIMEOUT_S if tool.timeout_seconds else default_s


def _ignore_result(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # asyncio reports an exception that nobody has retrieved
