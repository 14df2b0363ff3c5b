"""Random valid widgets, and widgets with planted defects, generated from the catalogue and a seed."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from widgets.catalogue import Prop, Shape, load_catalogue

CATALOGUE = load_catalogue()
ACTIONS = ("weather.refresh", "todo.complete", "todo.remove", "form.send")
_FIELDS = ("Input", "Textarea", "Select", "DatePicker", "Checkbox", "RadioGroup")
_TEXTS = {
    "length": ["12px", "50%", "auto", "calc(100% - 8px)", "3rem", "24", "0"],
    "spacing": ["8px", "8px 16px", "0.5rem", "2", "auto"],
    "flex": ["auto", "1 1 0%", "none", "1"],
    "ratio": ["16/9", "16 / 9", "1.5", "auto"],
    "date": ["2026-05-01", "2026-05-01T10:00:00Z", "2026-12-24T00:00:00", "2027-01-01T00:00:00+02:00"],
    "pattern": [r"\d{4}", r"[A-Z]{2}-[0-9]+", r"(?<year>\d{4})", r"\p{Lu}.*"],
    "image": ["https://example.org/a.png", "/files/a.png", "data:image/png;base64,AAAA", "pictures/a.png"],
}
_COLORS = ["red-100", "gray-500", "#fff", "#12345678", "rgb(1 2 3)", "var(--x)", "tomato", "alpha-10"]


class WidgetGenerator:
    """Generates valid widgets."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._count = 0

    def skip_names(self) -> None:
        """Continue with names that differ from those used so far."""
        self._count = self.random.randrange(10**6, 10**9)

    def widget(self) -> dict[str, Any]:
        return self.node(self.random.choice(CATALOGUE.roots), depth=0)

    def node(self, kind: str, depth: int, *, in_form: bool = False) -> dict[str, Any]:
        node: dict[str, Any] = {"type": kind}
        shape = CATALOGUE.components[kind]
        is_form = kind == "Form" or (kind == "Card" and self.random.random() < 0.4)
        for name, prop in shape.items():
            if name in ("children", "asForm", "submit", "defaultValue", "min", "max") and kind != "Input":
                continue
            if prop.required or self.random.random() < 0.3:
                node[name] = self.value(prop, name)
            elif self.random.random() < 0.1:
                node[name] = None
        if kind == "Card" and is_form:
            node["asForm"] = True
        if kind == "Button" and in_form and self.random.random() < 0.5:
            node["submit"] = True
        if kind in ("Select", "RadioGroup") and node.get("options") and self.random.random() < 0.5:
            node["defaultValue"] = node["options"][0]["value"]
        if kind == "DatePicker":
            node |= {"min": "2026-01-01", "defaultValue": "2026-05-01", "max": "2026-12-31"}
        if "children" in shape and kind in CATALOGUE.children:
            self._fill(node, kind, depth, in_form or is_form)
        return node

    def _fill(self, node: dict[str, Any], kind: str, depth: int, in_form: bool) -> None:
        allowed = sorted(CATALOGUE.children[kind])
        if depth > 4:
            allowed = [each for each in allowed if each not in CATALOGUE.children] or []
        count = self.random.randint(1, 4) if allowed else 0
        children = [self.node(self.random.choice(allowed), depth + 1, in_form=in_form) for _ in range(count)]
        if kind == "Transition":
            node["children"] = children[0] if children else None
        elif CATALOGUE.components[kind]["children"].required or children:
            node["children"] = [*children, None] if self.random.random() < 0.1 else children

    def unique(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def value(self, prop: Prop, name: str) -> Any:
        if name in ("id", "key", "name", "fieldName"):
            return self.icon() if "icon" in prop.types else self.unique(f"{name}.n" if name == "name" else name)
        kinds: list[Callable[[], Any]] = []
        if prop.values:
            kinds.append(lambda: self.random.choice(prop.values))
        for each in sorted(prop.types):
            kinds.append(lambda each=each: self.value_of_type(each, prop))  # type: ignore[misc]
        if prop.lists:
            kinds.append(lambda: self.list_of(prop.lists))
        return self.random.choice(kinds)()

    def value_of_type(self, kind: str, prop: Prop) -> Any:
        match kind:
            case "string":
                if prop.format == "color":
                    return self.random.choice([*_COLORS, sorted(CATALOGUE.colors[prop.tokens])[0]])
                return self.random.choice(_TEXTS[prop.format]) if prop.format else self.text(prop)
            case "number":
                return self.random.randint(1, 9) if prop.integer else self.random.choice([1, 2.5, 8, 100])
            case "boolean":
                return self.random.random() < 0.5
            case "icon":
                return self.icon()
            case "any":
                return self.random.choice([{"id": 3, "deep": {"a": [1, None]}}, None, "text", 7])
            case "Record":
                return {"a": "A", "b": "B"}
            case _:
                return self.object(kind)

    def text(self, prop: Prop) -> str:
        if prop.name == "type":
            return self.random.choice(ACTIONS)
        if prop.name == "dataKey":
            return "sales"
        return "sales" if prop.name == "xAxis" else self.random.choice(["Text", "", "Ein Wort ümlaut", "a" * 40]) or "x"

    def icon(self) -> str:
        return self.random.choice([*sorted(CATALOGUE.icons), "lucide:rocket", "vendor:own"])

    def object(self, name: str) -> dict[str, Any]:
        made = {}
        for key, prop in CATALOGUE.objects[name].items():
            if prop.required or self.random.random() < 0.4:
                made[key] = None if prop.nullable and self.random.random() < 0.3 else self.value(prop, key)
        return made

    def list_of(self, kinds: tuple[str, ...]) -> list[Any]:
        if kinds == ("Record",):
            return [{"sales": 1, "month": "Jan", "gap": None}, {"sales": 2.5, "month": "Feb"}]
        made = [self.object(self.random.choice(kinds)) for _ in range(self.random.randint(1, 3))]
        for each in made:
            if "value" in each:
                each["value"] = self.unique("value")
        return made


@dataclass(frozen=True)
class Place:
    """A component of a widget, or an object within one, with its path."""

    node: dict[str, Any]
    path: str
    shape: Shape
    kind: str
    is_component: bool


def places(widget: dict[str, Any]) -> Iterator[Place]:
    """Return every component and every object of a widget."""

    def objects(value: Any, prop: Prop, path: str) -> Iterator[Place]:
        if isinstance(value, dict) and "any" not in prop.types:
            names = [each for each in prop.types if each in CATALOGUE.objects]
            if {"Border", "Borders"} <= set(names):
                names = ["Border" if "size" in value else "Borders"]
            if names and "Record" not in prop.types:
                yield from inside(value, names[0], path)
        elif isinstance(value, list) and prop.lists and prop.lists != ("Record",):
            for index, each in enumerate(value):
                series = {"bar": "BarSeries", "area": "AreaSeries", "line": "LineSeries"}
                name = series[each["type"]] if "BarSeries" in prop.lists else prop.lists[0]
                yield from inside(each, name, f"{path}[{index}]")

    def inside(value: dict[str, Any], name: str, path: str) -> Iterator[Place]:
        yield Place(value, path, CATALOGUE.objects[name], name, False)
        for key, each in value.items():
            yield from objects(each, CATALOGUE.objects[name][key], f"{path}.{key}")

    def walk(node: dict[str, Any], path: str) -> Iterator[Place]:
        shape = CATALOGUE.components[node["type"]]
        yield Place(node, path, shape, node["type"], True)
        for key, value in node.items():
            if key not in ("type", "children") and value is not None:
                yield from objects(value, shape[key], f"{path}.{key}")
        children = node.get("children")
        if isinstance(children, dict):
            yield from walk(children, f"{path}.children.{children['type']}")
        for index, child in enumerate(children if isinstance(children, list) else ()):
            if child is not None:
                yield from walk(child, f"{path}.children[{index}].{child['type']}")

    yield from walk(widget, widget["type"])


def misspell(random: Random, word: str) -> str:
    """Return a word with one letter missing, two letters swapped, or one letter doubled."""
    at = random.randrange(1, len(word) - 1) if len(word) > 2 else 0
    made = random.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
            word[:at] + word[at:][:1] + word[at:],
        ]
    )
    return made if made != word else word + word[-1]


