"""The layout rules of widgets, all measured on one page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import eventually
from tests.browser.samples import widget
from tests.browser.servers.scripted import Gate, Stream, user_item
from tests.browser.stage import Stage

GO = {"type": "go", "handler": "client"}
IMAGE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 1'/%3E"
PADDINGS: list[Any] = [0, 2, "10px", "4px 12px", {"x": 6, "y": 1}, {"left": 3}]

MEASURE = """root => {
    const inside = root.querySelector('.root') ?? root;
    const box = element => {
        const {left, right, top, bottom, width, height} = element.getBoundingClientRect();
        return {left, right, top, bottom, width, height,
            text: element.textContent.trim(), isCut: element.scrollWidth > element.clientWidth + 1};
    };
    const all = selector => [...inside.querySelectorAll(selector)].map(box);
    return {all: Object.fromEntries(%s.map(selector => [selector, all(selector)]))};
}"""


def measured(stage: Stage, *selectors: str) -> dict[str, list[dict[str, Any]]]:
    """Return the boxes of all that is found in each widget on the page."""
    script = MEASURE % list(selectors)
    stage.page.wait_for_function("() => document.fonts.status === 'loaded'")
    found: dict[str, list[dict[str, Any]]] = {}
    for host in stage.chat.element.locator("parlor-widget").all():
        boxes = host.evaluate(f"host => ({script})(host.shadowRoot)")["all"]
        for selector, each in boxes.items():
            found.setdefault(selector, []).extend(each)
    return found


def padded(padding: Any) -> dict[str, Any]:
    line = {"type": "Divider", "flush": True}
    picture = {"type": "Image", "src": IMAGE, "alt": "", "height": 20, "flush": True}
    return {"type": "Box", "padding": padding, "children": [line, picture, {"type": "Text", "value": "x"}]}


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_rules_of_layout_hold_at_320_pixels(stage: Stage, direction: str) -> None:
    stage.page.set_viewport_size({"width": 320, "height": 700})
    stage.page.evaluate(f"document.documentElement.dir = '{direction}'")
    words = "A label that is rather long"
    columns = [
        {"type": "Table.Cell", "colSize": size, "children": [{"type": "Text", "value": "x"}]}
        for size in ("xs", "sm", "md", "lg", "xl")
    ]
    stage.show(
        user_item("hi"),
        widget(*(padded(each) for each in PADDINGS), item_id="wi_1"),
        *(widget(*padded(each)["children"], item_id=f"wi_p{n}", padding=each) for n, each in enumerate(PADDINGS)),
        widget(
            {
                "type": "Row",
                "children": [
                    {"type": "Button", "label": "Accept it", "onClickAction": GO},
                    {"type": "Text", "value": "Many words " * 8},
                    {"type": "Button", "label": "Refuse it", "onClickAction": GO},
                ],
            },
            {"type": "Button", "label": f"{words} and goes on and on and on for ever", "onClickAction": GO},
            {
                "type": "Row",
                "children": [
                    {"type": "Box", "size": 40, "background": "blue-400"},
                    {"type": "Image", "src": IMAGE, "alt": "", "width": 60, "height": 30},
                    {"type": "Text", "value": "Many words " * 8},
                ],
            },
            {
                "type": "Row",
                "children": [
                    {"type": "Text", "value": "left"},
                    {"type": "Divider", "size": 3, "spacing": 4, "color": "red-400"},
                    {"type": "Text", "value": "right"},
                ],
            },
            {"type": "Badge", "label": "A badge with a great many words that has no room in here"},
            {"type": "Table", "children": [{"type": "Table.Row", "children": columns}]},
            {"type": "Icon", "name": "chevron-right"},
            {"type": "Icon", "name": "star"},
            item_id="wi_2",
            confirm={"label": f"{words} and goes on and on", "action": GO},
            cancel={"label": f"{words} too", "action": GO},
        ),
    )
    expect(stage.find("button", "Accept it")).to_be_visible()
    boxes = measured(
        stage,
        *(".box:has(> .flush)", ".card:has(> .card-body > .flush)", ".flush", "[data-flush]", ".button"),
        *(".row > .box", ".row > .image", ".row > .divider", ".badge", ".cell"),
    )

    homes = boxes[".box:has(> .flush)"] + boxes[".card:has(> .card-body > .flush)"]
    assert len(homes) == 2 * len(PADDINGS)
    for kind in (".flush", "[data-flush]"):
        for home, each in zip(homes, boxes[kind], strict=True):
            border = 1 if home in boxes[".card:has(> .card-body > .flush)"] else 0
            assert abs(each["left"] - home["left"] - border) < 1, (kind, home, each)
            assert abs(each["right"] - home["right"] + border) < 1, (kind, home, each)

    assert [each["text"] for each in boxes[".button"] if each["isCut"]] == []
    sizes = [(round(each["width"]), round(each["height"])) for each in boxes[".row > .box"]]
    assert (40, 40) in sizes
    assert [(round(each["width"]), round(each["height"])) for each in boxes[".row > .image"]] == [(60, 30)]
    [line] = boxes[".row > .divider"]
    assert round(line["width"]) == 3
    [badge] = boxes[".badge"]
    assert badge["right"] <= 320
    widths = [round(each["width"]) for each in boxes[".cell"]]
    assert len(widths) == 5
    assert sorted(widths) == widths
    assert len(set(widths)) == 5

    mirrored = stage.chat.widgets.locator("svg[data-mirrors]")
    expect(mirrored).to_have_count(1)
    transform = mirrored.evaluate("element => getComputedStyle(element).transform")
    assert transform == ("none" if direction == "ltr" else "matrix(-1, 0, 0, 1, 0, 0)")


def test_a_transition_moves_size_and_places_before_the_eye_and_leaves_nothing_behind(stage: Stage) -> None:
    def arranged(*words: str, width: int) -> dict[str, Any]:
        rows = [{"type": "Text", "key": word, "value": word} for word in words]
        col = {"type": "Col", "key": "col", "width": width, "children": rows}
        # In a row that would stretch or squeeze it.
        return {"type": "Card", "children": [{"type": "Row", "children": [{"type": "Transition", "children": col}]}]}

    stage.show(user_item("hi"), widget({"type": "Text", "value": "x"}))
    for motion in ("no-preference", "reduce"):
        stage.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
        found = stage.chat.element.locator("parlor-widget").evaluate(
            """async (host, trees) => {
                const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
                const box = () => host.shadowRoot.querySelector('.transition > *');
                const places = () => [box(), ...box().children].map(element => {
                    const {left, top, width, height} = element.getBoundingClientRect();
                    return [element.textContent, left, top, width, height];
                });
                const isOurs = each => !(each instanceof CSSAnimation);
                const moving = () => box().getAnimations({subtree: true}).filter(isOurs);
                const seen = [];
                for (const tree of trees) {
                    const before = box() === null ? null : places();
                    host.widget = tree;
                    await host.updateComplete;
                    await frame();
                    await frame();
                    const animations = moving();
                    for (const each of animations) { each.pause(); each.currentTime = 0; }
                    const start = places();
                    for (const each of animations) each.currentTime = 75;
                    const middle = places();
                    seen.push({before, start, middle, count: animations.length});
                    // The next tree overtakes it from here.
                }
                for (const each of moving()) each.finish();
                return {seen, end: places(), left: moving().length, styles: box().getAttribute('style')};
            }""",
            [arranged("a", "b", width=100), arranged("b", "a", "c", width=160), arranged("a", "c", width=300)],
        )
        _, swapped, overtaken = found["seen"]
        assert (found["left"], found["styles"]) == (0, "flex-shrink: 0; width: 300px;"), motion
        if motion == "reduce":
            assert (swapped["count"], overtaken["count"], overtaken["start"]) == (0, 0, found["end"])
            continue
        # The box and two rows: the third is new, and later the last.
        assert (swapped["count"], overtaken["count"]) == (3, 3)
        # Each is first where it was seen last, also what was overtaken half-way.
        for step in (swapped, overtaken):
            size, *rows = ([round(float(each)) for each in place[1:]] for place in step["before"])
            assert [round(float(each)) for each in step["start"][0][1:]] == size
            was = {place[0]: row[:2] for place, row in zip(step["before"][1:], rows, strict=True)}
            now = {place[0]: [round(float(each)) for each in place[1:3]] for place in step["start"][1:]}
            assert {name: now[name] for name in now if name in was} == {name: was[name] for name in was if name in now}
        assert 100 < float(swapped["middle"][0][3]) < 160
        assert 130 < float(overtaken["middle"][0][3]) < 300


def test_a_submit_that_loads_by_itself_shows_it_at_its_button(stage: Stage) -> None:
    gate = Gate()
    stage.server.on(
        "threads.custom_action", Stream([{"type": "stream_options", "stream_options": {"allow_cancel": False}}, gate])
    )
    form = {
        "type": "Form",
        "onSubmitAction": {"type": "go", "loadingBehavior": "self"},
        "children": [{"type": "Input", "name": "a"}, {"type": "Button", "label": "Send", "submit": True}],
    }
    stage.show(user_item("hi"), widget(form))
    button = stage.find("button", "Send")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(stage.chat.widgets.locator(".root")).not_to_have_attribute("aria-busy", "true")
    gate.open()
    eventually(stage.page, lambda: button.get_attribute("aria-busy") != "true")
