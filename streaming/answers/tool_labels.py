"""Labels of tools: the title and the icon under which people see their calls."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from chatkit.types import CustomTask
from pydantic import ValidationError

from framework.inner_agents import tools_within

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolLabel:
    """Title and icon of a tool's calls, from `additional_properties={"title": …, "icon": …}` of the tool."""

    title: str
    icon: str | None = None


def tool_labels(agent: Any) -> dict[str, ToolLabel]:
    """Return the labels that an author gave to the tools of an agent or of a workflow's agents, by tool name."""
    labels: dict[str, ToolLabel] = {}
    for tool in tools_within(agent):
        properties = getattr(tool, "additional_properties", None) or {}
        name = getattr(tool, "name", None)
        if name and (title := properties.get("title")):
            labels[name] = ToolLabel(str(title), properties.get("icon"))
    return labels


def humanize_name(name: str) -> str:
    """Return the name of a tool as a title, for tools without a label."""
    return name.replace("_", " ").strip().capitalize()


def build_task(label: ToolLabel) -> CustomTask:
    """Return the task of a step that is running."""
    try:
        return CustomTask(title=label.title, icon=label.icon, status_indicator="loading")
    except ValidationError:
        logger.warning("tool icon unknown to chatkit", extra={"icon": label.icon})
        return CustomTask(title=label.title, status_indicator="loading")
