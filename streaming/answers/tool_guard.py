"""The guard between a model and a tool: a time limit, and failures as sentences for the model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from agent_framework import (
    Content,
    FunctionInvocationContext,
    FunctionMiddleware,
    MiddlewareTermination,
    UserInputRequiredException,
)
from agent_framework.exceptions import ToolExecutionException

from context import TURN_KWARG, Turn
from errors import AgentError, UserFacingError, WidgetError, run_without_exit
from framework.function_middleware import add_function_middleware, function_middleware_of
from framework.mcp_recovery import McpRecovery
from framework.sentences import SUB_AGENT_WANTS_APPROVAL
from turns.tool_limits import describe_timeout, find_own_timeout_s
from turns.widget_checks import widget_remarks

logger = logging.getLogger(__name__)

NEEDS_PERSON = "A part of this needs the person, who cannot be asked from within this tool. Tell them so."
"""Result for a model whose sub-agent needs an approval, or calls a tool of the client."""


class ToolGuard(FunctionMiddleware):
    """Limits a tool's time, and tells the model the text of a `UserFacingError`; others are a fixed sentence.

    Args:
        timeout_s: How long a tool may take, in seconds, unless it sets its own limit:
            ``@tool(additional_properties={"timeout_s": 5})``.
        patience_s: How long a tool that is stopped may take to clean up, in seconds; then it is abandoned.
    """

    def __init__(self, timeout_s: float, *, patience_s: float = 2.0) -> None:
        self._timeout_s = timeout_s
        self._patience_s = patience_s

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Call the tool and explain its failure; end the run when the tool has asked the person something."""
        name = context.function.name
        turn: Turn | None = context.kwargs.get(TURN_KWARG)
        timeout_s = find_own_timeout_s(context.function) or self._timeout_s
        if turn is not None:
            turn.context.answer.count_tool_call()
        try:
            with widget_remarks() as remarks:
                is_in_time = await self._call_in_time(call_next, timeout_s, name)
            if not is_in_time:
                logger.warning("tool took too long", extra={"tool": name, "timeout_s": timeout_s})
                fail_call(context, describe_timeout(timeout_s))
            elif remarks:
                context.result = append_remarks(context.result, remarks)
        except WidgetError as exc:
            logger.warning("tool made a widget that cannot be shown", extra={"tool": name, "reason": exc.reason})
            fail_call(context, f"The widget cannot be shown: {exc.reason}")
        except AgentError:
            logger.exception("tool failed", extra={"tool": name})
            raise
        except UserFacingError as exc:
            logger.info("tool refused", extra={"tool": name, "code": exc.code})
            fail_call(context, exc.message)
        except MiddlewareTermination:
            raise
        except (ToolExecutionException, UserInputRequiredException) as exc:
            if isinstance(exc, ToolExecutionException) and SUB_AGENT_WANTS_APPROVAL not in str(exc):
                logger.exception("tool failed", extra={"tool": name})
                raise
            logger.error("a sub-agent needs the person: use a workflow, see docs/agents.md", extra={"tool": name})
            fail_call(context, NEEDS_PERSON)
        except Exception:
            logger.exception("tool failed", extra={"tool": name})
            raise
        if turn is not None and turn.context.answer.question is not None:
            # End the tool loop: the model continues when the person has answered.
            raise MiddlewareTermination(result=context.result)

    async def _call_in_time(self, call_next: Callable[[], Awaitable[None]], timeout_s: float, name: str) -> bool:
        """Call the tool and return whether it ended in time; raise its exception."""
        # In a task of its own: a tool that ignores its cancellation must not hold up the answer.
        task = asyncio.ensure_future(run_without_exit(call_next(), f"tool '{name}'"))
        try:
            await asyncio.wait([task], timeout=timeout_s)
            is_in_time = task.done()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=self._patience_s)
                if not task.done():
                    logger.error("tool does not let itself be stopped", extra={"tool": name})
                    task.add_done_callback(_consume_exception)
        if is_in_time:
            task.result()
        elif task.done():
            _consume_exception(task)
        return is_in_time


def fail_call(context: FunctionInvocationContext, message: str) -> None:
    """End a call with a message for the model; its step is shown as failed."""
    turn: Turn | None = context.kwargs.get(TURN_KWARG)
    if turn is not None:
        turn.context.answer.mark_call_failed(str(context.metadata.get("call_id")))
    context.result = message


def append_remarks(result: Any, remarks: list[str]) -> Any:
    """Return a tool's result with remarks appended, if text can be appended to it."""
    if isinstance(result, str):
        return "\n".join([result, *remarks])
    if isinstance(result, list) and all(isinstance(each, Content) for each in result):
        return [*result, Content.from_text("\n" + "\n".join(remarks))]
    return result


def _consume_exception(task: asyncio.Future[None]) -> None:
    if not task.cancelled():
        task.exception()  # an exception that is never retrieved would be logged


def build_tool_middleware(timeout_s: float) -> list[FunctionMiddleware]:
    """Return the middleware of every tool: the guard and, inside it, the recovery of lost MCP servers."""
    return [ToolGuard(timeout_s), McpRecovery(fail_call)]


def with_tool_guard(client: Any, timeout_s: float) -> Any:
    """Add a guard to the tools that `client` calls, for whichever agent, and return the client.

    Middleware of a run applies only to the agent that is run. The agents of a workflow, and agents that are tools of
    another, share the client.
    """
    if not is_guarded(client):
        for middleware in build_tool_middleware(timeout_s):
            add_function_middleware(client, middleware)
    return client


def is_guarded(client: Any) -> bool:
    """Return whether the tools that `client` calls have a guard."""
    return any(isinstance(each, ToolGuard) for each in function_middleware_of(client))
