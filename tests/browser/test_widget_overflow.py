"""Widgets with more content than space: what wraps, shrinks or scrolls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.chat import eventually, expect_value
from tests.browser.samples import widget
from tests.browser.servers.scripted import user_item
from tests.browser.stage import Stage
from tests.browser.test_widget_geometry import CHARTS, PIXEL, chart, table
from tests.unit.widgets.generated_trees import WidgetGenerator

OVERFLOW = (Path(__file__).parent / "inspections" / "widget_overflow.js").read_text(encoding="utf-8")
WORD = "x" * 40
TOO_WIDE: dict[str, list[dict[str, Any]]] = {
    "minimum": [{"type": "Box", "minWidth": 640, "children": [{"type": "Text", "value": "x"}]}],
    "maximum": [{"type": "Form", "maxWidth": 12, "padding": 4, "children": [{"type": "DatePicker", "name": "day"}]}],
    "padding": [{"type": "Col", "padding": "4px 200px", "children": [{"type": "Text", "value": "x"}]}],
    "margin": [{"type": "Box", "margin": {"left": 60}, "width": 200, "height": 9, "background": "blue-400"}],
    "sizes": [{"type": "Row", "children": [{"type": "Box", "size": 90, "background": "red-400"}] * 4}],
    "gap": [{"type": "Row", "gap": 40, "children": [{"type": "Text", "value": "two words"}] * 3}],
    "boxes": [{"type": "Checkbox", "name": "c", "label": WORD}],
    "radios": [{"type": "RadioGroup", "name": "r", "options": [{"label": WORD, "value": "a"}]}],
    "fields": [{"type": "Row", "children": [{"type": "DatePicker", "name": f"d{n}"} for n in range(5)]}],
    "labels": [{"type": "Row", "children": [{"type": "Label", "value": "Fifteen letters", "fieldName": "c"}] * 4}],
    "column": [{"type": "Col", "wrap": "wrap", "maxHeight": 20, "children": [{"type": "Text", "value": "a word"}] * 9}],
    "space": [{"type": "Row", "children": [{"type": "Spacer", "minSize": 900}, {"type": "Text", "value": "x"}]}],
    "line": [{"type": "Divider", "spacing": "4px 100px"}],
    "thick": [{"type": "Row", "children": [{"type": "Divider", "size": 2000}, {"type": "Text", "value": "x"}]}],
    "charts": [{"type": "Row", "children": [chart(f"c{n}", [{"x": "a", "n": n}]) for n in range(4)]}],
    "picture": [{"type": "Image", "src": PIXEL, "alt": "", "flush": True, "width": 900, "height": 20}],
    "tables": [{"type": "Row", "children": [table(header=True), table(header=False), {"type": "Text", "value": WORD}]}],
}


def test_nothing_that_is_sent_sticks_out_of_its_card(stage: Stage) -> None:
    stage.show(user_item("hi"), widget(*CHARTS[:1], {"type": "Select", "name": "s", "options": []}))
    expect(stage.chat.widgets.locator(".plot")).to_have_count(1)
    host = stage.chat.element.locator("parlor-widget")
    trees = {f"generated {seed}": WidgetGenerator(seed).widget() for seed in range(40)}
    for name, children in TOO_WIDE.items():
        row = {"type": "ListViewItem", "children": children}
        trees |= {
            name: {"type": "Card", "children": children},
            f"{name} in a row": {"type": "ListView", "children": [row]},
        }
    # No picture is asked of a server that is not there.
    texts = re.sub(r'"(src|favicon)": "[^"]*"', rf'"\1": "{PIXEL}"', json.dumps(trees))
    for name, tree in json.loads(texts).items():
        host.evaluate("(host, tree) => { host.widget = tree; }", tree)
        places = [(320, "ltr")] if name.startswith("generated") else [(320, "ltr"), (320, "rtl"), (1000, "ltr")]
        for width, direction in places:
            stage.page.set_viewport_size({"width": width, "height": 800})
            stage.page.evaluate(f"document.documentElement.dir = '{direction}'")
            assert host.evaluate(OVERFLOW) == [], f"{name}, {width} px, {direction}"


def test_a_row_wraps_only_if_it_has_no_room(stage: Stage) -> None:
    boxes = [{"type": "Box", "width": 90, "height": 20, "background": "red-400"}] * 3
    stage.show(user_item("hi"), widget({"type": "Row", "children": boxes}))
    lines = "root => new Set([...root.children].map(each => each.getBoundingClientRect().top)).size"
    row = stage.chat.widgets.locator(".row")
    for width, count in ((1000, 1), (320, 2), (1000, 1)):
        stage.page.set_viewport_size({"width": width, "height": 800})
        expect_value(stage.page, lambda: row.evaluate(lines), count)


def test_a_chart_has_room_for_the_legend_of_twenty_series(stage: Stage) -> None:
    series = [{"type": "bar", "dataKey": f"n{n}", "label": f"Series number {n}"} for n in range(20)]
    data = [{"x": "a"} | {f"n{n}": n for n in range(20)}]
    many = {"type": "Chart", "height": 160, "xAxis": "x", "data": data, "series": series, "showLegend": True}
    stage.page.set_viewport_size({"width": 320, "height": 800})
    stage.show(user_item("hi"), widget(many, {"type": "Text", "value": "below"}))
    legend = stage.chat.widgets.get_by_text("Series number 19", exact=True).last
    expect(legend).to_be_attached()
    below = stage.chat.widgets.get_by_text("below", exact=True)
    bottom = "element => element.getBoundingClientRect().bottom"
    top = "element => element.getBoundingClientRect().top"
    eventually(stage.page, lambda: legend.evaluate(bottom) <= below.evaluate(top))


def test_widgets_are_fitted_again_when_the_page_changes_direction(stage: Stage) -> None:
    stage.show(user_item("hi"), widget(*TOO_WIDE["margin"]))
    host = stage.chat.element.locator("parlor-widget")
    for direction in ("rtl", "ltr"):  # of the two only the second has no room
        stage.page.evaluate(f"document.documentElement.dir = '{direction}'")
        assert host.evaluate(OVERFLOW) == [], direction


def test_only_a_table_that_scrolls_is_a_stop_of_the_tab_key(stage: Stage) -> None:
    cells = [{"type": "Table.Cell", "children": [{"type": "Text", "value": "Fifteenletters"}]} for _ in range(4)]
    wide = {"type": "Table", "children": [{"type": "Table.Row", "children": cells}]}
    stage.show(user_item("hi"), widget(wide, size="full"))
    table = stage.chat.widgets.locator(".table-scroll")
    for width, stop in ((1000, None), (320, "0"), (1000, None)):
        stage.page.set_viewport_size({"width": width, "height": 800})
        expect_value(stage.page, lambda: table.get_attribute("tabindex"), stop)
    stage.page.set_viewport_size({"width": 320, "height": 800})
    expect(table).to_have_attribute("tabindex", "0")
    # Who reads it is not sent away.
    table.focus()
    stage.page.set_viewport_size({"width": 1000, "height": 800})
    expect(table).to_be_focused()
