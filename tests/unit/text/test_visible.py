from __future__ import annotations

import pytest

from text.blanks import is_blank
from text.visible import one_visible_line


@pytest.mark.parametrize(
    "text",
    [
        *["", " \t\n", "\u200b", "\u2060\ufeff", "\u202e\u2066", "\x1b\x00", "\u3164", "\u2800 ", "\ufe0f", "\u200d"],
        *["\u180b", "\U000e0100", "\U0001d173 \U0001bca0"],
    ],
)
def test_invisible_text_is_blank(text: str) -> None:
    assert is_blank(text)
    assert one_visible_line(text) == ""


@pytest.mark.parametrize(
    "text",
    ["a", "\u200ba", "é", "☀", "👩‍👩‍👧", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "می‌خواهم"],
)
def test_visible_text_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_invisible_and_bidirectional_characters_are_removed_and_words_stay_apart() -> None:
    assert one_visible_line("in\u202evo\u200bice\u2069.pdf") == "invoice.pdf"
    assert one_visible_line(" a\r\nb\tc\u2028d\x1b[1m ") == "a b c d[1m"
    assert one_visible_line("\ud800x\U000e0041") == "x"
    assert one_visible_line("\u3164Bern\u3164is\u034f \u17b4nice\uffa0\U0001d173") == "Bern is nice"


def test_bytes_in_a_row_of_variation_selectors_are_taken_out() -> None:
    assert one_visible_line("❤\ufe0f\ufe01\U000e0100\U000e01ef ok") == "❤\ufe0f ok"


@pytest.mark.parametrize(
    "text",
    [
        "می‌خواهم",
        "👩‍👩‍👧 ok",
        "❤️",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "日本",
        "葛\U000e0100城",
    ],
)
def test_characters_that_scripts_and_emoji_need_stay(text: str) -> None:
    assert one_visible_line(text) == text
