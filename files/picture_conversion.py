"""Conversion of AVIF pictures to WebP, and of HEIC to JPEG, as models and many programs cannot read the originals."""

from __future__ import annotations

import subprocess
from pathlib import Path
from threading import Lock

from PIL import Image, ImageOps

from files.heic_decoding import TOO_MANY_PIXELS
from files.programs import build_command

MAX_AVIF_PIXELS = 32_000_000
"""Largest number of pixels. The whole picture is decoded, at four bytes per pixel, and then copied once."""

MAX_HEIC_PIXELS = 50_000_000
"""Largest number of pixels; phones make 48 million, for which the separate decoder needs 400 MB."""

DECODING_TIMEOUT_S = 30.0

_QUALITY = 90
# Two conversions at once would need twice the memory, and compete for few processors.
_CONVERSION_LOCK = Lock()


class TooManyPixelsError(ValueError):
    """A picture has too many pixels to be decoded."""


def convert_avif(path: Path) -> Path:
    """Write the first frame of a picture beside it as WebP, upright and without metadata. Blocks.

    Raises:
        TooManyPixelsError: When the picture is too large.
        Exception: Any error of the decoder.
    """
    target = path.with_name(f"{path.name}.webp")
    with _CONVERSION_LOCK, path.open("rb") as file, Image.open(file, formats=("AVIF",)) as image:
        if image.width * image.height > MAX_AVIF_PIXELS:
            raise TooManyPixelsError
        turned = ImageOps.exif_transpose(image)
        picture = turned.convert("RGBA" if "A" in turned.getbands() else "RGB")
        picture.save(target, "WEBP", quality=_QUALITY, method=2, icc_profile=image.info.get("icc_profile", b""))
    return target


def convert_heic(path: Path) -> Path:
    """Write a picture beside it as JPEG, upright and without metadata. Blocks.

    Raises:
        TooManyPixelsError: When the picture is too large.
        Exception: Any error of the decoder.
    """
    target = path.with_name(f"{path.name}.jpg")
    decode = build_command("files.heic_decoding", str(path), str(MAX_HEIC_PIXELS))
    with _CONVERSION_LOCK, target.open("wb") as file:
        result = subprocess.run(  # noqa: S603 - our own program
            decode, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL, env={},
            timeout=DECODING_TIMEOUT_S, check=False,
        )  # fmt: skip
    if result.returncode == TOO_MANY_PIXELS:
        raise TooManyPixelsError
    result.check_returncode()
    return target
