"""The scroll position of an opened thread: the last question and its answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat, eventually, wait_until_settled
from tests.browser.samples import widget
from tests.browser.servers.scripted import Gate, Stream, assistant_item, user_item
from tests.browser.stage import Stage

pytestmark = pytest.mark.motion

EARLIER = [
    item for n in range(6) for item in (user_item(f"Q{n}", f"u{n}"), assistant_item("Said.\n\n" * 9 + f"A{n}", f"a{n}"))
]
TOP_PX = 40


def place_of_question(chat: Chat) -> float:
    """Return how far below the top of the view the newest question begins, in pixels."""
    question, view = chat.questions.last.bounding_box(), chat.transcript.bounding_box()
    assert question
    assert view
    return question["y"] - view["y"]


def test_a_reopened_thread_has_its_newest_question_at_the_top_where_the_answer_fits(stage: Stage) -> None:
    stage.show(*EARLIER, user_item("The last one?", "u9"), assistant_item("Yes.", "a9"))
    expect(stage.chat.questions.last).to_be_in_viewport()
    eventually(stage.page, lambda: 0 <= place_of_question(stage.chat) < TOP_PX)
    expect(stage.chat.answers.nth(-2)).not_to_be_in_viewport()


def test_a_reopened_thread_shows_the_end_of_an_answer_that_is_longer_than_the_view(stage: Stage) -> None:
    stage.show(*EARLIER, user_item("The last one?", "u9"), assistant_item("Said.\n\n" * 90 + "The end.", "a9"))
    expect(stage.chat.element.get_by_text("The end.")).to_be_in_viewport()
    expect(stage.chat.questions.last).not_to_be_in_viewport()


def test_a_tall_widget_that_arrives_at_once_leaves_the_question_where_it_is(stage: Stage) -> None:
    stage.show(*EARLIER)
    gate = Gate()
    rows = [{"type": "Text", "value": f"Line {n}"} for n in range(60)]
    shown = {"type": "thread.item.done", "item": widget(*rows)}
    question = {"type": "thread.item.done", "item": user_item("More?", "u9")}
    words = {"type": "thread.item.done", "item": assistant_item("Here it is.", "a9")}
    stage.server.on("threads.add_user_message", Stream([question, words, gate, shown]))
    stage.chat.send("More?")
    expect(stage.chat.element.get_by_text("Here it is.")).to_be_in_viewport()
    wait_until_settled(stage.chat)
    before = place_of_question(stage.chat)
    gate.open()
    expect(stage.chat.widgets.get_by_text("Line 0", exact=True)).to_be_attached()
    stage.chat.wait_until_idle()
    wait_until_settled(stage.chat)
    eventually(stage.page, lambda: abs(place_of_question(stage.chat) - before) <= 2)
