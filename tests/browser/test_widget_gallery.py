from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from infra.widget_paint import FOLDER, SCHEMES, capture_thumbnails, find_changes, load_thumbnails, save_thumbnails
from infra.widget_pictures import BOXES, VIEWPORT_HEIGHT, VIEWPORT_WIDTH, VIEWS, find_shifts, measure_boxes


@pytest.fixture
def gallery(page: Page, acme_server: str) -> Page:
    page.set_viewport_size({"width": VIEWPORT_WIDTH, "height": VIEWPORT_HEIGHT})
    page.goto(f"{acme_server}/dev/widgets")
    return page


def test_nothing_in_the_gallery_has_moved_and_what_is_written_there_is_checked(gallery: Page) -> None:
    """Boxes are compared to the pixel, pictures by the means of small squares, which every machine draws alike."""
    expected = json.loads(BOXES.read_text(encoding="utf-8"))
    assert list(expected) == list(VIEWS)
    shifts = []
    for scheme in SCHEMES:
        shifts += [
            f"{scheme}: {each}" for each in find_shifts(expected["720 px"], measure_boxes(gallery, {"scheme": scheme}))
        ]
        shifts += [
            f"{scheme}: {each}" for each in find_changes(load_thumbnails(FOLDER / scheme), capture_thumbnails(gallery))
        ]
    for name in VIEWS.keys() - {"720 px"}:
        shifts += [f"{name}: {each}" for each in find_shifts(expected[name], measure_boxes(gallery, VIEWS[name]))]
    assert shifts == [], "./parlor widget-pictures writes them anew, should this be meant\n" + "\n".join(shifts)

    button = gallery.locator("article[data-name=Label]")
    button.get_by_text("JSON").click()
    field = button.get_by_role("textbox", name="JSON of Label")
    field.fill('{"type": "Card", "children": [{"type": "Buton", "label": "x"}]}')
    expect(button.locator(".findings li")).to_have_text(
        "Card.children[0].Buton: there is no component 'Buton'; did you mean 'Button'?"
    )
    field.fill('{"type": "Card", "children": [{"type": "Button", "label": "Press", "onClickAction": {"type": "a.b"}}]}')
    button.get_by_role("button", name="Press").click()
    expect(button.locator(".action")).to_contain_text('"type":"a.b"')
    expect(button.locator(".findings li")).to_have_count(0)
    field.fill("{")
    expect(button.locator(".findings li")).to_contain_text("This is no JSON")


def test_a_shift_of_two_pixels_is_found_and_a_rounding_is_not() -> None:
    before = {"Badge": [["span.badge", 10.0, 4.0, 60.0, 20.0]]}
    assert find_shifts(before, {"Badge": [["span.badge", 10.4, 4.0, 59.5, 20.0]]}) == []
    for place in ([12.0, 4.0, 60.0, 20.0], [10.0, 2.0, 60.0, 20.0], [10.0, 4.0, 62.0, 20.0], [10.0, 4.0, 60.0, 18.0]):
        assert find_shifts(before, {"Badge": [["span.badge", *place]]})
    assert find_shifts(before, {"Badge": [["p.text", 10.0, 4.0, 60.0, 20.0]]})
    assert find_shifts(before, {"Badge": []})
    assert find_shifts(before, {})
    assert find_shifts({}, before)


def test_different_looks_are_found_and_different_smoothing_is_ignored(tmp_path: Path) -> None:
    before = Image.new("RGB", (20, 10), (250, 250, 250))
    save_thumbnails({"Badge": before}, tmp_path)
    [stored] = load_thumbnails(tmp_path).values()
    smoothed, faded = before.copy(), before.copy()
    smoothed.putpixel((3, 3), (240, 240, 240))
    faded.putpixel((3, 3), (250, 250, 220))
    assert find_changes({"Badge": stored}, {"Badge": smoothed}) == []
    assert find_changes({"Badge": stored}, {"Badge": faded})
    assert find_changes({"Badge": stored}, {"Badge": before.resize((20, 11))})
    assert find_changes({"Badge": stored}, {"Badge": before, "Box": before})
    assert find_changes({"Badge": stored}, {})


WALK = (Path(__file__).parent / "inspections" / "keyboard_walk.js").read_text(encoding="utf-8")
KEYS = {
    "button": ["Enter", "Space"],
    "check": ["Space"],
    "radio": ["ArrowRight", "ArrowLeft"],
    "select": ["Enter", "Escape", "ArrowDown", "ArrowDown", "Enter", "Space", "Escape"],
    "calendar": ["Enter", "ArrowRight", "Enter", "Space", "Escape"],
    "clear": ["Enter"],
    "chart": ["ArrowRight", "End", "Home"],
    "more": ["Enter"],
    "field": ["Home", "a", "@", "b", "End"],
    "area": ["x", "Home", "End"],
}
"""The keys that are pressed on each kind of control, on the way through all of them."""
SENT = [
    *("demo.press",) * 8, *("demo.order",) * 2, *("demo.refresh",) * 2, *("demo.next",) * 2, *("demo.discard",) * 2,
    *("demo.send",) * 2, "demo.news", *("demo.start",) * 2, *("demo.answer",) * 2, *("demo.open",) * 4,
    *("demo.pick",) * 4, *("demo.size",) * 2, *("demo.city",) * 2,
]  # fmt: skip
"""The actions of all samples by keyboard: each key that does something does it once."""


def test_every_control_can_be_reached_seen_used_and_left_by_the_keyboard(gallery: Page) -> None:
    gallery.locator("article").first.wait_for()
    gallery.wait_for_function("() => document.fonts.status === 'loaded'")
    gallery.evaluate(WALK)
    keyboard = gallery.keyboard
    gallery.locator("header select").last.focus()
    forth: list[str] = []
    keyboard.press("Tab")
    while (stop := gallery.evaluate("walk.where()")) is not None:
        # Whoever has cleared a field is put into it again, before what is behind it.
        if stop["kind"] == "page" or (forth and forth[-1] == "clear" and not stop["isNew"]):
            keyboard.press("Tab")
            continue
        assert stop["isNew"], f"it comes back to {stop}"
        assert stop["open"] == 0, f"something is open still behind {forth}"
        assert (stop["isSeen"], stop["isMarked"]) == (True, True), f"one does not see that the keyboard is at {stop}"
        forth.append(stop["kind"])
        for key in KEYS.get(stop["kind"], []):
            keyboard.press(key)
            if stop["kind"] not in ("select", "calendar"):
                continue
            now = gallery.evaluate("walk.where()")
            assert now["open"] <= 1
            if now["open"] == 0:
                assert now["kind"] == stop["kind"], f"{key} has closed it, and left the keyboard at {now}"
        keyboard.press("Tab")
    assert gallery.evaluate("walk.missed()") == []
    assert gallery.evaluate("walk.sent") == SENT
    assert {*KEYS, "a", "date"} == set(forth)
