"""Warm-up: imports and Pydantic models that would otherwise block the event loop during the first answer."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

from chatkit import types, widgets
from pydantic import BaseModel

# Names that the framework imports lazily, when the first agent runs.
_LAZY_NAMES = ("CompactionStrategy", "MCPStdioTool")

# Base classes, and models that answers never use. The last two would take a megabyte each permanently.
_SKIPPED_MODELS = frozenset({BaseModel, widgets.BoxBase, types.SyncCustomActionResponse})


def warm_up() -> Iterator[None]:
    """Import modules and build models that would be imported and built at their first use, in steps of some 5 ms.

    Meant to run shortly after the start, which it would prolong by 70 ms. Pydantic builds models with forward
    references at their first use, which would block the first answers for 70 ms.
    """
    framework = importlib.import_module("agent_framework")
    for name in _LAZY_NAMES:
        getattr(framework, name)
        yield
    for model in (*vars(types).values(), *vars(widgets).values()):
        if not inspect.isclass(model) or not issubclass(model, BaseModel) or model in _SKIPPED_MODELS:
            continue
        # A complete model is not changed; one that cannot be built now is built at its first use.
        if model.model_rebuild(raise_errors=False) is not None:
            yield
