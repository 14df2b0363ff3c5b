"""Files on the built-in page: a picture is chosen, seen, answered, and there again after a reload."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), (30, 80, 220)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_is_uploaded_answered_and_there_again_after_a_reload(page: Page) -> None:
    page.goto("/?use_case=weather")
    chat = Chat(page)
    files = [{"name": "sky.png", "mimeType": "image/png", "buffer": picture()}]
    chat.element.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    expect(chat.element.locator(".attachment.image.done")).to_have_count(1)
    chat.ask("What do you see?")
    expect(chat.answers.last).to_contain_text("320 × 240 pixels")
    expect(chat.answers.last).to_contain_text("blue")
    page.reload()
    shown = chat.questions.last.get_by_role("img", name="sky.png")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
