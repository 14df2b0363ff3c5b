"""A text that grows by small pieces is what was put into it, and hardly larger than that."""

from __future__ import annotations

import tracemalloc

from text.growing_text import GrowingText


def test_a_text_is_at_each_step_what_was_added() -> None:
    text, expected = GrowingText("Begin."), "Begin."
    assert str(text) == expected
    for number in range(3_000):
        text.add(f" {number}")
        expected += f" {number}"
        assert text.length == len(expected)
        if number % 7 == 0:
            assert str(text) == expected
    assert str(text) == expected


def test_a_text_takes_hardly_more_memory_than_it_says() -> None:
    tracemalloc.start()
    try:
        text = GrowingText()
        for number in range(20_000):
            text.add(f" w{number:05d}")
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text.length == 140_000
    assert size < 1.2 * text.length
