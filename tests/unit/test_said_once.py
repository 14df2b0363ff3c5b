"""Facts that must stand in one place of the sources only, so that no second place is forgotten in a change."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import errors
from context import Services
from framework import message_marks
from tests.unit.test_architecture import ROOT, sources


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def makers_of(name: str) -> set[str]:
    """Return the files that call a function or class, by its own name or as a member."""
    return {
        str(path.relative_to(ROOT))
        for path in sources()
        if f"{name}(" in path.read_text()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", None), getattr(node.func, "attr", None))
    }


def files_that_say(text: str) -> set[str]:
    """Return the files in which a string of this value stands."""
    return {
        str(path.relative_to(ROOT))
        for path in sources()
        if text in path.read_text()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and node.value == text
    }


def files_with_texts(part: str) -> set[str]:
    """Return the files with a string that contains this part, docstrings left out."""
    return {
        str(path.relative_to(ROOT))
        for path in sources()
        if part in path.read_text()
        for node in ast.walk(parsed(path))
        if not isinstance(node, ast.Expr)
        for each in ast.iter_child_nodes(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and part in each.value
    }


def files_that_read(name: str) -> set[str]:
    """Return the files that read a member of this name."""
    return {
        str(path.relative_to(ROOT))
        for path in sources()
        if f".{name}" in path.read_text()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr == name
    }


def test_error_events_are_made_in_one_place() -> None:
    assert makers_of("ErrorEvent") == {"runs/error_events.py"}


def test_halves_of_characters_are_mended_in_one_place() -> None:
    makers = makers_of("decode") & files_that_say("utf-16") & files_that_say("surrogatepass")
    assert makers == {"text/surrogates.py"}


def test_the_message_for_unexpected_errors_stands_in_one_place() -> None:
    assert files_that_say(errors.INTERNAL_MESSAGE) == {"errors.py"}


def test_the_end_of_a_step_and_the_duration_are_written_in_one_place() -> None:
    writer = {"streaming/answers/workflow_writer.py"}
    assert (makers_of("DurationSummary"), files_that_read("step_failed")) == (writer, writer)


def test_the_own_time_limit_of_a_tool_is_read_in_one_place() -> None:
    assert files_that_say("timeout_s") & files_that_say("additional_properties") == {"turns/tool_limits.py"}
    assert files_with_texts("seconds and was stopped") == {"turns/tool_limits.py"}


@pytest.mark.parametrize(("name", "owner"), [("parlor.db", "config.py"), ("secret.key", "process/data_folder.py")])
def test_the_name_of_a_file_in_the_data_folder_stands_in_one_place(name: str, owner: str) -> None:
    assert files_with_texts(name) == {owner}


def test_whether_the_provider_is_openai_is_decided_in_one_place() -> None:
    # `match` in the table of providers has other branches beside it.
    compared = {
        str(path.relative_to(ROOT))
        for path in sources()
        if '"openai"' in path.read_text()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare)
        for each in (node.left, *node.comparators)
        if isinstance(each, ast.Constant) and each.value == "openai"
    }
    assert compared == {"config.py"}


def test_services_have_one_way_to_a_chat_client() -> None:
    # A field and a method to call in its place were two names for one thing.
    assert [name for name in dir(Services) if "client" in name] == ["chat_client"]


@pytest.mark.parametrize(
    "mark", [message_marks.ANSWERS_PROPERTY, message_marks.UNKNOWN_TOOL_PROPERTY, message_marks.REPLAY_ROUND]
)
def test_a_mark_that_two_rooms_know_is_written_in_one_place(mark: str) -> None:
    assert files_that_say(mark) == {"framework/message_marks.py"}


def test_the_tree_of_errors_has_every_error_under_its_parent() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"((?:[│ ]   )*(?:[├└]── )?)(\w+Error)\b", line):
            del above[len(match[1]) // 4 :]
            drawn[match[2]] = above[-1] if above else "Exception"
            above.append(match[2])
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    known = {kind.__name__: kind.__bases__[0].__name__ for kind in kinds}
    assert drawn == known
