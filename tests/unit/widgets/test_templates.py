"""Widget templates are found by name, and rendered only with data that their schema allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from errors import WidgetError
from widgets.documents import widget_root
from widgets.templates import WidgetTemplates
from widgets.validation import validate_widget

ORDER = {
    "version": "1.0",
    "name": "Order",
    "template": '{"type": "Card", "children": [{"type": "Title", "value": {{ title | tojson }}}'
    '{% if note is defined %}, {"type": "Text", "value": {{ note | tojson }}}{% endif %}]}',
    "jsonSchema": {
        "type": "object",
        "properties": {"title": {"type": "string"}, "note": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    },
}


class Order(BaseModel):
    title: str
    note: str = "none"


@pytest.fixture
def templates(tmp_path: Path) -> WidgetTemplates:
    loose = {"version": "1.0", "name": "Loose", "template": '{"type": "Card", "children": [{{ x }}]}'}
    wrong = ORDER | {"version": "9"}
    typo = ORDER | {"template": '{"type": "Card", "children": [{"type": "Title", "value": {{ titel | tojson }}}]}'}
    part = {**loose, "template": '{"type": "Card", "children": [{{ row.titel | tojson }}]}'}
    schemas = ORDER | {"jsonSchema": {"type": 5}}
    made = {"order": ORDER, "loose": loose, "wrong": wrong, "schema": schemas, "typo": typo, "part": part}
    for name, definition in made.items():
        (tmp_path / f"{name}.widget").write_text(json.dumps(definition))
    (tmp_path / "broken.widget").write_text("{")
    return WidgetTemplates(tmp_path)


@pytest.mark.parametrize("data", [{"title": 'A "quoted" <b>', "note": "n"}, Order(title='A "quoted" <b>', note="n")])
def test_a_template_is_filled_and_text_stays_text(templates: WidgetTemplates, data: Any) -> None:
    built = templates.build("order", data)
    assert [child["value"] for child in widget_root(built).model_dump()["children"]] == ['A "quoted" <b>', "n"]
    assert validate_widget(built) == []


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("ordr", {}, "there is no template 'ordr' in .*; did you mean 'order'"),
        ("../secret", {}, "there is no template"),
        ("order", {"titel": "x"}, "order.widget has no variable 'titel'; did you mean 'title'"),
        ("order", {"title": 5}, "order.widget: title: 5 is not of type 'string'"),
        ("order", {}, "'title' is a required property"),
        ("loose", {}, "loose.widget: 'x' is undefined; the variables given are: none"),
        ("loose", {"x": "no JSON"}, "what it makes is no widget"),
        ("typo", {"title": "x"}, "typo.widget: 'titel' is undefined; did you mean 'title'"),
        ("part", {"row": {"title": "x"}}, "part.widget: 'dict object' has no attribute 'titel'"),
        ("part", {"row": {"titel": Path()}}, "a value is of the type PosixPath, for which JSON has no form"),
        ("wrong", {"title": "x"}, "wrong.widget is no template of version 1.0"),
        ("broken", {}, "broken.widget is no template of version 1.0"),
        ("schema", {}, "schema.widget is no template of version 1.0"),
    ],
)
def test_a_mistake_is_named_with_the_file_and_the_remedy(
    templates: WidgetTemplates, name: str, data: dict[str, Any], words: str
) -> None:
    with pytest.raises(WidgetError, match=words):
        templates.build(name, data)


def test_the_templates_of_a_folder_are_listed(templates: WidgetTemplates) -> None:
    assert templates.names() == ["broken", "loose", "order", "part", "schema", "typo", "wrong"]
