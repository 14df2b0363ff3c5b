"""Parts of exported workflows: texts of outputs, guardrails without their package, inputs, journals."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time
from typing import Any

import pytest
from agents import Agent, TResponseInputItem
from agents.testing import ScriptedModel as AuthorsModel
from agents.testing import assistant_message
from pydantic import BaseModel

from agents_sdk.workflows import guardrail_checks as checks
from agents_sdk.workflows.journal import Journal, restore_result
from agents_sdk.workflows.workflow_input import build_message, call_workflow
from agents_sdk.workflows.workflow_output import format_output
from errors import AgentError, UnavailableError


@dataclass
class Point:
    x: int
    y: int


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("Hello.", "Hello."),
        ("[note] this is no JSON", "[note] this is no JSON"),
        ('{"answer": "Yes."}', "Yes."),
        ({"answer": "Yes.", "source": None}, "Yes."),
        (Point(1, 2), "- **X**: 1\n- **Y**: 2"),
        ({"done": False, "left": 0}, "- **Done**: no\n- **Left**: 0"),
        (["a", "b"], "- a\n- b"),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 4}], "- **A**: 1\n  - **B**: 2\n- **A**: 3\n  - **B**: 4"),
        ({}, ""),
        (None, ""),
        (3, "3"),
        ({"a": {"b": [], "c": {"d": None}}, "e": [{}, ""], "f": '{"g": ""}'}, ""),
        ({"y": {"z": {"t": {"u": {"v": 1}}}}, "w": 1},
         "- **Y**:\n  - **Z**:\n    - **T**:\n      - **U**:\n- **W**: 1"),
    ],
)  # fmt: skip
def test_an_output_is_shown_in_words(output: Any, words: str) -> None:
    assert format_output(output) == words


async def judge(*_: str) -> tuple[bool, float, str]:
    return True, 0.8, "because"


async def check(name: str, text: str, **config: Any) -> checks.GuardrailResult:
    bundle = checks.load_config_bundle({"guardrails": [{"name": name, "config": config}]})
    guardrails = checks.instantiate_guardrails(bundle)
    [result] = await checks.run_guardrails(judge, text, guardrails, suppress_tripwire=True)
    return result


@pytest.mark.parametrize(
    ("kind", "text", "masked"),
    [
        ("EMAIL_ADDRESS", "to a.b+c@x.example.org.", "to <EMAIL_ADDRESS>."),
        ("PHONE_NUMBER", "call +41 44 123 45 67 now", "call <PHONE_NUMBER> now"),
        ("PHONE_NUMBER", "(555) 123-4567", "<PHONE_NUMBER>"),
        ("PHONE_NUMBER", "version 1.2.3 of 2026", "version 1.2.3 of 2026"),
        ("CREDIT_CARD", "4111-1111-1111-1111", "<CREDIT_CARD>"),
        ("CREDIT_CARD", "4111-1111-1111-1112", "4111-1111-1111-1112"),
        ("IP_ADDRESS", "10.0.0.1 and 999.1.1.1", "<IP_ADDRESS> and 999.1.1.1"),
        ("IBAN_CODE", "CH93 0076 2011 6238 5295 7", "<IBAN_CODE>"),
        ("US_SSN", "078-05-1120", "<US_SSN>"),
        ("US_BANK_NUMBER", "account 000123456789, 3 of 7", "account <US_BANK_NUMBER>, 3 of 7"),
        ("US_PASSPORT", "A12345678 or 123456789", "<US_PASSPORT> or <US_PASSPORT>"),
        ("UK_NHS", "943 476 5919 and 943 476 5918", "<UK_NHS> and 943 476 5918"),
        ("PL_PESEL", "44051401359, 44051401358", "<PL_PESEL>, 44051401358"),
        ("EMAIL_ADDRESS", "a\u200bda@x.example", "<EMAIL_ADDRESS>"),
        ("CREDIT_CARD", "４１１１ １１１１ １１１１ １１１１", "<CREDIT_CARD>"),
        ("CREDIT_CARD", "nothing\u200b here", "nothing\u200b here"),
    ],
)
async def test_personal_data_with_a_form_is_masked(kind: str, text: str, masked: str) -> None:
    result = await check("Contains PII", text, entities=[kind], block=False)
    assert (result.info["checked_text"], result.tripwire_triggered) == (masked, False)
    blocked = await check("Contains PII", text, entities=[kind], block=True)
    assert blocked.tripwire_triggered == (masked != text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see YWRhQHguZXhhbXBsZQ==, please", "see <EMAIL_ADDRESS_ENCODED>, please"),
        ("616461406578616d706c652e6f7267", "<EMAIL_ADDRESS_ENCODED>"),
        ("to?a=ada%40x.example&b=1", "<EMAIL_ADDRESS_ENCODED>"),
        ("aWYgdGhpcyBpcyB0ZXh0", "aWYgdGhpcyBpcyB0ZXh0"),
        ("0123456789abcdef0123456789abcdef and %zz, %ff and AAAAAAAAAAAAAAAAA", None),
    ],
)
async def test_personal_data_that_is_encoded_is_masked_where_that_is_wanted(text: str, masked: str | None) -> None:
    result = await check("Contains PII", text, entities=["EMAIL_ADDRESS"], detect_encoded_pii=True)
    assert result.info["checked_text"] == (masked or text)
    plain = await check("Contains PII", text, entities=["EMAIL_ADDRESS"])
    assert plain.info["checked_text"] == text


@pytest.mark.parametrize(
    ("name", "config", "bad", "good"),
    [
        ("Keyword Filter", {"keywords": ["rival"]}, "A Rival!", "arrivals"),
        ("Competitors", {"keywords": ["C++"]}, "use C++ here", "use C here"),
        ("Secret Keys", {}, "sk-abcdefghijklmnop1234", "a skirt of silk"),
        ("URL Filter", {"url_allow_list": ["example.org"]}, "see http://evil.test/x", "see https://example.org/a"),
        ("URL Filter", {"url_allow_list": ["example.org"]}, "https://example.org.evil.test", "no link"),
        ("URL Filter", {"url_allow_list": ["https://a.org/x"]}, "https://a.org/xy", "https://a.org/x/y"),
        ("URL Filter", {"url_allow_list": ["a.org"]}, "https://me:pw@a.org", "https://a.org"),
        ("URL Filter", {"url_allow_list": ["a.org"], "allow_subdomains": True}, "https://ba.org", "https://b.a.org"),
    ],
)
async def test_texts_are_checked_without_a_model(name: str, config: dict[str, Any], bad: str, good: str) -> None:
    assert (await check(name, bad, **config)).tripwire_triggered
    assert not (await check(name, good, **config)).tripwire_triggered


@pytest.mark.parametrize("part", ["ab", "a.", "a-", "%4", "x:", "--"])
async def test_a_long_text_is_checked_in_the_time_that_its_length_takes(part: str) -> None:
    text = part * 16_000
    begun = process_time()
    assert (await check("Contains PII", text, detect_encoded_pii=True)).info["checked_text"] == text
    assert not (await check("URL Filter", text)).tripwire_triggered
    assert process_time() - begun < 2  # where the time grows with the square of the length, it is five times as much


async def test_a_model_judges_within_its_confidence() -> None:
    assert (await check("Jailbreak", "x", confidence_threshold=0.8)).tripwire_triggered
    assert not (await check("Jailbreak", "x", confidence_threshold=0.9)).tripwire_triggered


async def test_a_tripped_guardrail_is_raised_where_the_file_wants_that() -> None:
    with pytest.raises(checks.GuardrailTripwireTriggered, match="NSFW Text"):
        await checks.run_guardrails(judge, "x", [checks.Guardrail("NSFW Text", {})])


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("Moderation", {}, "is given no client of OpenAI"),
        ("Contains PII", {"entities": ["PERSON"]}, "cannot find PERSON without the package"),
        ("Something New", {}, "is not known"),
    ],
)
async def test_a_check_that_cannot_be_made_never_passes(name: str, config: dict[str, Any], words: str) -> None:
    with pytest.raises(UnavailableError, match=words):
        await check(name, "x", **config)
    with pytest.raises(UnavailableError, match=words):
        await checks.run_guardrails(judge, "x", [checks.Guardrail(name, config)])


PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AA"}


def build_item(*parts: Any, role: str = "user") -> dict[str, Any]:
    content = [part if isinstance(part, dict) else {"type": "input_text", "text": part} for part in parts]
    return {"type": "message", "role": role, "content": content}


def test_the_message_is_the_newest_of_the_person_or_the_one_with_these_words() -> None:
    items = [build_item("One"), build_item("Two", PICTURE), build_item("<widget_shown>\nx</widget_shown>")]
    assert build_message(items[:2]).text == "Two"
    again = build_message(items, "Two")
    assert (again.text, again.pictures, len(again.history)) == ("Two", [PICTURE["image_url"]], 1)
    assert build_message(items, "Gone").text == "Gone"
    quoted = build_message([build_item("<quoted_text>\nx\n</quoted_text>", "Why?")])
    assert (quoted.text, len(quoted.extras)) == ("Why?", 1)


class Form(BaseModel):
    input_as_text: str
    photo: str | None = None
    history: list[Any] = []
    plan: str = "basic"


def test_the_input_is_filled_by_what_its_fields_are_called() -> None:
    message = build_message([build_item("One"), build_item("Two", PICTURE)])

    def typed(form: Form) -> Form:
        return form

    filled = call_workflow(typed, message, {"plan": "gold"}, "test")()
    assert (filled.input_as_text, filled.photo, filled.plan) == ("Two", PICTURE["image_url"], "gold")
    assert filled.history == [{"role": "user", "content": "One"}]

    def plain(text: str) -> str:
        return text

    assert call_workflow(plain, message, {}, "test")() == "Two"

    def loose(given) -> Any:  # type: ignore[no-untyped-def]  # noqa: ANN001
        return given["input_as_text"], given.input_as_text, given.model_dump()["plan"]

    assert call_workflow(loose, message, {"plan": "gold"}, "test")() == ("Two", "Two", "gold")


class Continued(BaseModel):
    input_as_text: str
    history: list[TResponseInputItem] | None = None


def test_a_history_of_the_sdks_items_contains_all_messages() -> None:
    answer = {"type": "output_text", "text": "First", "annotations": []}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [build_item("One", PICTURE), call, build_item(answer, role="assistant"), build_item("Two")]

    def typed(form: Continued) -> Continued:
        return form

    filled = call_workflow(typed, build_message(items), {}, "test")()
    expected = [{"role": "user", "content": "One"}, {"role": "assistant", "content": "First"}]
    assert filled.model_dump(mode="json")["history"] == expected


def test_an_input_that_begins_with_the_message_has_the_history_before_it() -> None:
    message = build_message([build_item("Hi"), build_item("Hello", role="assistant"), build_item("Hi")])
    rules = {"role": "system", "content": "Be kind."}
    now = {"role": "user", "content": "Hi"}
    assert len(message.with_history("Hi")) == 3
    padded = build_message([build_item("Hi"), build_item("Hello", role="assistant"), build_item(" Hi ")])
    assert len(padded.with_history("Hi")) == len(padded.with_history([now])) == 3
    assert [each["role"] for each in message.with_history([rules, now])] == ["system", "user", "assistant", "user"]
    assert len(message.with_history([now, build_item("Result", role="assistant"), now])) == 5
    for others in (
        [now, {"role": "assistant", "content": "Hello"}, now],
        [rules],
        ["Hi"],
        [],
        [build_item("Other"), now],
    ):
        assert message.with_history(others) is others


def test_a_variable_of_a_wrong_type_is_reported() -> None:
    def typed(form: Form) -> Form:
        return form

    with pytest.raises(AgentError, match="Form wants plan"):
        call_workflow(typed, build_message([build_item("Hi")]), {"plan": [1]}, "test")


class Place(BaseModel):
    x: int
    y: int


async def test_a_journal_gives_back_what_the_sdk_gave() -> None:
    from agents import Runner

    agent = Agent(name="a", model=AuthorsModel([[assistant_message('{"x": 1, "y": 2}')]]), output_type=Place)
    result = await Runner.run(agent, "Hi")
    journal = Journal()
    slot = journal.next_slot("agent a")
    assert journal.find_entry("agent a", slot) is None
    journal.add("agent a", slot, result)
    stored = Journal(journal.dump(text="Hi"))
    known = restore_result(stored.find_entry("agent a", stored.next_slot("agent a")), agent, "Hi", None)
    assert known.final_output == Place(x=1, y=2)
    assert [item.to_input_item() for item in known.new_items] == [item.to_input_item() for item in result.new_items]
    assert known.to_input_list() == result.to_input_list()
    assert known.last_agent is agent
    assert stored.find_entry("agent a", stored.next_slot("agent a")) is None
