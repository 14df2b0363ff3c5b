"""Sentences of the framework that are told apart by their text, since it gives them no type and no code.

`tests/unit/framework/test_reliances.py` looks for each of them in the framework's source.
"""

from __future__ import annotations

LIMIT_REACHED = "Function invocation limit reached before a final answer could be produced."
"""Said as if the model had said it, when the tool loop reaches its bound."""
