"""Where the view stands when a thread is opened: what was asked last, and what came of it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.samples import widget
from tests.browser.servers.scripted import Gate, Stream, assistant_item, user_item
from tests.browser.stage import Stage

EARLIER = [
    item for n in range(6) for item in (user_item(f"Q{n}", f"u{n}"), assistant_item("Said.\n\n" * 9 + f"A{n}", f"a{n}"))
]
TOP_PX = 40


def test_a_reopened_thread_has_its_newest_question_at_the_top_where_the_answer_fits(stage: Stage) -> None:
    stage.show(*EARLIER, user_item("The last one?", "u9"), assistant_item("Yes.", "a9"))
    expect(stage.chat.questions.last).to_be_in_viewport()
    question, view = stage.chat.questions.last.bounding_box(), stage.chat.transcript.bounding_box()
    assert question
    assert view
    assert 0 <= question["y"] - view["y"] < TOP_PX
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
    before = stage.chat.questions.last.bounding_box()
    gate.open()
    expect(stage.chat.widgets.get_by_text("Line 0", exact=True)).to_be_attached()
    stage.chat.wait_until_idle()
    after = stage.chat.questions.last.bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) <= 2
