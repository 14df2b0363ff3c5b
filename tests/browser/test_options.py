"""The options of the element, one by one, and their effects."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.chat import Chat, configure, expect_value, names
from tests.browser.servers.scripted import (
    THREAD,
    Answer,
    Gate,
    ScriptedServer,
    Stream,
    assistant_item,
    message_events,
    text_delta,
    user_item,
)

# Header, history, start screen, messages


def test_header_title_and_the_pages_own_buttons(chat: Chat, page: Page) -> None:
    configure(
        page,
        """header: {
            title: {text: 'Help desk'},
            leftAction: {icon: 'menu', onClick: () => seen.push({name: 'left'})},
            rightAction: {icon: 'settings-cog', onClick: () => seen.push({name: 'right'})},
        }""",
    )
    expect(chat.element.get_by_role("heading", name="Help desk")).to_be_visible()
    chat.element.get_by_role("button", name="menu").click()
    chat.element.get_by_role("button", name="settings cog").click()
    expect_value(page, lambda: names(page)[-2:], ["left", "right"])
    configure(page, "header: {title: {enabled: false, text: 'Help desk'}}")
    expect(chat.element.get_by_role("heading", name="Help desk")).to_have_count(0)
    configure(page, "header: {enabled: false}")
    expect(chat.element.get_by_role("button", name="Chat history")).to_have_count(0)


def test_history_options_take_its_controls_away(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    scripted.on("threads.list", Answer({"data": [{**THREAD, "title": "Old"}], "has_more": False}))
    configure(page, "history: {showDelete: false, showRename: false}")
    history = chat.open_history()
    expect(history.get_by_role("button", name="Old", exact=True)).to_be_visible()
    expect(history.get_by_role("button", name=re.compile("^(Rename|Delete)"))).to_have_count(0)
    configure(page, "history: {enabled: false}")
    expect(history).to_have_count(0)
    page.evaluate("document.querySelector('openai-chatkit').showHistory()")
    expect(chat.element.get_by_role("button", name="Chat history")).to_have_count(0)
    expect(history).to_have_count(0)


def test_prompts_of_every_form_are_sent_as_given(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    configure(
        page,
        """startScreen: {greeting: 'Welcome', prompts: [
            {label: 'With a tag', icon: 'lucide:sun', prompt: [
                {type: 'input_text', text: 'About '}, {type: 'input_tag', id: 'e1', text: 'Zürich'}]},
            {name: 'The old name', prompt: 'old'},
        ]}""",
    )
    expect(chat.element.get_by_role("button", name="The old name")).to_be_visible()
    chat.element.get_by_role("button", name="With a tag").click()
    chat.wait_until_idle()
    [asked] = scripted.asked_for("threads.create")
    tag = asked.params["input"]["content"][1]
    assert {key: tag[key] for key in ("type", "id", "text", "data")} == {
        "type": "input_tag",
        "id": "e1",
        "text": "Zürich",
        "data": {},
    }


def test_feedback_and_retry_are_offered_where_the_page_says_so(chat: Chat, page: Page) -> None:
    chat.ask("hi")
    actions = chat.element.get_by_role("button", name=re.compile("^(Good answer|Bad answer|Try again)$"))
    expect(actions).to_have_count(0)
    configure(page, "threadItemActions: {feedback: true, retry: true, share: true}")
    expect(actions).to_have_count(3)


def test_the_disclaimer_is_markdown_below_the_composer(chat: Chat, page: Page) -> None:
    configure(page, "disclaimer: {text: 'May be *wrong*.', highContrast: true}")
    expect(chat.element.locator("em", has_text="wrong")).to_be_visible()


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.motion
def test_auto_scroll_follows_the_answer_only_where_the_page_says_so(
    chat: Chat, page: Page, scripted: ScriptedServer, follows: bool
) -> None:
    gate = Gate()
    lines = [text_delta(f"line {number}\n\n") for number in range(60)]
    start = message_events("")[:2]
    scripted.on(
        "threads.create", Stream([*start, {"type": "thread.item.added", "item": assistant_item(None)}, *lines, gate])
    )
    configure(page, f"thread: {{autoScroll: {str(follows).lower()}}}")
    chat.send("hi")
    expect(chat.answers).to_contain_text("line 59")
    end = chat.element.get_by_text("line 59")
    if follows:
        expect(end).to_be_in_viewport()
    else:
        expect(end).not_to_be_in_viewport()
        expect(chat.questions).to_be_in_viewport()
        chat.element.get_by_role("button", name="Scroll to the latest message").click()
        expect(end).to_be_in_viewport()
    gate.open()


# Composer


def test_tools_are_chosen_sent_and_let_go(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    configure(
        page,
        """composer: {tools: [
            {id: 'web', label: 'Search the web', shortLabel: 'Web', icon: 'globe', pinned: true,
                placeholderOverride: 'Search for'},
            {id: 'deep', label: 'Think long', icon: 'lightbulb', persistent: true},
        ]}""",
    )
    chat.element.get_by_role("button", name="Search the web").click()
    chat.ask("one")
    chat.element.get_by_role("button", name="Tools").click()
    chat.element.get_by_role("menuitemradio", name="Think long").click()
    chat.ask("two")
    chat.ask("three")
    asked = [each.params["input"]["inference_options"].get("tool_choice") for each in scripted.asked]
    assert asked == [{"id": "web"}, {"id": "deep"}, {"id": "deep"}]
    changes = "seen.filter(({name}) => name === 'tool.change').map(({detail}) => detail.toolId)"
    expect_value(page, lambda: page.evaluate(changes), ["web", None, "deep"])


def test_a_model_is_preselected_and_sent(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    configure(
        page,
        """composer: {models: [
            {id: 'small', label: 'Small'}, {id: 'big', label: 'Big', default: true},
            {id: 'none', label: 'None', disabled: true}]}""",
    )
    expect(chat.element.get_by_role("button", name="Model")).to_contain_text("Big")
    chat.ask("one")
    assert scripted.asked[0].params["input"]["inference_options"] == {"model": "big"}
    page.evaluate("document.querySelector('openai-chatkit').sendUserMessage({text: 'two', model: 'small'})")
    expect(chat.questions).to_have_count(2)
    chat.wait_until_idle()
    assert scripted.asked[1].params["input"]["inference_options"] == {"model": "small"}
    expect(chat.element.get_by_role("button", name="Model")).to_contain_text("Big")


def test_files_are_picked_uploaded_and_sent(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    page.evaluate(
        """() => document.querySelector('openai-chatkit').setOptions({
            api: {url: '/chatkit', domainKey: 'local', uploadStrategy: {type: 'two_phase'}},
            composer: {attachments: {enabled: true, maxSize: 1000, maxCount: 2, accept: {'text/plain': ['.txt']}}},
        })"""
    )
    chooser = chat.element.locator("input[type=file]")
    files: list[FilePayload] = [
        {"name": "größe.txt", "mimeType": "text/plain", "buffer": b"some words"},
        {"name": "huge.txt", "mimeType": "text/plain", "buffer": b"x" * 2000},
    ]
    chooser.set_input_files(files)
    expect(chat.element.get_by_text("größe.txt")).to_be_visible()
    expect(chat.element.get_by_role("alert").filter(has_text="huge.txt")).to_be_visible()
    chat.composer.fill("read this")
    expect(chat.send_button).to_be_enabled()
    chat.composer.press("Enter")
    chat.wait_until_idle()
    [created] = scripted.asked_for("attachments.create")
    assert created.params == {"name": "größe.txt", "size": 10, "mime_type": "text/plain"}
    assert len(scripted.uploads) == 1
    assert b"some words" in scripted.uploads[0]
    assert scripted.asked_for("threads.create")[0].params["input"]["attachments"] == ["atc_1"]


def test_without_a_way_to_upload_there_is_no_button_for_it(chat: Chat, page: Page) -> None:
    configure(page, "composer: {attachments: {enabled: true}}")
    expect(chat.element.locator("input[type=file]")).to_have_count(0)
    page.wait_for_function(
        "() => seen.some(({name, detail}) => name === 'log' && JSON.stringify(detail).includes('upload'))"
    )


def test_a_mention_becomes_a_tag_that_can_be_clicked(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    configure(
        page,
        """entities: {
            onTagSearch: async query => [{id: 'c1', title: 'Ada', group: 'People', interactive: true, data: {n: '1'}}],
            onClick: entity => seen.push({name: 'clicked', detail: entity.id}),
            onRequestPreview: async () => ({preview: null}),
        }""",
    )
    chat.composer.press_sequentially("Ask @ad")
    chat.element.get_by_role("option", name="Ada").click()
    chat.composer.press("Enter")
    chat.wait_until_idle()
    content = scripted.asked_for("threads.create")[0].params["input"]["content"]
    tags = [part for part in content if part["type"] == "input_tag"]
    assert tags == [
        {"type": "input_tag", "id": "c1", "text": "Ada", "data": {"n": "1"}, "group": "People", "interactive": True}
    ]


def test_a_command_of_the_page_is_found_and_run(chat: Chat, page: Page) -> None:
    configure(
        page,
        """commands: {
            enabled: true,
            onSearch: async () => [{id: 'clear', label: 'Clear the board', icon: 'reload'}],
            onSelect: async command => { seen.push({name: 'ran', detail: command.id}) },
        }""",
    )
    chat.composer.press_sequentially("/cl")
    chat.element.get_by_role("option", name="Clear the board").click()
    page.wait_for_function("() => seen.some(({name}) => name === 'ran')")
    expect(chat.composer).to_have_text("")


def test_dictation_has_a_button_where_the_page_says_so(chat: Chat, page: Page) -> None:
    expect(chat.element.get_by_role("button", name="Dictate")).to_have_count(0)
    configure(page, "composer: {dictation: {enabled: true}}")
    expect(chat.element.get_by_role("button", name="Dictate")).to_be_visible()


# Theme


THEMES: list[tuple[dict[str, object], str, str]] = [
    ({"colorScheme": "dark"}, "region", "backgroundColor"),
    ({"radius": "sharp"}, "prompt", "borderRadius"),
    ({"density": "spacious"}, "header", "paddingTop"),
    ({"typography": {"baseSize": 18}}, "region", "fontSize"),
    ({"typography": {"fontFamily": "serif"}}, "region", "fontFamily"),
    ({"color": {"grayscale": {"hue": 220, "tint": 9, "shade": -4}}}, "region", "color"),
    ({"color": {"surface": {"background": "#fff8e7", "foreground": "#330000"}}}, "region", "backgroundColor"),
    ({"color": {"accent": {"primary": "#0a7d32", "level": 1}}}, "send", "backgroundColor"),
]


def test_every_option_of_the_theme_changes_what_is_seen(chat: Chat, page: Page) -> None:
    chat.composer.fill("something")
    places = {
        "region": chat.element.get_by_role("region"),
        "prompt": chat.element.get_by_role("button", name="A prompt"),
        "header": chat.element.locator("[part~=header]"),
        "send": chat.send_button,
    }
    prompts = "startScreen: {prompts: [{label: 'A prompt', prompt: 'x'}]}"
    for theme, place, style in THEMES:
        configure(page, prompts)
        expect(places[place]).to_be_visible()
        before = places[place].evaluate(f"e => getComputedStyle(e).{style}")
        configure(page, f"{prompts}, theme: {json.dumps(theme)}")
        page.wait_for_function(
            f"([e, before]) => getComputedStyle(e).{style} !== before", arg=[places[place].element_handle(), before]
        )


def test_at_level_three_the_accent_colours_the_persons_messages(chat: Chat, page: Page) -> None:
    configure(page, "theme: {color: {accent: {primary: '#0a7d32', level: 3}}}")
    chat.ask("hi")
    expect(chat.element.locator("[part~=bubble]")).to_have_css("background-color", "rgb(10, 125, 50)")


def test_custom_properties_of_the_page_win_over_ours(chat: Chat, page: Page) -> None:
    page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync('openai-chatkit { --chatkit-surface: rgb(1, 2, 3); --chatkit-accent: rgb(4, 5, 6) }');
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    expect(chat.element.get_by_role("region")).to_have_css("background-color", "rgb(1, 2, 3)")
    chat.composer.fill("something")
    expect(chat.send_button).to_have_css("background-color", "rgb(4, 5, 6)")


# What a server can say


def test_a_deeplink_in_an_answer_is_an_event_of_the_page(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    scripted.on("threads.create", Stream(message_events("See [the order](chatkit-link://order?id=7).")))
    chat.ask("hi")
    chat.answers.get_by_role("link", name="the order").click()
    page.wait_for_function("() => seen.some(({name}) => name === 'deeplink')")
    found = page.evaluate("seen.find(({name}) => name === 'deeplink').detail")
    assert found == {"name": "order", "data": {"id": "7"}}


def test_locked_and_closed_threads_say_why_and_take_nothing(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    status = {"type": "locked", "reason": "Waiting for a colleague"}
    scripted.on(
        "threads.get_by_id",
        Answer({**THREAD, "status": status}),
        Answer({**THREAD, "status": {"type": "closed", "reason": "Solved"}}),
    )
    scripted.on("items.list", Answer({"data": [user_item("hi")], "has_more": False}))
    page.evaluate("document.querySelector('openai-chatkit').setThreadId('thr_1')")
    expect(chat.element.get_by_text("Waiting for a colleague").first).to_be_visible()
    expect(chat.composer).to_be_disabled()
    page.evaluate("document.querySelector('openai-chatkit').fetchUpdates()")
    expect(chat.element.get_by_text("Solved")).to_be_visible()
    expect(chat.composer).to_have_count(0)


def test_questions_of_the_assistant_take_over_the_composer(chat: Chat, scripted: ScriptedServer) -> None:
    question = {"type": "freeform", "id": "q1", "question": "Your name?"}
    item = {
        "type": "structured_input", "id": "si_1", "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00",
        "status": "pending",
        "inputs": [question],
    }  # fmt: skip
    answered = {**item, "status": "answered", "inputs": [{**question, "answer": {"values": ["Ada"]}}]}
    scripted.on("threads.create", Stream([*message_events("")[:2], {"type": "thread.item.done", "item": item}]))
    scripted.on("threads.add_structured_input", Stream([{"type": "thread.item.replaced", "item": answered}]))
    chat.send("hi")
    field = chat.element.locator("[part~=structured-input]").get_by_role("textbox")
    field.fill("Ada")
    field.press("Enter")
    expect(chat.transcript.get_by_text("Ada")).to_be_visible()
    [asked] = scripted.asked_for("threads.add_structured_input")
    assert asked.params["input"] == {"status": "answered", "answers": {"q1": {"values": ["Ada"], "skipped": False}}}
