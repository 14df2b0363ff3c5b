"""Statements 55 to 71, 116 to 123, 130 to 133 where only a browser can tell: input methods, caret, clipboard, files."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.chat import Chat, configure, eventually, expect_value, names, point_at
from tests.browser.samples import PIXEL
from tests.browser.servers.scripted import THREAD, Answer, Gate, ScriptedServer, Stream, message_events, user_item

SVG_SCRIPT = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' onload='parent.pwned=1'/%3E"
UPLOADING = """api: {url: '/chatkit', domainKey: 'local', uploadStrategy: {type: 'two_phase'}},
    composer: {attachments: {enabled: true}}"""


@pytest.fixture
def keyboard(chat: Chat, page: Page) -> CDPSession:
    """The browser's own input, with input methods."""
    chat.composer.focus()
    return page.context.new_cdp_session(page)


def set_options(page: Page, literal: str) -> None:
    page.evaluate(f"document.querySelector('openai-chatkit').setOptions({{{literal}}})")


def sent_texts(scripted: ScriptedServer) -> list[str]:
    asked = scripted.asked_for("threads.create") + scripted.asked_for("threads.add_user_message", at_least=0)
    return ["".join(part["text"] for part in each.params["input"]["content"]) for each in asked]


# Input methods


@pytest.mark.parametrize(
    ("parts", "word"), [(["に", "にほ", "にほん"], "日本"), (["ㅎ", "하", "한"], "한"), (["n", "ni"], "你")]
)
def test_enter_that_ends_a_composition_sends_nothing(
    chat: Chat, keyboard: CDPSession, scripted: ScriptedServer, parts: list[str], word: str
) -> None:
    for part in parts:
        keyboard.send("Input.imeSetComposition", {"text": part, "selectionStart": len(part), "selectionEnd": len(part)})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyDown", **enter})
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    expect(chat.composer).to_have_value(parts[-1])
    # As desktop input methods do: the key is theirs, and then comes the text.
    taken = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **taken})
    keyboard.send("Input.insertText", {"text": word})
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    expect(chat.composer).to_have_value(word)
    assert scripted.asked == []
    chat.composer.press("Enter")
    expect(chat.questions).to_have_text([word])
    chat.wait_until_idle()
    assert sent_texts(scripted) == [word]


def test_a_composition_leaves_the_list_of_mentions_alone(chat: Chat, keyboard: CDPSession, page: Page) -> None:
    configure(page, "entities: {onTagSearch: async () => [{id: 'c1', title: '東京'}]}")
    chat.composer.press_sequentially("@")
    expect(chat.element.get_by_role("option", name="東京")).to_be_visible()
    keyboard.send("Input.imeSetComposition", {"text": "と", "selectionStart": 1, "selectionEnd": 1})
    keyboard.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229},
    )
    expect(chat.composer).to_have_value("@と")


# The field


