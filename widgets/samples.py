"""Sample widgets: one for each component, which the documents, the gallery and the tests share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_samples() -> Mapping[str, Mapping[str, Any]]:
    """Return a widget for each component, by the component's name; the file is read once."""
    samples: dict[str, dict[str, Any]] = json.loads((files("widgets") / "samples.json").read_text(encoding="utf-8"))
    return samples
