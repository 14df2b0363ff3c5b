"""The catalogue of widgets agrees with the declarations of both packages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from errors import ParlorError
from infra.typescript_types import parse_types
from infra.widget_catalogue import CATALOGUE, PACKAGE, build_catalogue, format_catalogue
from infra.widget_docs import DOCUMENT, render_document
from infra.widget_types import TYPES, format_types
from widgets.samples import load_samples

WRITE_IT = "write it anew with: ./parlor widget-catalogue; then let the client draw what is new"


def test_the_catalogue_is_what_the_installed_packages_declare() -> None:
    assert format_catalogue(build_catalogue()) == CATALOGUE.read_text(), WRITE_IT


def test_the_types_of_the_client_are_those_of_the_catalogue() -> None:
    catalogue = build_catalogue()
    assert format_types(catalogue) == TYPES.read_text(), WRITE_IT
    # As soon as a package declares a component, a prop or a value, the client's compiler sees it.
    catalogue["components"]["Badge"]["shape"] = {"values": ["round"], "types": ["Spacing[]"], "required": True}
    written = format_types(catalogue)
    assert written.count('    readonly shape: "round" | readonly Spacing[];') == 1
    assert written != TYPES.read_text()


def test_the_document_lists_every_component_and_every_icon_as_the_catalogue_has_them() -> None:
    document = DOCUMENT.read_text()
    catalogue = build_catalogue()
    assert render_document(document, catalogue) == document, WRITE_IT
    for name, props in catalogue["components"].items():
        section = document.partition(f"\n### {name}\n")[2].partition("\n###")[0]
        assert {f"`{prop}`" for prop in props if prop not in ("key", "id")} <= set(section.split()), name


def test_the_samples_of_the_document_run() -> None:
    names: dict[str, Any] = {}
    for sample in re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(sample, "docs/widgets.md", "exec"), names)  # noqa: S102 - our own document
    assert {"build_ticket", "frames", "finding"} <= names.keys()
    for name, widget in load_samples().items():
        assert names[name.lower().replace(".", "_")] == widget


def test_each_component_has_its_picture_and_its_sample_as_json() -> None:
    sizes = 0
    for name, widget in load_samples().items():
        section = DOCUMENT.read_text().partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert json.loads(section.partition("```json\n")[2].partition("```")[0]) == widget
        picture = DOCUMENT.parent / "widgets" / f"{name.lower()}.png"
        assert f"(widgets/{picture.name})" in section
        assert picture.read_bytes().startswith(b"\x89PNG"), "./parlor widget-pictures makes it"
        sizes += picture.stat().st_size
    assert sizes < 1_500_000


def test_the_catalogue_has_what_only_one_of_the_packages_declares() -> None:
    catalogue: dict[str, Any] = json.loads(CATALOGUE.read_text())
    only = {
        f"{name}.{prop}": spec["only"]
        for name, props in {**catalogue["components"], **catalogue["objects"]}.items()
        for prop, spec in props.items()
        if "only" in spec
    }
    assert only["Card.border"] == only["Table.Row.header"] == only["Basic.theme"] == "@openai/chatkit"
    assert only["Select.searchable"] == only["Image.background"] == only["SelectOption.disabled"] == "openai-chatkit"
    assert len(catalogue["components"]) == 30
    assert {"clock", "dot"} <= set(catalogue["icons"]["names"])


def test_a_new_prop_and_a_new_value_of_the_types_are_read() -> None:
    source = (PACKAGE / "types" / "widgets.d.ts").read_text()
    newer = parse_types(source.replace("submit?: boolean;", "submit?: boolean; hue?: 'warm' | 'cold';"))
    assert newer["Button"].objects[0]["hue"].type.literals == ("warm", "cold")
    assert "hue" not in parse_types(source)["Button"].objects[0]


def test_unsupported_syntax_of_types_is_refused() -> None:
    with pytest.raises(ParlorError, match="does not understand"):
        parse_types("type A = { b: [string] };")
    with pytest.raises(ParlorError, match="do not declare 'B'"):
        parse_types("type A = { b: string } & B;")
