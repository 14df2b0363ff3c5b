"""Text selection in an answer that is being written."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.servers.scripted import Cut, Gate, Stream, assistant_item, message_events, text_delta
from tests.browser.stage import Stage

SELECT = """element => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode()) nodes.push(walker.currentNode);
    const has = word => nodes.find(node => node.data.includes(word));
    const [from, to] = [has('first'), has('last')];
    getSelection().setBaseAndExtent(from, from.data.indexOf('first'), to, to.data.indexOf('last') + 4);
}"""
SELECTED = "() => getSelection().toString().replace(/\\s+/g, ' ')"


@pytest.mark.parametrize(
    ("begun", "more", "settled"),
    [
        ("The first and the last", [" word of a **sen", "tence** here.\n\nAn", "other."], "Another."),
        ("- The first\n- the last", [" of\n- three\n", "- four\n\nEnd"], "End"),
        ("```js\nconst first = 1;\nconst last", [" = 2;\n", "// more\n``", "`\n\nEnd"], "End"),
        ("| a | b |\n|---|---|\n| first | last", [" |\n| c ", "| d |\n", "\nEnd"], "End"),
        ("> The first and the last", [" said.\n> More.\n", "\nEnd"], "End"),
    ],
    ids=["paragraph", "list", "code", "table", "quotation"],
)
def test_a_selection_stays_until_after_the_answer(stage: Stage, begun: str, more: list[str], settled: str) -> None:
    whole = begun + "".join(more)
    first, question, end = message_events(whole)
    gates = [Gate() for _ in more]
    parts: list[dict[str, Any] | bytes | Gate | Cut] = [
        first,
        question,
        {"type": "thread.item.added", "item": assistant_item(None)},
        text_delta(begun),
    ]
    for gate, text in zip(gates, more, strict=True):
        parts += [gate, text_delta(text)]
    final = Gate()
    stage.server.on("threads.create", Stream([*parts, final, end]))
    stage.begin()
    stage.chat.send("hi")
    body = stage.chat.answers.locator(".body")
    expect(body).to_contain_text("last")
    body.evaluate(SELECT)
    chosen = stage.page.evaluate(SELECTED)
    assert chosen.startswith("first")
    assert chosen.endswith("last")
    for gate in gates:
        gate.open()
    expect(body).to_contain_text(settled)
    assert stage.page.evaluate(SELECTED) == chosen
    final.open()
    stage.chat.wait_until_idle()
    if "```" in begun:
        expect(stage.chat.element.locator("code [class^=hljs]").first).to_be_attached()
    assert stage.page.evaluate(SELECTED) == chosen
