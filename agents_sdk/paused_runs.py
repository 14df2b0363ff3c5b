"""Stores runs that wait for a person's approval, in the SDK's own format, and continues them.

They are stored in a journal, a hidden item of the thread that only the server writes.
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
"""The result of an agent used as a tool that the model reads while a tool of that agent needs approval."""

JOURNAL_REACH = 50
"""How many of the newest items of a thread are searched for the journal of a question."""

_STATE = "state"
_CALLS = "calls"


def serialize_run(result: Any, known: KnownContents) -> dict[str, Any]:
    """Return a run that waits for a person as an entry of the journal.

    Args:
        result: The run.
        known: The contents that the models have returned: the SDK's state lacks the signatures of calls.
    """
    state = result.to_state().to_json(context_serializer=lambda _: {})
    return {_STATE: state, _CALLS: [call.to_dict() for call in known.calls_with_properties(set(_call_ids(state)))]}


def is_serialized_run(entry: Any) -> bool:
    """Return whether an entry of a journal is a waiting run, and not the result of one."""
    return isinstance(entry, Mapping) and _STATE in entry


async def restore_run(
    entry: Mapping[str, Any],
    agent: Agent[Any],
    decisions: Mapping[str, bool],
    context: Any,
    known: KnownContents,
) -> Any:
    """Return a paused run in the form that the SDK's runner accepts in place of an input.

    Args:
        entry: The run's entry in the journal; trusted, as no client can write it.
        agent: The agent that began the run, as it is now.
        decisions: The person's decisions by call id; the person is asked again about calls without one.
        context: The context of the run.
        known: Receives the contents that are sent back to the provider with the calls of the run.
    """
    known.note([Message("assistant", [Content.from_dict(call) for call in entry.get(_CALLS) or ()])])
    state: RunState[Any, Any] = await RunState.from_json(
        agent,
        dict(entry[_STATE]),
        context_override=context,
        context_deserializer=lambda _: context,  # for runs within the run
    )
    for asked in state.get_interruptions():
        decision = decisions.get(approval_call_id(asked))
        if decision is not None:
            (state.approve if decision else state.reject)(asked)
    return state


def approval_call_id(asked: Any) -> str:
    """Return the id of a call in the question to the person."""
    return str(asked.call_id or _get_field(asked.raw_item, "id"))


def build_approval_requests(result: Any) -> Iterator[Content]:
    """Yield the questions to the person, except those about calls at OpenAI, which are in the stream already."""
    for asked in result.interruptions:
        if _get_field(asked.raw_item, "type") != "mcp_approval_request":
            arguments = _get_field(asked.raw_item, "arguments") or "{}"
            call = Content.from_function_call(approval_call_id(asked), str(asked.name), arguments=arguments)
            yield Content.from_function_approval_request(approval_call_id(asked), call)


def unanswered_calls(result: Any) -> dict[str, tuple[str, str]]:
    """Return names and arguments of the calls of agents used as tools whose own tools wait for approval."""
    asked = {approval_call_id(item) for item in result.interruptions}
    done = {str(item.call_id) for item in result.new_items if isinstance(item, ToolCallOutputItem)}
    calls = {
        str(item.call_id): (str(item.tool_name), str(_get_field(item.raw_item, "arguments") or "{}"))
        for item in result.new_items
        if isinstance(item, ToolCallItem) and item.call_id
    }
    return {call_id: call for call_id, call in calls.items() if call_id not in asked | done}


def build_run_journal(
    result: Any, agent_name: str, waiting: Mapping[str, tuple[str, str]], known: KnownContents
) -> dict[str, Any] | None:
    """Return the journal of an answer that is a single run; None when it would be too large to store.

    Args:
        result: The run.
        agent_name: The agent that began the run.
        waiting: Names and arguments (JSON text) of the calls that wait for others, by their ids.
        known: The contents that the models have returned in the run.
    """
    journal = {
        "agent": agent_name,
        "run": serialize_run(result, known),
        "waiting": {call_id: list(call) for call_id, call in waiting.items()},
        "asked": [approval_call_id(item) for item in result.interruptions],
    }
    return journal if len(json.dumps(journal, ensure_ascii=False)) <= MAX_JOURNAL_CHARS else None


async def load_journal(turn: Turn, decided: ApprovalRequest) -> Mapping[str, Any] | None:
    """Return the journal of a question; None if it is not among the newest items of the thread.

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
    """Yield the ids of the calls in a state, including those of runs within the run."""
    if isinstance(value, Mapping):
        if isinstance(call_id := value.get("call_id"), str):
            yield call_id
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _call_ids(item)


def _get_field(raw: Any, name: str) -> Any:
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
