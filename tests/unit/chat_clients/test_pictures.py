"""Descriptions of pictures without a model."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from typing import Any

import pytest
from PIL import Image

from chat_clients.offline import pictures
from chat_clients.offline.pictures import describe_picture, name_color


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A tiny file whose header announces a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


async def test_format_size_and_main_colors_are_described() -> None:
    image = Image.new("RGB", (640, 480), "#0b1f66")
    image.paste((255, 255, 255), (0, 0, 640, 160))
    assert await describe_picture(encode(image)) == (
        "This picture is a PNG image of 640 × 480 pixels. Its main colors are dark blue and white."
    )


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "JPEG"), ("WEBP", "WebP"), ("GIF", "GIF"), ("BMP", "BMP"), ("TIFF", "TIFF")]
)
async def test_the_formats_of_browsers_and_cameras_are_known(kind: str, name: str) -> None:
    text = await describe_picture(encode(Image.new("RGB", (32, 16), "red"), kind))
    assert text == f"This picture is a {name} image of 32 × 16 pixels. Its main color is red."


async def test_a_turned_photograph_has_the_size_that_people_see() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(Image.new("RGB", (40, 20), "green"), "JPEG", exif=exif)
    assert "20 × 40 pixels" in await describe_picture(data)


async def test_transparent_parts_have_no_color() -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert (await describe_picture(encode(image))).endswith("It is transparent.")
    image.paste((0, 0, 0, 255), (0, 0, 20, 10))
    assert (await describe_picture(encode(image))).endswith("Its main color is black.")


async def test_specks_are_not_main_colors_and_three_are_the_most() -> None:
    image = Image.new("RGB", (100, 100), "white")
    for place, color in enumerate(("red", "blue", "green", "yellow")):
        image.paste(color, (0, place * 15, 100, place * 15 + 15))
    image.paste("black", (0, 95, 100, 100))
    text = await describe_picture(encode(image))
    assert text.count(",") == 1
    assert "white" in text
    assert "black" not in text


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
)
async def test_an_invalid_picture_is_reported_as_unreadable(data: bytes) -> None:
    assert (await describe_picture(data)).startswith("I cannot read this picture")


async def test_a_truncated_picture_is_reported_as_damaged() -> None:
    noise = Image.effect_noise((300, 300), 90)
    text = await describe_picture(encode(noise)[:2_000])
    assert text.startswith("This picture is a PNG image of 300 × 300 pixels.")
    assert "damaged" in text


@pytest.mark.parametrize(("width", "height"), [(9_000, 9_000), (11_000, 11_000), (60_000, 60_000)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_a_small_file_that_would_unpack_to_gigabytes_is_not_unpacked(width: int, height: int) -> None:
    assert "too many pixels" in await describe_picture(png_that_claims(width, height))


async def test_a_huge_file_is_not_opened() -> None:
    data = encode(Image.new("RGB", (4, 4)))
    assert "too large" in await describe_picture(data + b"\0" * pictures.MAX_PICTURE_BYTES)


async def test_large_photographs_have_colors_too() -> None:
    data = encode(Image.new("RGB", (8_000, 5_000), "#ffaa00"), "JPEG")
    text = await describe_picture(data)
    assert text == "This picture is a JPEG image of 8000 × 5000 pixels. Its main color is orange."


async def test_pictures_are_decoded_off_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    open_image = Image.open

    def spy(*args: Any, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return open_image(*args, **options)

    monkeypatch.setattr(Image, "open", spy)
    await describe_picture(encode(Image.new("RGB", (4, 4))))
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "gray"),
        ((255, 0, 0), "red"),
        ((100, 0, 0), "dark red"),
        ((0, 128, 0), "green"),
        ((0, 0, 255), "blue"),
        ((255, 255, 0), "yellow"),
        ((139, 90, 43), "brown"),
        ((128, 0, 128), "purple"),
        ((255, 105, 180), "pink"),
        ((173, 216, 230), "light turquoise"),
        ((0, 206, 209), "turquoise"),
    ],
)
def test_colors_have_the_names_that_people_give_them(rgb: tuple[int, int, int], name: str) -> None:
    assert name_color(*rgb) == name
