"""Program that converts a HEIC picture to JPEG, in a process of its own since video decoders are prone to exploits.

Started by `files.picture_conversion` with the path of a picture and the largest number of pixels; it prints the JPEG.
"""

from __future__ import annotations

import sys

from files.programs import limit_resources

MAX_JPEG_BYTES = 100_000_000
TOO_MANY_PIXELS = 3
"""Exit code for a picture that is too large."""

_QUALITY = 90


def main() -> None:
    """Convert the picture that the command line names."""
    limit_resources(MAX_JPEG_BYTES)
    import pi_heif  # type: ignore[import-untyped]

    _, path, max_pixels = sys.argv
    # Thumbnails, depth maps and masks are not needed.
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    pi_heif.options.DECODE_THREADS = 2
    heif = pi_heif.open_heif(path)
    width, height = heif.size
    if width * height > int(max_pixels):
        sys.exit(TOO_MANY_PIXELS)
    # The decoder has applied the orientation already.
    picture = heif.to_pillow()
    colors = picture.info.get("icc_profile") or b""
    (picture if picture.mode in ("L", "RGB") else picture.convert("RGB")).save(
        sys.stdout.buffer, "JPEG", quality=_QUALITY, icc_profile=colors
    )
