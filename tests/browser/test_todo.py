"""The to-do list in a browser: one live list, forms that keep the focus, two tabs at once."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from tests.browser.chat import Chat, eventually


class TodoChat(Chat):
    """The chat of the to-do assistant, with its newest list."""

    @property
    def list(self) -> Locator:
        return self.widgets.last

    @property
    def title_field(self) -> Locator:
        return self.list.get_by_placeholder("What needs doing?")

    @property
    def boxes(self) -> Locator:
        return self.list.get_by_role("checkbox")

    def box(self, title: str) -> Locator:
        return self.list.get_by_role("checkbox", name=title)

    def delete_button(self, title: str) -> Locator:
        return self.list.get_by_role("button", name=f"Delete “{title}”")

    def add(self, title: str) -> None:
        self.title_field.fill(title)
        self.title_field.press("Enter")
        expect(self.box(title)).to_be_visible()


def open_todo(page: Page) -> TodoChat:
    page.goto("/?use_case=todo")
    return TodoChat(page)


def test_a_todo_is_added_by_chat_and_by_form(page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Add buy milk")
    expect(chat.answers.last).to_contain_text("Added “buy milk”")
    expect(chat.box("buy milk")).not_to_be_checked()
    chat.title_field.fill("water the plants")
    chat.list.get_by_role("combobox").click()
    chat.list.get_by_role("option", name="High").click()
    chat.list.get_by_role("button", name="Add", exact=True).click()
    expect(chat.box("water the plants")).to_be_visible()
    expect(chat.list).to_contain_text("2 open")
    expect(chat.list).to_contain_text("High")
    page.reload()
    expect(chat.boxes).to_have_count(2)


def test_the_form_is_emptied_and_keeps_the_focus(page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Show my to-dos")
    expect(chat.list).to_contain_text("Nothing on your list yet")
    for title in ("one", "two", "three"):
        chat.add(title)
        expect(chat.title_field).to_have_value("")
        expect(chat.title_field).to_be_focused()
    expect(chat.boxes).to_have_count(3)


def test_an_empty_title_is_refused_where_it_is_typed(page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Show my to-dos")
    chat.title_field.press("Enter")
    expect(chat.title_field).to_have_attribute("aria-invalid", "true")
    expect(chat.title_field).to_be_focused()
    expect(chat.boxes).to_have_count(0)


def test_toggle_delete_and_clear_done(page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Add buy milk")
    chat.add("call mom")
    chat.add("pay the rent")
    chat.box("buy milk").check()
    expect(chat.list).to_contain_text("1 done")
    struck = chat.list.get_by_text("buy milk", exact=True)
    expect(struck).to_have_css("text-decoration-line", "line-through")
    page.reload()
    expect(chat.boxes.and_(page.locator(":checked"))).to_have_count(1)

    chat.delete_button("call mom").click()
    expect(chat.box("call mom")).to_have_count(0)
    chat.box("pay the rent").check()
    expect(chat.list).to_contain_text("All done!")
    chat.list.get_by_role("button", name="Clear done").click()
    expect(chat.list).to_contain_text("Nothing on your list yet")
    page.reload()
    expect(chat.list).to_contain_text("Nothing on your list yet")


def test_an_older_list_becomes_a_line_so_that_one_is_live(page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Add buy milk")
    chat.ask("Add call mom")
    expect(chat.widgets).to_have_count(2)
    expect(chat.widgets.first).to_contain_text("An earlier view of the to-do list")
    expect(chat.widgets.first.get_by_role("button")).to_have_count(0)
    expect(chat.boxes).to_have_count(2)
    page.reload()
    expect(chat.widgets.first).to_contain_text("An earlier view of the to-do list")


def is_click(asked: Request) -> bool:
    return "custom_action" in (asked.post_data or "")


def test_two_tabs_that_click_at_once_lose_nothing(context: BrowserContext, page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Add first")
    for title in ("second", "third", "fourth"):
        chat.add(title)
    other_page = context.new_page()
    other = open_todo(other_page)
    expect(other.boxes).to_have_count(4)

    answered: list[Request] = []
    for tab in (page, other_page):
        tab.on("requestfinished", lambda asked: answered.append(asked) if is_click(asked) else None)
    # Nobody waits for the other: all four requests are on their way before the first answer is looked at. Each click is
    # one event: rows move when an answer comes, and a press that ends on another row than it began on is no click.
    for box in (chat.box("first"), other.box("second"), chat.box("third")):
        box.evaluate("box => box.click()")
    other.title_field.fill("fifth")
    other.title_field.press("Enter")
    expect(other.box("fifth")).to_be_visible()
    # A reload would take along what has not been answered yet.
    eventually(page, lambda: len(answered) == 4)

    for tab in (chat, other):
        tab.page.reload()
        expect(tab.boxes).to_have_count(5)
        expect(tab.list).to_contain_text("2 open")
        expect(tab.list).to_contain_text("3 done")


def test_two_hundred_todos_come_fifty_at_a_time(page: Page) -> None:
    chat = open_todo(page)
    chat.ask("Show my to-dos")
    for start in range(0, 200, 50):
        chat.ask("Add " + "; ".join(f"task {number:03}" for number in range(start + 1, start + 51)))
    expect(chat.list).to_contain_text("200 open")
    expect(chat.boxes).to_have_count(50)
    for shown in (100, 150, 200):
        chat.list.get_by_role("button", name="Show 50 more").click()
        expect(chat.boxes).to_have_count(shown)
    expect(chat.list.get_by_role("button", name=re.compile("^Show"))).to_have_count(0)
    chat.box("task 150").check()
    expect(chat.list).to_contain_text("199 open")
    # The list stays as long as it was.
    expect(chat.boxes).to_have_count(200)


def test_a_refused_value_is_reported_at_its_field_and_the_form_stays_filled(
    page: Page, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("status of 400")
    chat = open_todo(page)
    chat.ask("Show my to-dos")
    chat.title_field.fill("water the plants")
    # As somebody does who changes the page: a choice that was never offered.
    chat.list.locator("select").first.evaluate("list => { list.add(new Option('urgent')); list.value = 'urgent'; }")
    chat.list.get_by_role("button", name="Add", exact=True).click()
    refused = chat.list.get_by_role("combobox")
    expect(chat.list.locator(".field-error")).to_contain_text("none of the choices")
    expect(refused).to_be_focused()
    expect(refused).to_have_attribute("aria-invalid", "true")
    expect(chat.title_field).to_have_value("water the plants")
    expect(chat.boxes).to_have_count(0)
    refused.click()
    chat.list.get_by_role("option", name="High").click()
    expect(chat.list.locator(".field-error")).to_have_count(0)
    chat.list.get_by_role("button", name="Add", exact=True).click()
    expect(chat.box("water the plants")).to_be_visible()
