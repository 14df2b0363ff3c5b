"""The types for TypeScript that are written of the catalogue of widgets, into the client's sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from infra.client_build import ROOT

TYPES = ROOT / "frontend" / "src" / "widgets" / "component-types.ts"

_HEAD = """\
/** ChatKit's components and their props, of widgets/catalogue.json; written by: ./parlor widget-catalogue */

/** A component of any kind. */
export type Component = {[T in keyof Components]: {readonly type: T} & Components[T]}[keyof Components];
"""

_NAMES = {"any": "unknown", "Record": "Readonly<Record<string, unknown>>", "icon": "IconName"}


def format_types(catalogue: Mapping[str, Any]) -> str:
    """Return the module of TypeScript: an interface of all components, one for each object, and the icons."""
    icons, components = catalogue["icons"], catalogue["components"].items()
    names = [*(json.dumps(name) for name in icons["names"]), *(f"`{scheme}${{string}}`" for scheme in icons["schemes"])]
    parts = [
        _HEAD,
        "export type IconName =\n" + "\n".join(f"  | {name}" for name in names) + ";\n",
        "/** The props of each component but `type`. */\nexport interface Components {",
        *(f"  readonly {json.dumps(name)}: {{\n{_props(props, 4)}\n  }};" for name, props in components),
        "}\n",
    ]
    for name, props in catalogue["objects"].items():
        parts.append(f"export interface {name} {{\n{_props(props, 2)}\n}}\n")
    return "\n".join(parts)


def _props(props: Mapping[str, Any], indent: int) -> str:
    lines = []
    for name, prop in props.items():
        is_required = prop.get("required", False)
        union = [json.dumps(value) for value in prop.get("values", [])]
        union += [_type_of(each) for each in prop.get("types", [])]
        # Null means unset.
        if not is_required or prop.get("nullable"):
            union.append("null")
        lines.append(f"{' ' * indent}readonly {name}{'' if is_required else '?'}: {' | '.join(union)};")
    return "\n".join(lines)


def _type_of(name: str) -> str:
    element = name.removesuffix("[]")
    known = _NAMES.get(element, element)
    return f"readonly {known}[]" if element != name else known
