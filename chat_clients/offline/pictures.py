"""Descriptions of pictures without a model: format, size, main colours."""

from __future__ import annotations

import asyncio
import colorsys
import io
import logging
from collections import Counter

from PIL import Image, UnidentifiedImageError

logger = logging.getLogger(__name__)

MAX_PICTURE_BYTES = 25_000_000
"""A larger file is not opened."""

MAX_DECODED_PIXELS = 32_000_000
"""More pixels than this are not decoded: a small file can unpack to gigabytes."""

_SAMPLE_SIDE = 64
_MAX_COLORS = 3
_LEAST_SHARE = 0.12
_OPAQUE = 128

# Pillow knows some sixty formats, one of which starts a program; these are what browsers and cameras make. Those that
# need no further plugin come first.
_FORMATS = {
    "PNG": "PNG",
    "JPEG": "JPEG",
    "GIF": "GIF",
    "BMP": "BMP",
    "WEBP": "WebP",
    "AVIF": "AVIF",
    "TIFF": "TIFF",
    "ICO": "icon",
}

_EXIF_ORIENTATION = 0x0112
_LYING_ORIENTATIONS = (5, 6, 7, 8)

# Upper bounds of the hue in degrees.
_HUES = (
    (15, "red"),
    (42, "orange"),
    (68, "yellow"),
    (160, "green"),
    (198, "turquoise"),
    (255, "blue"),
    (312, "purple"),
    (335, "pink"),
    (360, "red"),
)


async def describe_picture(data: bytes, original: str | None = None) -> str:
    """Return a sentence or two about the picture in `data`, without blocking the event loop.

    Never raises for what `data` holds: an unreadable picture is described as that.

    Args:
        data: The picture.
        original: Format and size in words, of the picture that this one was made of; None for this one's own.
    """
    return await asyncio.to_thread(_describe, data, original)


def _describe(data: bytes, original: str | None) -> str:
    if len(data) > MAX_PICTURE_BYTES:
        return f"This picture is too large to be opened (more than {MAX_PICTURE_BYTES // 1_000_000} MB)."
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
            width, height = _shown_size(image)
            # Pillow calls a JPEG that holds more than one picture by another name.
            own = f"a {_FORMATS.get(image.format or '', 'JPEG')} image of {width} × {height} pixels"
            return f"This picture is {original or own}. {_describe_colors(image)}"
    except UnidentifiedImageError:
        return "I cannot read this picture: it is damaged, or in a format that I do not know."
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "I do not open this picture: it has far too many pixels."
    except Exception as exc:  # noqa: BLE001  # decoders raise all kinds of errors for what a stranger's bytes hold
        logger.info("picture cannot be read", extra={"error_type": type(exc).__name__})
        return "I cannot read this picture: it is damaged."


def _shown_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as a browser shows the picture: cameras turn it by a note in its metadata."""
    width, height = image.size
    try:
        is_lying = image.getexif().get(_EXIF_ORIENTATION) in _LYING_ORIENTATIONS
    except (OSError, SyntaxError, ValueError):  # broken notes do not make a broken picture
        is_lying = False
    return (height, width) if is_lying else (width, height)


def _describe_colors(image: Image.Image) -> str:
    # A JPEG can be decoded at a fraction of its size, which makes photographs of any size cheap.
    image.draft("RGB", (_SAMPLE_SIDE, _SAMPLE_SIDE))
    if image.width * image.height > MAX_DECODED_PIXELS:
        return "It has too many pixels for me to look at its colors."
    try:
        colors = main_colors(image)
    except (OSError, SyntaxError, ValueError):
        return "Its colors cannot be read: the file is damaged."
    if not colors:
        return "It is transparent."
    *others, last = colors
    return f"Its main colors are {', '.join(others)} and {last}." if others else f"Its main color is {last}."


def main_colors(image: Image.Image) -> list[str]:
    """Return the names of the one to three colors that cover most of `image`, most first; none if transparent.

    Raises:
        OSError: When the file is cut off.
    """
    # The nearest pixel, not a mean: the mean of red and green is a brown that the picture does not have.
    sample = image.resize((_SAMPLE_SIDE, _SAMPLE_SIDE), Image.Resampling.NEAREST).convert("RGBA")
    pixels = sample.tobytes()
    names = Counter(
        name_color(pixels[at], pixels[at + 1], pixels[at + 2])
        for at in range(0, len(pixels), 4)
        if pixels[at + 3] >= _OPAQUE
    )
    common = names.most_common(_MAX_COLORS)
    return [name for place, (name, count) in enumerate(common) if place == 0 or count >= _LEAST_SHARE * names.total()]


def name_color(red: int, green: int, blue: int) -> str:
    """Return an everyday name for a color, e.g. ``"dark blue"``; each part is 0 to 255."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.15:
        return "black"
    if saturation < 0.12:
        return "white" if value > 0.92 else "light gray" if value > 0.7 else "gray" if value > 0.35 else "dark gray"
    name = next(name for bound, name in _HUES if hue * 360 <= bound)
    if name in ("orange", "red") and value < 0.65 and 10 <= hue * 360 <= 42:
        return "brown"
    if value < 0.45:
        return f"dark {name}"
    return f"light {name}" if saturation < 0.4 else name
