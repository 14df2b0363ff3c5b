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
"""Largest size of a picture's file that is opened."""

MAX_DECODED_PIXELS = 32_000_000
"""Largest number of pixels of a picture that is decoded: a small file can unpack to gigabytes."""

_SAMPLE_SIZE_PIXELS = 64
_MAX_COLORS = 3
_MIN_SHARE = 0.12
_MIN_ALPHA = 128

# Pillow supports some sixty formats, one of which starts a program; these are the formats of browsers and cameras.
# Those that need no further plugin come first.
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
_ROTATED_ORIENTATIONS = (5, 6, 7, 8)

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
    """Return a sentence or two about a picture, without blocking the event loop.

    An unreadable picture is described as such, and never raises an error.

    Args:
        data: The bytes of the picture.
        original: Format and size, in words, of the original of this picture; None to describe the picture itself.
    """
    return await asyncio.to_thread(_describe_data, data, original)


def _describe_data(data: bytes, original: str | None) -> str:
    if len(data) > MAX_PICTURE_BYTES:
        return f"This picture is too large to be opened (more than {MAX_PICTURE_BYTES // 1_000_000} MB)."
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
            width, height = _shown_size(image)
            # Pillow has another name for a JPEG with more than one picture.
            own = f"a {_FORMATS.get(image.format or '', 'JPEG')} image of {width} × {height} pixels"
            return f"This picture is {original or own}. {_describe_colors(image)}"
    except UnidentifiedImageError:
        return "I cannot read this picture: it is damaged, or in a format that I do not know."
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "I do not open this picture: it has far too many pixels."
    except Exception as exc:  # noqa: BLE001  # decoders raise all kinds of errors for malformed bytes
        logger.info("picture cannot be read", extra={"error_type": type(exc).__name__})
        return "I cannot read this picture: it is damaged."


def _shown_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as a browser shows the picture, which its metadata may rotate."""
    width, height = image.size
    try:
        is_rotated = image.getexif().get(_EXIF_ORIENTATION) in _ROTATED_ORIENTATIONS
    except (OSError, SyntaxError, ValueError):  # broken metadata does not make a broken picture
        is_rotated = False
    return (height, width) if is_rotated else (width, height)


def _describe_colors(image: Image.Image) -> str:
    # Decodes a JPEG at a fraction of its size, which is cheap for a photograph of any size.
    image.draft("RGB", (_SAMPLE_SIZE_PIXELS, _SAMPLE_SIZE_PIXELS))
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
    """Return the names of the one to three main colors of `image`, most frequent first; none if it is transparent.

    Raises:
        OSError: When the file is cut off.
    """
    # Not an average of pixels: red and green would become a brown that the picture does not have.
    sample = image.resize((_SAMPLE_SIZE_PIXELS, _SAMPLE_SIZE_PIXELS), Image.Resampling.NEAREST).convert("RGBA")
    pixels = sample.tobytes()
    names = Counter(
        name_color(pixels[at], pixels[at + 1], pixels[at + 2])
        for at in range(0, len(pixels), 4)
        if pixels[at + 3] >= _MIN_ALPHA
    )
    common = names.most_common(_MAX_COLORS)
    return [name for place, (name, count) in enumerate(common) if place == 0 or count >= _MIN_SHARE * names.total()]


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
