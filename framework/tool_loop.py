"""Bypasses the framework's tool loop for callers that run the tools themselves."""

from __future__ import annotations

from typing import Any

from agent_framework import FunctionInvocationLayer


def without_tool_loop(client: Any) -> Any:
    """Return a chat client without its outermost layer, the tool loop, so that it returns the model's calls.

    The framework can switch the loop off only for a whole client (`function_invocation_configuration`), which other
    answers use at the same time.
    """
    return super(FunctionInvocationLayer, client) if isinstance(client, FunctionInvocationLayer) else client
