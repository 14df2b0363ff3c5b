"""The time limit that a tool sets for itself, and the sentence for a model whose tool exceeded its limit."""

from __future__ import annotations


def find_own_timeout_s(tool: object) -> float | None:
    """Return how long a tool may take by its own ``additional_properties={"timeout_s": 5}``, in seconds.

    None when it sets no limit, or none that can be kept.
    """
    own_timeout_s = (getattr(tool, "additional_properties", None) or {}).get("timeout_s")
    return float(own_timeout_s) if isinstance(own_timeout_s, int | float) and own_timeout_s > 0 else None


def describe_timeout(timeout_s: float) -> str:
    """Return the result that a model reads of a tool that took longer than `timeout_s`."""
    return f"The tool took longer than {timeout_s:g} seconds and was stopped."
