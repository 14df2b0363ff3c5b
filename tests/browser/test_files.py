"""Files on the built-in page: choosing, dropping, previews, answers, downloads, and reloads."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect

from tests.browser.axe import RULES_OF_COLOUR, find_violations
from tests.browser.chat import Chat

CSV = b"name,rows\nBern,3\n"
# Over the page's own header, where a browser would open the file in place of the chat.
DROP = """csv => {
    const data = new DataTransfer();
    data.items.add(new File([csv], 'rows.csv', {type: 'text/csv'}));
    const target = document.querySelector('#header');
    for (const type of ['dragenter', 'dragover', 'drop']) {
        const event = new DragEvent(type, {dataTransfer: data, bubbles: true, composed: true, cancelable: true});
        if (target.dispatchEvent(event) && type !== 'dragenter') throw new Error(`${type} is left to the browser`);
    }
}"""
READ = """
- list "Attached files":
  - listitem:
    - button "Open sky.png":
      - img "sky.png"
  - listitem:
    - button "Open wood.png":
      - img "wood.png"
  - listitem:
    - button "Download rows.csv, CSV · 17 B"
"""
WIDTH = "image => image.decode().then(() => image.naturalWidth)"


def picture(color: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 600), color).save(buffer, "PNG")
    return buffer.getvalue()


def look_at_all(page: Page, state: str) -> None:
    """Look at a state in light and dark, wide and on a telephone."""
    found = find_violations(page, "openai-chatkit")
    page.emulate_media(color_scheme="dark")
    found += find_violations(page, "openai-chatkit", RULES_OF_COLOUR)
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 360, "height": 740})
    found += find_violations(page, "openai-chatkit")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.set_viewport_size(size)
    assert found == [], state


def test_files_are_chosen_dropped_answered_opened_and_there_again_after_a_reload(page: Page) -> None:
    page.goto("/?use_case=weather")
    chat = Chat(page)
    files: list[FilePayload] = [
        {"name": "sky.png", "mimeType": "image/png", "buffer": picture((30, 80, 220))},
        {"name": "wood.png", "mimeType": "image/png", "buffer": picture((20, 120, 40))},
    ]
    chat.element.locator("input[type=file]").set_input_files(files)
    expect(chat.element.locator(".attachment.image.done")).to_have_count(2)
    expect(chat.element.locator("parlor-drop-zone")).to_be_attached()
    page.evaluate(DROP, CSV.decode())
    expect(chat.element.locator(".attachment.done")).to_have_count(3)
    expect(chat.element.get_by_role("status").filter(has_text="3 files are attached")).to_have_count(1)
    look_at_all(page, "files in the composer")
    chat.composer.fill("What do you")
    page.reload()
    # What was written is kept, and so is what was uploaded.
    expect(chat.composer).to_have_value("What do you")
    expect(chat.element.locator(".attachment.done")).to_have_count(3)
    expect(chat.element.locator(".attachment.image.done")).to_have_count(2)
    chat.ask("What do you see?")
    expect(chat.answers.last).to_contain_text("900 × 600 pixels")
    expect(chat.answers.last).to_contain_text("blue")

    page.reload()
    shown = chat.questions.last
    sky = shown.get_by_role("img", name="sky.png")
    expect(sky).to_be_visible()
    assert sky.evaluate(WIDTH) == 512, "a preview"
    expect(shown.get_by_role("button", name="Download rows.csv, CSV · 17 B")).to_be_visible()
    with page.expect_download() as download:
        shown.get_by_role("button", name="Download rows.csv").click()
    assert (download.value.suggested_filename, download.value.path().read_bytes()) == ("rows.csv", CSV)

    # In the order in which they were sent, before the words: what a screen reader says of each.
    expect(shown.get_by_role("list", name="Attached files")).to_match_aria_snapshot(READ)
    look_at_all(page, "a message with files")

    opener = shown.get_by_role("button", name="Open sky.png")
    opener.click()
    box = chat.element.get_by_role("dialog", name="sky.png")
    # The whole picture takes the preview's place.
    expect(box.get_by_role("img")).to_have_js_property("naturalWidth", 900)
    expect(box.get_by_role("link", name="Download")).to_be_visible()
    look_at_all(page, "the open picture")
    page.keyboard.press("ArrowRight")
    box = chat.element.get_by_role("dialog", name="wood.png")
    expect(box.get_by_role("status")).to_have_text("Picture 2 of 2: wood.png")
    page.keyboard.press("+")
    expect(box.get_by_role("button", name="Zoom out")).not_to_have_attribute("aria-disabled", "true")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(opener).to_be_focused()


def test_on_a_telephone_a_picture_comes_from_the_camera(browser: Browser, base_url: str) -> None:
    size = ViewportSize(width=360, height=740)
    with browser.new_context(base_url=base_url, has_touch=True, is_mobile=True, viewport=size) as context:
        page = context.new_page()
        page.goto("/?use_case=weather")
        chat = Chat(page)
        chat.element.get_by_role("button", name="Add files and choose tools").tap()
        with page.expect_file_chooser() as chooser:
            chat.element.get_by_role("menuitem", name="Take a photo").tap()
        camera = chooser.value.element
        assert (camera.get_attribute("accept"), camera.get_attribute("capture")) == ("image/*", "environment")
        chooser.value.set_files({"name": "photo.png", "mimeType": "image/png", "buffer": picture((30, 80, 220))})
        expect(chat.element.locator(".attachment.image.done")).to_have_count(1)
        assert find_violations(page, "openai-chatkit") == []
