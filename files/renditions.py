"""Renditions of pictures: previews for people, and smaller copies for models. All functions block."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from errors import UnavailableError
from files.examination import MAX_JPEG_PIXELS, MAX_PIXELS
from files.media_types import JPEG, PNG, WEBP
from files.picture_bytes import DamagedPictureError, check_picture

RenditionKind = Literal["preview", "model"]

PREVIEW_SIDE = 512
PREVIEW_TYPE = WEBP
MODEL_SIDE = 1568
"""Longer side of pictures for models, in pixels; providers scale larger ones down themselves."""

MODEL_BYTES = 1_500_000
"""Size up to which an upright picture within `MODEL_SIDE` is sent to models unchanged, in bytes."""

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_QUALITY = 85


def make_preview(path: Path) -> bytes:
    """Return a small WebP version of a picture, or of the first frame of an animation.

    Raises:
        UnavailableError: When the picture cannot be decoded.
    """
    return _encode(_decode_scaled(path, PREVIEW_SIDE), "WEBP")


def make_model_picture(path: Path) -> bytes:
    """Return a version of a picture for models: a JPEG, or a PNG if it has transparency.

    Raises:
        UnavailableError: When the picture cannot be decoded.
    """
    image = _decode_scaled(path, MODEL_SIDE)
    return _encode(image, "PNG" if "A" in image.getbands() else "JPEG")


def is_upright(data: bytes, media_type: str) -> bool:
    """Return whether a picture has no EXIF orientation to apply, which some models ignore."""
    try:
        return check_picture(io.BytesIO(data), media_type) == 1
    except DamagedPictureError:  # pictures from assistants are not checked when they are stored
        return True


def type_of_model_picture(data: bytes) -> str:
    """Return the media type of a result of `make_model_picture`."""
    return PNG if data.startswith(b"\x89PNG") else JPEG


def _decode_scaled(path: Path, side: int) -> Image.Image:
    try:
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            max_pixels = MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS
            if image.width * image.height > max_pixels:
                raise ValueError("too many pixels")
            # A JPEG is decoded at a fraction of its size, which is enough here.
            image.draft("RGB", (side, side))
            image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
            turned = ImageOps.exif_transpose(image)
            has_alpha = turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info
            return turned.convert("RGBA" if has_alpha else "RGB")
    except Exception as exc:  # decoders raise all kinds of errors for untrusted bytes
        raise UnavailableError(
            "This picture cannot be shown: it is damaged.", code="attachments.damaged", allow_retry=False
        ) from exc


def _encode(image: Image.Image, encoding: str) -> bytes:
    buffer = io.BytesIO()
    # A new image has no metadata except those that are passed here.
    options = {"quality": _QUALITY} if encoding != "PNG" else {"optimize": False}
    image.save(buffer, encoding, **options)
    return buffer.getvalue()
