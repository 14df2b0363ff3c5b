"""Messages of the framework that can only be recognised by their text, as they have neither a type nor a code.

`tests/unit/framework/test_reliances.py` makes the framework produce each of them.
"""

from __future__ import annotations

LIMIT_REACHED = "Function invocation limit reached before a final answer could be produced."
"""Appears as text of the model when the tool loop reaches its limit."""

SUB_AGENT_WANTS_APPROVAL = "its sub-agent requested approval for"
"""Part of the error of an agent that is a tool, when one of its own tools needs a person's approval."""

STREAM_ERROR = r"OpenAI streaming error: (\w+): "
"""Pattern of an error that the provider sent within its stream; the group is the provider's error code."""
