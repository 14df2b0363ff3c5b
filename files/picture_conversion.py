"""Converts AVIF pictures to WebP and HEIC to JPEG, since no model reads the originals and few tools show them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from threading import Lock

from PIL import Image, ImageOps

from files.heic_decoding import TOO_MANY_PIXELS
from files.programs import command

MAX_AVIF_PIXELS = 32_000_000
"""More are refused. All of an AVIF picture is decoded, four bytes for each pixel, and then once more."""

MAX_HEIC_PIXELS = 50_000_000
"""More are refused; telephones make 48 million. A program of its own needs 400 MB for that."""

DECODING_TIMEOUT_S = 30.0

_QUALITY = 90
# Two at once would need twice the memory, and have few processors to share.
_ONE_AT_A_TIME = Lock()


class TooManyPixelsError(ValueError):
    """A picture is larger than what is decoded."""


def convert_avif(path: Path) -> Path:
    """Write the first frame of a picture beside it as WebP, turned as it is shown, without metadata. Blocks.

    Raises:
        TooManyPixelsError: When it is too large.
        Exception: Of any kind, when it cannot be decoded.
    """
    target = path.with_name(f"{path.name}.webp")
    with _ONE_AT_A_TIME, path.open("rb") as file, Image.open(file, formats=("AVIF",)) as image:
        if image.width * image.height > MAX_AVIF_PIXELS:
            raise TooManyPixelsError
        turned = ImageOps.exif_transpose(image)
        picture = turned.convert("RGBA" if "A" in turned.getbands() else "RGB")
        picture.save(target, "WEBP", quality=_QUALITY, method=2, icc_profile=image.info.get("icc_profile", b""))
    return target


def convert_heic(path: Path) -> Path:
    """Write a picture beside it as JPEG, turned as it is shown, without metadata. Blocks.

    Raises:
        TooManyPixelsError: When it is too large.
        Exception: Of any kind, when it cannot be decoded.
    """
    target = path.with_name(f"{path.name}.jpg")
    decode = command("files.heic_decoding", str(path), str(MAX_HEIC_PIXELS))
    with _ONE_AT_A_TIME, target.open("wb") as file:
        done = subprocess.run(  # noqa: S603 - our own program
            decode, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL, env={},
            timeout=DECODING_TIMEOUT_S, check=False,
        )  # fmt: skip
    if done.returncode == TOO_MANY_PIXELS:
        raise TooManyPixelsError
    done.check_returncode()
    return target
