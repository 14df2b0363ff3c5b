"""Thoughts between tags are separated from the text, wherever it is cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text.thoughts import ThoughtSplitter, without_thoughts

Case = tuple[str, str, str]
"""A text, the thought in it, and what is said."""

HARMONY = "<|start|>assistant<|channel|>final<|message|>"
THOUGHT = "Hm. 1 < 2 [x]"

# Opening tag, closing tag, and whether the closing one alone tells of a thought.
TAGS = [
    ("<think>", "</think>", True),
    ("<think >", "</think >", True),
    ("<THINK>", "</Think>", True),
    ('<think type="x" n=1>', "</think\n>", True),
    ("<thinking>", "</thinking>", True),
    ("<reasoning>", "</reasoning>", True),
    ("<thoughts>", "</thoughts>", True),
    ("<thought>", "</thought>", True),
    ("<mm:think>", "</mm:think>", True),
    ("<seed:think>", "</seed:think>", True),
    ("<ds_thinking>", "</ds_thinking>", True),
    ("<think_fast>", "</think_fast>", True),
    ("<inner-monologue>", "</inner-monologue>", True),
    ("<reason>", "</reason>", True),
    ("<scratchpad>", "</scratchpad>", True),
    ("<antThinking>", "</antThinking>", True),
    ("<|channel>thought\n", "<channel|>", True),
    ("<|START_THINKING|>", "<|END_THINKING|>", True),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>", False),
    ("<|begin_of_thought|>", "<|end_of_thought|>", True),
    ("<|begin_of_thought|>", "<|end_of_thought|>\n\n<|begin_of_solution|>", False),
    ("<|think|>", "<|/think|>", True),
    ("[THINK]", "[/THINK]", True),
    ("◁think▷", "◁/think▷", True),
    ("<unused94>thought\n", "<unused95>", True),
    ("<|channel|>analysis<|message|>", f"<|end|>{HARMONY}", False),
    ("<|channel|>analysis<|message|>", HARMONY, False),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>", False),
    ("<think>", "</thinking>", True),
    ("<thinking>", "</think>", True),
]


def cases_of_tags() -> Iterator[Case]:
    for opener, closer, is_enough in TAGS:
        for before in ("", "\ufeff", "\u200b", "\n\n", " \ufeff\n"):
            yield f"{before}{opener}{THOUGHT}{closer}\n\nHello <b>x</b>", THOUGHT, "Hello <b>x</b>"
        yield f"{opener}{THOUGHT}{closer}\n{opener}b{closer}\nHello", f"{THOUGHT}b", "Hello"
        yield f"{opener}{THOUGHT}", THOUGHT, ""
        if is_enough:
            yield f"{THOUGHT}\n{closer}\n\nHello", f"{THOUGHT}\n", "Hello"
            spoken_of = f"about `{closer}`, and ``{closer}``."
            yield f"{opener}They ask {spoken_of}{closer}Hello", f"They ask {spoken_of}", "Hello"


@pytest.mark.parametrize("cut", range(1, 40))
def test_tags_around_an_answer_are_left_out_after_a_thought_alone(cut: int) -> None:
    text = "<think>An <answer>?</think>\n<answer>\nHello\n</answer>"
    splitter = ThoughtSplitter()
    pieces = [*splitter.feed(text[:cut]), *splitter.feed(text[cut:]), *splitter.close()]
    assert "".join(piece for kind, piece in pieces if kind == "text").strip() == "Hello"
    assert without_thoughts("<answer>Hello</answer>") == "<answer>Hello</answer>"


def texts_about_tags() -> Iterator[str]:
    for _, closer, is_enough in TAGS:
        if is_enough:
            yield f"The tag `{closer}` ends it."
            yield f"``{closer}`` ends it."
            yield f"```xml\n{closer}\n```\nends it."
            yield f'It is "{closer}" that ends it.'
            yield f"It is “{closer}”."
            yield f"**{closer}** ends it."
            yield f"The tag {closer} ends it."
            yield f"It ends with {closer}."
            yield f"{closer} is what ends it."
            yield f"- {closer}: ends it."


TEXTS: list[Case] = [
    *cases_of_tags(),
    ("<think>\n\n</think>\n\nHello", "\n\n", "Hello"),
    ("<think/>Hello", "", "Hello"),
    ("</think>\n\nHello", "", "Hello"),
    ("I think so.</think>Hello", "I think so.", "Hello"),
    ('I will say "Hi".</think>"Hi".', 'I will say "Hi".', '"Hi".'),
    ("They ask about `<think>`.\n</think>\n\nHello", "They ask about `<think>`.\n", "Hello"),
    ("<think>Hm</thin", "Hm</thin", ""),
    ("<think>Hm</think>", "Hm", ""),
    ("<think>Hm</think>\n\n", "Hm", ""),
    # One within another, in thoughts and in code of thoughts; and one that is only mentioned.
    ("<think><think>b</think></think>Hello", "<think>b", "Hello"),
    ("<think>a<think>b</think>c</think>Hello", "a<think>bc", "Hello"),
    ("<think>a<thinking>b</thinking>c</think>Hello", "a<thinking>b</thinking>c", "Hello"),
    ("<think>```\n<think>x</think>\n```\nok</think>Hello", "```\n<think>x</think>\n```\nok", "Hello"),
    ("<think>They ask about <think> tags.</think>Hello", "They ask about <think> tags.", "Hello"),
    # What the same models put around what they say.
    (f"{HARMONY}Hello<|return|>", "", "Hello"),
    (f"<|channel|>commentary<|message|>I look.<|end|>{HARMONY}Hello<|return|>", "", "I look.\n\nHello"),
    ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>", "a", "Hello"),
    # What is no thought.
    ("Hello<|end|>", "", "Hello<|end|>"),
    ("Hello <think>aloud</think>, she said", "", "Hello <think>aloud</think>, she said"),
    ("<thin ice>", "", "<thin ice>"),
    ("<thinker>Hi", "", "<thinker>Hi"),
    ("<div class='x'>Hi</div>", "", "<div class='x'>Hi</div>"),
    ("[thinking] Hi", "", "[thinking] Hi"),
    ("<th", "", "<th"),
    ("a < b [1] </b>", "", "a < b [1] </b>"),
    ("    indented", "", "    indented"),
    ("  \n\n", "", ""),
    ("\u200b\ufeff", "", ""),
    ("", "", ""),
    *((text, "", text) for text in texts_about_tags()),
]

# Of a model that leaves out the opening tag.
OF_HABIT: list[Case] = [
    ("Hm, hm.</think>\nHello", "Hm, hm.", "Hello"),
    ("<think>Hm</think>Hello", "Hm", "Hello"),
    ("</think>Hello", "", "Hello"),
    ("They ask about `</think>`.\n</think>\nIt ends", "They ask about `</think>`.\n", "It ends"),
    ("Hello", "", "Hello"),
    ("…", "", "…"),
    ("\n\n", "", ""),
    *((text, "", text) for text in texts_about_tags()),
]


def split(text: str, cuts: Iterable[int], splitter: ThoughtSplitter) -> tuple[str, str]:
    said, thought = "", ""
    places = [0, *sorted(cuts), len(text)]
    for kind, piece in [p for at, end in pairwise(places) for p in splitter.feed(text[at:end])] + splitter.close():
        match kind:
            case "text":
                said += piece
            case "thought":
                thought += piece
            case "thought_retracted":
                thought = ""
            case "text_retracted":
                assert piece.startswith(said)
                said, thought = "", thought + piece
    assert splitter.dropped_chars + len(said) == len(text)
    return thought, said


def all_cuts(text: str) -> Iterator[Iterable[int]]:
    """Return every place to cut a text once, no cut, and all cuts at once."""
    yield ()
    yield range(len(text))
    yield from ((at,) for at in range(len(text)))


@pytest.mark.parametrize("case", TEXTS)
def test_thoughts_are_split_from_text_wherever_the_text_is_cut(case: Case) -> None:
    text, thought, said = case
    for cuts in all_cuts(text):
        assert split(text, cuts, ThoughtSplitter()) == (thought, said), list(cuts)
    assert without_thoughts(text) == said


@pytest.mark.parametrize("case", OF_HABIT)
def test_a_model_that_leaves_out_the_opening_tag_is_understood(case: Case) -> None:
    text, thought, said = case
    for cuts in all_cuts(text):
        assert split(text, cuts, ThoughtSplitter(begins_with_thought=True)) == (thought, said), list(cuts)


@settings(deadline=None)
@given(st.sampled_from([*TEXTS, *OF_HABIT]), st.lists(st.integers(0, 80), max_size=40), st.booleans())
def test_cuts_change_nothing(case: Case, cuts: list[int], is_guess: bool) -> None:
    text = case[0]
    whole = split(text, (), ThoughtSplitter(begins_with_thought=is_guess))
    within = [min(cut, len(text)) for cut in cuts]
    assert split(text, within, ThoughtSplitter(begins_with_thought=is_guess)) == whole


FRAGMENTS = [
    *("<think>", "</think>", "<think x", "<thinking>", "</thinking >", "[THINK]", "[/THINK]", "◁think▷", "<", "[", "/"),
    *("<|end|>", HARMONY, "<|channel|>analysis<|message|>", "<|return|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    *("`", "``", "```\n", '"', "'", "(", ")", "**", " ", "\n", "\u200b", ".", "is", "Hello", ">", "<b>", "think", "|"),
]


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14), st.lists(st.integers(0, 200), max_size=30), st.booleans())
def test_whatever_a_text_is_made_of_cuts_change_nothing(parts: list[str], cuts: list[int], is_guess: bool) -> None:
    text = "".join(parts)
    whole = split(text, (), ThoughtSplitter(begins_with_thought=is_guess))
    within = [min(cut, len(text)) for cut in cuts]
    assert split(text, within, ThoughtSplitter(begins_with_thought=is_guess)) == whole
    assert split(text, range(len(text)), ThoughtSplitter(begins_with_thought=is_guess)) == whole


def test_thoughts_of_a_model_that_omits_the_opening_tag_are_never_shown_as_text() -> None:
    text = "Hm, hm.</think>\nHello"
    for cuts in all_cuts(text):
        splitter = ThoughtSplitter(begins_with_thought=True)
        places = [0, *cuts, len(text)]
        pieces = [p for at, end in pairwise(places) for p in splitter.feed(text[at:end])] + splitter.close()
        assert "".join(piece for kind, piece in pieces if kind == "text") == "Hello"
        assert {kind for kind, _ in pieces} == {"text", "thought"}


def test_a_thought_that_nothing_has_opened_stays_one_where_the_answer_is_cut() -> None:
    for cuts in all_cuts("Hm, what </thi"):
        splitter = ThoughtSplitter(begins_with_thought=True)
        places = [0, *cuts, 14]
        pieces = [p for at, end in pairwise(places) for p in splitter.feed("Hm, what </thi"[at:end])]
        pieces += splitter.close(is_whole=False)
        assert {kind for kind, _ in pieces} == {"thought"}
        assert "".join(piece for _, piece in pieces) == "Hm, what </thi"
        assert splitter.has_unopened_thought is None, "that it was cut tells nothing of a habit"


@pytest.mark.parametrize(
    ("text", "is_habit", "expected"),
    [("Hi</think>\nHo", False, True), ("Hi", True, False), ("<think>a</think>Hi", True, False), ("Hi", False, None)],
)
def test_a_text_shows_how_its_model_marks_thoughts(text: str, is_habit: bool, expected: bool | None) -> None:
    splitter = ThoughtSplitter(begins_with_thought=is_habit)
    splitter.feed(text)
    splitter.close()
    assert splitter.has_unopened_thought is expected
