"""Every mistake in a widget is reported with its exact path, and nothing else is reported."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from chatkit.actions import ActionConfig
from chatkit.widgets import (
    BarSeries,
    Button,
    Card,
    Chart,
    DatePicker,
    DynamicWidgetComponent,
    Text,
    Transition,
    WidgetTemplate,
)

from file_library.attached_file import AttachedFile
from file_library.file_widget import build_file_widget
from tests.unit.widgets.generated_trees import ACTIONS, WidgetGenerator, plant_defects
from widgets.catalogue import load_catalogue
from widgets.documents import MAX_WIDGET_DEPTH, widget_root
from widgets.findings import Finding
from widgets.validation import MAX_FINDINGS, validate_widget

CORPUS = Path(__file__).resolve().parents[2] / "widgets"
VALID: list[dict[str, Any]] = json.loads((CORPUS / "valid.json").read_text())
INVALID: list[dict[str, Any]] = json.loads((CORPUS / "invalid.json").read_text())


def places_of(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.path, finding.kind) for finding in findings]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_a_valid_widget_has_no_finding(case: dict[str, Any]) -> None:
    assert validate_widget(case["widget"], actions=ACTIONS) == []
    assert validate_widget(widget_root(case["widget"]), actions=ACTIONS) == []


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case["name"])
def test_each_mistake_is_named_with_path_kind_and_nearest_name(case: dict[str, Any]) -> None:
    found = validate_widget(case["widget"], actions=ACTIONS)
    assert [[each.path, each.kind, each.nearest] for each in found] == case["findings"]
    assert all(each.nearest is None or each.nearest in each.message for each in found)


def test_generated_widgets_have_no_finding() -> None:
    assert [places_of(validate_widget(WidgetGenerator(seed).widget(), actions=ACTIONS)) for seed in range(200)] == [
        []
    ] * 200


def test_planted_defects_are_found_all_and_no_others() -> None:
    kinds = set()
    for seed in range(300):
        widget, planted = plant_defects(seed, 2)
        assert sorted(places_of(validate_widget(widget, actions=ACTIONS))) == sorted(planted), f"seed {seed}"
        kinds |= {kind for _, kind in planted}
    assert len(kinds) == 10


def test_each_component_with_each_value_of_each_prop_has_no_finding() -> None:
    catalogue = load_catalogue()
    checked = 0
    for kind, shape in catalogue.components.items():
        maker = WidgetGenerator(1)
        required = [(name, prop) for name, prop in shape.items() if prop.required and name != "children"]
        for name, prop in shape.items():
            for value in [*prop.values, None]:
                node = {"type": kind} | {each: maker.value(p, each) for each, p in required}
                node |= {"children": []} if "children" in shape else {}
                if value is not None or not prop.required:
                    node[name] = value
                checked += 1
                assert validate_widget(in_its_place(node)) == [], (kind, name, value)
    assert checked > 700


def in_its_place(node: dict[str, Any]) -> dict[str, Any]:
    homes = {"ListViewItem": "ListView", "Table.Cell": "Table.Row", "Table.Row": "Table", "Table": "Card"}
    if node["type"] == "Transition":
        node["children"] = None
    while node["type"] not in ("Card", "ListView", "Basic"):
        node = {"type": homes.get(node["type"], "Card"), "children": [node]}
    return node


def test_models_and_templates_are_checked_as_their_json_is() -> None:
    chart = Chart(data=[{"a": 1}], series=[BarSeries(label=None, dataKey="a")], xAxis="a")
    button = Button(label="Go", onClickAction=ActionConfig(type="todo.complet"))
    day = DatePicker(name="day", min=datetime(2026, 5, 1))  # noqa: DTZ001 - as authors write it
    card = Card(children=[Text(value="a"), Transition(children=None), chart, day, button])
    place = "Card.children[4].Button.onClickAction.type"
    assert places_of(validate_widget(card, actions=ACTIONS)) == [(place, "undeclared_action")]
    assert validate_widget(card) == []
    loose = Card(children=[DynamicWidgetComponent(type="Button", lable="x")])
    assert places_of(validate_widget(loose)) == [("Card.children[0].Button.lable", "unknown_prop")]
    text = '{"type": "Card", "children": [{"type": "Text", "valeu": "x"}]}'
    built = WidgetTemplate({"version": "1.0", "name": "x", "template": text}).build()
    assert places_of(validate_widget(built)) == [("Card.children[0].Text.valeu", "unknown_prop")]


@pytest.mark.parametrize("widget", [None, [], "Card", 5, {}, {"type": 5}, {"type": ""}])
def test_an_invalid_root_is_a_single_finding(widget: Any) -> None:
    assert len(validate_widget(widget)) == 1


def test_a_widget_that_is_too_deep_and_one_with_many_mistakes_are_found_out_soon() -> None:
    deep: dict[str, Any] = {"type": "Text", "value": "x"}
    for _ in range(MAX_WIDGET_DEPTH * 4):
        deep = {"type": "Box", "children": [deep]}
    assert [each.kind for each in validate_widget({"type": "Card", "children": [deep]})] == ["too_deep"]
    endless: dict[str, Any] = {"type": "Card", "children": []}
    row = {"type": "Row", "children": [{"type": "Text", "valeu": "x"}]}
    row["children"] = [*row["children"], row, row]  # type: ignore[misc]
    endless["children"] = [row, row]
    assert {each.kind for each in validate_widget(endless)} >= {"too_deep"}
    many = {"type": "Card", "children": [{"type": "Text", "valu": "x"}] * 1_000}
    assert len(validate_widget(many)) == MAX_FINDINGS


def test_a_finding_reads_as_a_sentence_with_its_place() -> None:
    (finding,) = validate_widget({"type": "Card", "children": [{"type": "Badge", "lable": "x"}]})
    assert str(finding) == "Card.children[0].Badge.lable: 'Badge' has no 'lable'; did you mean 'label'?"
    assert finding.severity == "error"


def test_the_card_of_a_file_has_no_finding() -> None:
    picture = SimpleNamespace(
        name="sun.png", size=2_000, url="parlor-file:f1", preview_url="parlor-file:f1/preview", media_type="image/png"
    )
    assert validate_widget(build_file_widget(cast("AttachedFile", picture)), actions=()) == []
