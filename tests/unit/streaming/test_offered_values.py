"""Actions accept only values that their widget offers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from errors import ActionError
from streaming.actions.offered_actions import check_field_values, check_offered, is_offered

SEND = {"type": "send", "payload": {"order": {"id": 7}}}


def card(*fields: dict[str, Any], **action: Any) -> dict[str, Any]:
    form = {"type": "Form", "onSubmitAction": {**SEND, **action}, "children": list(fields)}
    return {"type": "Card", "children": [form, {"type": "Form", "children": [{"type": "Input", "name": "elsewhere"}]}]}


def field(kind: str, **props: Any) -> dict[str, Any]:
    return {"type": kind, "name": "f", **props}


def sent(value: Any = ..., **more: Any) -> dict[str, Any]:
    return {"order": {"id": 7}, **({} if value is ... else {"f": value}), **more}


SIZES = [{"value": "s", "label": "S"}, {"value": "m", "label": "M", "disabled": True}]
SELECT = field("Select", options=SIZES)
RADIO = field("RadioGroup", options=SIZES, required=True)
DAY = field("DatePicker", min="2026-05-01T10:00:00Z", max="2026-05-31")

ALLOWED = [
    (field("Input"), "any text"),
    (field("Input"), ""),
    (field("Input"), ...),
    (field("Input", inputType="number"), "-1.5e3"),
    (field("Input", inputType="email"), "ada@example.org"),
    (field("Input", pattern=r"\d{4}"), "2026"),
    (field("Input", pattern=r"\d{4}"), ""),
    (field("Input", pattern=r"(["), "what is no pattern constrains nothing"),
    (field("Input", pattern=r"(?:a?){99999}"), "nor does one that would take much memory"),
    (field("Input", disabled=True, defaultValue="kept"), "kept"),
    (field("Input", disabled=True, required=True), ...),
    (field("Textarea", required=True), "x"),
    (field("Checkbox"), True),
    (field("Checkbox", required=True), True),
    (field("Checkbox", disabled=True, defaultChecked=True), True),
    (SELECT, "s"),
    (SELECT, ...),
    (SELECT, None),
    (field("Select", options=SIZES, defaultValue="m"), "m"),
    (field("Select", options=[{"value": 5, "label": "Five"}]), "5"),
    (SELECT, ""),
    (field("Select", options=SIZES, defaultValue="s", clearable=True), ""),
    (field("Select", options=[*SIZES, {"value": "", "label": "Any"}], defaultValue="s"), ""),
    (RADIO, "s"),
    (DAY, "2026-05-01"),
    (DAY, "2026-05-31"),
    (DAY, ...),
    ({"type": "Text", "value": "", "editable": {"name": "f", "required": True}}, "edited"),
]

REFUSED = [
    (field("Input", required=True), ..., "“f”: a value is needed"),
    (field("Input", required=True), "", "a value is needed"),
    (field("Input"), 5, "a text is needed"),
    (field("Input"), {"deep": 1}, "a text is needed"),
    (field("Input"), ["x"], "a text is needed"),
    (field("Input"), "x" * 100_001, "too long"),
    (field("Input", inputType="number"), "ten", "a number is needed"),
    (field("Input", inputType="email"), "ada", "an e-mail address is needed"),
    (field("Input", inputType="url"), "example", "an address is needed"),
    (field("Input", pattern=r"\d{4}"), "20266", "not the form"),
    (field("Input", disabled=True, defaultValue="kept"), "changed", "cannot be changed"),
    (field("Checkbox"), "true", "either on or off"),
    (field("Checkbox", required=True), False, "has to be on"),
    (field("Checkbox", disabled=True), True, "cannot be changed"),
    (SELECT, "xl", "none of the choices"),
    (SELECT, "m", "this choice cannot be made"),
    (SELECT, 1, "a text is needed"),
    (field("Select", options=SIZES, defaultValue="s"), "", "none of the choices"),
    (field("RadioGroup", options=SIZES, defaultValue="s"), "", "none of the choices"),
    (field("Select", options=[{"value": "", "label": "Any", "disabled": True}]), "", "this choice cannot be made"),
    (RADIO, ..., "a value is needed"),
    (RADIO, "", "a choice is needed"),
    (DAY, "2026-04-30", "the first day is 2026-05-01"),
    (DAY, "2026-06-01", "the last day is 2026-05-31"),
    (DAY, "2026-02-30", "a date is needed"),
    (DAY, "2026-05-02T00:00:00Z", "a date is needed"),
    ({"type": "Text", "value": "", "editable": {"name": "f", "pattern": "a+"}}, "b", "not the form"),
]


@pytest.mark.parametrize(("spec", "value"), ALLOWED)
def test_values_that_a_person_can_choose_are_accepted(spec: dict[str, Any], value: Any) -> None:
    check_offered(card(spec), "send", sent(value))


@pytest.mark.parametrize(("spec", "value", "words"), REFUSED)
def test_values_that_nobody_can_choose_are_refused_with_the_field(spec: dict[str, Any], value: Any, words: str) -> None:
    with pytest.raises(ActionError, match=words) as refused:
        check_offered(card(spec), "send", sent(value))
    assert (refused.value.code, refused.value.field) == ("action.invalid_field", "f")


def test_a_field_is_called_what_its_label_says() -> None:
    label = {"type": "Label", "fieldName": "f", "value": "Your name"}
    with pytest.raises(ActionError, match="“Your name”: a value is needed"):
        check_offered(card(field("Input", required=True), label), "send", sent())


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (sent("x", elsewhere="y"), "“elsewhere” belongs to another form"),
        (sent("x", stranger="y"), "does not offer"),
        ({"order": {"id": 8}, "f": "x"}, "does not offer"),
        ({"order": {"id": 7, "paid": True}, "f": "x"}, "does not offer"),
        ({"f": "x"}, "does not offer"),
        ([1], "does not offer"),
    ],
)
def test_nothing_but_fields_of_the_same_form_joins_a_payload(payload: Any, words: str) -> None:
    with pytest.raises(ActionError, match=words):
        check_offered(card(field("Input")), "send", payload)


def test_a_dotted_name_lets_in_nothing_but_itself() -> None:
    widget = card({"type": "Input", "name": "order.note"}, {"type": "Input", "name": "to.name"})
    check_offered(widget, "send", {"order": {"id": 7, "note": "n"}, "to": {"name": "Ada"}})
    for payload in (
        {"order": {"id": 7, "paid": True}},
        {"order": {"id": 7}, "to": {"name": "Ada", "is_admin": "yes"}},
        {"order": {"id": 7}, "to": "Ada"},
        {"order": {"id": 7}, "to": {}},
    ):
        assert not is_offered(widget, "send", payload), payload


def test_a_change_brings_its_own_value_and_a_click_outside_of_forms_none() -> None:
    change = {"type": "set", "payload": {"id": 1}}
    widget = {
        "type": "Card",
        "children": [
            {"type": "Checkbox", "name": "done", "onChangeAction": change},
            {"type": "Select", "name": "size", "options": SIZES, "onChangeAction": {"type": "size"}},
            {"type": "Button", "onClickAction": {"type": "go"}},
        ],
    }
    assert is_offered(widget, "set", {"id": 1, "done": True})
    assert not is_offered(widget, "set", {"id": 1, "size": "s"})
    assert not is_offered(widget, "go", {"done": True})
    assert is_offered(widget, "size", {"size": None})
    assert not is_offered(widget, "size", {"size": "m"})


def test_validation_at_submission_does_not_block_other_clicks() -> None:
    cancel = {"type": "Button", "onClickAction": {"type": "cancel"}}
    widget = card(field("Input", required=True, pattern="[0-9]+"), cancel)
    assert is_offered(widget, "cancel", {"f": "abc"})
    assert not is_offered(widget, "send", sent("abc"))
    as_form = {
        "type": "Card",
        "asForm": True,
        "children": [field("Input", required=True)],
        "confirm": {"label": "Save", "action": {"type": "save"}},
        "cancel": {"label": "Not", "action": {"type": "not"}},
    }
    assert not is_offered(as_form, "save", {"f": ""})
    assert is_offered(as_form, "not", {"f": ""})


def test_disabled_and_client_actions_are_not_offered() -> None:
    button = {"type": "Button", "onClickAction": {"type": "go"}}
    assert is_offered({"type": "Card", "children": [button]}, "go", None)
    assert not is_offered({"type": "Card", "children": [{**button, "disabled": True}]}, "go", None)
    page = {"type": "Button", "onClickAction": {"type": "go", "handler": "client"}}
    with pytest.raises(ActionError, match="the page's own"):
        check_offered({"type": "Card", "children": [page]}, "go", None)
    assert is_offered({"type": "Card", "children": [page, button]}, "go", None)


def test_hidden_parts_of_a_collapsed_card_are_not_offered() -> None:
    inner = card(field("Input"))["children"]
    footer = {"confirm": {"label": "Save", "action": {"type": "save"}}}
    for name, payload in (("send", sent("x")), ("save", {})):
        assert is_offered({"type": "Card", "children": inner, **footer}, name, payload)
        hidden = {"type": "Card", "children": inner, "collapsed": True, **footer}
        assert not is_offered(hidden, name, payload)
        assert not is_offered({"type": "Basic", "children": [hidden]}, name, payload)


@pytest.mark.parametrize("name", ["__proto__", "constructor", "prototype", "order.__proto__", "__proto__.f"])
def test_names_of_prototypes_are_neither_fields_nor_extra_keys(name: str) -> None:
    widget = card({"type": "Input", "name": name}, field("Input"))
    nested: Any = "x"
    for part in reversed(name.split(".")):
        nested = {part: nested}
    assert not is_offered(widget, "send", {**sent("x"), name: "x"})
    assert not is_offered(widget, "send", {**nested, **sent("x"), "order": {"id": 7, **nested.get("order", {})}})
    assert is_offered(widget, "send", sent("x"))


def test_a_payload_of_any_depth_and_width_is_refused_soon() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = {"f": deep}
    wide = {f"f{n}": "x" for n in range(50_000)}
    started = time.perf_counter()
    for payload in (sent(deep), sent("x", **wide), {"order": deep, "f": "x"}, deep, sent(["x"] * 50_000)):
        assert not is_offered(card(field("Input"), {"type": "Input", "name": "f.f.f"}), "send", payload)
    assert time.perf_counter() - started < 5


def test_the_widgets_own_payload_wins_over_a_required_field_of_the_same_name() -> None:
    widget = card(field("Input", required=True), payload={"f": "fixed"})
    assert is_offered(widget, "send", {"f": "fixed"})
    assert not is_offered(widget, "send", {"f": "other"})


def test_a_slow_pattern_is_given_up_soon() -> None:
    slow = card(field("Input", pattern="(?:(?:a{1,200}){1,200}){1,200}"))
    started = time.perf_counter()
    with pytest.raises(ActionError, match="could not be checked"):
        check_offered(slow, "send", sent("a" * 2_000 + "b"))
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("send", sent("s")),
        ("send", sent()),
        # A page's own: with another payload, under another name, or where the widget leaves it to the page.
        ("send", {"order": {"id": 8}, "f": "xl"}),
        ("send", "xl"),
        ("other", sent("xl")),
    ],
)
def test_actions_that_a_page_may_send_itself_are_refused_for_values_only(action: str, payload: Any) -> None:
    check_field_values(card(SELECT), action, payload)
    check_field_values(card(SELECT, handler="client"), "send", sent("xl"))


@pytest.mark.parametrize("value", ["xl", "m", 3, True, ["s"]])
def test_a_value_that_was_not_offered_is_refused_there_too(value: Any) -> None:
    with pytest.raises(ActionError) as refused:
        check_field_values(card(SELECT), "send", sent(value))
    assert refused.value.field == "f"
