"""Files on the built-in page: chosen and dropped, seen, answered, opened, saved, and there again after a reload."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

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
WIDTH = "image => image.decode().then(() => image.naturalWidth)"


def picture(color: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 600), color).save(buffer, "PNG")
    return buffer.getvalue()


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

    opener = shown.get_by_role("button", name="Open sky.png")
    opener.click()
    box = chat.element.get_by_role("dialog", name="sky.png")
    # The whole picture takes the preview's place.
    expect(box.get_by_role("img")).to_have_js_property("naturalWidth", 900)
    expect(box.get_by_role("link", name="Download")).to_be_visible()
    page.keyboard.press("ArrowRight")
    box = chat.element.get_by_role("dialog", name="wood.png")
    expect(box.get_by_role("status")).to_have_text("Picture 2 of 2: wood.png")
    page.keyboard.press("+")
    expect(box.get_by_role("button", name="Zoom out")).not_to_have_attribute("aria-disabled", "true")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(opener).to_be_focused()
