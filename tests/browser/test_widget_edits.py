"""Widget updates while a person uses the widget: random edits that must keep the person's state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.samples import item
from tests.browser.servers.scripted import user_item
from tests.browser.stage import Stage

EDIT = (Path(__file__).parent / "inspections" / "widget_edits.js").read_text(encoding="utf-8")
OPTIONS = [{"value": f"v{n}", "label": f"Option {n}"} for n in range(20)]
ROWS = [
    {"type": "ListViewItem", "key": f"row {n}", "children": [{"type": "Text", "value": f"Row {n}"}]} for n in range(8)
]
FIELDS: list[dict[str, Any]] = [
    {"type": "Input", "name": "by_id", "id": "one", "key": "k1", "defaultValue": "x"},
    {"type": "Textarea", "name": "by_key", "key": "two"},
    {"type": "Input", "name": "by_name"},
    {"type": "Select", "name": "choice", "defaultValue": "v0", "options": OPTIONS},
    {"type": "RadioGroup", "name": "radio", "options": OPTIONS[:3]},
    {"type": "Checkbox", "name": "check", "id": "six", "label": "Check"},
    {"type": "Text", "value": "first", "editable": {"name": "text"}},
    {"type": "DatePicker", "name": "day"},
    {"type": "DatePicker", "name": "other_day", "id": "other"},
]
WIDGET = {
    "type": "Basic",
    "children": [
        {"type": "Form", "children": FIELDS},
        {"type": "ListView", "id": "list", "limit": "auto", "children": ROWS},
    ],
}


@pytest.mark.parametrize("seed", range(1, 5))
def test_twenty_edits_take_nothing_from_a_person(stage: Stage, seed: int) -> None:
    stage.show(user_item("hi"), item("widget", "wi_1", widget=WIDGET))
    keyboard, widgets = stage.page.keyboard, stage.chat.widgets
    widgets.locator("[data-field=by_id]").fill("typed 1")
    widgets.locator("[data-field=by_key]").fill("typed 2")
    widgets.locator("[data-field=text]").fill("typed 3")
    widgets.get_by_text("Option 2", exact=True).last.click()
    widgets.get_by_text("Check", exact=True).click()
    widgets.locator(".more").click()
    day, other = widgets.locator("input.face").first, widgets.locator("input.face").last
    other.fill("5/4/2026")
    other.press("Tab")
    day.fill("12/")
    name = widgets.locator("[data-field=by_name]")
    name.fill("typed 4")
    # What could not be read has been said, and is kept with it.
    expect(widgets.locator("[data-unread]")).to_have_value("12/")
    name.evaluate("field => field.setSelectionRange(2, 5)")
    match seed:
        case 2:
            widgets.locator("[role=combobox]").click()
            keyboard.type("option 1")
        case 3:
            widgets.locator(".face-open").last.click()
            keyboard.press("ArrowRight")
        case 4:
            day.focus()
            keyboard.press("End")
            keyboard.type("2")

    lost = stage.chat.element.locator("parlor-widget").evaluate(EDIT, [WIDGET, seed])
    assert "\n".join(lost) == ""

    match seed:
        case 2:
            keyboard.press("ArrowDown")
            keyboard.press("Enter")
            expect(widgets.locator("[data-field=choice]")).to_have_value("v10")
        case 3:
            keyboard.press("ArrowRight")
            keyboard.press("Enter")
            expect(widgets.locator("[data-field=other_day]")).to_have_value("2026-05-06")
        case 4:
            keyboard.type("7/2026")
            keyboard.press("Enter")
            expect(widgets.locator("[data-field=day]")).to_have_value("2026-12-27")
