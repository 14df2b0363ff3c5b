from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from infra.widget_pictures import BOXES, VIEWPORT_HEIGHT, VIEWPORT_WIDTH, VIEWS, find_shifts, measure


@pytest.fixture
def gallery(page: Page, acme_server: str) -> Page:
    page.set_viewport_size({"width": VIEWPORT_WIDTH, "height": VIEWPORT_HEIGHT})
    page.goto(f"{acme_server}/dev/widgets")
    return page


def test_nothing_in_the_gallery_has_moved_and_what_is_written_there_is_checked(gallery: Page) -> None:
    """Boxes are compared and not pictures: these depend on the machine's fonts and on how it draws them."""
    expected = json.loads(BOXES.read_text(encoding="utf-8"))
    assert list(expected) == list(VIEWS)
    shifts = []
    for name, view in VIEWS.items():
        found = measure(gallery, view)
        shifts += [f"{name}: {shift}" for shift in find_shifts(expected[name], found)]
    assert shifts == [], "./parlor widget-pictures writes them anew, should this be meant\n" + "\n".join(shifts)
    dark = measure(gallery, {"scheme": "dark"})
    assert find_shifts(expected["720 px"], dark) == [], "in dark, something is elsewhere"

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
