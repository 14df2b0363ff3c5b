"""Program that decodes a HEIC picture to JPEG, apart from the server since video decoders have many security holes.

Started by `files.picture_conversion` with the path of a picture and how many pixels are decoded; it writes the JPEG.
"""

from __future__ import annotations

import sys

from files.programs import limit

MAX_JPEG_BYTES = 100_000_000
TOO_MANY_PIXELS = 3
"""The exit code for a picture that is too large."""

_QUALITY = 90


def main() -> None:
    """Decode what the command line names."""
    limit(MAX_JPEG_BYTES)
    import pi_heif  # type: ignore[import-untyped]

    _, path, max_pixels = sys.argv
    # What else the file holds is not looked at: small pictures, depths, masks.
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    pi_heif.options.DECODE_THREADS = 2
    found = pi_heif.open_heif(path)
    width, height = found.size
    if width * height > int(max_pixels):
        sys.exit(TOO_MANY_PIXELS)
    # It is turned already, as it is shown.
    picture = found.to_pillow()
    colors = picture.info.get("icc_profile") or b""
    (picture if picture.mode in ("L", "RGB") else picture.convert("RGB")).save(
        sys.stdout.buffer, "JPEG", quality=_QUALITY, icc_profile=colors
    )