def _misspell_prop(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    names = [
        name
        for name in place.node
        if name not in ("type", "children", "id", "key") and len(name) > 2 and name in place.shape
    ]
    if not names or place.kind in ("Spacing", "Borders"):
        return None
    name = random.choice(names)
    wrong = misspell(random, name)
    if wrong in place.shape or wrong in CATALOGUE.components_by_prop:
        return None
    place.node[wrong] = place.node.pop(name)
    return f"{place.path}.{wrong}", "unknown_prop"


def _wrong_enum(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    names = [n for n, prop in place.shape.items() if prop.values and not prop.types and n != "type"]
    if not names:
        return None
    name = random.choice(names)
    place.node[name] = "huge-ish"
    return f"{place.path}.{name}", "wrong_value"


def _wrong_type(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    names = [
        n
        for n, prop in place.shape.items()
        if n != "children" and "any" not in prop.types and n not in ("id", "key", "name", "type")
    ]
    if not names:
        return None
    name = random.choice(names)
    prop = place.shape[name]
    wrong: list[Any] = [3] if "number" not in prop.types else [True]
    wrong += [{"x": 1}] if not prop.types & {*CATALOGUE.objects, "Record"} else []
    wrong += [["a"]] if not prop.lists else []
    place.node[name] = random.choice(wrong)
    return f"{place.path}.{name}", "wrong_type"


def _missing(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    names = [n for n, prop in place.shape.items() if prop.required and n not in ("children", "name")]
    if not names or place.kind in ("Border", "LineSeries", "BarSeries", "AreaSeries"):
        return None
    name = random.choice(names)
    if place.shape[name].nullable or random.random() < 0.7 or name not in place.node:
        place.node.pop(name, None)
    else:
        place.node[name] = None
    return f"{place.path}.{name}", "missing"


def _out_of_range(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    shape = place.shape.items()
    names = [n for n, prop in shape if "number" in prop.types and (prop.minimum is not None or prop.above is not None)]
    if not names:
        return None
    name = random.choice(names)
    place.node[name] = -3
    return f"{place.path}.{name}", "out_of_range"


def _wrong_child(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    children = place.node.get("children")
    if not place.is_component or not isinstance(children, list):
        return None
    wrong = [name for name in CATALOGUE.components if name not in CATALOGUE.children[place.kind]]
    if not wrong:
        return None
    maker = WidgetGenerator(random.randrange(10_000))
    maker.skip_names()
    child = maker.node(random.choice(wrong), depth=9)
    children.append(child)
    return f"{place.path}.children[{len(children) - 1}].{child['type']}", "wrong_child"


def _misspell_component(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    if not place.is_component or place.node is widget or len(place.kind) < 4:
        return None
    wrong = misspell(random, place.kind)
    place.node["type"] = wrong
    return place.path.removesuffix(place.kind) + wrong, "unknown_component"


def _duplicate_id(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    components = [each for each in others if each.is_component]
    if len(components) < 2 or not place.is_component or place is components[0]:
        return None
    other = components[0]
    if "twice" in str(other.node.get("id")):
        return None
    place.node["id"] = other.node["id"] = f"twice{random.randrange(10**9)}"
    return f"{place.path}.id", "duplicate_id"


def _unnamed(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    if place.kind not in _FIELDS:
        return None
    place.node["name"] = ""
    return f"{place.path}.name", "unnamed_field"


def _unknown_icon(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    names = [n for n, prop in place.shape.items() if "icon" in prop.types]
    if not names:
        return None
    place.node[names[0]] = "elephant"
    return f"{place.path}.{names[0]}", "unknown_icon"


def _undeclared(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    if place.kind != "ActionConfig":
        return None
    place.node.pop("handler", None)
    place.node["type"] = "todo.complet"
    return f"{place.path}.type", "undeclared_action"


def _no_effect(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    if not place.is_component:
        return None
    elsewhere = [name for name in CATALOGUE.components_by_prop if name not in place.shape and name != "children"]
    name = random.choice(sorted(elsewhere))
    place.node[name] = 3
    return f"{place.path}.{name}", "unknown_prop"


def _bad_format(random: Random, place: Place, others: list[Place], widget: Any) -> tuple[str, str] | None:
    wrong = {
        "color": "primry",
        "length": "wide",
        "spacing": "lots",
        "flex": "grow",
        "ratio": "wide",
        "date": "1.5.2026",
        "pattern": "[a-z",
        "image": "javascript:alert(1)",
    }
    names = [n for n, prop in place.shape.items() if prop.format and "string" in prop.types]
    if not names:
        return None
    name = random.choice(names)
    place.node[name] = wrong[place.shape[name].format]
    return f"{place.path}.{name}", "wrong_value"


_PLANTERS = (
    _misspell_prop, _misspell_prop, _misspell_prop, _wrong_enum, _wrong_type, _missing, _out_of_range, _wrong_child,
    _misspell_component, _misspell_component, _duplicate_id, _unnamed, _unknown_icon, _undeclared, _no_effect,
    _bad_format,
)  # fmt: skip


def plant_defects(seed: int, count: int) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return a widget with up to `count` defects in separate places, and the expected path and kind of each."""
    random = Random(seed)
    widget = copy.deepcopy(WidgetGenerator(seed).widget())
    everywhere = list(places(widget))
    planted: list[tuple[str, str]] = []
    used: list[str] = []
    for _ in range(60):
        if len(planted) == count:
            break
        place = random.choice(everywhere)
        planter = random.choice(_PLANTERS)
        is_renamed = planter in (_misspell_component, _wrong_child)
        if any(_touches(place.path, other) or (is_renamed and _is_below(other, place.path)) for other in used):
            continue
        found = planter(random, place, everywhere, widget)
        if found is not None:
            planted.append(found)
            # A renamed component changes all paths below it.
            used.append(f"{place.path}*" if is_renamed else place.path)
    return widget, planted


def _touches(path: str, used: str) -> bool:
    """Return whether two places are in the same component, or one is below a renamed component."""
    if used.endswith("*") and _is_below(path, used[:-1]):
        return True
    mine, other = (_component_path(each.rstrip("*")) for each in (path, used))
    return mine == other


def _is_below(path: str, above: str) -> bool:
    return path.rstrip("*").startswith(f"{above}.")


def _component_path(path: str) -> str:
    head, found, tail = path.rpartition(".children")
    name = re.match(r"(?:\[\d+\])?\.(?:Table\.(?:Row|Cell)|\w+)", tail)
    return head + found + (name[0] if name and found else "") if found else path.partition(".")[0]
