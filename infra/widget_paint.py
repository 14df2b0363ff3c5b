"""Thumbnails of all widget components, small enough to be the same on every machine, for visual regression tests.

They complement the positions of elements, which do not cover colours, icons, lines and shadows. Each pixel is the mean
of a square of the screenshot, so that missing parts make a difference, and the smoothing of letters and edges does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from infra.client_build import ROOT

if TYPE_CHECKING:
    from PIL import Image
    from playwright.sync_api import Page

FOLDER = ROOT / "tests" / "browser" / "widget_paint"
SCHEMES = ("light", "dark")
SQUARE_PX = 8
"""Side of the square whose mean one pixel is, in CSS pixels."""

TOLERANCE = 24
"""Largest difference from the stored mean that is ignored, per colour channel, of 255."""

_STAGES = """() => {
    const root = document.querySelector('parlor-widget-gallery').shadowRoot;
    return [...root.querySelectorAll('section:first-of-type article')].map(article => {
        const {left, top, width, height} = article.querySelector('.stage').getBoundingClientRect();
        return [article.dataset.name, left + scrollX, top + scrollY, width, height].map(
            value => typeof value === 'number' ? Math.round(value) : value,
        );
    });
}"""


def capture_thumbnails(page: Page) -> dict[str, Image.Image]:
    """Return a thumbnail of each component, by the component's name.

    Args:
        page: A page with the gallery, on which `widget_pictures.measure_boxes` has set the font and stopped animations.
    """
    from PIL import Image

    whole = Image.open(BytesIO(page.screenshot(full_page=True, animations="disabled", scale="css"))).convert("RGB")
    thumbnails = {}
    for name, left, top, width, height in page.evaluate(_STAGES):
        right, bottom = left + width - width % SQUARE_PX, top + height - height % SQUARE_PX
        thumbnails[name] = whole.crop((left, top, right, bottom)).reduce(SQUARE_PX)
    return thumbnails


def find_changes(expected: Mapping[str, Image.Image], actual: Mapping[str, Image.Image]) -> list[str]:
    """Return a line for each component that looks different, is new or was removed."""
    from PIL import ImageChops

    changes = [f"{name}: is not there any more" for name in expected.keys() - actual.keys()]
    for name, thumbnail in actual.items():
        before = expected.get(name)
        if before is None or before.size != thumbnail.size:
            changes.append(f"{name}: there is no reference of its size, {thumbnail.size}")
            continue
        most = max(ImageChops.difference(before, thumbnail).tobytes())
        if most > TOLERANCE:
            changes.append(f"{name}: a colour is {most} of 255 away from what it was")
    return changes


def save_thumbnails(thumbnails: Mapping[str, Image.Image], folder: Path) -> None:
    """Save the thumbnails in a folder, in the place of older ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for name, thumbnail in thumbnails.items():
        thumbnail.save(folder / f"{name}.png", optimize=True)


def load_thumbnails(folder: Path) -> dict[str, Image.Image]:
    """Return the thumbnails in a folder, by the component's name."""
    from PIL import Image

    return {path.stem: Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))}
