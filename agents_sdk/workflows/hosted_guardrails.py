"""Guardrails that use services of OpenAI, through the client that the file has made for them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from errors import ModelError

Outcome = tuple[bool, dict[str, Any]]
"""Whether a check refuses a text, and the details under the names that exported files read."""

MODERATION_MODEL = "omni-moderation-latest"

_FACT_CHECK_INSTRUCTIONS = (
    "Compare the statements of the person with the documents that the file search finds. Flag the text if one of them "
    "contradicts the documents, or if nothing in them supports it. Greetings, questions and opinions are no statements."
)
_TEXT_LIST = {"type": "array", "items": {"type": "string"}}
_VERDICT_PROPERTIES: dict[str, Any] = {
    "flagged": {"type": "boolean"},
    "confidence": {"type": "number"},
    "reasoning": {"type": "string"},
    "hallucination_type": {"type": ["string", "null"]},
    "hallucinated_statements": _TEXT_LIST,
    "verified_statements": _TEXT_LIST,
}


async def check_moderation(client: Any, text: str, config: Mapping[str, Any]) -> Outcome:
    """Check a text with OpenAI's moderation, for the categories in the configuration or for all of them."""
    moderated = await _await_if_needed(client.moderations.create(model=MODERATION_MODEL, input=text))
    categories = config.get("categories")
    judged = [result.model_dump(by_alias=True)["categories"] for result in moderated.results]
    flagged = [
        name
        for categories_flagged in judged
        for name, is_flagged in categories_flagged.items()
        if is_flagged and (not categories or name in categories)
    ]
    return bool(flagged), {"flagged_categories": flagged}


async def check_facts(client: Any, text: str, config: Mapping[str, Any]) -> Outcome:
    """Check the statements of a text against the documents in a vector store at OpenAI.

    Raises:
        ModelError: When the answer does not match the schema; the check does not count as passed.
    """
    schema = {
        "type": "object",
        "properties": _VERDICT_PROPERTIES,
        "required": list(_VERDICT_PROPERTIES),
        "additionalProperties": False,
    }
    response = await _await_if_needed(
        client.responses.create(
            model=str(config.get("model") or "gpt-4.1-mini"),
            instructions=_FACT_CHECK_INSTRUCTIONS,
            input=text,
            tools=[{"type": "file_search", "vector_store_ids": [str(config.get("knowledge_source") or "")]}],
            text={"format": {"type": "json_schema", "name": "verdict", "schema": schema, "strict": True}},
        )
    )
    try:
        verdict = json.loads(response.output_text)
        confidence = float(verdict["confidence"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ModelError("The model could not check this message, so it is not answered.") from exc
    is_over = bool(verdict.get("flagged")) and confidence >= float(config.get("confidence_threshold") or 0.7)
    return is_over, {name: verdict.get(name) for name in _VERDICT_PROPERTIES} | {
        "threshold": config.get("confidence_threshold")
    }


async def _await_if_needed(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


CHECKS: Mapping[str, Callable[[Any, str, Mapping[str, Any]], Awaitable[Outcome]]] = {
    "Moderation": check_moderation,
    "Hallucination Detection": check_facts,
}
"""The checks by the names of their guardrails."""
