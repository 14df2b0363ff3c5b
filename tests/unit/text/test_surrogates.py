"""Surrogate halves: however a text is cut, its pieces keep it, and each can be encoded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text.surrogates import ends_with_high_surrogate, join_pieces, join_surrogates

HALVES = st.text(st.sampled_from(["a", "\u00e9", "\U0001f600", "\ud83d", "\ude00"]), max_size=6)


def cut_by_utf_16(text: str) -> list[str]:
    """Return a text in pieces of one UTF-16 unit each."""
    units = text.encode("utf-16-le", "surrogatepass")
    return [units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)]


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("", ""),
        ("Grüezi 😀", "Grüezi 😀"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_pairs_are_joined_and_what_is_alone_is_replaced(text: str, joined: str) -> None:
    assert join_surrogates(text) == joined


@given(HALVES)
def test_whatever_was_mended_can_be_sent_and_is_mended_no_further(text: str) -> None:
    mended = join_surrogates(text)
    mended.encode()
    assert join_surrogates(mended) == mended


@given(HALVES)
def test_pieces_that_wait_for_their_other_half_say_together_what_the_text_says(text: str) -> None:
    said, rest = "", ""
    for piece in cut_by_utf_16(text):
        shown, rest = join_pieces([rest + piece], may_go_on=True)
        assert not ends_with_high_surrogate(shown)
        said += shown
    if rest:
        said += join_pieces([rest], may_go_on=False)[0]
    assert said == join_surrogates(text)
