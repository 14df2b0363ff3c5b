from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from base_server import BaseChatKitServer
from context import Services
from plugins import UseCase
from process.use_case_loading import load_use_cases
from process.widget_gallery import Exhibit, build_gallery, component_exhibits, gallery_lines, use_case_exhibits
from streaming.actions.declared_actions import action
from tests.unit.scripted_model import ScriptedModel
from widgets.catalogue import load_catalogue
from widgets.documents import walk_components
from widgets.samples import load_samples

CARD = {"type": "Card", "children": [{"type": "Text", "value": "hello"}]}

PLUGIN = """
from typing import Literal
from chatkit.widgets import Card, Text

def build_ticket(number: int, title: str, state: Literal["open", "done"], tags: list[str]) -> dict:
    return {"type": "Card", "children": [{"type": "Text", "value": f"{number} {title} {state} {tags[2]}"}]}

def build_old(title: str | None) -> Card:
    return Card(children=[Text(value=title)])

def build_hard(rows: object) -> dict:
    raise AssertionError("nobody may call this")

def build_wrong() -> dict:
    return {"type": "Text", "value": "no root"}

def build_failing() -> dict:
    raise RuntimeError("the shop is closed")

def build_word() -> str:
    raise AssertionError("nobody may call this")

def _build_row() -> dict:
    raise AssertionError("nobody may call this")
"""


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    """A module of a use case in a folder of its own, as the loader leaves it behind."""
    made = ModuleType("use_cases.gallery_shop.plugin")
    made.__file__ = str(tmp_path / "plugin.py")
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


class ShopServer(BaseChatKitServer):
    @action("shop.buy")
    async def buy(self, turn: object) -> None: ...


def exhibits(use_case: UseCase) -> dict[str, Exhibit]:
    return {each.name: each for each in use_case_exhibits(use_case)}


def test_each_component_has_a_sample_without_a_mistake_that_shows_it() -> None:
    assert [each.name for each in component_exhibits()] == list(load_catalogue().components)
    for name, widget in load_samples().items():
        assert name in [each["type"] for each in walk_components(widget)]
    assert [each.name for each in component_exhibits() if not each.is_well] == []


def test_the_use_cases_that_come_along_show_widgets_without_a_mistake(services: Services) -> None:
    root = Path(__file__).resolve().parents[3]
    groups = build_gallery(load_use_cases(services, [root / "use_cases"], only=["todo", "weather"]).enabled)
    shown = {group.name: [each for each in group.widgets if not each.is_well] for group in groups}
    assert shown == {None: [], "todo": [], "weather": []}
    assert all(len(group.widgets) >= 5 for group in groups)


def test_samples_are_checked_against_the_declared_actions(services: Services) -> None:
    def button(name: str) -> dict[str, object]:
        return {"type": "Card", "children": [{"type": "Button", "label": "x", "onClickAction": {"type": name}}]}

    samples: dict[str, Any] = {"right": button("shop.buy"), "wrong": button("shop.by"), "none": None, "text": "x"}
    shown = exhibits(UseCase("shop", "Shop", ShopServer(services), sample_widgets=lambda: samples))
    assert shown["right"].is_well
    assert [each.kind for each in shown["wrong"].findings] == ["undeclared_action"]
    assert (shown["none"].widget, shown["text"].widget) == (None, None)
    assert not shown["none"].is_well


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_failing_samples_are_reported(services: Services, error: type[BaseException]) -> None:
    def fail() -> dict[str, object]:
        raise error("no samples today")

    shown = exhibits(UseCase("shop", "Shop", ShopServer(services), sample_widgets=fail))  # type: ignore[arg-type]
    assert shown["sample_widgets"].note == f"sample_widgets failed: {error.__name__}: no samples today"


def test_without_samples_functions_are_called_with_values_that_fit(module: ModuleType, services: Services) -> None:
    exec(PLUGIN, vars(module))  # noqa: S102 - a use case is code
    server = type("Server", (BaseChatKitServer,), {"__module__": module.__name__})
    shown = exhibits(UseCase("shop", "Shop", server(services)))
    assert list(shown) == ["build_failing", "build_hard", "build_old", "build_ticket", "build_wrong"]
    assert shown["build_ticket"].widget["children"][0]["value"] == "3 Some words open Some words"
    assert shown["build_ticket"].is_well
    assert shown["build_old"].widget["type"] == "Card"
    assert "sample_widgets" in shown["build_hard"].note
    assert shown["build_wrong"].widget is None
    assert shown["build_failing"].note == "RuntimeError: the shop is closed"


def test_templates_show_their_preview_or_what_they_build_of_nothing(module: ModuleType, services: Services) -> None:
    folder = Path(module.__file__ or "").parent
    template = {"version": "1.0", "name": "x", "template": json.dumps(CARD), "jsonSchema": {}}
    (folder / "plain.widget").write_text(json.dumps(template))
    (folder / "seen.widget").write_text(json.dumps({**template, "outputJsonPreview": json.dumps({**CARD, "id": "p"})}))
    (folder / "broken.widget").write_text("{")
    server = type("Server", (BaseChatKitServer,), {"__module__": module.__name__})
    shown = exhibits(UseCase("shop", "Shop", server(services), sample_widgets=dict))
    assert list(shown) == ["broken.widget", "plain.widget", "seen.widget"]
    assert "broken.widget" in shown["broken.widget"].note
    assert shown["plain.widget"].widget == CARD
    assert shown["seen.widget"].widget == {**CARD, "id": "p"}


def test_the_lines_name_each_widget_and_below_it_each_mistake(services: Services) -> None:
    samples = {"good": CARD, "bad": {**CARD, "sise": "sm"}}
    groups = build_gallery({"shop": UseCase("shop", "Shop", ShopServer(services), sample_widgets=lambda: samples)})
    lines = gallery_lines(groups)
    at = lines.index("Shop (shop)")
    assert lines[at + 1 : at + 3] == ["  ok        good", "  1 wrong   bad"]
    assert lines[at + 3].strip().startswith("Card.sise: ")
    assert lines[-1] == f"{len(load_samples()) + 2} widgets, 1 of them with mistakes"


def test_the_lines_say_each_thing_once_and_pass_nothing_on_that_a_terminal_obeys(services: Services) -> None:
    samples = {"two\nlines \x1b[31m": {**CARD, "a\x07b": 1}, "rootless": {"type": "Text", "value": "x"}}
    groups = build_gallery({"x": UseCase("x", "\x1b]0;T\x07", ShopServer(services), sample_widgets=lambda: samples)})
    lines = gallery_lines(groups)
    assert all(line.isprintable() for line in lines)
    assert sum("'Text'" in line for line in lines) == 1
