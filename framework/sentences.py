"""Sentences of the framework that are told apart by their text, since it gives them no type and no code.

`tests/unit/framework/test_reliances.py` lets the framework say each of them.
"""

from __future__ import annotations

LIMIT_REACHED = "Function invocation limit reached before a final answer could be produced."
"""Said as if the model had said it, when the tool loop reaches its bound."""

SUB_AGENT_WANTS_APPROVAL = "its sub-agent requested approval for"
"""Part of what a tool that is an agent fails with when a tool of its own needs a person's approval."""

STREAM_ERROR = r"OpenAI streaming error: (\w+): "
"""The pattern of an error that the provider sent within its stream; the group is the provider's code."""
