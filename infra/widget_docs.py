"""Tables of all widget components in docs/widgets.md, drawn from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.client_build import ROOT

DOCUMENT = ROOT / "docs" / "widgets.md"
BEGIN = "<!-- begin components; written by: ./parlor widget-catalogue -->\n"
END = "<!-- end components -->\n"

_WORDS = {
    "string": "text",
    "number": "number",
    "boolean": "true, false",
    "icon": "[icon](#icons)",
    "any": "any JSON",
    "Record": "object of texts",
    "Record[]": "list of rows: texts and numbers by name",
    "Component": "one component",
    "Component[]": "components",
}
_FORMATS = {
    "length": "or CSS length",
    "spacing": "or CSS length",
    "flex": "or CSS flex",
    "ratio": "or `16 / 9`",
    "date": "ISO date",
    "pattern": "regular expression",
    "image": "address",
}
_SHARED = ("key", "id")


def render_components(catalogue: Mapping[str, Any]) -> str:
    """Return a heading and a table for each component and each object, and the list of icons."""
    lines: list[str] = []
    for name, props in catalogue["components"].items():
        lines += [f"### {name}", "", *_places(name, catalogue), *_table(props, catalogue)]
    lines += ["## Objects within props", ""]
    for name, props in catalogue["objects"].items():
        lines += [f"### {name}", "", *_table(props, catalogue)]
    schemes = " or ".join(f"`{scheme}`" for scheme in catalogue["icons"]["schemes"])
    lines += ["## Icons", "", f"Any name that begins with {schemes}, and these:", ""]
    lines += [", ".join(f"`{name}`" for name in catalogue["icons"]["names"]) + ".", ""]
    return "\n".join(lines) + "\n"


def rendered(document: str, catalogue: Mapping[str, Any]) -> str:
    """Return the document with its tables drawn anew."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/widgets.md has lost its lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{head}{begin}\n{render_components(catalogue)}{end}{tail}"


def _places(name: str, catalogue: Mapping[str, Any]) -> list[str]:
    homes = [parent for parent, rule in catalogue["children"].items() if name in rule["of"]]
    words = ["a root"] if name in catalogue["roots"] else []
    words += [f"stands in {', '.join(homes)}"] if 0 < len(homes) < 4 else []
    return [f"Is {'; '.join(words)}." if name in catalogue["roots"] else f"Only {words[0]}.", ""] if words else []


def _table(props: Mapping[str, Any], catalogue: Mapping[str, Any]) -> list[str]:
    lines = ["| Prop | Values | Default |", "| --- | --- | --- |"]
    for name, prop in props.items():
        if name not in _SHARED:
            mark = "" if not prop.get("required") else " (required)"
            lines.append(f"| `{name}`{mark} | {_values(prop, catalogue)} | {_default(prop)} |")
    return [*lines, ""] if len(lines) > 2 else ["No props of its own.", ""]


def _values(prop: Mapping[str, Any], catalogue: Mapping[str, Any]) -> str:
    words = [f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in prop.get("values", ())]
    types = prop.get("types", ())
    fixed = prop.get("format")
    if fixed == "color":
        tokens = catalogue["colors"]["tokens"].get(prop.get("tokens", ""), [])
        words += [f"`{token}`" for token in tokens] + ["[colour](#colours)"]
        types = [each for each in types if each != "string"]
    elif fixed in ("date", "pattern", "image"):
        words.append(_FORMATS[fixed])
        types = [each for each in types if each != "string"]
    for each in types:
        if fixed in ("length", "spacing", "flex", "ratio") and each == "string":
            words.append(_FORMATS[fixed])
        else:
            words.append(_WORDS.get(each, _linked(each)))
    if "min" in prop or "above" in prop:
        bound = f"{prop['min']:g} or more" if "min" in prop else f"more than {prop['above']:g}"
        words.append(f"{bound}, whole" if prop.get("integer") else bound)
    if prop.get("nullable"):
        words.append("null")
    return ", ".join(words)


def _linked(kind: str) -> str:
    name = kind.removesuffix("[]")
    return f"{'list of ' if kind.endswith('[]') else ''}[{name}](#{name.lower()})"


def _default(prop: Mapping[str, Any]) -> str:
    default = prop.get("default")
    return "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
