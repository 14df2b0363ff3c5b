"""Screenshots of all widget components, so small that every machine draws them alike, for the tests.

Places of elements say where a component is, and nothing of its colours, icons, lines and shadows. Each pixel here is
the mean of a square of the screenshot: how letters and edges are smoothed makes no difference, what is missing does.
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
"""How far a mean may be from the stored one in each colour, of 255."""

_STAGES = """() => {
    const root = document.querySelector('parlor-widget-gallery').shadowRoot;
    return [...root.querySelectorAll('section:first-of-type article')].map(article => {
        const {left, top, width, height} = article.querySelector('.stage').getBoundingClientRect();
        return [article.dataset.name, left + scrollX, top + scrollY, width, height].map(
            value => typeof value === 'number' ? Math.round(value) : value,
        );
    });
}"""


def paint(page: Page) -> dict[str, Image.Image]:
    """Return how each component looks, reduced, by its name.

    Args:
        page: A page with the gallery, which `widget_pictures.measure` has brought to rest in its own font.
    """
    from PIL import Image

    whole = Image.open(BytesIO(page.screenshot(full_page=True, animations="disabled", scale="css"))).convert("RGB")
    looks = {}
    for name, left, top, width, height in page.evaluate(_STAGES):
        right, bottom = left + width - width % SQUARE_PX, top + height - height % SQUARE_PX
        looks[name] = whole.crop((left, top, right, bottom)).reduce(SQUARE_PX)
    return looks


def find_changes(expected: Mapping[str, Image.Image], found: Mapping[str, Image.Image]) -> list[str]:
    """Return a line for each component that looks different, is new or gone."""
    from PIL import ImageChops

    changes = [f"{name}: is not there any more" for name in expected.keys() - found.keys()]
    for name, look in found.items():
        before = expected.get(name)
        if before is None or before.size != look.size:
            changes.append(f"{name}: there is no reference of its size, {look.size}")
            continue
        most = max(ImageChops.difference(before, look).tobytes())
        if most > TOLERANCE:
            changes.append(f"{name}: a colour is {most} of 255 away from what it was")
    return changes


def save_looks(looks: Mapping[str, Image.Image], folder: Path) -> None:
    """Save a picture for each component."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for name, look in looks.items():
        look.save(folder / f"{name}.png", optimize=True)


def load_looks(folder: Path) -> dict[str, Image.Image]:
    """Return the pictures of a folder by the names of their components."""
    from PIL import Image

    return {path.stem: Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))}
