"""All visible states of the chat, each set up on an empty page, for tests that go through all of them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chat import point_at
from tests.browser.samples import (
    ACTIONS,
    ANSWERED,
    COMMANDS,
    FIELDS,
    FORM,
    LIST,
    MODELS,
    PARTS_OF_WIDGETS,
    PEOPLE,
    QUESTION,
    QUESTIONS,
    RICH_ANSWER,
    SVG,
    TASKS,
    TOOLS,
    UPLOADS,
    item,
)
from tests.browser.servers.scripted import (
    THREAD,
    Answer,
    Cut,
    Stream,
    assistant_item,
    frame,
    message_events,
    text_delta,
    user_item,
)
from tests.browser.stage import Stage


def start_screen(stage: Stage) -> None:
    stage.begin(
        """startScreen: {greeting: 'Welcome', prompts: [
            {label: 'A prompt', prompt: 'x', icon: 'sun'}, {label: 'Another', prompt: 'y'},
            {label: 'Third', prompt: 'z'}]},
        disclaimer: {text: 'May be *wrong*, see [here](https://example.org).'},
        header: {title: {text: 'Help desk'}, leftAction: {icon: 'menu', onClick: () => {}}}"""
    )
    expect(stage.find("heading", "Welcome")).to_be_visible()


def conversation(stage: Stage) -> None:
    stage.show(QUESTION, RICH_ANSWER, user_item("And now?", "usr_2"), assistant_item("Sun.", "msg_2"), options=ACTIONS)
    expect(stage.chat.answers).to_have_count(2)
    expect(stage.chat.element.locator("code [class^=hljs]").first).to_be_attached()


def running_answer(stage: Stage) -> None:
    workflow = item("workflow", "wf_1", workflow={"type": "custom", "tasks": TASKS, "expanded": True})
    events = [
        *message_events("")[:2],
        {"type": "thread.item.added", "item": workflow},
        {"type": "thread.item.added", "item": assistant_item(None)},
        text_delta("It is going to **rain"),
        {"type": "progress_update", "text": "Comparing", "icon": "search"},
        stage.gate,
    ]
    stage.server.on("threads.create", Stream(events))
    stage.begin(ACTIONS)
    stage.chat.send("hi")
    expect(stage.chat.element.get_by_text("Comparing")).to_be_visible()
    expect(stage.chat.stop_button).to_be_visible()


def thinking(stage: Stage) -> None:
    stage.server.on("threads.create", Stream([*message_events("")[:2], stage.gate]))
    stage.begin()
    stage.chat.send("hi")
    expect(stage.find("img", "Working on an answer")).to_be_visible()


def loading_thread(stage: Stage) -> None:
    stage.begin("api: {fetch: never}, initialThread: 'thr_1'")
    expect(stage.find("status", "Loading the chat")).to_be_visible()


def error_with_retry(stage: Stage) -> None:
    stage.server.on("threads.create", Answer({"error": {"message": "We are closed."}}, 500))
    stage.begin()
    stage.chat.send("hi")
    expect(stage.find("button", "Try again")).to_be_visible()


def reconnecting(stage: Stage) -> None:
    events = [*message_events("")[:2], {"type": "thread.item.added", "item": assistant_item(None)}]
    events.append({"type": "progress_update", "text": "Looking"})
    numbered = b"".join(b"id: %d\n" % at + frame(event) for at, event in enumerate(events, 1))
    stage.server.on("threads.create", Stream([numbered, stage.gate, Cut()]))
    stage.server.on("runs.attach", Answer("", 503))
    stage.begin("parlor: {resume: true}")
    stage.chat.send("hi")
    # A broken connection loses data that has not been read, so wait for the text first.
    expect(stage.chat.element.get_by_text("Looking")).to_be_visible()
    stage.gate.open()
    expect(stage.chat.element.get_by_text("Reconnecting…")).to_be_visible()


def notices(stage: Stage) -> None:
    notices_shown = [
        {"type": "notice", "level": level, "title": level.title(), "message": "Only a [test](https://example.org)."}
        for level in ("info", "warning", "danger")
    ]
    error = {"type": "error", "code": "custom", "message": "The printer is on fire.", "allow_retry": False}
    stage.server.on("threads.create", Stream([*message_events("")[:2], *notices_shown, error]))
    stage.begin()
    stage.chat.send("hi")
    expect(stage.chat.element.get_by_text("The printer is on fire.")).to_be_visible()


def alert(stage: Stage) -> None:
    stage.begin("api: {url: ''}")
    expect(stage.chat.element.get_by_role("alert").filter(has_text="api.url")).to_be_visible()


def _threads(stage: Stage) -> None:
    rows = [
        {**THREAD, "id": f"thr_{at}", "title": title}
        for at, title in enumerate(["A trip", "A cake", None, "Long " * 40])
    ]
    stage.server.on("threads.list", Answer({"data": rows, "has_more": True, "after": "thr_3"}))


def history_panel(stage: Stage) -> None:
    _threads(stage)
    stage.show(user_item("hi"), assistant_item("Yes."))
    stage.chat.open_history()
    expect(stage.chat.history.get_by_role("listitem")).to_have_count(4)


def history_search(stage: Stage) -> None:
    _threads(stage)
    stage.begin()
    stage.chat.open_history()
    stage.find("searchbox", "Search chats").fill("a")
    expect(stage.chat.history.get_by_text("3 chats found")).to_be_visible()
    expect(stage.chat.history.locator("mark")).not_to_have_count(0)


def history_nothing_found(stage: Stage) -> None:
    _threads(stage)
    stage.begin()
    stage.chat.open_history()
    stage.find("searchbox", "Search chats").fill("zz")
    expect(stage.chat.history.get_by_text("No chats found")).to_be_visible()


def history_renaming(stage: Stage) -> None:
    _threads(stage)
    stage.begin()
    stage.chat.open_history()
    stage.find("button", "Rename “A cake”").click()
    expect(stage.find("textbox", "Chat title")).to_be_focused()


def history_deleting(stage: Stage) -> None:
    _threads(stage)
    stage.begin()
    stage.chat.open_history()
    stage.find("button", "Delete “A cake”").click()
    expect(stage.chat.element.get_by_text("Delete this chat?")).to_be_visible()


def history_failed(stage: Stage) -> None:
    stage.server.on("threads.list", Answer("oops", 500))
    stage.begin()
    stage.chat.open_history()
    expect(stage.chat.history.get_by_role("alert")).to_be_visible()


def composer_menu(stage: Stage) -> None:
    stage.begin(
        f"api: {{uploadStrategy: {{type: 'two_phase'}}}}, composer: {{attachments: {{enabled: true}}, {TOOLS}}}"
    )
    stage.find("button", "Add files and choose tools").click()
    expect(stage.find("menuitemradio", "Think long")).to_be_visible()


def model_menu(stage: Stage) -> None:
    stage.begin(f"composer: {{{TOOLS}, {MODELS}}}")
    stage.find("button", "Search the web").click()
    stage.find("button", "Model: Small").click()
    expect(stage.chat.element.get_by_role("menuitemradio", name="Big")).to_be_visible()


def mentions(stage: Stage) -> None:
    stage.begin(PEOPLE)
    stage.chat.composer.press_sequentially("Ask @a")
    expect(stage.chat.element.get_by_role("option", name="Ada")).to_be_visible()


def no_mentions(stage: Stage) -> None:
    stage.begin(PEOPLE)
    stage.chat.composer.press_sequentially("@zz")
    expect(stage.chat.element.get_by_text("Nothing found").first).to_be_visible()


def command_menu(stage: Stage) -> None:
    stage.begin(f"{COMMANDS}, composer: {{{TOOLS}}}")
    stage.chat.composer.press_sequentially("/")
    expect(stage.chat.element.get_by_role("option", name="Clear")).to_be_visible()


def entity_popover(stage: Stage) -> None:
    stage.show(QUESTION, assistant_item("Yes."), options=PEOPLE)
    tag = stage.chat.questions.get_by_role("button", name="Bern")
    point_at(tag, stage.find("group", "Preview of Bern"))


def attachments(stage: Stage) -> None:
    """Show an upload in progress, a failed one, a picture, a file, and a quote."""
    stage.begin(
        """composer: {attachments: {enabled: true}},
        api: {uploadStrategy: {type: 'direct', uploadUrl: '/up'}, fetch: async (url, init) => {
            if (url !== '/up') return fetch(url, init);
            const {name, type} = init.body.get('file');
            if (name === 'slow.txt') return never();
            if (name === 'bad.txt') return new Response('no', {status: 500});
            return Response.json({id: name, type: type.startsWith('image') ? 'image' : 'file', name, mime_type: type});
        }}"""
    )
    stage.page.evaluate(
        """() => chat.setComposerValue({text: 'Look', reply: 'What was said before.', files: [
            new File(['x'], 'slow.txt', {type: 'text/plain'}), new File(['x'], 'bad.txt', {type: 'text/plain'}),
            new File(['x'], 'good.txt', {type: 'text/plain'}),
            new File([Uint8Array.fromBase64?.('') ?? ''], 'picture.png', {type: 'image/png'})]})"""
    )
    expect(stage.find("button", "Upload bad.txt again")).to_be_visible()
    expect(stage.find("button", "Remove picture.png")).to_be_visible()
    expect(stage.find("button", "Remove quote")).to_be_visible()


def drop_target(stage: Stage) -> None:
    stage.begin(UPLOADS)
    expect(stage.chat.element.locator("parlor-drop-zone")).to_be_attached()
    stage.page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['x'], 'a.txt'));
            const inside = chat.shadowRoot.querySelector('.root');
            const more = {dataTransfer, bubbles: true, composed: true, cancelable: true};
            inside.dispatchEvent(new DragEvent('dragenter', more));
        }"""
    )
    expect(stage.chat.element.get_by_text("Drop files to attach them")).to_be_visible()


