"""What a page may style, and what it may look like: parts, fonts, and what citations lead to."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from infra.client_build import ROOT
from tests.browser.chat import Chat, configure
from tests.browser.samples import ACTIONS, PEOPLE, QUESTION, RICH_ANSWER
from tests.browser.servers.scripted import ScriptedServer
from tests.browser.stage import Stage
from tests.browser.states import STATES

FONT = "/dist/fonts/KaTeX_Main-Regular.woff2"
# A property that no part inherits, with a value that none of our own rules has.
STYLE_ALL = """names => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(names.map(name => `openai-chatkit::part(${name}) { outline-offset: 77px }`).join('\\n'));
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
LOOK = """names => {
    const found = {reached: [], missed: []};
    const walk = root => {
        for (const each of root.querySelectorAll('*')) {
            for (const name of each.part) {
                if (!names.includes(name)) continue;
                (getComputedStyle(each).outlineOffset === '77px' ? found.reached : found.missed).push(name);
            }
            if (each.shadowRoot) walk(each.shadowRoot);
        }
    };
    walk(document);
    return found;
}"""


def documented_parts() -> list[str]:
    table = (ROOT / "docs" / "theming.md").read_text(encoding="utf-8").split("## Parts")[1]
    return re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)


def test_a_page_reaches_every_documented_part(
    page: Page, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    # Some states are refusals of the server.
    tolerated_errors.append("Failed to load resource")
    parts = documented_parts()
    assert len(parts) > 20
    stage = Stage(page, scripted)
    stage.open()
    page.evaluate(STYLE_ALL, parts)
    reached: set[str] = set()
    for name, state in STATES.items():
        state(stage)
        found = page.evaluate(LOOK, parts)
        assert found["missed"] == [], name
        reached.update(found["reached"])
        stage.clear()
    assert sorted(reached) == sorted(parts)


def test_fonts_of_the_theme_are_fetched_when_the_page_asks_and_go_with_the_option(chat: Chat, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith(".woff2") else None)
    families = "[...document.fonts].map(({family, status}) => `${family} ${status}`)"
    chat.ask("hi")
    assert asked == []
    configure(page, f"theme: {{typography: {{fontSources: [{{family: 'Ours', src: '{FONT}'}}]}}}}")
    # Known, but no text is written in it.
    assert page.evaluate(families) == ["Ours unloaded"]
    with page.expect_response(f"**{FONT}"):
        configure(
            page, f"theme: {{typography: {{fontFamily: 'Ours', fontSources: [{{family: 'Ours', src: '{FONT}'}}]}}}}"
        )
    page.evaluate("document.fonts.ready.then(() => {})")
    assert page.evaluate(families) == ["Ours loaded"]
    assert [url.removeprefix(page.url.split("/page")[0]) for url in asked] == [FONT]
    assert "Ours" in chat.questions.first.evaluate("element => getComputedStyle(element).fontFamily")
    configure(page, "theme: 'light'")
    assert page.evaluate(families) == []
    assert len(asked) == 1


def test_a_citation_of_a_file_leads_to_its_entry_by_keyboard_too(page: Page, scripted: ScriptedServer) -> None:
    stage = Stage(page, scripted)
    stage.open()
    stage.show(QUESTION, RICH_ANSWER, options=ACTIONS)
    fold = stage.find("button", "3 sources")
    expect(fold).to_have_attribute("aria-expanded", "false")
    citation = stage.find("button", "Source 2: The report")
    citation.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    entry = stage.chat.element.get_by_role("listitem").filter(has_text="report.pdf")
    expect(entry).to_be_focused()
    expect(entry).to_be_in_viewport()


def test_a_citation_of_an_entity_is_the_pages_by_pointer_and_keyboard(page: Page, scripted: ScriptedServer) -> None:
    stage = Stage(page, scripted)
    stage.open()
    page.evaluate("window.clicked = []")
    stage.show(
        QUESTION,
        RICH_ANSWER,
        options=PEOPLE.replace("onClick: () => {}", "onClick: entity => clicked.push(entity.id)"),
    )
    tag = stage.chat.answers.locator("button[part=entity]")
    tag.click()
    tag.press("Enter")
    assert page.evaluate("clicked") == ["e1", "e1"]
