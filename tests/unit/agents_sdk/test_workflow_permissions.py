"""Approvals of tools in an exported workflow, which continues afterwards, also after a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.agents_sdk.imported import Imported, imported
from tests.unit.agents_sdk.test_hosted_tools import streamed
from tests.unit.harness import Chat, errors, texts
from tests.unit.provider_stub import Call
from tests.unit.streaming.test_approvals import card_of, click

PROTOCOLS = ["openai", "compatible"]

pytestmark = pytest.mark.usefixtures("known_cities")


def planned(plan: str) -> str:
    return json.dumps({"plan": plan})


def resumed(chat: Chat, flow: Imported) -> Chat:
    """Return the same person's conversation with another process."""
    again = flow.chat(chat.user)
    again.thread_id = chat.thread_id
    return again


def outputs_of(body: dict[str, Any]) -> dict[str, str]:
    """Return the outputs of calls in a request to a provider, in either protocol."""
    items = body.get("input") or body["messages"]
    found = [item for item in items if item.get("type") == "function_call_output" or item.get("role") == "tool"]
    return {item.get("call_id") or item["tool_call_id"]: str(item.get("output") or item["content"]) for item in found}


@pytest.mark.parametrize("provider", PROTOCOLS)
@pytest.mark.parametrize(("button", "told"), [("Allow", "Sent to ada, mail 1."), ("Don't allow", "not approved")])
async def test_the_person_is_asked_and_the_workflow_continues_after_a_restart(
    tmp_path: Path, provider: str, button: str, told: str
) -> None:
    async with imported(tmp_path, "mailer", provider, name="mailer") as flow:
        chat = flow.chat()
        calls = [Call("c1", "send_mail", {"to": "ada"}), Call("c2", "look_up", {"name": "bob"})]
        flow.will_say(planned("send"), flow.answers.calls(*calls))
        events = await chat.send("Write to Ada")
        card = card_of(events)
        assert errors(events) == []
        assert "ada" in json.dumps(card["widget"])
        assert len(flow.stub.requests) == 2
    async with imported(tmp_path, "mailer", provider, name="mailer") as flow:
        chat = resumed(chat, flow)
        flow.will_say("That is all.", "Ada was written to.")
        events = await click(chat, card, button)
        assert (texts(events), errors(events)) == (["That is all.", "Ada was written to."], [])
        sender, _ = flow.stub.requests
        outputs = outputs_of(sender.body)
        assert told in outputs["c1"]
        assert outputs["c2"] == "bob@x.example"
        flow.will_say(planned("send"), "Hello.", "Bye.")
        assert texts(await chat.send("And now?")) == ["Hello.", "Bye."]


async def test_a_run_may_ask_more_than_once_and_for_several_calls_at_once(tmp_path: Path) -> None:
    async with imported(tmp_path, "mailer") as flow:
        chat = flow.chat()
        first = [Call("c1", "send_mail", {"to": "ada"}), Call("c2", "send_mail", {"to": "bob"})]
        flow.will_say(planned("send"), flow.answers.calls(*first))
        card = card_of(await chat.send("Write to both"))
        both = json.dumps(card["widget"])
        assert "ada" in both
        assert "bob" in both
        await click(chat, card, "Allow")
        flow.will_say(flow.answers.calls(Call("c3", "send_mail", {"to": "eve"})))
        card = card_of(await click(chat, card, "Don't allow", at=1))
        assert "eve" in json.dumps(card["widget"])
        flow.will_say("All sent.", "Done.")
        events = await click(chat, card, "Don't allow")
        assert (texts(events), errors(events)) == (["All sent.", "Done."], [])
        told = outputs_of(flow.stub.requests[-1].body)
        assert told["c1"].startswith("Sent to ada")
        assert all("not approved" in told[call_id] for call_id in ("c2", "c3"))


async def test_a_tool_of_an_agent_that_is_a_tool_asks_too(tmp_path: Path) -> None:
    async with imported(tmp_path, "mailer", name="mailer") as flow:
        chat = flow.chat()
        flow.will_say(planned("boss"), flow.answers.calls(Call("b1", "ask_sender", {"input": "to Ada"})))
        flow.will_say(flow.answers.calls(Call("c1", "send_mail", {"to": "ada"})))
        events = await chat.send("Write to Ada")
        card = card_of(events)
        assert "ada" in json.dumps(card["widget"])
    async with imported(tmp_path, "mailer", name="mailer") as flow:
        flow.will_say("Sent it.", "It is sent.", "Done.")
        events = await click(resumed(chat, flow), card, "Allow")
        assert (texts(events), errors(events)) == (["It is sent.", "Done."], [])
        assert "Sent to ada" in json.dumps(flow.stub.requests[0].body)


@pytest.mark.parametrize(("button", "is_allowed"), [("Allow", True), ("Don't allow", False)])
async def test_a_remote_server_asks_for_a_permission_of_its_own(
    tmp_path: Path, button: str, *, is_allowed: bool
) -> None:
    asked = {"id": "mcpr_1", "type": "mcp_approval_request", "name": "put", "arguments": "{}", "server_label": "crm"}
    async with imported(tmp_path, "mailer", name="mailer") as flow:
        chat = flow.chat()
        flow.will_say(planned("clerk"), streamed(asked))
        events = await chat.send("Keep Ada")
        card = card_of(events)
        assert errors(events) == []
    async with imported(tmp_path, "mailer", name="mailer") as flow:
        flow.will_say("Kept.", "Done.")
        events = await click(resumed(chat, flow), card, button)
        assert (texts(events), errors(events)) == (["Kept.", "Done."], [])
        sent = {item["type"]: item for item in flow.stub.requests[0].body["input"]}
        assert sent["mcp_approval_response"]["approve"] is is_allowed
