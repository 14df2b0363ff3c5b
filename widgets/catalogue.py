"""The catalogue of widgets: every component with its props, and the components that it may contain.

``./parlor widget-catalogue`` generates `catalogue.json` from the packages that declare widgets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Prop:
    """A prop of a component or of an object within one.

    Attributes:
        name: The key in the JSON.
        types: Types of its value: ``string``, ``number``, ``boolean``, ``icon``, ``any``, or the name of an object.
        lists: Types of the elements, where the value may be a list.
        values: Literal values that are allowed in addition to the types.
        required: Whether the prop may not be left out.
        nullable: Whether the prop may be null although it is required.
        format: Format of a text, e.g. ``length`` or ``date``; empty where any text is allowed.
        tokens: Family of colours, e.g. ``text``.
        integer: Whether a number has to be whole.
        minimum: Smallest number allowed; None without one.
        above: Exclusive lower bound of a number; None without one.
        not_empty: Whether an empty text counts as a missing one.
        default: Value that the client uses where the prop is left out.
        only: The only package that declares the prop; empty when both do.
    """

    name: str
    types: frozenset[str]
    lists: tuple[str, ...]
    values: tuple[str | bool, ...]
    required: bool = False
    nullable: bool = False
    format: str = ""
    tokens: str = ""
    integer: bool = False
    minimum: float | None = None
    above: float | None = None
    not_empty: bool = False
    default: Any = None
    only: str = ""

    def is_plainly_valid(self, value: object) -> bool:
        """Return whether a value is valid without a closer look; False says only that it has to be checked."""
        kind = type(value)
        if kind is str:
            return value in self.values or ("string" in self.types and not self.format and not self.not_empty)
        return kind is bool and "boolean" in self.types


Shape = Mapping[str, Prop]
"""The props of a component or of an object, by name."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All components with their props, the objects in props, and the components that each may contain.

    Attributes:
        components: Props of the components by type.
        objects: Props of objects that are values of props, such as ``ActionConfig``.
        roots: Components that may be the root of a widget.
        children: The components that each component with children may contain.
        icons: Names of icons.
        icon_schemes: Prefixes of icon names that `icons` does not list.
        colors: Colours by family, each with the names of CSS and the primitives.
        required: Props that may not be left out, by component or object.
        components_by_prop: Components that have a prop, by the prop's name.
    """

    components: Mapping[str, Shape]
    objects: Mapping[str, Shape]
    roots: tuple[str, ...]
    children: Mapping[str, frozenset[str]]
    icons: frozenset[str]
    icon_schemes: tuple[str, ...]
    colors: Mapping[str, frozenset[str]]
    required: Mapping[str, tuple[Prop, ...]]
    components_by_prop: Mapping[str, tuple[str, ...]]


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue; its file is read once."""
    data = json.loads((files("widgets") / "catalogue.json").read_text(encoding="utf-8"))
    components = {name: _build_shape(props) for name, props in data["components"].items()}
    primitives = {f"{hue}-{step}" for hue in data["colors"]["hues"] for step in data["colors"]["steps"]}
    named = frozenset({*data["colors"]["css"], *primitives})
    families = {family: named | set(tokens) for family, tokens in data["colors"]["tokens"].items()}
    components_by_prop: dict[str, list[str]] = {}
    for name, shape in components.items():
        for prop in shape:
            components_by_prop.setdefault(prop, []).append(name)
    objects = {name: _build_shape(props) for name, props in data["objects"].items()}
    return Catalogue(
        components=components,
        objects=objects,
        roots=tuple(data["roots"]),
        children={name: frozenset(rule["of"]) for name, rule in data["children"].items()},
        icons=frozenset(data["icons"]["names"]),
        icon_schemes=tuple(data["icons"]["schemes"]),
        colors={**families, "": frozenset().union(*families.values())},
        required={
            name: tuple(prop for prop in shape.values() if prop.required)
            for name, shape in {**components, **objects}.items()
        },
        components_by_prop={prop: tuple(names) for prop, names in components_by_prop.items()},
    )


def _build_shape(props: Mapping[str, Mapping[str, Any]]) -> dict[str, Prop]:
    return {name: _build_prop(name, spec) for name, spec in props.items()}


def _build_prop(name: str, spec: Mapping[str, Any]) -> Prop:
    types = [str(type_) for type_ in spec.get("types", ())]
    return Prop(
        name=name,
        types=frozenset(type_ for type_ in types if not type_.endswith("[]")),
        lists=tuple(type_.removesuffix("[]") for type_ in types if type_.endswith("[]")),
        values=tuple(spec.get("values", ())),
        minimum=spec.get("min"),
        **{key: value for key, value in spec.items() if key not in ("types", "values", "min")},
    )
