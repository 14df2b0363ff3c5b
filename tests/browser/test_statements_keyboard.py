"""Statements 140 to 150: keyboard, focus, layers, live regions, motion, forced colours, zoom, touch."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chat import Chat, eventually, wait_until_settled, wheel
from tests.browser.conftest import ACTION_TIMEOUT_MS
from tests.browser.samples import QUESTION, item, widget
from tests.browser.servers.scripted import (
    Answer,
    Gate,
    ScriptedServer,
    Stream,
    assistant_item,
    message_events,
    text_delta,
    user_item,
)
from tests.browser.stage import Stage
from tests.browser.states import (
    composer_menu,
    conversation,
    dictation,
    entity_popover,
    generated_image,
    history_deleting,
    history_panel,
    history_renaming,
    mentions,
    model_menu,
    running_answer,
)

# Where the focus has been before, and by which keys, is something that a page remembers.
pytestmark = pytest.mark.new_page

WITHIN = """function* within(root) {
    for (const element of root.querySelectorAll('*')) {
        yield element;
        if (element.shadowRoot) yield* within(element.shadowRoot);
    }
}"""


def focused(page: Page) -> str:
    """Return the name of what has the focus, through all shadow roots."""
    text: str = page.evaluate(
        """() => {
            let element = document.activeElement;
            while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
            return (element?.getAttribute('aria-label') || element?.innerText || element?.id || '').trim().slice(0, 40);
        }"""
    )
    return text


# The order of Tab


def test_tab_goes_from_header_over_transcript_to_composer_and_out_again(stage: Stage) -> None:
    stage.show(
        user_item("hi"),
        assistant_item("Yes."),
        options="""header: {leftAction: {icon: 'menu', onClick: () => {}},
                rightAction: {icon: 'star', onClick: () => {}}},
            threadItemActions: {feedback: true, retry: true}""",
    )
    expect(stage.chat.answers).to_have_count(1)
    page = stage.page
    page.evaluate(
        """() => {
            for (const [id, where] of [['before', 'afterbegin'], ['after', 'beforeend']]) {
                const button = document.createElement('button');
                button.id = id;
                document.body.insertAdjacentElement(where, button);
            }
        }"""
    )
    stage.chat.composer.fill("words")  # an empty message has no button to send it
    page.locator("#before").focus()
    order = []
    for _ in range(20):
        page.keyboard.press("Tab")
        order.append(focused(page))
        if order[-1] == "after":
            break
    expected = [
        "menu",
        "Chat history",
        "New chat",
        "star",
        "Messages",
        "Copy answer",
        "Good answer",
        "Bad answer",
        "Try again",
        "Message",
        "Send message",
        "after",
    ]
    assert order == expected
    back = []
    for _ in expected:
        page.keyboard.press("Shift+Tab")
        back.append(focused(page))
    assert back == [*reversed(expected[:-1]), "before"]


def test_arrow_keys_walk_through_the_turns_of_a_long_transcript(stage: Stage) -> None:
    turns = [
        part
        for at in range(8)
        for part in (user_item(f"Question {at}", f"u{at}"), assistant_item("A.\n\n" * 3, f"a{at}"))
    ]
    stage.show(*turns)
    stage.chat.transcript.focus()
    for expected in ("Question 7", "Question 6", "Question 5"):
        stage.page.keyboard.press("ArrowUp")
        turn = stage.chat.element.locator("[role=group]:focus")
        expect(turn).to_contain_text(expected)
        expect(turn.get_by_text(expected)).to_be_in_viewport()
    stage.page.keyboard.press("Home")
    expect(stage.chat.element.locator("[role=group]:focus")).to_contain_text("Question 0")
    expect(stage.chat.element.get_by_text("Question 0")).to_be_in_viewport()
    stage.page.keyboard.press("End")
    expect(stage.chat.element.locator("[role=group]:focus")).to_contain_text("Question 7")


# Layers


def test_escape_closes_only_the_top_layer_and_gives_the_focus_back(stage: Stage) -> None:
    page, find = stage.page, stage.find

    def escape(layer: Locator, opener: Locator) -> None:
        expect(layer).to_be_visible()
        page.keyboard.press("Escape")
        expect(layer).to_have_count(0)
        expect(opener).to_be_focused()

    composer_menu(stage)
    escape(stage.chat.element.get_by_role("menu"), find("button", "Add files and choose tools"))
    model_menu(stage)
    escape(stage.chat.element.get_by_role("menu"), find("button", "Model: Small"))
    mentions(stage)
    escape(stage.chat.element.get_by_role("listbox"), stage.chat.composer)
    expect(stage.chat.composer).to_have_value("Ask @a")
    history_renaming(stage)
    escape(find("textbox", "Chat title"), find("button", "A cake"))
    escape(stage.chat.history, find("button", "Chat history"))
    history_deleting(stage)
    escape(stage.chat.element.get_by_text("Delete this chat?"), find("button", "A cake"))
    escape(stage.chat.history, find("button", "Chat history"))
    stage.server.reset()
    entity_popover(stage)
    stage.chat.questions.get_by_role("button", name="Bern").focus()
    escape(find("group", "Preview of Bern"), stage.chat.questions.get_by_role("button", name="Bern"))
    stage.server.reset()
    generated_image(stage)
    page.keyboard.press("Escape")
    expect(find("button", "Close the image")).to_be_hidden()
    expect(stage.chat.transcript.locator("button[part~=generated-image]")).to_be_focused()
    dictation(stage)
    find("button", "Finish dictating").focus()
    escape(find("button", "Finish dictating"), find("button", "Dictate"))


def test_the_panel_of_chats_keeps_the_focus_and_what_is_behind_it_cannot_be_reached(stage: Stage) -> None:
    history_panel(stage)
    for key in ("Tab", "Shift+Tab"):
        for _ in range(25):
            stage.page.keyboard.press(key)
            assert stage.page.evaluate("chat.shadowRoot.activeElement?.localName") == "parlor-history"
    expect(stage.chat.composer).not_to_be_focused()
    assert stage.page.evaluate("chat.shadowRoot.querySelector('.chat').inert")


def test_deleting_and_closing_leave_the_focus_in_the_panel(stage: Stage) -> None:
    history_deleting(stage)
    stage.server.on("threads.delete", Answer({}))
    stage.find("button", "Delete").click()
    expect(stage.chat.history.get_by_role("listitem")).to_have_count(3)
    expect(stage.chat.history).to_be_focused()
    stage.find("button", "Delete “A trip”").click()
    stage.find("button", "Cancel").click()
    expect(stage.find("button", "A trip")).to_be_focused()


def test_a_menu_is_walked_through_by_arrows_ends_and_letters(stage: Stage) -> None:
    composer_menu(stage)
    page = stage.page
    expect(stage.find("menuitem", "Add photos and files")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(stage.find("menuitemradio", "Search the web")).to_be_focused()
    page.keyboard.press("End")
    expect(stage.find("menuitemradio", "Think long")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(stage.find("menuitem", "Add photos and files")).to_be_focused()
    page.keyboard.press("t")
    expect(stage.find("menuitemradio", "Think long")).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage.chat.composer).to_be_focused()
    opener = stage.find("button", "Add files and choose tools")
    expect(opener).to_have_attribute("aria-haspopup", "menu")
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.focus()
    page.keyboard.press("ArrowUp")
    expect(stage.find("menuitemradio", "Think long")).to_be_focused()
    expect(stage.find("menuitemradio", "Think long")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Tab")
    expect(stage.chat.element.get_by_role("menu")).to_have_count(0)


# Focus


def test_neither_a_thread_that_loads_nor_an_answer_that_grows_moves_the_focus(stage: Stage) -> None:
    page, gate = stage.page, Gate()
    form = widget({"type": "Input", "name": "city", "autoFocus": True})
    stage.keep(user_item("hi"), form)
    asking = {"type": "structured_input", "id": "si", "inputs": [{"id": "q", "type": "freeform", "question": "Why?"}]}
    stage.begin()
    page.evaluate("document.body.prepend(Object.assign(document.createElement('input'), {id: 'own'}))")
    page.locator("#own").focus()
    page.evaluate("chat.setThreadId('thr_1')")
    expect(stage.chat.widgets).to_have_count(1)
    expect(page.locator("#own")).to_be_focused()
    answer = [
        *message_events("", user="go", user_id="u2")[1:2],
        {"type": "thread.item.added", "item": assistant_item(None)},
    ]
    more = [text_delta("Some words"), {"type": "thread.item.done", "item": {**form, "id": "wi_2"}}]
    stage.server.on(
        "threads.add_user_message", Stream([*answer, gate, *more, {"type": "thread.item.done", "item": asking}])
    )
    page.evaluate("void chat.sendUserMessage({text: 'go'})")
    expect(stage.chat.stop_button).to_be_visible()
    gate.open()
    expect(stage.find("form", "Questions from the assistant")).to_be_visible()
    expect(page.locator("#own")).to_be_focused()


def test_after_sending_the_focus_is_in_the_composer_however_it_was_sent(stage: Stage) -> None:
    stage.begin()
    stage.chat.ask("one")
    expect(stage.chat.composer).to_be_focused()
    stage.chat.composer.fill("two")
    stage.chat.send_button.click()
    expect(stage.chat.questions).to_have_count(2)
    expect(stage.chat.composer).to_be_focused()
    stage.chat.wait_until_idle()
    expect(stage.chat.composer).to_be_focused()


# What is announced


def test_an_answer_is_announced_once_and_only_when_it_is_whole(stage: Stage) -> None:
    gate = Gate()
    start = [*message_events("")[:2], {"type": "thread.item.added", "item": assistant_item(None)}]
    words = [text_delta(f"word{at} ") for at in range(20)]
    stage.server.on("threads.create", Stream([*start, *words, gate, *message_events("word0 word1 **end**")[2:]]))
    stage.begin()
    # Everything that a polite or assertive region, or one whose role makes it live, is told.
    stage.page.evaluate(
        """
        window.told = [];
        const above = node => node.parentElement ?? node.host ?? node.getRootNode().host;
        const isLive = node => {
            for (let each = node; each; each = above(each)) {
                const implied = {status: 'polite', alert: 'assertive', log: 'polite'};
                const live = each.getAttribute?.('aria-live') ?? implied[each.getAttribute?.('role')];
                if (live) return live !== 'off';
            }
            return false;
        };
        const watched = new WeakSet();
        const watch = element => {
            if (element.shadowRoot && !watched.has(element.shadowRoot)) {
                watched.add(element.shadowRoot);
                observer.observe(element.shadowRoot, {subtree: true, childList: true, characterData: true});
            }
            for (const each of (element.shadowRoot ?? element).querySelectorAll?.('*') ?? [])
                if (each.shadowRoot && !watched.has(each.shadowRoot)) watch(each);
        };
        const observer = new MutationObserver(records => {
            for (const {target, addedNodes, type} of records) {
                for (const added of type === 'characterData' ? [target] : addedNodes) {
                    if (added.nodeType === Node.ELEMENT_NODE) watch(added);
                    if (isLive(target) && added.textContent.trim()) told.push(added.textContent.trim());
                }
            }
        });
        watch(chat);
        """
    )
    stage.chat.send("hi")
    expect(stage.chat.answers).to_contain_text("word19")
    assert [text for text in stage.page.evaluate("told") if "word" in text] == []
    expect(stage.chat.transcript).to_have_attribute("aria-busy", "true")
    gate.open()
    stage.chat.wait_until_idle()
    stage.page.wait_for_function("() => told.some(text => text.includes('word'))")
    told = [text for text in stage.page.evaluate("told") if "word" in text or "end" in text]
    assert told == ["Assistant said: word0 word1 end"], told


def test_headings_go_down_one_by_one_from_the_title_of_the_thread(stage: Stage) -> None:
    conversation(stage)
    levels = stage.page.evaluate(
        WITHIN + "[...within(chat.shadowRoot)].map(({localName}) => localName).filter(name => /^h[1-6]$/.test(name))"
    )
    assert levels == ["h2", "h3", "h3", "h4", "h3", "h3"]


# Motion and colours


def moving(page: Page) -> int:
    """Count the animations that a person could see."""
    count: int = page.evaluate(
        WITHIN
        + """
        const roots = [document, ...[...within(document)].map(({shadowRoot}) => shadowRoot).filter(Boolean)];
        const all = new Set(roots.flatMap(root => root.getAnimations()));
        [...all].filter(({effect, playState}) =>
            playState === 'running' && effect.getComputedTiming().activeDuration > 50).length"""
    )
    return count


@pytest.mark.motion
def test_nothing_moves_for_people_who_prefer_reduced_motion(stage: Stage) -> None:
    running_answer(stage)
    eventually(stage.page, lambda: moving(stage.page) > 0)
    stage.page.emulate_media(reduced_motion="reduce")
    stage.page.wait_for_function("() => matchMedia('(prefers-reduced-motion: reduce)').matches")
    eventually(stage.page, lambda: moving(stage.page) == 0)
    stage.gate.open()
    stage.server.reset()
    turns = [
        part for at in range(8) for part in (user_item(f"Q {at}", f"u{at}"), assistant_item("A.\n\n" * 9, f"a{at}"))
    ]
    stage.show(*turns)
    wait_until_settled(stage.chat)
    wheel(stage.chat, -2000)
    button = stage.find("button", "Scroll to the latest message")
    expect(button).to_be_visible()
    # Scrolled at once, and not over time.
    assert (
        button.evaluate(
            """async button => {
            const messages = document.querySelector('openai-chatkit').shadowRoot.querySelector('parlor-messages');
            const scroller = messages.shadowRoot.querySelector('.scroller');
            button.click();
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            return scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
        }"""
        )
        < 40
    )


def test_forced_colours_keep_lines_focus_and_icons(stage: Stage) -> None:
    stage.page.emulate_media(forced_colors="active")
    conversation(stage)
    for part in ("bubble", "composer", "attachment"):
        place = stage.chat.element.locator(f"[part~={part}]").first
        drawn = place.evaluate(
            "e => { const s = getComputedStyle(e); return [s.borderTopStyle, s.outlineStyle, s.borderTopWidth]; }"
        )
        assert drawn[0] == "solid" or drawn[1] == "solid", (part, drawn)
    stage.chat.composer.fill("words")
    for button in (
        stage.chat.send_button,
        stage.find("button", "Chat history"),
        stage.find("button", "Good answer").first,
    ):
        assert button.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
        icon = button.locator("svg").evaluate(
            """svg => {
                const shape = svg.querySelector('path, circle, rect, line, polyline') ?? svg;
                const {fill, stroke} = getComputedStyle(shape);
                const back = getComputedStyle(svg.closest('button')).backgroundColor;
                return [fill, stroke].some(color =>
                    color !== 'none' && color !== back && !/^rgba.*, 0\\)$/.test(color));
            }"""
        )
        assert icon, button
    stage.chat.composer.press("Shift+Tab")
    stage.page.wait_for_function(
        """() => {
            let element = document.activeElement;
            while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
            const {outlineStyle, outlineWidth} = getComputedStyle(element);
            return outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2;
        }"""
    )


# Room


@pytest.mark.parametrize(("width", "height"), [(640, 400), (320, 256)], ids=["200 percent", "400 percent"])
def test_a_zoomed_chat_can_be_used(stage: Stage, width: int, height: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": height})
    stage.begin("disclaimer: {text: 'May be wrong.'}, startScreen: {prompts: [{label: 'A prompt', prompt: 'x'}]}")
    stage.page.evaluate("document.querySelector('.frame').style.height = '100vh'")
    stage.chat.composer.fill("words\n" * 30)
    expect(stage.chat.send_button).to_be_in_viewport(ratio=1)
    stage.chat.send_button.click()
    expect(stage.chat.questions).to_have_count(1)
    stage.chat.wait_until_idle()
    expect(stage.find("button", "Chat history")).to_be_in_viewport(ratio=1)
    expect(stage.chat.composer).to_be_in_viewport(ratio=1)

    def room() -> float:
        box = stage.chat.transcript.bounding_box()
        assert box
        return box["height"]

    eventually(stage.page, lambda: room() > height / 5)
    assert stage.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "place",
    [
        "display: flex; height: 300px",
        "display: grid; grid-template-columns: 1fr auto; height: 300px",
        "height: 0",
        "max-height: 40vh",
    ],
)
def test_it_is_quiet_in_every_kind_of_parent(stage: Stage, place: str) -> None:
    page = stage.page
    page.evaluate("addEventListener('error', event => (window.failed ??= []).push(event.message))")
    page.set_viewport_size({"width": 2000, "height": 700})
    stage.show(user_item("hi"), assistant_item("w" * 3000 + "\n\nwords " * 300))
    page.evaluate(
        """([place]) => {
            const frame = document.querySelector('.frame');
            frame.style.cssText = place;
            chat.style.cssText = 'flex: 1; min-width: 0; height: auto';
            frame.append(Object.assign(document.createElement('aside'), {textContent: 'beside'}));
        }""",
        [place],
    )
    # It comes to rest soon, whenever a part of it arrives.
    still = page.evaluate(
        """async () => {
            let still = 0;
            for (let last = '', limit = 0; still < 9 && limit < 120; limit += 1) {
                await new Promise(done => requestAnimationFrame(done));
                const {width, height} = chat.getBoundingClientRect();
                still = `${width} ${height}` === last ? still + 1 : 0;
                last = `${width} ${height}`;
            }
            return still;
        }"""
    )
    assert still == 9
    assert page.evaluate("window.failed") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 2000


# Touch


def test_a_finger_gets_the_preview_and_the_buttons_that_a_pointer_finds_by_hovering(
    browser: Browser, scripted: ScriptedServer
) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 700})
    context.set_default_timeout(ACTION_TIMEOUT_MS)
    try:
        stage = Stage(context.new_page(), scripted)
        stage.open()
        stage.show(
            QUESTION,
            assistant_item("Yes."),
            options="""entities: {onClick: entity => (window.clicked ??= []).push(entity.id),
                onRequestPreview: async () =>
                ({preview: {type: 'Card', children: [{type: 'Text', value: 'A city.'}]}})}""",
        )
        stage.chat.questions.get_by_role("button", name="Bern").tap()
        card = stage.find("group", "Preview of Bern")
        expect(card).to_be_visible()
        stage.page.wait_for_function("() => JSON.stringify(window.clicked) === '[\"c1\"]'")
        stage.chat.answers.tap()
        expect(card).to_have_count(0)
        scripted.reset()
        history_panel(stage)
        expect(stage.find("button", "Rename “A cake”")).to_have_css("opacity", "1")
        # Browsers of phones zoom into fields with smaller letters.
        stage.find("button", "Rename “A cake”").tap()
        field = stage.find("textbox", "Chat title")
        assert float(field.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 16
    finally:
        context.close()


def test_a_form_that_is_wrong_says_where_and_why(stage: Stage) -> None:
    form = item(
        "widget",
        "wi_1",
        widget={
            "type": "Card",
            "asForm": True,
            "confirm": {"label": "Go", "action": {"type": "x"}},
            "children": [
                {"type": "Label", "value": "City", "fieldName": "city"},
                {"type": "Input", "name": "city", "required": True},
            ],
        },
    )
    stage.show(user_item("hi"), form)
    stage.find("button", "Go").click()
    field = stage.chat.element.get_by_role("textbox", name="City")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    problem = field.evaluate(
        "e => e.getRootNode().getElementById(e.getAttribute('aria-describedby')).textContent.trim()"
    )
    assert problem
    expect(stage.chat.element.get_by_role("alert").filter(has_text=problem)).to_have_count(1)


def test_no_chat_of_these_tests_is_named_after_somebody_else(stage: Stage) -> None:
    conversation(stage)
    shown = Chat(stage.page).element.get_by_role("region").aria_snapshot()
    assert "openai" not in shown.lower()
    assert "chatgpt" not in shown.lower()
