"""What stands between a model and a tool: failures become sentences that the model may know."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from agent_framework import FunctionInvocationContext, FunctionMiddleware

from context import TURN_KWARG
from errors import UserFacingError

logger = logging.getLogger(__name__)


class ToolGuard(FunctionMiddleware):
    """Tells the model the text of a `UserFacingError`; any other failure stays a fixed sentence of the framework."""

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Call the tool and explain its failure."""
        name = context.function.name
        try:
            await call_next()
        except UserFacingError as exc:
            logger.info("tool refused", extra={"tool": name, "code": exc.code})
            turn = context.kwargs.get(TURN_KWARG)
            if turn is not None:
                turn.failed_calls.add(context.metadata.get("call_id"))
            context.result = exc.message
        except Exception:
            logger.exception("tool failed", extra={"tool": name})
            raise
