"""Agents within an agent: approvals of their tools, and continuation after a pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agent_framework import ChatResponseUpdate, Content
from agents import Agent, RunContextWrapper, function_tool, handoff
from chatkit.agents import ClientToolCall
from chatkit.types import StructuredInputFreeform

from context import Services, Turn
from tests.unit.agents_sdk.conftest import SDKServer
from tests.unit.harness import Chat, errors, texts, with_settings
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.streaming.test_approvals import calls_with_results, click

Answer = Callable[..., Agent[Any]]


class Till:
    """A tool that needs a person's word, and what it was told to do."""

    def __init__(self) -> None:
        self.paid: list[int] = []
        self.contexts: list[Any] = []

        @function_tool(needs_approval=True)
        def pay(ctx: RunContextWrapper[Any], amount: int) -> str:
            """Pay."""
            self.paid.append(amount)
            self.contexts.append(ctx.context)
            return f"Paid {amount}."

        self.pay = pay


async def card_of(chat: Chat) -> dict[str, Any]:
    return next(item for item in reversed(await chat.items()) if item["type"] == "widget")


def results(model: ScriptedModel) -> dict[str | None, Any]:
    return {c.call_id: c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"}


def instructions(model: ScriptedModel) -> list[str]:
    return [request[0].text for request in model.requests]


@pytest.mark.parametrize("kind", ["agent", "handoff"])
async def test_an_agent_after_a_handoff_asks_for_permission_and_continues_after_it(
    chat: Chat, model: ScriptedModel, answer_with: Answer, restart: Callable[[], None], kind: str
) -> None:
    till = Till()
    cashier = Agent[Any](name="cashier", instructions="You are the cashier.", tools=[till.pay])
    answer_with(instructions="You are the desk.", handoffs=[cashier if kind == "agent" else handoff(cashier)])
    model.turns = [
        calls("transfer_to_cashier", "c0"),
        calls("pay", "c1", amount=5),
        says("Five is paid.", message_id="m2"),
        says("Welcome.", message_id="m3"),
    ]
    await chat.send("Pay five")
    assert till.paid == []
    restart()
    assert texts(await click(chat, await card_of(chat), "Allow")) == ["Five is paid."]
    assert till.paid == [5]
    assert results(model)["c1"] == "Paid 5."
    # The next message begins with the author's first agent, as a new run does.
    await chat.send("Thanks")
    assert instructions(model) == ["You are the desk.", *["You are the cashier."] * 2, "You are the desk."]


async def test_a_handoff_with_a_name_of_its_own_is_followed_through_two_agents(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    till = Till()
    cashier = Agent[Any](name="cashier", instructions="You are the cashier.", tools=[till.pay])
    clerk = Agent[Any](
        name="clerk",
        instructions="You are the clerk.",
        handoffs=[handoff(cashier, tool_name_override="to_the_till")],
    )
    answer_with(instructions="You are the desk.", handoffs=[clerk])
    model.turns = [
        calls("transfer_to_clerk", "c0"),
        calls("to_the_till", "c1"),
        calls("pay", "c2", amount=7),
        says("Done.", message_id="m2"),
    ]
    await chat.send("Pay seven")
    assert texts(await click(chat, await card_of(chat), "Don't allow")) == ["Done."]
    assert till.paid == []
    assert instructions(model)[-1] == "You are the cashier."


@pytest.mark.parametrize("is_allowed", [True, False])
async def test_an_agent_as_a_tool_continues_after_the_decision_about_its_tool(
    chat: Chat, model: ScriptedModel, answer_with: Answer, restart: Callable[[], None], is_allowed: bool
) -> None:
    till = Till()
    cashier = Agent[Any](name="cashier", instructions="You are the cashier.", tools=[till.pay])
    answer_with(instructions="You are the desk.", tools=[cashier.as_tool("ask_cashier", "Ask the cashier.")])
    model.turns = [
        calls("ask_cashier", "c1", input="Pay five"),
        calls("pay", "c2", amount=5),
        says("The till is closed."),
        says("It is as you say.", message_id="m2"),
        says("Welcome.", message_id="m3"),
    ]
    events = await chat.send("Pay five")
    assert not errors(events)
    card = await card_of(chat)
    assert card["copy_text"].endswith("Pay (amount: 5)")
    assert till.paid == []
    restart()
    events = await click(chat, card, "Allow" if is_allowed else "Don't allow")
    assert texts(events) == ["It is as you say."]
    assert till.paid == ([5] if is_allowed else [])
    assert instructions(model) == ["You are the desk.", *["You are the cashier."] * 2, "You are the desk."]
    inner, outer = model.requests[2:]
    assert [m.text for m in inner[:2]] == ["You are the cashier.", "Pay five"]
    [(_, outcome)] = calls_with_results(inner)
    assert outcome == "Paid 5." if is_allowed else "not approved" in outcome
    assert [c.result for m in outer for c in m.contents if c.type == "function_result"] == ["The till is closed."]
    # The next message finds all of it in the thread, in an order that providers take.
    await chat.send("Thanks")
    remembered = calls_with_results(model.requests[-1])
    assert len({call_id for call_id, _ in remembered}) == len(remembered) == 3
    assert [result for _, result in remembered][-1] == "The till is closed."


async def test_a_tool_of_an_agent_that_is_a_tool_finds_its_context_after_a_permission(
    chat: Chat, model: ScriptedModel, answer_with: Answer, restart: Callable[[], None]
) -> None:
    till = Till()
    cashier = Agent[Any](name="cashier", tools=[till.pay])
    answer_with(tools=[cashier.as_tool("ask_cashier", "Ask the cashier.")])
    model.turns = [calls("ask_cashier", "c1", input="Pay"), calls("pay", "c2", amount=5), says("Paid."), says("Done.")]
    await chat.send("Pay five")
    restart()
    await click(chat, await card_of(chat), "Allow")
    assert [context.turn.thread.id for context in till.contexts] == [chat.thread_id]


async def test_permissions_of_an_agent_and_of_one_that_is_its_tool_are_asked_together_and_asked_again(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    till, own = Till(), Till()
    cashier = Agent[Any](name="cashier", instructions="You are the cashier.", tools=[till.pay])
    desk = Agent[Any](
        name="desk",
        instructions="You are the desk.",
        tools=[cashier.as_tool("ask_cashier", "Ask the cashier."), own.pay],
    )
    answer_with(name="door", instructions="You are the door.", handoffs=[handoff(desk)])
    model.turns = [
        calls("transfer_to_desk", "c0"),
        [*calls("ask_cashier", "c1", input="Pay"), *calls("pay", "c2", amount=1)],
        calls("pay", "c3", amount=2),
    ]
    assert not errors(await chat.send("Pay"))
    card = await card_of(chat)
    await click(chat, card, "Allow", at=0)
    assert own.paid == till.paid == []
    model.turns = [calls("pay", "c4", amount=3)]
    assert not errors(await click(chat, card, "Allow", at=1))
    assert (own.paid, till.paid) == ([1], [2])
    model.turns = [says("Both are paid."), says("All is done.", message_id="m2"), says("Bye.", message_id="m3")]
    events = await click(chat, await card_of(chat), "Allow")
    assert (texts(events), errors(events)) == (["All is done."], [])
    assert (own.paid, till.paid) == ([1], [2, 3])
    await chat.send("Thanks")
    remembered = calls_with_results(model.requests[-1])
    assert len({call_id for call_id, _ in remembered}) == len(remembered) == 7
    assert all(result for _, result in remembered)


async def test_an_agent_as_a_tool_that_is_gone_meanwhile_is_reported(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    till = Till()
    cashier = Agent[Any](name="cashier", tools=[till.pay])
    answer_with(tools=[cashier.as_tool("ask_cashier", "Ask the cashier.")])
    model.turns = [calls("ask_cashier", "c1", input="Pay"), calls("pay", "c2", amount=5)]
    await chat.send("Pay five")
    answer_with(name="other")
    assert "cannot be done any more" in str(errors(await click(chat, await card_of(chat), "Allow")))
    assert till.paid == []


async def test_an_agent_that_is_a_tool_may_ask_for_permission_as_a_whole(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    expert = Agent[Any](name="expert", instructions="You are the expert.")
    answer_with(tools=[expert.as_tool("ask_expert", "Ask the expert.", needs_approval=True)])
    model.turns = [calls("ask_expert", "c1", input="Why?"), says("Because."), says("He says: because.")]
    await chat.send("Why?")
    assert texts(await click(chat, await card_of(chat), "Allow")) == ["He says: because."]
    assert results(model)["c1"] == "Because."


async def test_an_agent_that_is_a_tool_answers_the_agent_that_asked(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    expert = Agent[Any](name="expert", instructions="You are the expert.")
    answer_with(tools=[expert.as_tool("ask_expert", "Ask the expert.")])
    model.turns = [calls("ask_expert", "c1", input="Why?"), says("Because."), says("He says: because.")]
    assert texts(await chat.send("Why?")) == ["He says: because."]
    assert [m.text for m in model.requests[1]] == ["You are the expert.", "Why?"]
    assert results(model)["c1"] == "Because."


async def test_the_tokens_of_an_agent_that_is_a_tool_are_those_of_the_answer(
    services: Services, model: ScriptedModel
) -> None:
    counted: list[dict[str, Any]] = []

    class CountingServer(SDKServer):
        async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
            counted.append(dict(turn.usage))

    def costs(tokens: int) -> ChatResponseUpdate:
        usage = Content.from_usage({"input_token_count": tokens, "output_token_count": 1})
        return ChatResponseUpdate(contents=[usage], role="assistant")

    server = CountingServer(services)
    expert = Agent[Any](name="expert", instructions="You are the expert.")
    server.returned = Agent[Any](name="desk", tools=[expert.as_tool("ask_expert", "Ask the expert.")])
    model.turns = [
        [*calls("ask_expert", "c1", input="Why?"), costs(1)],
        [*says("Because."), costs(10)],
        [*says("He says: because."), costs(100)],
    ]
    await Chat(server).send("Why?")
    assert counted == [{"input_token_count": 111, "output_token_count": 3}]


async def test_a_question_of_an_agent_that_is_a_tool_pauses_the_whole_answer(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool
    def ask_size(ctx: RunContextWrapper[Any]) -> str:
        """Ask for the size."""
        said: str = ctx.context.turn.ask(StructuredInputFreeform(id="size", question="How large?"))
        return said

    tailor = Agent[Any](name="tailor", tools=[ask_size])
    chat.server = with_settings(chat.server, tool_timeout_s=30)
    answer_with(tools=[tailor.as_tool("ask_tailor", "Ask the tailor.")])
    model.turns = [calls("ask_tailor", "c1", input="A shirt"), calls("ask_size", "c2"), says("Large it is.")]
    await chat.send("A shirt")
    assert (await chat.items())[-1]["type"] == "structured_input"
    assert len(model.requests) == 2
    assert texts(await chat.send("Large")) == ["Large it is."]


async def test_an_agent_after_a_handoff_continues_after_a_call_of_the_client(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool
    def pick(ctx: RunContextWrapper[Any]) -> str:
        """Let the person pick."""
        ctx.context.client_tool_call = ClientToolCall(name="pick_colour", arguments={})
        return "Asked."

    painter = Agent[Any](name="painter", instructions="You are the painter.", tools=[pick])
    answer_with(instructions="You are the desk.", handoffs=[painter])
    model.turns = [calls("transfer_to_painter", "c0"), calls("pick", "c1"), says("Red it is.", message_id="m2")]
    await chat.send("Paint it")
    events = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"colour": "red"})
    assert texts(events) == ["Red it is."]
    assert instructions(model)[-1] == "You are the painter."


async def test_a_tool_that_is_gone_when_it_is_allowed_is_reported_in_a_sentence(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    till = Till()
    answer_with(tools=[till.pay])
    model.turns = [calls("pay", "c1", amount=5)]
    await chat.send("Pay five")
    answer_with(tools=[])
    [error] = errors(await click(chat, await card_of(chat), "Allow"))
    assert error["message"].startswith("What was allowed cannot be done any more.")
