"""Imports and models that the first answer would otherwise wait for, and with it all in the same event loop."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

from chatkit import types, widgets
from pydantic import BaseModel

# Names of parts that the framework imports when the first agent runs.
_LATE_PARTS = ("CompactionStrategy", "MCPStdioTool")

# Bases of others, and what is made seldom and never in an answer. The last two would hold a megabyte each for good.
_LEFT = frozenset({BaseModel, widgets.BoxBase, types.SyncCustomActionResponse})


def warm_up() -> Iterator[None]:
    """Import and build, piece by piece, what would be imported and built at its first use; a piece takes some 5 ms.

    For the moments after the start, which it would make 70 ms longer. Pydantic leaves models that speak of others
    further down to their first use; at the first answers that is a stop of 70 ms.
    """
    framework = importlib.import_module("agent_framework")
    for name in _LATE_PARTS:
        getattr(framework, name)
        yield
    for model in (*vars(types).values(), *vars(widgets).values()):
        if not inspect.isclass(model) or not issubclass(model, BaseModel) or model in _LEFT:
            continue
        # Nothing happens to one that is complete; one that cannot be built now is no worse off than before.
        if model.model_rebuild(raise_errors=False) is not None:
            yield
