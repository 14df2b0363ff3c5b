"""Names of files: readable for people, without parts that mislead a reader or a system."""

from __future__ import annotations

import pytest

from files.names import MAX_NAME_CHARS, clean_name

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467.png"
PERSIAN = "\u0646\u0627\u0645\u0647\u200c\u0647\u0627.pdf"
HINDI = "\u0915\u094d\u200d\u0937.txt"


def flag(region: str) -> str:
    return f"\U0001f3f4{''.join(chr(0xE0000 + ord(c)) for c in region)}\U000e007f"


@pytest.mark.parametrize(
    "name",
    [
        flag("gbsct"),
        f"{flag('gbwls')}{flag('gbeng')}.png",
        FAMILY,
        PERSIAN,
        HINDI,
        "\u2764\ufe0f\u200d\U0001f525.gif",
        "\U0001f468\U0001f3fd\u200d\U0001f52c.png",
    ],
)
def test_joining_characters_stay(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("in\u200dvoice.pdf", "invoice.pdf"), ("a\u200c.exe", "a.exe"), ("\u200d.pdf", "pdf"),
        ("\u0646\u200d\u200d\u0646.pdf", "\u0646\u0646.pdf"), ("\u202egnp.exe", "gnp.exe"),
        (f"{flag('obey')}.png", "\U0001f3f4.png"), (flag("gbsct")[1:], "file"), (flag("gbsct")[:-1], "\U0001f3f4"),
        ("a\u2066b\u2069.png", "ab.png"),
        ("\u0646\u200d", "\u0646"), ("caf\u00e9\u200d\u00e9.pdf", "caf\u00e9\u00e9.pdf"),
        ("\u0430\u200d\u0430.exe", "\u0430\u0430.exe"), ("\u4e2d\u200c\u6587.txt", "\u4e2d\u6587.txt"),
    ],
)  # fmt: skip
def test_invisible_characters_are_removed(name: str, kept: str) -> None:
    assert clean_name(name) == kept


def test_a_name_is_never_cut_behind_a_joiner_or_within_a_flag() -> None:
    name = clean_name("\u0646\u200c" * MAX_NAME_CHARS)
    assert len(name) <= MAX_NAME_CHARS
    assert name.endswith("\u0646")
    assert clean_name(f"{'x' * (MAX_NAME_CHARS - 7)}{flag('gbsct')}.png") == f"{'x' * (MAX_NAME_CHARS - 7)}.png"