def choice_question(stage: Stage) -> None:
    stage.show(user_item("hi"), QUESTIONS)
    expect(stage.find("form", "Questions from the assistant")).to_be_visible()


def multiple_question(stage: Stage) -> None:
    choice_question(stage)
    stage.find("button", "Skip").click()
    stage.find("checkbox", "Bern").check()


def freeform_question(stage: Stage) -> None:
    choice_question(stage)
    for _ in range(2):
        stage.find("button", "Skip").click()
    expect(stage.chat.element.get_by_text("In your own words.")).to_be_visible()


def answered_questions(stage: Stage) -> None:
    stage.show(user_item("hi"), ANSWERED, assistant_item("Fine."))
    expect(stage.chat.transcript.get_by_text("Which cities?")).to_be_visible()


def widget_form(stage: Stage) -> None:
    """Show a form that was submitted with an empty required field."""
    stage.show(user_item("hi"), FORM)
    stage.find("button", "Book").click()
    expect(stage.chat.element.locator("[aria-invalid=true]")).to_be_visible()


def widget_fields(stage: Stage) -> None:
    """Show a widget with fields in all variants."""
    stage.show(user_item("hi"), FIELDS)
    expect(stage.find("checkbox", "It is on")).to_be_checked()


def widgets(stage: Stage) -> None:
    stage.show(user_item("hi"), PARTS_OF_WIDGETS, LIST)
    expect(stage.chat.element.get_by_text("Row 1")).to_be_visible()
    expect(stage.chat.element.locator("svg [part], svg path, svg rect").first).to_be_attached()


