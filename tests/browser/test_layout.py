"""Layout of the chat: notices, buttons of a narrow chat, badges, and both writing directions."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import eventually, expect_value, wait_until_settled, wheel
from tests.browser.samples import item, widget
from tests.browser.servers.scripted import Gate, Stream, assistant_item, message_events, user_item
from tests.browser.stage import Stage

pytestmark = pytest.mark.motion

ACT = {"type": "act", "handler": "server", "streaming": True}
CARD = widget({"type": "Button", "label": "Act", "onClickAction": ACT})
LONG = "Said.\n\n" * 90


@pytest.mark.parametrize(
    "news",
    [
        {"type": "error", "code": "custom", "message": "Not now.", "allow_retry": False},
        {"type": "notice", "level": "info", "message": "Not now."},
    ],
)
@pytest.mark.parametrize("below", ["", LONG])
def test_the_result_of_a_click_is_scrolled_into_view(stage: Stage, news: dict[str, object], below: str) -> None:
    end = [assistant_item(below, "msg_2")] if below else []
    stage.show(user_item("hi"), assistant_item(LONG), CARD, *end)
    stage.server.on("threads.custom_action", Stream([news]))
    stage.find("button", "Act").click()
    expect(stage.chat.element.get_by_text("Not now.")).to_be_in_viewport(ratio=1)


def test_a_reader_further_up_stays_there(stage: Stage) -> None:
    gate = Gate()
    stage.show(user_item("hi"), assistant_item(LONG + "The end."), CARD)
    error = {"type": "error", "code": "custom", "message": "Not now.", "allow_retry": False}
    stage.server.on("threads.custom_action", Stream([{"type": "stream_options", "stream_options": {}}, gate, error]))
    stage.find("button", "Act").click()
    wheel(stage.chat, -1500)
    expect(stage.chat.element.get_by_text("The end.")).not_to_be_in_viewport()
    gate.open()
    stage.chat.wait_until_idle()
    expect(stage.chat.element.get_by_text("Not now.")).to_be_attached()
    expect(stage.chat.element.get_by_text("Not now.")).not_to_be_in_viewport()


def test_the_transcript_does_not_move_when_the_scroll_button_disappears(stage: Stage) -> None:
    stage.show(user_item("hi"), assistant_item(LONG), CARD)
    wheel(stage.chat, -1500)
    latest = stage.find("button", "Scroll to the latest message")
    expect(latest).to_be_visible()
    before = _box(stage.chat.transcript)
    latest.click()
    expect(latest).to_have_count(0)
    expect_value(stage.page, lambda: _box(stage.chat.transcript), before)


def test_a_new_chat_forgets_what_was_hidden_in_the_one_before(stage: Stage) -> None:
    stage.show(user_item("hi"), assistant_item(LONG))
    wheel(stage.chat, -1500)
    latest = stage.find("button", "Scroll to the latest message")
    expect(latest).to_be_visible()
    stage.find("button", "New chat").click()
    stage.server.on("threads.create", Stream(message_events("Short.")))
    stage.chat.ask("hi")
    wait_until_settled(stage.chat)
    expect(latest).to_have_count(0)


def test_a_button_to_submit_ends_its_line_at_320_pixels(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 320, "height": 640})
    questions = [{"type": "freeform", "id": name, "question": f"{name}?", "status": "pending"} for name in ("A", "B")]
    stage.show(user_item("hi"), item("structured_input", "si_1", status="pending", inputs=questions))
    stage.chat.element.get_by_role("textbox").fill("x")
    stage.find("button", "Next").click()
    form, submit = stage.find("form", "Questions from the assistant"), stage.find("button", "Submit")
    expect(submit).to_be_visible()
    eventually(stage.page, lambda: _right(form) - _right(submit) < 40)


def test_a_badge_is_as_wide_as_its_words(stage: Stage) -> None:
    stage.show(user_item("hi"), widget({"type": "Badge", "label": "Allowed"}, {"type": "Text", "value": "x " * 100}))
    badge = stage.chat.widgets.get_by_text("Allowed")
    expect(badge).to_be_visible()
    eventually(stage.page, lambda: _box(badge)["width"] < _box(stage.chat.widgets)["width"] / 2)


def test_each_paragraph_of_an_answer_has_its_own_direction(stage: Stage) -> None:
    stage.show(user_item("hi"), assistant_item("مرحبا!\n\nAn English sentence.\n\n- one\n\n123"))
    expect(stage.chat.answers).to_contain_text("123")
    wait_until_settled(stage.chat)
    answer = _box(stage.chat.answers)
    middle = answer["x"] + answer["width"] / 2
    assert _left_of_words(stage.chat.element.get_by_text("مرحبا!")) > middle
    for words in ("An English sentence.", "one"):
        assert _left_of_words(stage.chat.element.get_by_text(words)) < middle
    # What has no direction follows the answer's.
    assert _left_of_words(stage.chat.element.get_by_text("123")) > middle


def test_words_of_another_direction_stay_beside_their_icons(stage: Stage) -> None:
    stage.page.evaluate("document.documentElement.dir = 'rtl'")
    tasks = [{"type": "custom", "title": "Read the map", "status_indicator": "complete"}] * 2
    steps = item("workflow", "wf_1", workflow={"type": "custom", "tasks": tasks, "expanded": True})
    stage.show(user_item("hi"), steps, assistant_item("Sun."))
    wait_until_settled(stage.chat)
    middle = _box(stage.chat.element)["x"] + _box(stage.chat.element)["width"] / 2
    assert _left_of_words(stage.find("heading", "A trip to Bern")) > middle
    assert _left_of_words(stage.chat.element.get_by_text("Read the map").last) > middle
    # An answer is not a label: it begins where its language does.
    assert _left_of_words(stage.chat.element.get_by_text("Sun.")) < middle


def _box(shown: Locator) -> dict[str, float]:
    box = shown.bounding_box()
    assert box
    return dict(box)


def _right(shown: Locator) -> float:
    box = _box(shown)
    return box["x"] + box["width"]


def _left_of_words(shown: Locator) -> float:
    left: float = shown.evaluate(
        """element => {
            const range = document.createRange();
            range.selectNodeContents(element);
            return range.getBoundingClientRect().left;
        }"""
    )
    return left
