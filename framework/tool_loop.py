"""Skips the framework's loop of tool calls where somebody else runs the tools."""

from __future__ import annotations

from typing import Any

from agent_framework import FunctionInvocationLayer


def below_tool_loop(client: Any) -> Any:
    """Return a chat client without its loop, the outermost of its layers: calls of the model come back as they are.

    The framework switches the loop off for a whole client only (`function_invocation_configuration`), which other
    answers ask at the same time.
    """
    return super(FunctionInvocationLayer, client) if isinstance(client, FunctionInvocationLayer) else client
