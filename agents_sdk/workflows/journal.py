"""The journal of a workflow that waits for a person: the results of its agents and guardrails so far, as JSON.

When the person has decided, the file is run from its beginning, and takes the results in the journal from there.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from agents import Agent, RunContextWrapper, RunResult
from agents import items as sdk_items
from agents.items import RunItem
from openai.types.responses import ResponseOutputItem
from pydantic import BaseModel, TypeAdapter

from errors import AgentError
from turns.workflow_journal import MAX_JOURNAL_CHARS

_OUTPUT_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)
_ITEM_CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        sdk_items.MessageOutputItem,
        sdk_items.ToolCallItem,
        sdk_items.ToolCallOutputItem,
        sdk_items.ReasoningItem,
        sdk_items.HandoffCallItem,
        sdk_items.MCPListToolsItem,
        sdk_items.MCPApprovalRequestItem,
        sdk_items.MCPApprovalResponseItem,
    )
}


class Journal:
    """The results of each agent and of the guardrails, in the order in which they were asked.

    Args:
        stored: The journal of the earlier part of the same answer; None at the beginning of an answer.
    """

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        stored = stored or {}
        self.decisions: list[bool] = list(stored.get("decisions") or ())
        self.calls: dict[str, bool] = dict(stored.get("calls") or {})
        self._entries: dict[str, list[Any]] = defaultdict(list)
        for key, entries in (stored.get("entries") or {}).items():
            self._entries[key] = list(entries)
        self._slots_taken: Counter[str] = Counter()

    def next_slot(self, key: str) -> int:
        """Return the index for the next result of an agent or of the guardrails.

        It is reserved when they are asked, so that those which run in parallel find their own results again.
        """
        slot = self._slots_taken[key]
        self._slots_taken[key] += 1
        entries = self._entries[key]
        entries.extend([None] * (slot + 1 - len(entries)))
        return slot

    def find_entry(self, key: str, slot: int) -> Any:
        """Return the entry in a slot; None if there is none yet."""
        return self._entries[key][slot]

    def add(self, key: str, slot: int, entry: Any) -> None:
        """Record an entry in a slot; a result of a run is converted to JSON when the journal is stored."""
        self._entries[key][slot] = entry

    def dump(self, **more: Any) -> dict[str, Any]:
        """Return the journal as JSON.

        Raises:
            AgentError: When the journal is too large to be stored.
        """
        entries = {
            key: [
                result if result is None or isinstance(result, dict | list) else _record_run(result)
                for result in results
            ]
            for key, results in self._entries.items()
        }
        dumped = {"entries": entries, "decisions": self.decisions, **more}
        if len(json.dumps(dumped, ensure_ascii=False)) > MAX_JOURNAL_CHARS:
            raise AgentError(
                "This assistant cannot wait for your word: there is too much to keep meanwhile.",
                f"the results up to the approval have more than {MAX_JOURNAL_CHARS:,} characters of JSON",
            )
        return dumped


def restore_result(entry: Mapping[str, Any], agent: Agent[Any], run_input: Any, context: Any) -> RunResult:
    """Return a recorded result as a result of the SDK, for the file to use.

    Args:
        entry: The record.
        agent: The agent.
        run_input: The input of the run.
        context: The context of the run.
    """
    output = entry["output"]
    if (kind := agent.output_type) is not None and kind is not str and entry["is_structured"]:
        schema: Any = getattr(kind, "output_type", kind)
        output = TypeAdapter(schema).validate_python(output)
    return RunResult(
        input=run_input,
        new_items=[_restore_item(item, agent) for item in entry["items"]],
        raw_responses=[],
        final_output=output,
        input_guardrail_results=[],
        output_guardrail_results=[],
        tool_input_guardrail_results=[],
        tool_output_guardrail_results=[],
        context_wrapper=RunContextWrapper(context),
        _last_agent=agent,
    )


def _record_run(result: Any) -> dict[str, Any]:
    output = result.final_output
    is_structured = not isinstance(output, str) and output is not None
    dumped = TypeAdapter(type(output)).dump_python(output, mode="json") if is_structured else output
    return {
        "items": [_record_item(item) for item in result.new_items],
        "output": dumped,
        "is_structured": is_structured,
    }


def _record_item(item: RunItem) -> dict[str, Any]:
    raw: Any = item.raw_item
    dumped = raw.model_dump(mode="json", exclude_unset=True) if isinstance(raw, BaseModel) else dict(raw)
    record: dict[str, Any] = {"kind": type(item).__name__, "raw": dumped}
    if isinstance(item, sdk_items.ToolCallOutputItem):
        record["output"] = item.output if isinstance(item.output, str) else str(item.output)
    return record


def _restore_item(record: Mapping[str, Any], agent: Agent[Any]) -> RunItem:
    kind, raw = _ITEM_CLASSES.get(record["kind"]), record["raw"]
    if kind is sdk_items.ToolCallOutputItem:
        return sdk_items.ToolCallOutputItem(agent=agent, raw_item=raw, output=record["output"])
    if kind is None:
        return sdk_items.InputItem(agent=agent, raw_item=raw)
    item: RunItem = kind(agent=agent, raw_item=_OUTPUT_ITEM.validate_python(raw))
    return item
