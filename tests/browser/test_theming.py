"""Fonts from the page's theme, and the links of citations."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chat import Chat, configure, eventually, expect_value
from tests.browser.samples import ACTIONS, PEOPLE, QUESTION, RICH_ANSWER
from tests.browser.servers.scripted import ScriptedServer
from tests.browser.stage import Stage

FONT = "/dist/fonts/KaTeX_Main-Regular.woff2"


def test_fonts_of_the_theme_are_fetched_when_the_page_asks_and_go_with_the_option(chat: Chat, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith(".woff2") else None)
    families = "[...document.fonts].map(({family, status}) => `${family} ${status}`)"
    chat.ask("hi")
    assert asked == []
    configure(page, f"theme: {{typography: {{fontSources: [{{family: 'Ours', src: '{FONT}'}}]}}}}")
    # Known, but no text is written in it.
    expect_value(page, lambda: page.evaluate(families), ["Ours unloaded"])
    with page.expect_response(f"**{FONT}"):
        configure(
            page, f"theme: {{typography: {{fontFamily: 'Ours', fontSources: [{{family: 'Ours', src: '{FONT}'}}]}}}}"
        )
    expect_value(page, lambda: page.evaluate(families), ["Ours loaded"])
    assert [url.removeprefix(page.url.split("/page")[0]) for url in asked] == [FONT]
    family = "element => getComputedStyle(element).fontFamily"
    eventually(page, lambda: "Ours" in chat.questions.first.evaluate(family))
    configure(page, "theme: 'light'")
    expect_value(page, lambda: page.evaluate(families), [])
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
    expect_value(page, lambda: page.evaluate("clicked"), ["e1", "e1"])
