"""Pictures of all widget components for docs/widgets.md, and the boxes of their elements for the tests.

Pictures are taken in the fonts of the machine, for people to look at. Boxes are measured in a font that comes with the
client, so that they are the same on every machine; `tests/browser/test_widget_gallery.py` compares them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from errors import ParlorError
from infra.browser import find_browser
from infra.client_build import ROOT, build_client
from infra.widget_paint import FOLDER, SCHEMES, capture_thumbnails, save_thumbnails

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

PICTURES = ROOT / "docs" / "widgets"
BOXES = ROOT / "tests" / "browser" / "widget_boxes.json"
PICTURE_COLORS = 96
HINTING = "--font-render-hinting=none"
"""Option that gives letters the same width in Chromium and in its headless shell."""
START_TIMEOUT_S = 120
MEASURE_TIMEOUT_MS = 30_000

VIEWS: Mapping[str, Mapping[str, str]] = {
    "720 px": {"width": "full"},
    "320 px": {"width": "320"},
    "320 px, right to left": {"width": "320", "dir": "rtl"},
    "360 px, text at 200 %": {"width": "360", "text": "200"},
}
"""The views that are measured, by name: choices in the gallery's header that differ from the defaults."""

VIEWPORT_WIDTH, VIEWPORT_HEIGHT = 1000, 800

_USUAL = {"scheme": "light", "width": "full", "dir": "ltr", "text": "100"}
_FONTS = {
    "100 500": "/static/dist/fonts/KaTeX_SansSerif-Regular.woff2",
    "600 900": "/static/dist/fonts/KaTeX_SansSerif-Bold.woff2",
}
_READY = re.compile(r"Parlor is ready: (http://127\.0\.0\.1:\d+)")

Boxes = dict[str, list[list[Any]]]
"""Kind, left, top, width and height of each element, by component."""


def measure_boxes(page: Page, view: Mapping[str, str]) -> Boxes:
    """Return the boxes of all elements in the gallery, in CSS pixels relative to the component's stage.

    Args:
        page: A page that shows the gallery.
        view: The choices in the header of the gallery.
    """
    for name, value in {**_USUAL, **view}.items():
        page.locator(f"select[name={name}]").select_option(value)
    script = (ROOT / "infra" / "widget_boxes.js").read_text(encoding="utf-8")
    boxes: Boxes = page.evaluate(script, {"fonts": _FONTS, "timeoutMs": MEASURE_TIMEOUT_MS})
    return boxes


def find_shifts(expected: Boxes, actual: Boxes, tolerance_px: float = 2.0) -> list[str]:
    """Return a line for every element that was removed, added or moved.

    Args:
        expected: The boxes as they were stored.
        actual: The boxes as they are measured now.
        tolerance_px: The distance from which an element counts as moved.
    """
    shifts = [f"{name}: there is no reference" for name in actual.keys() - expected.keys()]
    for name, boxes in expected.items():
        now = actual.get(name, [])
        if [kind for kind, *_ in boxes] != [kind for kind, *_ in now]:
            shifts.append(f"{name}: drawn of other elements: {[kind for kind, *_ in now]}")
            continue
        for before, after in zip(boxes, now, strict=True):
            if any(abs(a - b) >= tolerance_px for a, b in zip(before[1:], after[1:], strict=True)):
                shifts.append(f"{name}: {before[0]} was at {before[1:]} and is at {after[1:]}")
    return shifts


def main(arguments: Sequence[str]) -> int:
    """Write all pictures and boxes; return the exit code: 0, or 2 for arguments, since it takes none."""
    from playwright.sync_api import sync_playwright

    if arguments:
        print(f"./parlor widget-pictures takes no arguments: {' '.join(arguments)}", file=sys.stderr)
        return 2
    browser_path = find_browser()
    if browser_path is None:
        raise ParlorError("There is no Chromium: run ./parlor test --browser once, or name one with CHROMIUM_PATH.")
    build_client()
    with _run_gallery() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", HINTING])
        size: ViewportSize = {"width": VIEWPORT_WIDTH, "height": VIEWPORT_HEIGHT}
        page = browser.new_page(viewport=size, locale="en-US", timezone_id="UTC", device_scale_factor=1)
        page.goto(f"{url}/dev/widgets?width=360")
        page.locator("parlor-widget").last.wait_for()
        # The pictures come before the first measurement, which changes the font.
        page.wait_for_function("document.querySelector('parlor-widget-gallery').shadowRoot.querySelector('article')")
        _take_pictures(page)
        boxes = {name: measure_boxes(page, view) for name, view in VIEWS.items()}
        for scheme in SCHEMES:
            measure_boxes(page, {"scheme": scheme})
            save_thumbnails(capture_thumbnails(page), FOLDER / scheme)
        browser.close()
    BOXES.write_text(_format_boxes(boxes), encoding="utf-8")
    return 0


def _take_pictures(page: Page) -> None:
    from PIL import Image

    PICTURES.mkdir(exist_ok=True)
    page.wait_for_load_state("networkidle")
    for article in page.locator("section").first.locator("article").all():
        name = (article.get_attribute("data-name") or "").lower()
        taken = Image.open(BytesIO(article.locator(".stage").screenshot(animations="disabled")))
        small = taken.convert("RGB").quantize(PICTURE_COLORS)
        small.save(PICTURES / f"{name}.png", optimize=True)


def _format_boxes(boxes: Mapping[str, Boxes]) -> str:
    """Return the boxes as JSON with one line per component, for readable diffs."""
    lines: list[str] = []
    for view, components in boxes.items():
        rows = [f"  {json.dumps(name)}: {json.dumps(elements)}" for name, elements in components.items()]
        lines.append(f" {json.dumps(view)}: {{\n" + ",\n".join(rows) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


@contextmanager
def _run_gallery() -> Iterator[str]:
    """Run a server in development mode, whose address is yielded."""
    with TemporaryDirectory() as folder:
        settings = {
            "PARLOR_ENV": "development",
            "PORT": "0",
            "DATA_DIR": folder,
            "MODEL_PROVIDER": "offline",
            "WEATHER_SOURCE": "sample",
            "PYTHONUNBUFFERED": "1",
        }
        log = Path(folder) / "server.log"
        with log.open("w", encoding="utf-8") as output:
            server = subprocess.Popen(
                [sys.executable, str(ROOT / "main.py"), "run"],
                cwd=ROOT,
                env={**os.environ, **settings},
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        try:
            url = next((match[1] for line in server.stdout or () if (match := _READY.search(line))), None)
            if url is None:
                raise ParlorError(f"The server did not start: {log.read_text(encoding='utf-8')[-2000:]}")
            yield url
        finally:
            server.terminate()
            server.communicate(timeout=START_TIMEOUT_S)
