"""What the first answer would otherwise have to wait for, and with it everybody in the same event loop."""

from __future__ import annotations

import importlib
import inspect

from chatkit import types, widgets
from pydantic import BaseModel

# Names of parts that the framework imports when the first agent runs.
_LATE_PARTS = ("CompactionStrategy", "MCPStdioTool")


def warm_up() -> None:
    """Import and build at the start what would be imported and built at its first use. Takes some 0.2 s.

    Pydantic leaves models that speak of others further down to their first use; at the first answers that is a stop of
    70 ms.
    """
    framework = importlib.import_module("agent_framework")
    for name in _LATE_PARTS:
        getattr(framework, name)
    for model in (*vars(types).values(), *vars(widgets).values()):
        if inspect.isclass(model) and issubclass(model, BaseModel) and model is not BaseModel:
            # Nothing happens to one that is complete; one that cannot be built now is no worse off than before.
            model.model_rebuild(raise_errors=False)
