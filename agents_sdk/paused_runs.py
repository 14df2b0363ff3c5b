"""Runs that wait for a person's approval: each is stored in the SDK's own form, and continues from there.

The place is a journal, a hidden item of the thread, which only the server writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent_framework import Content, Message
from agents import Agent, RunState, ToolCallItem, ToolCallOutputItem

from agents_sdk.input_items import KnownContents
from context import Turn
from turns.approval_request import ApprovalRequest
from turns.workflow_journal import MAX_JOURNAL_CHARS, read_journal

PERMISSION_ASKED = "This has paused: the person is asked for a permission that it needs. What came of that follows."
"""The result that the model reads of an agent's call whose own tool needs a person's approval."""

JOURNAL_REACH = 50
"""How many of the newest items are looked through for the journal of a question."""

_STATE = "state"
_CALLS = "calls"


def kept_run(result: Any, known: KnownContents) -> dict[str, Any]:
    """Return a run that waits for a person as an entry of the journal.

    Args:
        result: The run.
        known: What the models gave in it: the state has no place for signatures of calls.
    """
    state = result.to_state().to_json(context_serializer=lambda _: {})
    return {_STATE: state, _CALLS: [call.to_dict() for call in known.signed_calls(set(_call_ids(state)))]}


def is_kept_run(entry: Any) -> bool:
    """Say whether an entry of a journal is a run that waits, and not what came of one."""
    return isinstance(entry, Mapping) and _STATE in entry


async def continued_run(
    entry: Mapping[str, Any],
    agent: Agent[Any],
    decisions: Mapping[str, bool],
    context: Any,
    known: KnownContents,
) -> Any:
    """Return a run that continues where it was paused, in the form that the SDK's runner accepts instead of an input.

    Args:
        entry: The entry of the run in the journal, which is in the database, where no client can write.
        agent: The agent that began the run, in its present state.
        decisions: The person's decisions by call id; calls without one are asked about again.
        context: The context of the run.
        known: Receives the contents that go back to the provider with the calls of the run.
    """
    known.note([Message("assistant", [Content.from_dict(call) for call in entry.get(_CALLS) or ()])])
    state: RunState[Any, Any] = await RunState.from_json(
        agent,
        dict(entry[_STATE]),
        context_override=context,
        context_deserializer=lambda _: context,  # of the runs within it
    )
    for asked in state.get_interruptions():
        decision = decisions.get(call_id_of(asked))
        if decision is not None:
            (state.approve if decision else state.reject)(asked)
    return state


def call_id_of(asked: Any) -> str:
    """Return the id under which a person is asked about a call."""
    return str(asked.call_id or _part(asked.raw_item, "id"))


def requests_of(result: Any) -> Iterator[Content]:
    """Return the questions to the person; those about calls that OpenAI makes are in the stream already."""
    for asked in result.interruptions:
        if _part(asked.raw_item, "type") != "mcp_approval_request":
            arguments = _part(asked.raw_item, "arguments") or "{}"
            call = Content.from_function_call(call_id_of(asked), str(asked.name), arguments=arguments)
            yield Content.from_function_approval_request(call_id_of(asked), call)


def unanswered_calls(result: Any) -> dict[str, tuple[str, str]]:
    """Return names and arguments of the calls of agents used as tools whose own tools wait for approval."""
    asked = {call_id_of(each) for each in result.interruptions}
    done = {str(item.call_id) for item in result.new_items if isinstance(item, ToolCallOutputItem)}
    made = {
        str(item.call_id): (str(item.tool_name), str(_part(item.raw_item, "arguments") or "{}"))
        for item in result.new_items
        if isinstance(item, ToolCallItem) and item.call_id
    }
    return {call_id: call for call_id, call in made.items() if call_id not in asked | done}


def journal_of_run(
    result: Any, agent_name: str, waiting: Mapping[str, tuple[str, str]], known: KnownContents
) -> dict[str, Any] | None:
    """Return the journal of an answer that is a single run; None when it would be too large to store.

    Args:
        result: The run.
        agent_name: The agent that began the run.
        waiting: Names and arguments (JSON text) of the calls that wait for others, by their ids.
        known: The contents that the models returned in the run.
    """
    journal = {
        "agent": agent_name,
        "run": kept_run(result, known),
        "waiting": {call_id: list(call) for call_id, call in waiting.items()},
        "asked": [call_id_of(each) for each in result.interruptions],
    }
    return journal if len(json.dumps(journal, ensure_ascii=False)) <= MAX_JOURNAL_CHARS else None


async def load_journal(turn: Turn, decided: ApprovalRequest) -> Mapping[str, Any] | None:
    """Return the journal that was stored near a question; None when it is not found among the newest items.

    Args:
        turn: The answer that continues.
        decided: The question, with the person's decisions.
    """
    ids, store = {call.call_id for call in decided.calls}, turn.services.store
    page = await store.load_thread_items(
        turn.thread.id, after=None, limit=JOURNAL_REACH, order="desc", context=turn.context
    )
    for item in page.data:
        journal = read_journal(item)
        if journal is not None and (item.id in ids or ids.intersection(journal.get("asked") or ())):
            return journal
    return None


def _call_ids(value: Any) -> Iterator[str]:
    """Return the ids of the calls in a state, those of runs within it too."""
    if isinstance(value, Mapping):
        if isinstance(call_id := value.get("call_id"), str):
            yield call_id
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _call_ids(each)


def _part(raw: Any, name: str) -> Any:
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
