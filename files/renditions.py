"""Renditions of pictures: previews for people, and smaller copies for models. All functions block: use a thread."""

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
"""The longer side of what models are shown: what is larger, providers make smaller themselves."""

MODEL_BYTES = 1_500_000
"""A picture that has fewer bytes, is no larger, and is not to be turned is shown to the model as it is."""

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_QUALITY = 85


def make_preview(path: Path) -> bytes:
    """Return a small WebP picture of a picture; its first frame, where it moves.

    Raises:
        UnavailableError: When it cannot be decoded.
    """
    return _encoded(_decoded(path, PREVIEW_SIDE), "WEBP")


def make_model_picture(path: Path) -> bytes:
    """Return a picture as models take it: a JPEG, or a PNG where something is transparent.

    Raises:
        UnavailableError: When it cannot be decoded.
    """
    image = _decoded(path, MODEL_SIDE)
    return _encoded(image, "PNG" if "A" in image.getbands() else "JPEG")


def is_upright(data: bytes, media_type: str) -> bool:
    """Say whether a picture's pixels lie as it is shown: not every model minds a note that they do not."""
    try:
        return check_picture(io.BytesIO(data), media_type) == 1
    except DamagedPictureError:  # an assistant's own, of which nothing is known
        return True


def type_of_model_picture(data: bytes) -> str:
    """Return the media type of what `make_model_picture` made."""
    return PNG if data.startswith(b"\x89PNG") else JPEG


def _decoded(path: Path, side: int) -> Image.Image:
    try:
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            most = MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS
            if image.width * image.height > most:
                raise ValueError("too many pixels")
            # A JPEG is decoded at a fraction of its size, which is all that is needed here.
            image.draft("RGB", (side, side))
            image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
            turned = ImageOps.exif_transpose(image)
            has_alpha = turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info
            return turned.convert("RGBA" if has_alpha else "RGB")
    except Exception as exc:  # decoders raise all kinds of errors for what a stranger's bytes hold
        raise UnavailableError(
            "This picture cannot be shown: it is damaged.", code="attachments.damaged", allow_retry=False
        ) from exc


def _encoded(image: Image.Image, encoding: str) -> bytes:
    buffer = io.BytesIO()
    # A fresh picture has no metadata, but what is passed on here.
    options = {"quality": _QUALITY} if encoding != "PNG" else {"optimize": False}
    image.save(buffer, encoding, **options)
    return buffer.getvalue()
