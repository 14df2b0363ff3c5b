"""The command that generates `widgets/catalogue.json` from the two packages that declare ChatKit's widgets.

`@openai/chatkit` declares them for TypeScript and `chatkit.widgets` for Python. Where the two differ, the catalogue
allows what either of them allows. `infra/widget_rules.py` has the rules that neither declares.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal, NotRequired

import chatkit.widgets
from chatkit.actions import ActionConfig
from chatkit.icons import IconName
from pydantic import BaseModel
from typing_extensions import is_typeddict

from errors import ParlorError
from infra.client_build import ROOT
from infra.typescript_types import Member, Type, parse_types
from infra.widget_docs import DOCUMENT, render_document
from infra.widget_rules import CHILDREN, COLORS, DEFAULTS, EXTRA_PROPS, RULES, SCHEMES
from infra.widget_types import TYPES, format_types

CATALOGUE = ROOT / "widgets" / "catalogue.json"
PACKAGE = ROOT / "frontend" / "node_modules" / "@openai" / "chatkit"

Prop = dict[str, Any]
Shapes = dict[str, dict[str, Prop]]

_JAVASCRIPT, _PYTHON = "@openai/chatkit", "openai-chatkit"
_COMPONENT_NAMES = {"TextComponent": "Text", "BasicRoot": "Basic", "TableRow": "Table.Row", "TableCell": "Table.Cell"}
_INLINE_NAMES = {
    ("Select", "options"): "SelectOption",
    ("RadioGroup", "options"): "RadioOption",
    ("Text", "editable"): "EditableProps",
}
_OBJECTS = ("ThemeColor", "Spacing", "Border", "Borders", "WidgetStatus", "ActionConfig", "CardAction")
_SAME_IN_PYTHON = {"WidgetStatusWithFavicon": "WidgetStatus", "WidgetStatusWithIcon": "WidgetStatus"}


def build_catalogue() -> dict[str, Any]:
    """Return the catalogue of the installed packages.

    Raises:
        ParlorError: When a package is missing, or declares its types in unsupported syntax.
    """
    declared = PACKAGE / "types" / "widgets.d.ts"
    if not declared.is_file():
        raise ParlorError("The client's packages are not installed; do it with: ./parlor setup")
    icons, javascript = _javascript_shapes(parse_types(declared.read_text()))
    python_icons, python = _python_shapes()
    merged = _apply_rules(_merge_shapes(javascript, python))
    components = [name for name in sorted(merged) if merged[name].get("type", {}).get("values") == [name]]
    return {
        "sources": {
            _JAVASCRIPT: json.loads((PACKAGE / "package.json").read_text())["version"],
            _PYTHON: version(_PYTHON),
        },
        "roots": ["Card", "ListView", "Basic"],
        "components": {name: _format_props(merged[name]) for name in components},
        "objects": {name: _format_props(merged[name]) for name in sorted(merged) if name not in components},
        "children": CHILDREN,
        "colors": COLORS,
        "icons": {"names": sorted({*icons, *python_icons}), "schemes": list(SCHEMES)},
    }


def main(arguments: Sequence[str]) -> int:
    """Write the catalogue, its tables and its types; with ``--check``, return 1 if one of them is stale."""
    if [*arguments] not in ([], ["--check"]):
        print("Usage: ./parlor widget-catalogue [--check]", file=sys.stderr)
        return 2
    catalogue = build_catalogue()
    written = {
        CATALOGUE: format_catalogue(catalogue),
        DOCUMENT: render_document(DOCUMENT.read_text(), catalogue),
        TYPES: format_types(catalogue),
    }
    if arguments:
        return 0 if all(path.is_file() and path.read_text() == text for path, text in written.items()) else 1
    for path, text in written.items():
        path.write_text(text)
    return 0


def format_catalogue(catalogue: Mapping[str, Any]) -> str:
    """Return the catalogue as JSON with one line per prop, for readable diffs."""
    text = json.dumps(catalogue, indent=1, ensure_ascii=False)
    # Join the members of a prop.
    return re.sub(r"(?<=: )\{[^{}]*\}|\[[^\[\]{}]*\]", lambda match: _join_line(match[0]), text) + "\n"


def _join_line(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False)


# The types for TypeScript


def _javascript_shapes(declared: Mapping[str, Type]) -> tuple[list[str], Shapes]:
    shapes: Shapes = {}

    def add_members(shape: str, members: Mapping[str, Member]) -> None:
        for name, member in members.items():
            prop = build_prop(member, (shape, name))
            known = shapes.setdefault(shape, {}).get(name)
            shapes[shape][name] = prop if known is None else _merge_props(known, prop)

    def build_prop(member: Member, place: tuple[str, str]) -> Prop:
        prop: Prop = {"types": [], "values": [], "required": member.is_required, "nullable": False}
        collect_type(member.type, place, prop, "")
        return prop

    def collect_type(type_: Type, place: tuple[str, str], prop: Prop, suffix: str) -> None:
        prop["values"] += [value for value in type_.literals if value not in prop["values"]]
        for name in type_.names:
            if name in ("WidgetComponent", "WidgetRoot") or name in _COMPONENT_NAMES or name in ("ListViewItem",):
                _append_unique(prop["types"], f"Component{suffix}")
            elif name == "WidgetIcon":
                _append_unique(prop["types"], f"icon{suffix}")
            elif name == "Record":
                _append_unique(prop["types"], "any")
            elif name in declared and name not in _OBJECTS:
                collect_type(declared[name], place, prop, suffix)
            else:
                _append_unique(prop["types"], f"{name}{suffix}")
        for members in type_.objects:
            inline = _INLINE_NAMES[place]
            add_members(inline, members)
            _append_unique(prop["types"], f"{inline}{suffix}")
        for element in type_.lists:
            collect_type(element, place, prop, "[]")

    for name, type_ in declared.items():
        is_component = type_.objects and "type" in type_.objects[0] and type_.objects[0]["type"].type.literals
        if name in _OBJECTS or is_component:
            shape = _COMPONENT_NAMES.get(name, name)
            for members in type_.objects:
                add_members(shape, members)
            if len(type_.objects) > 1:
                # In a union of objects, a prop is required if all of them require it.
                for prop, spec in shapes[shape].items():
                    spec["required"] = all(prop in members and members[prop].is_required for members in type_.objects)
    return [str(icon) for icon in declared["WidgetIcon"].literals], shapes


# The models for Python


def _python_shapes() -> tuple[list[str], Shapes]:
    shapes: Shapes = {}
    seen = [model for _, model in inspect.getmembers(chatkit.widgets) if _is_component(model)]
    for model in seen:
        _add_python_shape(shapes, model)
    icons = next(typing.get_args(part) for part in typing.get_args(IconName) if typing.get_origin(part) is Literal)
    return list(icons), shapes


def _is_component(model: Any) -> bool:
    return (
        isinstance(model, type)
        and issubclass(model, BaseModel)
        and "type" in model.model_fields
        and typing.get_origin(model.model_fields["type"].annotation) is Literal
        and not model.__name__.startswith("Dynamic")
        and model is not chatkit.widgets.BasicRoot
    )


def _add_python_shape(shapes: Shapes, model: Any) -> str:
    name: str = _SAME_IN_PYTHON.get(model.__name__, model.__name__)
    if name in shapes and name == model.__name__:
        return name
    known = shapes.get(name)
    shape = shapes[name] = {} if known is None else known
    for prop, hint in typing.get_type_hints(model, include_extras=True).items():
        if prop == "model_config":
            continue
        is_optional = typing.get_origin(hint) is NotRequired
        fields = getattr(model, "model_fields", None)
        is_required = not is_optional if fields is None else fields[prop].is_required()
        spec: Prop = {"types": [], "values": [], "required": is_required, "nullable": False}
        _collect_hint(hint, spec, shapes, "")
        shape[prop] = spec if prop not in shape else _merge_props(shape[prop], spec)
    return name


def _collect_hint(hint: Any, spec: Prop, shapes: Shapes, suffix: str) -> None:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (NotRequired, Annotated):
        _collect_hint(arguments[0], spec, shapes, suffix)
    elif hint is type(None):
        spec["nullable"] = spec["required"]
    elif origin is Literal:
        for value in arguments:
            _append_unique(spec["values"], value)
    elif origin in (typing.Union, types.UnionType):
        icons = typing.get_args(IconName)
        if set(icons) <= set(arguments):
            # Python flattens nested unions, so that the names of icons are members here.
            _append_unique(spec["types"], "icon")
            arguments = tuple(part for part in arguments if part not in icons)
        for part in arguments:
            _collect_hint(part, spec, shapes, suffix)
    elif origin is list:
        _collect_hint(arguments[0], spec, shapes, "[]")
    elif origin is dict:
        _append_unique(spec["types"], "any" if arguments == (str, Any) else "Record" + suffix)
    elif hint is Any:
        _append_unique(spec["types"], "any")
    elif hint in (str, datetime):
        _append_unique(spec["types"], f"string{suffix}")
    elif hint in (int, float):
        _append_unique(spec["types"], f"number{suffix}")
    elif hint is bool:
        _append_unique(spec["types"], f"boolean{suffix}")
    elif hint is ActionConfig or is_typeddict(hint) or _is_series(hint):
        _append_unique(spec["types"], _add_python_shape(shapes, hint) + suffix)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        _append_unique(spec["types"], f"Component{suffix}")
    else:
        raise ParlorError(f"infra/widget_catalogue.py does not know the annotation {hint!r}.")


def _is_series(hint: Any) -> bool:
    return isinstance(hint, type) and hint.__name__.endswith("Series")


# Both together


def _merge_shapes(javascript: Shapes, python: Shapes) -> Shapes:
    merged: Shapes = {}
    for shape in {**javascript, **python}:
        there, here = javascript.get(shape, {}), python.get(shape, {})
        merged[shape] = {}
        for name in {**there, **here}:
            if name in there and name in here:
                merged[shape][name] = _merge_props(there[name], here[name])
            else:
                only = {**there, **here}[name]
                is_shared = bool(there) and bool(here)
                source = _JAVASCRIPT if name in there else _PYTHON
                merged[shape][name] = only | ({"only": source} if is_shared or shape not in python else {})
    return merged


def _merge_props(one: Prop, other: Prop) -> Prop:
    return {
        "types": [*one["types"], *(each for each in other["types"] if each not in one["types"])],
        "values": [*one["values"], *(each for each in other["values"] if each not in one["values"])],
        "required": one["required"] and other["required"],
        "nullable": one["nullable"] or other["nullable"],
    }


def _apply_rules(shapes: Shapes) -> Shapes:
    for shape, props in EXTRA_PROPS.items():
        shapes[shape].update({name: {**_EMPTY, **extra} for name, extra in props.items()})
    for shape, props in shapes.items():
        for name, prop in props.items():
            for pattern, rule in RULES.items():
                if re.fullmatch(pattern, f"{shape}.{name}"):
                    prop.update(rule)
            if (default := DEFAULTS.get(f"{shape}.{name}")) is not None:
                prop["default"] = default
    places = [f"{shape}.{name}" for shape, props in shapes.items() for name in props]
    unused = [pattern for pattern in RULES if not any(re.fullmatch(pattern, place) for place in places)]
    unused += [place for place in DEFAULTS if place not in places]
    if unused:
        raise ParlorError(f"infra/widget_rules.py has rules for what no package declares: {', '.join(unused)}")
    return shapes


def _format_props(props: Mapping[str, Prop]) -> dict[str, Prop]:
    """Return the props without the `type` that names the component, and without members that have default values."""
    return {
        name: {key: value for key, value in prop.items() if key not in _EMPTY or value != _EMPTY[key]}
        for name, prop in props.items()
        if name != "type" or prop["types"] == ["string"] or prop["values"] in (["bar"], ["area"], ["line"])
    }


_EMPTY: Prop = {"types": [], "values": [], "required": False, "nullable": False}


def _append_unique(values: list[Any], value: Any) -> None:
    if value not in values:
        values.append(value)
