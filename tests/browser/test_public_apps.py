"""The shapes that public pages give the chat, where only the address of the script is ours: statement 27.

The pages are our own. What they have in common with public ones is which options, methods, events and styles they use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import BrowserType, FilePayload, Locator, Page, expect

from tests.browser.chat import (
    RECORDER,
    SETTLE,
    Chat,
    add_script,
    eventually,
    expect_value,
    mount,
    names,
    point_at,
    wait_until_settled,
    wheel,
)
from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.browser.samples import SVG
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.servers.react_pages import build_react_pages
from tests.browser.servers.scripted import (
    THREAD,
    Answer,
    Gate,
    ScriptedServer,
    Stream,
    assistant_item,
    message_events,
    user_item,
)

if TYPE_CHECKING:
    from tests.browser.servers.files import FilesServer

SECRET = "ek_fresh"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003060180"
    "5a347d6b0000000049454e44ae426082"
)
PICTURE: FilePayload = {"name": "Straße.png", "mimeType": "image/png", "buffer": PNG}
WORDS: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some words"}


@pytest.fixture
def chat(empty_page: Page) -> Chat:
    return Chat(empty_page)


@pytest.fixture
def shop() -> Iterator[tuple[FilesServer, str]]:
    from tests.browser.servers.files import FilesServer

    server = FilesServer(SECRET)
    with serve_in_thread(server.app) as url:
        yield server, url


def open_shop(page: Page, url: str, options: dict[str, Any]) -> Chat:
    page.add_init_script(RECORDER)
    page.goto(f"{url}/page/classic")
    mount(page, options)
    return Chat(page)


# Room


@pytest.mark.parametrize(
    ("around", "own", "size"),
    [
        ("display: flex; height: 500px", "flex: 1", (1000, 500)),
        ("display: flex; height: 500px", "width: 100%; height: 100%", (1000, 500)),
        ("display: flex; flex-direction: column; height: 500px", "flex: 1", (1000, 500)),
        ("display: flex; flex-direction: column; height: 500px; min-height: 0", "flex: 1; min-height: 0", (1000, 500)),
        ("display: grid; height: 500px", "", (1000, 500)),
        ("position: relative; height: 500px", "position: absolute; inset: 0", (1000, 500)),
        ("position: relative; height: 500px", "position: absolute; inset: 0 0 0 auto; width: 400px", (400, 500)),
        ("height: 500px", "display: flex; flex-direction: column; height: 100%", (1000, 500)),
        ("height: 500px", "display: grid; height: 100%", (1000, 500)),
        ("height: 500px", "height: 100%; border-radius: 24px; overflow: hidden", (1000, 500)),
        ("position: fixed; inset: auto 9px 9px auto; width: 380px; height: 520px", "height: 100%", (380, 520)),
        # Pages that say too little: what they leave open is ours to choose, and it can be used.
        ("min-height: 560px", "width: 100%", (1000, 600)),
        ("min-height: 300px", "width: 100%; height: 100%", (1000, 600)),
        ("", "display: inline-block", (320, 600)),
        ("display: flex", "", (320, 600)),
    ],
)  # fmt: skip
def test_the_chat_fills_what_it_is_given_and_is_there_when_nothing_is(
    chat: Chat, page: Page, around: str, own: str, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": 1000, "height": 800})
    mount(page, {"startScreen": {"greeting": "Here", "prompts": [{"label": "Go", "prompt": "go"}]}})
    page.evaluate(
        """([around, own]) => {
            const chat = document.querySelector('openai-chatkit');
            chat.parentElement.className = '';
            chat.parentElement.style.cssText = around;
            chat.style.cssText = own;
        }""",
        [around, own],
    )

    def found() -> tuple[int, int]:
        box = chat.element.bounding_box()
        assert box
        return round(box["width"]), round(box["height"])

    expect_value(page, found, size)
    chat.element.get_by_role("button", name="Go").click()
    chat.wait_until_idle()
    expect(chat.composer).to_be_in_viewport(ratio=1)
    expect(chat.send_button).to_be_in_viewport(ratio=1)


def long_thread(scripted: ScriptedServer, count: int = 40) -> None:
    items = [user_item("question", "usr_0")] + [assistant_item(f"paragraph {n}", f"msg_{n}") for n in range(count)]
    scripted.on("threads.get_by_id", Answer({**THREAD, "title": "Long"}))
    scripted.on("items.list", Answer({"data": items[::-1], "has_more": False, "after": None}))


@pytest.mark.parametrize("how", ["hidden attribute", "display none", "no room"])
@pytest.mark.motion
def test_a_chat_behind_a_launcher_is_ready_before_it_is_seen_and_opens_at_the_newest_words(
    chat: Chat, page: Page, scripted: ScriptedServer, how: str
) -> None:
    long_thread(scripted)
    page.evaluate(
        """how => {
            const panel = document.createElement('div');
            panel.id = 'panel';
            document.body.append(panel);
            if (how === 'hidden attribute') panel.hidden = true;
            else panel.style.cssText = how === 'no room' ? 'height: 0; overflow: hidden' : 'display: none';
        }""",
        how,
    )
    mount(page, {"initialThread": "thr_1"}, target="#panel")
    page.wait_for_function("() => seen.some(({name}) => name === 'thread.load.end')")
    page.evaluate("panel.hidden = false; panel.style.cssText = ''")
    expect(chat.element.get_by_text("paragraph 39")).to_be_in_viewport()
    page.evaluate("document.querySelector('openai-chatkit').focusComposer()")
    expect(chat.composer).to_be_focused()
    # Closed and opened again, it is where it was.
    wheel(chat, -400)
    expect(chat.element.get_by_text("paragraph 39")).not_to_be_in_viewport()
    place = chat.transcript.evaluate("log => log.scrollTop")
    page.evaluate("panel.hidden = true")
    page.evaluate("panel.hidden = false")
    page.evaluate(SETTLE)
    eventually(page, lambda: abs(chat.transcript.evaluate("log => log.scrollTop") - place) < 2)
    page.evaluate("document.querySelector('openai-chatkit').hidden = true")
    expect(chat.element).to_be_hidden()


def test_in_a_dialog_escape_closes_what_is_open_in_the_chat_first(chat: Chat, page: Page) -> None:
    page.evaluate(
        """() => {
            const dialog = document.createElement('dialog');
            dialog.style.cssText = 'width: 500px; height: 600px';
            document.body.append(dialog);
            dialog.showModal();
        }"""
    )
    tools = [{"id": "a", "label": "Search", "icon": "globe"}, {"id": "b", "label": "Think", "icon": "lucide:brain"}]
    mount(page, {"composer": {"tools": tools}}, target="dialog")
    chat.element.get_by_role("button", name="Tools").click()
    option = chat.element.get_by_role("menuitemradio", name="Think")
    expect(option).to_be_visible()
    page.keyboard.press("Escape")
    expect(option).to_have_count(0)
    expect(page.locator("dialog")).to_have_js_property("open", True)
    chat.open_history()
    page.keyboard.press("Escape")
    expect(chat.history).to_have_count(0)
    expect(page.locator("dialog")).to_have_js_property("open", True)
    chat.ask("hi")
    expect(chat.answers).to_have_text(["A scripted answer."])


# Threads led by the page


def test_the_page_leads_from_thread_to_thread(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    mount(page)
    refused = page.evaluate(
        """async () => {
            const chat = document.querySelector('openai-chatkit');
            await chat.setThreadId('thr_a');
            await chat.setThreadId('thr_a');
            const first = chat.setThreadId('thr_c');
            const refused = await chat.setThreadId('thr_b').catch(error => error.message);
            await first;
            await chat.setThreadId(null);
            await chat.setThreadId(undefined);
            return refused;
        }"""
    )
    assert "thread.load.end" in refused
    changes = "seen.filter(({name}) => name === 'thread.change').map(({detail}) => detail.threadId)"
    expect_value(page, lambda: page.evaluate(changes), ["thr_a", "thr_c", None])
    loads = [name for name in names(page) if name.startswith("thread.load")]
    assert loads == ["thread.load.start", "thread.load.end"] * (len(loads) // 2)
    chat.ask("a fresh one")
    assert len(scripted.asked_for("threads.create")) == 1


@pytest.mark.motion
def test_a_question_with_a_picture_goes_to_the_top_though_the_composer_shrinks(
    page: Page, shop: tuple[FilesServer, str]
) -> None:
    _, url = shop
    page.set_viewport_size({"width": 420, "height": 640})
    chat = open_shop(page, url, UPLOADING["two_phase"])
    page.evaluate("document.querySelector('.frame').style.height = '100vh'")
    # What leaves the view is no longer laid out, and browsers scroll to where it was.
    for words in ("card", "card", "word " * 60):
        chat.ask(words)
    chat.element.locator("input[type=file]").set_input_files([PICTURE, WORDS])
    chat.composer.fill("like this")
    expect(chat.send_button).to_be_enabled()
    chat.composer.press("Enter")
    expect(chat.answers).to_have_count(2)
    chat.wait_until_idle()
    wait_until_settled(chat)

    def below_top() -> float:
        question, transcript = chat.questions.last.bounding_box(), chat.transcript.bounding_box()
        assert question
        assert transcript
        return question["y"] - transcript["y"]

    eventually(page, lambda: 0 <= below_top() < 60)


# React, with every kind of option


@pytest.mark.parametrize(("version", "script"), [("18", "late"), ("19", "before")])
def test_a_page_with_every_kind_of_option_works_through_the_hook(
    page: Page, shop: tuple[FilesServer, str], tolerated_errors: list[str], version: str, script: str
) -> None:
    build_react_pages()
    server, url = shop
    # The session's first secret has run out; the browser writes the 401 to the console.
    tolerated_errors.append("401")
    page.goto(f"{url}/react/{version}/index.html?page=workspace&how=strict&script={script}")
    chat = Chat(page)
    expect(page.get_by_text("Loading the session")).to_have_count(0)
    expect(chat.element.get_by_role("heading", name="Welcome to the desk")).to_be_visible()
    page.wait_for_function("() => seen.includes('ready')")
    eventually(page, lambda: chat.element.evaluate("e => e.getBoundingClientRect().height") > 300)

    chat.element.get_by_role("button", name="menu", exact=True).click()
    chat.element.get_by_role("button", name="Show the card").click()
    chat.widgets.get_by_role("button", name="In the page").click()
    # The handler awaits an action of the server, and sends a message then.
    expect(chat.answers).to_have_text(["Asked to say local.", "You said: hello again"])
    chat.wait_until_idle()
    assert server.secrets[:2] == ["Bearer ek_stale", f"Bearer {SECRET}"]
    assert set(server.secrets[1:]) == {f"Bearer {SECRET}"}
    expect(chat.composer).to_have_attribute("placeholder", "Go on")

    chat.ask("effect")
    chat.ask("tool")
    expect(chat.answers.last).to_have_text("The page says: teatime.")
    expect(page.locator("#page")).to_contain_text('"facts":["tell_time here"]')
    expect(page.locator("#page")).to_contain_text('"scheme":"dark"')
    region = chat.element.get_by_role("region")
    expect(region).to_have_css("background-color", "rgb(13, 17, 23)")
    # Text that was of the surface's second colour could not be read.
    assert chat.answers.last.evaluate("e => getComputedStyle(e).color") != "rgb(29, 34, 43)"

    chat.composer.press_sequentially("To @ad")
    chat.element.get_by_role("option", name="Ada").click()
    chat.composer.press("Enter")
    tag = chat.questions.get_by_role("button", name="Ada")
    point_at(tag, chat.element.get_by_text("About Ada"))
    tag.click()
    chat.wait_until_idle()
    page.evaluate(
        """async () => {
            const files = [new File([new Uint8Array(9)], 'a.png', {type: 'image/png'})];
            await kit.setComposerValue({text: 'look', files});
            await kit.focusComposer();
        }"""
    )
    expect(chat.send_button).to_be_enabled()
    page.keyboard.press("Enter")
    expect(chat.answers.last).to_have_text("a.png: 9 bytes")
    chat.wait_until_idle()
    page.evaluate("kit.setThreadId(null)")
    expect(chat.element.get_by_role("heading", name="Welcome to the desk")).to_be_visible()
    page.evaluate("reset()")
    page.wait_for_function("() => seen.filter(each => each === 'ready').length === 2")
    chat.ask("hello")
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])
    seen = page.evaluate("window.seen")
    assert ["effect", ["first", {"n": 1}]] in seen
    assert ["entity", "ada"] in seen
    assert "menu" in seen
    assert [each for each in seen if each[0] == "error"] == []


def test_a_script_that_comes_late_finds_options_listeners_and_calls_waiting(
    page: Page, scripted: ScriptedServer
) -> None:
    page.add_init_script(RECORDER)
    page.goto(f"{scripted.url}/marked/none")
    page.evaluate(
        """() => {
            record(chat);
            const wait = setInterval(() => {
                if (typeof chat.setOptions !== 'function') return;
                clearInterval(wait);
                chat.setOptions({api: {url: '/chatkit', domainKey: 'x'}, startScreen: {greeting: 'At last'}});
                // Not awaited, and before the chat is ready.
                chat.sendUserMessage({text: 'early', newThread: true, metadata: {page: 'home'}});
            }, 50);
            customElements.whenDefined('openai-chatkit').then(() => chat.addEventListener('chatkit.ready',
                () => seen.push({name: 'late listener', detail: null})));
        }"""
    )
    add_script(page)
    chat = Chat(page)
    expect(chat.answers).to_have_text(["A scripted answer."])
    page.wait_for_function("() => seen.some(({name}) => name === 'late listener')")
    page.wait_for_function("() => seen.at(-1).name === 'response.end'")
    assert names(page)[0] == "ready"


# Files


def uploading(strategy: dict[str, Any]) -> dict[str, Any]:
    return {
        "api": {"url": "/chatkit", "domainKey": "x", "uploadStrategy": strategy},
        "composer": {"attachments": {"enabled": True, "accept": {"image/*": [], "text/plain": [".txt"]}}},
    }


UPLOADING = {
    "two_phase": uploading({"type": "two_phase"}),
    "direct": uploading({"type": "direct", "uploadUrl": "/upload"}),
}


def uploads_of(chat: Chat) -> Locator:
    return chat.element.locator(".uploads > li")


@pytest.mark.parametrize(("strategy", "method"), [("two_phase", "POST"), ("two_phase", "PUT"), ("direct", "POST")])
def test_files_reach_a_server_of_somebody_else(
    page: Page, shop: tuple[FilesServer, str], tolerated_errors: list[str], strategy: str, method: str
) -> None:
    server, url = shop
    server.files.method = method
    server.gate = Gate()
    server.refusals = 1
    tolerated_errors.append("503")
    chat = open_shop(page, url, UPLOADING[strategy])
    choose = chat.element.locator("input[type=file]")

    # On its way: a preview of this page, a sign of progress, and nothing can be sent.
    choose.set_input_files(PICTURE)
    picture = uploads_of(chat).locator("img")
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    expect(chat.element.get_by_role("progressbar", name="Straße.png is being uploaded")).to_be_visible()
    chat.composer.fill("look")
    expect(chat.send_button).to_be_disabled()

    # Refused: said, kept, and sent again by the person.
    server.gate.open()
    retry = chat.element.get_by_role("button", name="Upload Straße.png again")
    expect(retry).to_be_visible()
    expect(chat.element.get_by_role("alert").filter(has_text="the shelf is full")).to_be_visible()
    expect(chat.send_button).to_be_disabled()
    retry.click()
    expect(chat.send_button).to_be_enabled()
    assert list(server.files.content.values()) == [PNG]

    # A second one, taken back: here and on the server.
    choose.set_input_files(WORDS)
    expect(chat.element.get_by_text("notes.txt")).to_be_visible()
    expect(chat.element.get_by_role("progressbar", name="notes.txt is being uploaded")).to_have_count(0)
    with page.expect_response(lambda response: "attachments.delete" in (response.request.post_data or "")):
        chat.element.get_by_role("button", name="Remove notes.txt").click()
    expect(uploads_of(chat)).to_have_count(1)
    # What was refused was registered before, and is not left there.
    eventually(page, lambda: len(server.files.deleted) == (2 if strategy == "two_phase" else 1))
    assert len(server.files.content) == 1

    chat.composer.press("Enter")
    expect(chat.answers).to_have_text([f"Straße.png: {len(PNG)} bytes"])
    chat.wait_until_idle()
    expect(uploads_of(chat)).to_have_count(0)

    # As the server tells it, after a reload.
    [thread_id] = server.store.threads  # type: ignore[attr-defined]
    page.reload()
    mount(page, {**UPLOADING[strategy], "initialThread": thread_id})
    sent = chat.questions.get_by_role("img", name="Straße.png")
    expect(sent).to_have_attribute("src", re.compile(f"^{re.escape(url)}/files/atc_"))
    expect(sent).to_have_js_property("naturalWidth", 1)


COUNT_RECORDED = """
let recorder, bytes = 0;
const {start} = MediaRecorder.prototype;
MediaRecorder.prototype.start = function (...all) {
    recorder = this;
    recorder.addEventListener('dataavailable', ({data}) => { bytes += data.size });
    start.apply(this, all);
};
window.askForBytes = () => {
    recorder.requestData();
    return bytes;
};
"""


def test_a_recording_is_transcribed_into_the_composer(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], shop: tuple[FilesServer, str]
) -> None:
    server, url = shop
    microphone = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": [*CHROMIUM_ARGUMENTS, *microphone]})
    try:
        page = browser.new_page()
        page.add_init_script(COUNT_RECORDED)
        chat = open_shop(page, url, {"composer": {"dictation": {"enabled": True}}})
        chat.composer.fill("Note: ")
        chat.element.get_by_role("button", name="Dictate").click()
        finish = chat.element.get_by_role("button", name="Finish dictating")
        expect(finish).to_be_visible()
        eventually(page, lambda: page.evaluate("askForBytes()") > 200)
        finish.click()
        expect(chat.composer).to_have_value(re.compile("^Note: what was said"))
        # Discarded, nothing is sent.
        chat.element.get_by_role("button", name="Dictate").click()
        chat.element.get_by_role("button", name="Discard the recording").click()
        expect(chat.element.get_by_role("button", name="Dictate")).to_be_visible()
    finally:
        browser.close()
    [heard] = server.heard
    assert heard.media_type in ("audio/webm", "audio/mp4", "audio/ogg")
    assert len(heard.data) > 200


# Icons


def test_every_icon_draws_built_in_or_of_lucide_or_a_neutral_sign(chat: Chat, page: Page) -> None:
    unknown = ["vendor:acme", "nobody-has-this"]
    icons = ["profile-card", "lucide:rocket", "lucide:help-circle", "lucide:grid-3x3", "newspaper", *unknown]
    mount(page)
    page.evaluate(
        """icons => document.querySelector('openai-chatkit').setOptions({
            api: {url: '/chatkit', domainKey: 'x'},
            startScreen: {prompts: icons.map(icon => ({label: `icon ${icon}`, prompt: 'x', icon}))},
            header: {rightAction: {icon: 'lucide:bell', onClick() {}}},
        })""",
        icons,
    )
    paths = [chat.element.get_by_role("button", name=f"icon {icon}", exact=True).locator("svg path") for icon in icons]
    for path in paths:
        expect(path).to_have_attribute("d", re.compile(r"^M[\d. ]"))
    bell = chat.element.get_by_role("button", name="bell").locator("svg path")
    expect(bell).to_have_attribute("d", re.compile("^M.{20,}"))

    def share_the_neutral_sign() -> set[str]:
        drawn = [path.get_attribute("d") for path in paths]
        return {icon for icon, path in zip(icons, drawn, strict=True) if drawn.count(path) > 1}

    # An icon that is still to come is another's until then.
    expect_value(page, share_the_neutral_sign, set(unknown))


def test_a_stored_widget_with_odd_values_looks_finished(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    event = {
        "type": "Box", "width": 300,
        "border": {"left": {"size": 5, "color": "teal-400"}, "top": {"size": 1, "color": "gray-900"}},
        "children": [
            {"type": "Image", "src": SVG, "height": 40},
            {"type": "Text", "id": "e1-details", "value": "Bring a lantern.", "streaming": True, "color": "alpha-90"},
            {"type": "Text", "id": "e2-details", "value": "", "streaming": True},
        ],
    }  # fmt: skip
    rows = [{"type": "ListViewItem", "key": "e1", "gap": 5, "onClickAction": None, "children": [event]}]
    widget = {
        "type": "widget", "id": "wid_1", "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00",
        "widget": {"type": "ListView", "children": rows, "limit": 6},
    }  # fmt: skip
    scripted.on("threads.create", Stream([*message_events("Here:"), {"type": "thread.item.done", "item": widget}]))
    mount(page)
    chat.ask("events")
    text = chat.widgets.get_by_text("Bring a lantern.")
    expect(text).to_be_visible()
    expect_value(page, lambda: text.evaluate("e => getComputedStyle(e, '::after').content"), "none")
    assert text.evaluate("e => getComputedStyle(e.parentElement).borderLeftWidth") == "5px"
