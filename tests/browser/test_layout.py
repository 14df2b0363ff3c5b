"""What stands where."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.samples import widget
from tests.browser.servers.scripted import Gate, Stream, assistant_item, user_item
from tests.browser.stage import Stage

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
def test_what_comes_of_a_click_is_seen(stage: Stage, news: dict[str, object], below: str) -> None:
    end = [assistant_item(below, "msg_2")] if below else []
    stage.show(user_item("hi"), assistant_item(LONG), CARD, *end)
    stage.server.on("threads.custom_action", Stream([news]))
    stage.find("button", "Act").click()
    expect(stage.chat.element.get_by_text("Not now.")).to_be_in_viewport(ratio=1)


def test_who_reads_further_up_is_left_there(stage: Stage) -> None:
    gate = Gate()
    stage.show(user_item("hi"), assistant_item(LONG + "The end."), CARD)
    error = {"type": "error", "code": "custom", "message": "Not now.", "allow_retry": False}
    stage.server.on("threads.custom_action", Stream([{"type": "stream_options", "stream_options": {}}, gate, error]))
    stage.find("button", "Act").click()
    stage.chat.transcript.hover()
    stage.page.mouse.wheel(0, -1500)
    expect(stage.chat.element.get_by_text("The end.")).not_to_be_in_viewport()
    gate.open()
    stage.chat.wait_until_idle()
    expect(stage.chat.element.get_by_text("Not now.")).to_be_attached()
    expect(stage.chat.element.get_by_text("Not now.")).not_to_be_in_viewport()
