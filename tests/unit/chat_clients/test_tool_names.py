"""Garbled names of tools: each is resolved to one known tool, or to none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_clients.protocols.tool_names import ToolNames

KNOWN = ["add", "delete", "read.item", "get_weather"]
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

OF_ADD = [
    *("add[ARGS]", "[TOOL_CALLS]add", "[TOOL_CALLS]add[ARGS]", "[TOOL_CALLS] [add]", "<|python_tag|>add"),
    *("<｜tool▁call▁begin｜>function<｜tool▁sep｜>add", "<｜tool▁call▁begin｜>add<｜tool▁sep｜>", "add<｜tool"),
    *("<tool_call>add</tool_call>", "<tool_call>add", "<function>add</function>", "<function=add>"),
    *("<|tool_call|>add<|/tool_call|>", '<invoke name="add">', '<tool_call>{"name": "add"}</tool_call>'),
    *("functions_add", "functions__add", "functions-add", "functions->add", "functions => add", "functions → add"),
    *("functions::add", "functions.add:0", "functions_add:0", "functions.add:12", "add:3", "add#1"),
    *("default_api.add", "default_api:add", "default_api_add", "tool.add", "tool_add", "tools/add", "mcp__calc__add"),
    *("Add", "ADD", "Functions.Add", "function: add", "tool_call: add", "call:add", "call add", "functions add"),
    *("to=functions.add", "assistant to=functions.add", "add json", "add:json", "functions.add.json"),
    *("add(a=1)", "add(1, 2)", "add(", "add()", "functions.add(a=1)", "print(default_api.add(a=1))", 'add{"a": 1}'),
    *('{"name": "add", "arguments": {}}', "(add)", "[add]", "*add*", "**add**", "add,", "add;", "add."),
    *("add</s>", "<s>add", "add<end_of_turn>", "add/0", "recipient_name: functions.add", "ａｄｄ"),
    *(
        "  add\n",
        "\n\nadd\n",
        "\tadd\r\n",
        "add\u00a0",
        "\u200badd\ufeff",
        '"add"',
        "'add'",
        "`add`",
        "“add”",
        "```add```",
    ),
]
OF_OTHERS = [
    ("getWeather", "get_weather"),
    ("get-weather", "get_weather"),
    ("Get Weather", "get_weather"),
    ("functions.getWeather", "get_weather"),
    ("read_item", "read.item"),
    ("Read.Item", "read.item"),
    ("functions.read_item:0", "read.item"),
    ("functions_read_item", "read.item"),
    ("readItem(key=1)", "read.item"),
]
OF_NONE = [
    *(
        "add, delete",
        "add/delete",
        "add.delete",
        "add\ndelete",
        "add(delete(1))",
        "add and delete",
        "addition",
        "calladd",
    ),
    *("do not delete", "don't delete", "never delete", "not delete", "Note: delete", "delete it", "please add"),
    *("I will use add", "you should add now", "", "???", "functions", "functions.", "a", "<|channel|>", "{", "[ARGS]"),
]


@pytest.mark.parametrize("said", OF_ADD)
def test_a_garbled_name_means_the_one_tool_in_it(said: str) -> None:
    assert ToolNames(KNOWN).resolve(said) == "add"


@pytest.mark.parametrize(("said", "meant"), OF_OTHERS)
def test_a_name_is_known_in_other_letters(said: str, meant: str) -> None:
    assert ToolNames(KNOWN).resolve(said) == meant


@pytest.mark.parametrize("said", OF_NONE)
def test_an_unknown_or_ambiguous_name_means_no_tool(said: str) -> None:
    assert ToolNames(KNOWN).resolve(said) == said


@pytest.mark.parametrize("said", [*OF_ADD, *(said for said, _ in OF_OTHERS), *OF_NONE])
def test_a_real_tool_of_the_exact_name_always_wins(said: str) -> None:
    assert ToolNames([*KNOWN, said]).resolve(said) == said


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (["add", "Add"], "ADD"),
        (["add", "functions_add"], "functions-add"),
        (["a_b", "ab"], "A.B"),
        (["function", "add"], "<｜tool▁call▁begin｜>function<｜tool▁sep｜>add"),
        (["shelf", "read"], "shelf.read"),
    ],
)
def test_an_ambiguous_name_means_no_tool(known: list[str], said: str) -> None:
    assert ToolNames(known).resolve(said) == said


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), unique=True, max_size=6), st.text(max_size=200))
def test_no_name_of_a_model_is_sent_back_in_a_form_that_servers_refuse(known: list[str], said: str) -> None:
    names = ToolNames(known)
    meant = names.resolve(said)
    assert meant in {*known, said}
    assert NAME.fullmatch(names.offered_name(meant))


def test_a_name_of_any_length_is_checked_quickly() -> None:
    for piece in ("(", "add.", "<|", "functions_", " ", "[A", "`", "__", "=>"):
        assert ToolNames(KNOWN).resolve(piece * 100_000) in {piece * 100_000, "add"}
