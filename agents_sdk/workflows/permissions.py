"""Tools of a workflow that need a person's word: the run is kept as the SDK keeps it, and goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_framework import Content
from agents import Agent, RunState, ToolCallItem, ToolCallOutputItem

_STATE = "state"


def kept_run(result: Any) -> dict[str, Any]:
    """Return a run that waits for a person as an entry of the journal."""
    return {_STATE: result.to_state().to_json(context_serializer=lambda _: {})}


def is_kept_run(entry: Any) -> bool:
    """Say whether an entry of a journal is a run that waits, and not what came of one."""
    return isinstance(entry, Mapping) and _STATE in entry


async def continued_run(
    entry: Mapping[str, Any], agent: Agent[Any], decisions: Mapping[str, bool], context: Any
) -> Any:
    """Return a run that goes on where it has waited, as the SDK's runner takes it in the place of an input.

    Args:
        entry: What the journal has kept of it; the journal is in the database, where no client writes.
        agent: The agent that began it, as it is now.
        decisions: What the person has said, by the ids of the calls; what they were not asked is asked again.
        context: The context of the run.
    """
    state: RunState[Any, Any] = await RunState.from_json(agent, dict(entry[_STATE]), context_override=context)
    for asked in state.get_interruptions():
        decision = decisions.get(call_id_of(asked))
        if decision is not None:
            (state.approve if decision else state.reject)(asked)
    return state


def call_id_of(asked: Any) -> str:
    """Return the id under which a person is asked about a call."""
    raw = asked.raw_item
    own = raw.get("id") if isinstance(raw, Mapping) else getattr(raw, "id", None)
    return str(asked.call_id or own)


def requests_of(result: Any) -> Iterator[Content]:
    """Return the questions to the person; those about calls that OpenAI makes are in the stream already."""
    for asked in result.interruptions:
        raw = asked.raw_item
        kind, arguments = (
            (raw.get("type"), raw.get("arguments"))
            if isinstance(raw, Mapping)
            else (getattr(raw, "type", None), getattr(raw, "arguments", None))
        )
        if kind != "mcp_approval_request":
            call = Content.from_function_call(call_id_of(asked), str(asked.name), arguments=arguments or "{}")
            yield Content.from_function_approval_request(call_id_of(asked), call)


def unanswered_calls(result: Any) -> list[str]:
    """Return the ids of calls that wait for others: of agents that are tools, and whose own tools need a word."""
    asked = {call_id_of(each) for each in result.interruptions}
    done = {str(item.call_id) for item in result.new_items if isinstance(item, ToolCallOutputItem)}
    made = [str(item.call_id) for item in result.new_items if isinstance(item, ToolCallItem) and item.call_id]
    return [each for each in made if each not in asked | done]