def sources_open(stage: Stage) -> None:
    stage.show(user_item("hi"), RICH_ANSWER, options=PEOPLE)
    stage.find("button", "3 sources").click()
    expect(stage.chat.element.get_by_text("The report")).to_be_visible()


def workflow_open(stage: Stage) -> None:
    done = {"type": "reasoning", "tasks": TASKS, "expanded": True, "summary": {"duration": 12}}
    stage.show(user_item("hi"), item("workflow", "wf_1", workflow=done), assistant_item("Rain."))
    expect(stage.chat.element.get_by_text("Looked around")).to_be_visible()


def generated_image(stage: Stage) -> None:
    stage.show(user_item("hi"), item("generated_image", "img_1", image={"id": "i", "url": SVG}))
    stage.chat.transcript.locator("button[part~=generated-image]").click()
    expect(stage.find("button", "Close the image")).to_be_visible()


def image_coming(stage: Stage) -> None:
    begun = {"type": "thread.item.added", "item": item("generated_image", "img_1", image=None)}
    stage.server.on("threads.create", Stream([*message_events("")[:2], begun, stage.gate]))
    stage.begin()
    stage.chat.send("hi")
    expect(stage.chat.element.locator("[part~=generated-image]")).to_be_visible()


def locked_thread(stage: Stage) -> None:
    locked = {"status": {"type": "locked", "reason": "Waiting for a colleague"}}
    options = f"{UPLOADS.replace('enabled: true}', f'enabled: true}}, {TOOLS}, {MODELS}')}, {ACTIONS}"
    stage.show(user_item("hi"), assistant_item("Yes."), thread=locked, options=options)
    expect(stage.chat.composer).to_be_disabled()


def closed_thread(stage: Stage) -> None:
    stage.show(user_item("hi"), assistant_item("Yes."), thread={"status": {"type": "closed", "reason": "Solved"}})
    expect(stage.chat.element.get_by_text("Solved")).to_be_visible()


def dictation(stage: Stage) -> None:
    """Show a dictation with a silent audio stream in the place of a microphone."""
    stage.begin("composer: {dictation: {enabled: true}}")
    stage.page.evaluate(
        """() => {
            const media = {getUserMedia: async () => new AudioContext().createMediaStreamDestination().stream};
            Object.defineProperty(navigator, 'mediaDevices', {configurable: true, value: media});
        }"""
    )
    stage.find("button", "Dictate").click()
    expect(stage.find("button", "Finish dictating")).to_be_visible()


STATES: dict[str, Callable[[Stage], None]] = {
    each.__name__: each
    for each in (
        start_screen,
        conversation,
        running_answer,
        thinking,
        loading_thread,
        error_with_retry,
        reconnecting,
        notices,
        alert,
        history_panel,
        history_search,
        history_nothing_found,
        history_renaming,
        history_deleting,
        history_failed,
        composer_menu,
        model_menu,
        mentions,
        no_mentions,
        command_menu,
        entity_popover,
        attachments,
        drop_target,
        choice_question,
        multiple_question,
        freeform_question,
        answered_questions,
        widget_form,
        widget_fields,
        widgets,
        sources_open,
        workflow_open,
        generated_image,
        image_coming,
        locked_thread,
        closed_thread,
        dictation,
    )
}
