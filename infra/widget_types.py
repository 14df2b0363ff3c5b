"""TypeScript types of all widget components, generated from the catalogue into the client's sources."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from errors import ParlorError
from infra.client_build import ROOT

TYPES = ROOT / "frontend" / "src" / "widgets" / "component-types.ts"

_HEAD = """\
/** ChatKit's components and their props, of widgets/catalogue.json; written by: ./parlor widget-catalogue */

/** A component of any kind. */
export type Component = {[T in keyof Components]: {readonly type: T} & Components[T]}[keyof Components];
"""

# Interfaces for props that many components share.
_GROUPS: Mapping[str, frozenset[str]] = {
    "Identity": frozenset({"key", "id"}),
    "Size": frozenset(
        {
            "height", "width", "size", "minHeight", "minWidth", "minSize", "maxHeight", "maxWidth", "maxSize",
            "aspectRatio",
        }
    ),
    "Flexbox": frozenset({"children", "align", "justify", "wrap", "flex", "gap"}),
    "Surface": frozenset({"padding", "border", "background", "radius", "margin"}),
}  # fmt: skip
_NAMES = {"any": "unknown", "Record": "Readonly<Record<string, unknown>>", "icon": "IconName"}


def format_types(catalogue: Mapping[str, Any]) -> str:
    """Return the TypeScript module with the interfaces of components and objects, and the type of icons."""
    icons = catalogue["icons"]
    names = [*(json.dumps(name) for name in icons["names"]), *(f"`{scheme}${{string}}`" for scheme in icons["schemes"])]
    components = {name: _declare_props(props) for name, props in catalogue["components"].items()}
    groups = {name: _group_lines(name, components.values()) for name in _GROUPS}
    union = textwrap.fill(" | ".join(names), 116, break_on_hyphens=False)
    parts = [
        _HEAD,
        f"export type IconName =\n{textwrap.indent(union, '  ')};\n",
        *(f"interface {name} {{\n{_join_lines(lines, 2)}\n}}\n" for name, lines in groups.items()),
        "/** The props of each component but `type`. */\nexport interface Components {",
        *(_format_component(name, lines, groups) for name, lines in components.items()),
        "}\n",
    ]
    for name, props in catalogue["objects"].items():
        parts.append(f"export interface {name} {{\n{_join_lines(_declare_props(props), 2)}\n}}\n")
    return "\n".join(parts)


def _group_lines(name: str, components: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the declarations of a group's props, taken from the first component that has all of them.

    Raises:
        ParlorError: When no component has all of them.
    """
    props = _GROUPS[name]
    for lines in components:
        if lines.keys() >= props:
            return {prop: line for prop, line in lines.items() if prop in props}
    raise ParlorError(f"infra/widget_types.py: no component has all props of {name} any more; change the group.")


def _format_component(name: str, lines: Mapping[str, str], groups: Mapping[str, Mapping[str, str]]) -> str:
    """Return the declaration of a component as an intersection of shared groups and its other props."""
    shared = [group for group, props in groups.items() if props.items() <= lines.items()]
    own = {prop: line for prop, line in lines.items() if not any(prop in groups[group] for group in shared)}
    body = [*shared, f"{{\n{_join_lines(own, 4)}\n  }}"] if own else shared
    return f"  readonly {json.dumps(name)}: {' & '.join(body)};"


def _join_lines(lines: Mapping[str, str], indent: int) -> str:
    return "\n".join(f"{' ' * indent}{line}" for line in lines.values())


def _declare_props(props: Mapping[str, Any]) -> dict[str, str]:
    """Return the declaration of each prop, by its name."""
    lines = {}
    for name, prop in props.items():
        is_required = prop.get("required", False)
        union = [json.dumps(value) for value in prop.get("values", [])]
        union += [_typescript_type(type_) for type_ in prop.get("types", [])]
        # Null means unset.
        if not is_required or prop.get("nullable"):
            union.append("null")
        lines[name] = f"readonly {name}{'' if is_required else '?'}: {' | '.join(union)};"
    return lines


def _typescript_type(name: str) -> str:
    element = name.removesuffix("[]")
    known = _NAMES.get(element, element)
    return f"readonly {known}[]" if element != name else known
