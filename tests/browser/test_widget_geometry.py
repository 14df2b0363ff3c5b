"""Geometry of widgets at narrow and wide sizes: long, mirrored and plotted contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import eventually
from tests.browser.samples import widget
from tests.browser.servers.scripted import Answer, user_item
from tests.browser.stage import Stage

MEASURE = (Path(__file__).parent / "inspections" / "widget_geometry.js").read_text(encoding="utf-8")
GO = {"type": "go", "handler": "client"}
PIXEL = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 1'/%3E"
LONG = "A label that is rather long and goes on and on"


def chart(key: str, rows: list[dict[str, Any]], *names: str, kind: str = "bar", **more: Any) -> dict[str, Any]:
    series = [{"type": kind, "dataKey": name, "label": name} for name in names or ("n",)]
    axis = {"xAxis": "x", "showYAxis": True, "showLegend": True}
    return {"type": "Chart", "key": key, "data": rows, "series": series, **axis, **more}


CHARTS = [
    chart("rows", [{"x": f"row {n}", "n": n} for n in range(1500)], kind="line"),
    chart("series", [{"x": "a", **{f"s{n}": n for n in range(20)}}], *(f"s{n}" for n in range(20))),
    chart("none", []),
    chart("long", [{"x": f"A category with a very long name, number {n}", "n": n} for n in range(12)]),
    chart("negative", [{"x": "a", "n": -1234567}, {"x": "b", "n": 5}]),
    chart("null", [{"x": "a", "n": None}, {"x": "b", "n": 2}, {"x": None, "n": 3}], kind="area"),
    chart("equal", [{"x": "a", "n": 7}, {"x": "b", "n": 7}], kind="line"),
    chart("low", [{"x": "a", "n": 950}, {"x": "b", "n": 2}], height=70),
    chart("counts", [{"x": "a", "n": 1}, {"x": "b", "n": 2}]),
]


def table(header: bool) -> dict[str, Any]:
    cells = [
        {"type": "Table.Cell", "colSize": size, "align": "end", "children": [{"type": "Text", "value": "x"}]}
        for size in ("xs", "sm", "md", "lg", "xl")
    ]
    return {"type": "Table", "children": [{"type": "Table.Row", "header": header, "children": cells}]}


def sides(*, gap: int) -> dict[str, Any]:
    words = {"type": "Text", "value": "Many words " * 12}
    return {
        "type": "Row",
        "gap": gap,
        "children": [
            {"type": "Box", "width": 40, "height": 24, "background": "blue-400"},
            {"type": "Image", "src": PIXEL, "alt": "", "width": 60, "height": 30},
            {"type": "Divider", "size": 3, "spacing": 4, "color": "#ff0000"},
            words,
        ],
    }


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_widgets_keep_their_shape_at_every_width_and_in_both_directions(stage: Stage, direction: str) -> None:
    stage.page.evaluate(f"document.documentElement.dir = '{direction}'")
    stage.show(
        user_item("hi"),
        widget(
            {"type": "Badge", "label": "A badge with a great many words that has no room in here at all " * 3},
            sides(gap=2),
            {"type": "Icon", "name": "chevron-right"},
            table(header=True),
            {"type": "Button", "label": "7-day forecast", "onClickAction": GO},
            {"type": "Button", "label": LONG * 4, "onClickAction": GO},
            size="full",
            confirm={"label": LONG * 3, "action": GO},
            cancel={"label": LONG, "action": GO},
        ),
        widget(*CHARTS, item_id="wi_2"),
    )
    expect(stage.chat.widgets.locator(".plot")).to_have_count(len(CHARTS) - 1)
    for width in (320, 360, 1000):
        stage.page.set_viewport_size({"width": width, "height": 800})
        found = stage.chat.element.evaluate(MEASURE, direction)
        assert "\n".join(found) == "", f"{width} px, {direction}"


def test_charts_say_what_they_leave_out_and_count_in_whole_numbers(stage: Stage) -> None:
    names = [f"s{n}" for n in range(26)]
    many = [
        chart("crowd", [{"x": f"{n}", "n": n} for n in range(2100)], kind="line"),
        chart("crowded", [{"x": "a", **dict.fromkeys(names, 1)}], *names),
    ]
    stage.show(user_item("hi"), widget(*many, *CHARTS))
    charts = stage.chat.widgets.locator(".chart")
    expect(charts).to_have_count(2 + len(CHARTS))
    notes = [" ".join(each.locator(".chart-note").all_inner_texts()) for each in charts.all()]
    words = dict(zip([each["key"] for each in (*many, *CHARTS)], notes, strict=True))
    assert {key: note for key, note in words.items() if note} == {
        "crowd": "The first 2000 of 2100 rows are shown.",
        "crowded": "The first 24 of 26 series are shown.",
        "none": "No data",
    }
    # What has no note is there in full, for the ear too.
    for key, rows in (("rows", 1500), ("long", 12), ("null", 3)):
        at = 2 + [each["key"] for each in CHARTS].index(key)
        expect(charts.nth(at).locator("tbody tr")).to_have_count(rows)
    expect(charts.nth(3).locator(".legend-item")).to_have_count(20)
    counts = charts.last.locator(".y-label").all_inner_texts()
    assert len(counts) >= 2
    assert all(each.strip().isdigit() for each in counts), counts


def test_no_field_takes_the_focus_from_a_person_who_is_typing(stage: Stage) -> None:
    other = {"type": "Input", "name": "mine"}
    eager = {"type": "Input", "name": "eager", "defaultValue": "all of it", "autoFocus": True, "autoSelect": True}
    action = {"type": "tick", "loadingBehavior": "none", "streaming": False}
    box = {"type": "Checkbox", "name": "tick", "label": "Tick", "onChangeAction": action}
    first = widget(other, box)
    stage.server.on("threads.sync_custom_action", Answer({"updated_item": widget(other, box, eager)}))
    stage.show(user_item("hi"), first)
    host = stage.chat.element.locator("parlor-widget")
    mine = stage.chat.widgets.locator("[data-field=mine]")
    mine.click()
    stage.page.keyboard.type("typed")
    drawn = "async (host, tree) => { host.widget = tree; await host.updateComplete; }"
    host.evaluate(drawn, widget(other, box, eager)["widget"])
    expect(stage.chat.widgets.locator("[data-field=eager]")).to_be_visible()
    stage.page.keyboard.type(" more")
    expect(mine).to_have_value("typed more")
    expect(mine).to_be_focused()
    # Nor from the composer, where nobody is in the widget at all.
    host.evaluate(drawn, first["widget"])
    composer = stage.page.get_by_role("textbox", name="Message")
    composer.click()
    host.evaluate(drawn, widget(other, box, eager)["widget"])
    stage.page.keyboard.type("a question")
    expect(composer).to_be_focused()
    # A control keeps it over the replacement that its own action brings.
    host.evaluate(drawn, first["widget"])
    tick = stage.find("checkbox", "Tick")
    tick.focus()
    stage.page.keyboard.press("Space")
    eventually(stage.page, lambda: stage.chat.widgets.locator("[data-field=eager]").count() == 1)
    expect(stage.chat.widgets.locator(":is([data-field=eager], [data-field=tick]):focus")).to_have_count(1)