def test_shift_and_enter_make_a_line_and_the_field_grows_until_it_scrolls(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    page.set_viewport_size({"width": 280, "height": 600})

    def height() -> float:
        box = chat.composer.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 280
        return box["height"]

    one = height()
    chat.composer.press_sequentially("first")
    chat.composer.press("Shift+Enter")
    chat.composer.press_sequentially("second")
    expect(chat.composer).to_have_value("first\nsecond")
    assert scripted.asked == []
    eventually(page, lambda: height() > one)
    two = height()
    chat.composer.fill("line\n" * 60)
    eventually(page, lambda: height() > two)
    assert chat.composer.evaluate("field => field.scrollHeight > field.clientHeight")
    eventually(page, lambda: height() < 400)
    assert chat.composer.evaluate("field => getComputedStyle(field).overflowY") in ("auto", "scroll")
    chat.composer.fill("w" * 300)
    assert chat.composer.evaluate("field => field.scrollWidth <= field.clientWidth")
    expect(chat.send_button).to_be_in_viewport(ratio=1)


def test_one_can_write_while_an_answer_runs_and_send_is_stop(chat: Chat, scripted: ScriptedServer) -> None:
    gate = Gate()
    events = message_events("Done.")
    scripted.on("threads.create", Stream([*events[:2], gate, events[2]]))
    expect(chat.send_button).to_be_disabled()
    chat.composer.fill("  \n ")
    expect(chat.send_button).to_be_disabled()
    chat.send("one")
    expect(chat.stop_button).to_be_visible()
    expect(chat.send_button).to_have_count(0)
    chat.composer.press_sequentially("two")
    chat.composer.press("Enter")
    expect(chat.composer).to_have_value("two")
    assert len(scripted.asked_for("threads.create")) == len(scripted.asked) == 1
    gate.open()
    chat.wait_until_idle()
    expect(chat.composer).to_have_value("two")
    expect(chat.composer).to_be_focused()
    expect(chat.send_button).to_be_enabled()
    assert len(scripted.asked) == 1


def test_a_sent_message_stays_the_same_element_when_the_server_echoes_it(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    gate = Gate()
    events = message_events("Done.", user="hi")
    scripted.on("threads.create", Stream([events[0], gate, *events[1:]]))
    chat.send("hi")
    expect(chat.questions).to_have_text(["hi"])
    before = chat.questions.element_handle()
    gate.open()
    chat.wait_until_idle()
    expect(chat.questions).to_have_count(1)
    assert page.evaluate("([before, after]) => before === after", [before, chat.questions.element_handle()])


# Clipboard


def test_rich_text_is_pasted_as_plain_text(chat: Chat, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """() => navigator.clipboard.write([new ClipboardItem({
            'text/html': new Blob(['<b>bold</b><ul><li>list</ul>'], {type: 'text/html'}),
            'text/plain': new Blob(['bold'], {type: 'text/plain'}),
        })])"""
    )
    chat.composer.focus()
    page.keyboard.press("Control+V")
    expect(chat.composer).to_have_value("bold")


def test_a_pasted_picture_is_attached_or_refused_with_a_message(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(4, 4);
            canvas.getContext('2d').fillRect(0, 0, 4, 4);
            const picture = await canvas.convertToBlob({type: 'image/png'});
            await navigator.clipboard.write([new ClipboardItem({'image/png': picture})]);
        }"""
    )
    chat.composer.focus()
    page.keyboard.press("Control+V")
    expect(chat.element.get_by_role("alert").filter(has_text="Files cannot be attached here.")).to_be_visible()
    assert scripted.asked == []
    set_options(page, UPLOADING)
    page.keyboard.press("Control+V")
    expect(chat.element.get_by_role("button", name="Remove image.png")).to_be_visible()
    [created] = scripted.asked_for("attachments.create")
    assert created.params["mime_type"] == "image/png"
    expect(chat.element.get_by_role("img", name="image.png", exact=True)).to_have_js_property("naturalWidth", 4)


def test_a_tag_is_one_unit_for_the_keyboard_and_survives_cut_and_paste(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    configure(page, "entities: {onTagSearch: async () => [{id: 'c1', title: 'Ada Lovelace', data: {born: '1815'}}]}")
    chat.composer.press_sequentially("Ask @ad")
    chat.element.get_by_role("option", name="Ada").click()
    expect(chat.composer).to_have_value("Ask Ada Lovelace ")
    chat.composer.press("Control+A")
    chat.composer.press("Control+X")
    expect(chat.composer).to_have_value("")
    chat.composer.press("Control+V")
    expect(chat.composer).to_have_value("Ask Ada Lovelace ")
    # The space, and then the whole tag.
    chat.composer.press("Backspace")
    chat.composer.press("Backspace")
    expect(chat.composer).to_have_value("Ask ")
    chat.composer.press("Control+Z")
    expect(chat.composer).to_have_value("Ask Ada Lovelace")
    chat.composer.press("Enter")
    chat.wait_until_idle()
    [asked] = scripted.asked_for("threads.create")
    assert asked.params["input"]["content"][1] == {
        "type": "input_tag",
        "id": "c1",
        "text": "Ada Lovelace",
        "data": {"born": "1815"},
    }


def test_the_caret_is_never_inside_a_tag(chat: Chat, page: Page) -> None:
    page.evaluate(
        """() => document.querySelector('openai-chatkit').setComposerValue({content: [
            {type: 'input_text', text: 'To '}, {type: 'input_tag', id: 'c1', text: 'Ada', data: {}},
            {type: 'input_text', text: ' now'}]})"""
    )
    chat.composer.focus()
    page.keyboard.press("Home")
    for place in (1, 2, 3, 6, 7, 8):
        page.keyboard.press("ArrowRight")
        expect(chat.composer).to_have_js_property("selectionEnd", place)


# What methods set


def test_the_page_can_set_every_part_of_the_draft(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    set_options(
        page,
        """api: {url: '/chatkit', domainKey: 'local', uploadStrategy: {type: 'two_phase'}}, composer: {
            attachments: {enabled: true}, tools: [{id: 't', label: 'Tool', icon: 'bolt'}],
            models: [{id: 'a', label: 'A'}, {id: 'b', label: 'B'}]}""",
    )
    page.evaluate(
        """async () => {
            const chat = document.querySelector('openai-chatkit');
            await chat.setComposerValue({text: 'hello', reply: 'as you said', selectedToolId: 't', selectedModelId: 'b',
                attachments: [{type: 'file', id: 'atc_mine', name: 'mine.txt', mime_type: 'text/plain'}]});
            await chat.setComposerValue({selectedToolId: 'no such tool', selectedModelId: 'no such model'});
        }"""
    )
    expect(chat.element.get_by_text("as you said")).to_be_visible()
    chat.composer.press("Enter")
    chat.wait_until_idle()
    [asked] = scripted.asked_for("threads.create")
    assert asked.params["input"] == {
        "content": [{"type": "input_text", "text": "hello"}],
        "attachments": ["atc_mine"],
        "quoted_text": "as you said",
        "inference_options": {"tool_choice": {"id": "t"}, "model": "b"},
    }
    page.evaluate("document.querySelector('openai-chatkit').setComposerValue({selectedToolId: 't', reply: 'again'})")
    expect(chat.element.get_by_role("button", name="Stop using Tool")).to_be_visible()
    page.evaluate("document.querySelector('openai-chatkit').setComposerValue({selectedToolId: null})")
    expect(chat.element.get_by_role("button", name="Stop using Tool")).to_have_count(0)
    chat.element.get_by_role("button", name="Remove quote").click()
    expect(chat.element.get_by_text("again")).to_have_count(0)
    changes = "seen.filter(({name}) => name === 'tool.change').map(({detail}) => detail.toolId)"
    expect_value(page, lambda: page.evaluate(changes), ["t", None, "t", None])
    logged = "seen.filter(({name}) => name === 'log').map(({detail}) => detail.name)"
    expect_value(page, lambda: page.evaluate(logged), ["composer.unknown_tool", "composer.unknown_model"])


def test_a_tool_changes_the_placeholder_and_a_disabled_model_cannot_be_chosen(chat: Chat, page: Page) -> None:
    configure(
        page,
        """composer: {
            tools: [{id: 'web', label: 'Search the web', shortLabel: 'Web', icon: 'globe', pinned: true,
                placeholderOverride: 'Search for'}],
            models: [{id: 'none', label: 'None', disabled: true}, {id: 'some', label: 'Some'}]}""",
    )
    expect(chat.composer).to_have_attribute("placeholder", "Message the AI")
    tool = chat.element.get_by_role("button", name="Search the web")
    expect(tool).to_have_text("Web")
    tool.click()
    expect(chat.composer).to_have_attribute("placeholder", "Search for")
    chat.element.get_by_role("button", name="Model: Some").click()
    none = chat.element.get_by_role("menuitemradio", name="None")
    expect(none).to_have_attribute("aria-disabled", "true")
    none.click(force=True)
    page.keyboard.press("Escape")
    expect(chat.element.get_by_role("button", name="Model: Some")).to_be_focused()


def test_there_is_no_plus_when_there_is_nothing_behind_it(chat: Chat, page: Page) -> None:
    buttons = chat.element.locator("parlor-composer").get_by_role("button")
    expect(buttons).to_have_count(1)  # Send
    configure(page, "entities: {showComposerMenu: true}, commands: {enabled: false}")
    expect(buttons).to_have_count(1)
    configure(page, "entities: {showComposerMenu: true, onTagSearch: async () => []}")
    expect(buttons).to_have_count(2)


# Files


def drag(page: Page, *, over: str, drops: bool = True) -> bool:
    """Drag a file over a selector of the page; tell whether the browser was kept from opening it."""
    result: bool = page.evaluate(
        """([over, drops]) => {
            const data = new DataTransfer();
            data.items.add(new File(['some words'], 'dragged.txt', {type: 'text/plain'}));
            const place = document.querySelector(over);
            const target = place.shadowRoot?.querySelector('.root') ?? place;
            const send = type => {
                const more = {dataTransfer: data, bubbles: true, composed: true, cancelable: true};
                const event = new DragEvent(type, more);
                target.dispatchEvent(event);
                return event.defaultPrevented;
            };
            send('dragenter');
            const isTaken = send('dragover');
            if (drops) send('drop');
            return isTaken;
        }""",
        [over, drops],
    )
    return result


def test_a_file_is_dropped_on_the_chat_and_on_nothing_else(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    assert drag(page, over="openai-chatkit") is False
    set_options(page, UPLOADING)
    expect(chat.element.locator("parlor-drop-zone")).to_be_attached()
    assert drag(page, over="body") is False
    assert drag(page, over="openai-chatkit", drops=False) is True
    target = chat.element.get_by_text("Drop files to attach them")
    expect(target).to_be_visible()
    assert drag(page, over="openai-chatkit") is True
    expect(target).to_have_count(0)
    expect(chat.element.get_by_role("button", name="Remove dragged.txt")).to_be_visible()
    assert len(scripted.asked_for("attachments.create")) == 1


def test_nothing_is_dropped_on_a_locked_thread(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    set_options(page, UPLOADING)
    scripted.on("threads.get_by_id", Answer({**THREAD, "status": {"type": "locked", "reason": "Wait"}}))
    page.evaluate("document.querySelector('openai-chatkit').setThreadId('thr_1')")
    expect(chat.composer).to_be_disabled()
    assert drag(page, over="openai-chatkit") is False
    expect(chat.element.get_by_role("button", name="Remove dragged.txt")).to_have_count(0)
    assert scripted.asked_for("attachments.create", at_least=0) == []


def test_previews_are_of_this_page_and_are_given_back(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    page.evaluate(
        """() => {
            window.given = new Set();
            const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
            URL.createObjectURL = each => { const url = create.call(URL, each); given.add(url); return url; };
            URL.revokeObjectURL = url => { given.delete(url); revoke.call(URL, url); };
        }"""
    )
    set_options(page, UPLOADING)
    chat.element.locator("input[type=file]").set_input_files(
        [{"name": "a.png", "mimeType": "image/png", "buffer": b64decode(PIXEL.partition(",")[2])}] * 2
    )
    expect(chat.element.get_by_role("img", name="a.png")).to_have_count(2)
    expect_value(page, lambda: page.evaluate("given.size"), 2)
    chat.element.get_by_role("button", name="Remove a.png").first.click()
    page.wait_for_function("() => given.size === 1")
    chat.composer.fill("look")
    expect(chat.send_button).to_be_enabled()
    chat.composer.press("Enter")
    chat.wait_until_idle()
    page.wait_for_function("() => given.size === 0")
    assert len(scripted.asked_for("attachments.delete")) == 1


def test_a_read_message_shows_its_pictures_and_files_and_no_invalid_address(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    def attachment(number: int, kind: str, **more: Any) -> dict[str, Any]:
        mime_type = "image/png" if kind == "image" else "text/plain"
        return {"type": kind, "id": f"atc_{number}", "name": f"{number} <b>ö</b>", "mime_type": mime_type, **more}

    attachments = [
        attachment(1, "image", preview_url=PIXEL),
        attachment(2, "image", preview_url=SVG_SCRIPT),
        attachment(3, "image", preview_url="data:text/html,<script>window.pwned=1</script>"),
        attachment(4, "image", preview_url="javascript:window.pwned=1"),
        attachment(5, "image"),
        attachment(6, "file", preview_url=PIXEL),
    ]
    item = {**user_item("look"), "attachments": attachments}
    scripted.on("items.list", Answer({"data": [item], "has_more": False}))
    page.evaluate("document.querySelector('openai-chatkit').setThreadId('thr_1')")
    expect(chat.questions.get_by_role("img", name="1 <b>ö</b>")).to_have_js_property("naturalWidth", 1)
    shown = chat.questions.locator("[part~=attachment]")
    expect(shown).to_have_count(6)
    assert shown.locator("img").evaluate_all("images => images.map(({src}) => src.slice(0, 14))") == [
        "data:image/png",
        "data:image/svg",
    ]
    for number in (3, 4, 5, 6):
        expect(shown.filter(has_text=f"{number} <b>ö</b>")).to_be_visible()
    assert page.evaluate("window.pwned") is None


# Entities


def test_a_preview_opens_by_pointer_and_by_focus_and_is_requested_once(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    configure(
        page,
        """entities: {
            onClick: entity => seen.push({name: 'clicked', detail: entity}),
            onRequestPreview: async entity => {
                seen.push({name: 'preview', detail: entity.id});
                if (entity.id === 'c2') return {preview: null};
                return {preview: {type: 'Card', children: [{type: 'Text', value: 'About Ada'}]}};
            },
        }""",
    )
    content = [
        {
            "type": "input_tag",
            "id": "c1",
            "text": "Ada",
            "data": {"born": "1815"},
            "group": "People",
            "interactive": True,
        },
        {"type": "input_tag", "id": "c2", "text": "Ben", "data": {}, "interactive": True},
        {"type": "input_tag", "id": "c3", "text": "Cy", "data": {}},
    ]
    item = {**user_item("x"), "content": content}
    scripted.on("items.list", Answer({"data": [item], "has_more": False}))
    page.evaluate("document.querySelector('openai-chatkit').setThreadId('thr_1')")
    ada, ben = (chat.questions.get_by_role("button", name=name) for name in ("Ada", "Ben"))
    card = chat.element.get_by_role("group", name="Preview of Ada")
    point_at(ada, card)
    expect(card).to_contain_text("About Ada")
    page.keyboard.press("Escape")
    chat.composer.hover()
    expect(card).to_have_count(0)
    chat.transcript.focus()
    page.keyboard.press("Tab")
    expect(ada).to_be_focused()
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(ada).to_be_focused()
    page.keyboard.press("Tab")
    expect(ben).to_be_focused()
    page.wait_for_function("() => seen.some(({name, detail}) => name === 'preview' && detail === 'c2')")
    expect(chat.element.get_by_role("group", name="Preview of Ben")).to_have_count(0)
    expect(chat.questions.get_by_role("button", name="Cy")).to_have_count(0)
    chat.questions.get_by_text("Cy").click()
    ada.click()
    clicked = [{"id": "c1", "title": "Ada", "data": {"born": "1815"}, "group": "People", "interactive": True}]
    for name, told in (("clicked", clicked), ("preview", ["c1", "c2"])):
        found = f"seen.filter(({{name}}) => name === '{name}').map(({{detail}}) => detail)"
        expect_value(page, lambda found=found: page.evaluate(found), told)  # type: ignore[misc]


# Dictation


def test_dictated_words_go_to_the_caret_and_nothing_is_sent(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    scripted.on("input.transcribe", Answer({"text": "in Bern"}))
    page.evaluate(
        """() => {
            const media = {getUserMedia: async () => {
                const audio = new AudioContext();
                const tone = audio.createOscillator();
                const stream = audio.createMediaStreamDestination();
                tone.connect(stream);
                tone.start();
                return window.recorded = stream.stream;
            }};
            Object.defineProperty(navigator, 'mediaDevices', {value: media});
        }"""
    )
    configure(page, "composer: {dictation: {enabled: true}}")
    chat.composer.fill("Rain today?")
    chat.composer.evaluate("field => field.setSelectionRange(5, 5)")
    chat.element.get_by_role("button", name="Dictate").click()
    chat.element.get_by_role("button", name="Finish dictating").click()
    expect(chat.composer).to_have_value("Rain in Bern today?")
    [asked] = scripted.asked
    assert asked.params["mime_type"].startswith("audio/")
    assert "," not in asked.params["audio_base64"]
    page.wait_for_function("() => recorded.getTracks().every(({readyState}) => readyState === 'ended')")
    assert "response.start" not in names(page)


def test_a_refused_microphone_is_a_message_and_no_exception(chat: Chat, page: Page) -> None:
    page.evaluate(
        """() => Object.defineProperty(navigator, 'mediaDevices', {value: {
            getUserMedia: async () => { throw new DOMException('no', 'NotAllowedError') }}})"""
    )
    configure(page, "composer: {dictation: {enabled: true}}")
    chat.element.get_by_role("button", name="Dictate").click()
    expect(chat.element.get_by_role("alert").filter(has_text="microphone")).to_be_visible()
    page.wait_for_function("() => seen.some(({name}) => name === 'error')")


def test_an_element_that_is_removed_frees_the_microphone(chat: Chat, page: Page) -> None:
    page.evaluate(
        """() => Object.defineProperty(navigator, 'mediaDevices', {value: {getUserMedia: async () =>
            window.recorded = new AudioContext().createMediaStreamDestination().stream}})"""
    )
    configure(page, "composer: {dictation: {enabled: true}}")
    chat.element.get_by_role("button", name="Dictate").click()
    expect(chat.element.get_by_role("button", name="Finish dictating")).to_be_visible()
    page.evaluate("document.querySelector('openai-chatkit').remove()")
    page.wait_for_function("() => recorded.getTracks().every(({readyState}) => readyState === 'ended')")
