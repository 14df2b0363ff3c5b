"""Lets the platform's model judge a text, for guardrails whose package is not installed."""

from __future__ import annotations

from agents import AgentOutputSchema, Model, ModelBehaviorError, ModelSettings, ModelTracing
from pydantic import BaseModel

from errors import ModelError


class _Verdict(BaseModel):
    flagged: bool
    confidence: float
    reason: str


async def judge(model: Model, instruction: str, text: str) -> tuple[bool, float, str]:
    """Let a model judge a text; return whether it is flagged, the confidence, and the reason.

    Raises:
        ModelError: When the answer does not match the schema; the check does not count as passed.
    """
    schema = AgentOutputSchema(_Verdict)
    response = await model.get_response(
        instruction, text, ModelSettings(), [], schema, [], ModelTracing.DISABLED,
        previous_response_id=None, conversation_id=None, prompt=None,
    )  # fmt: skip
    answer = "".join(
        getattr(part, "text", "") for item in response.output for part in getattr(item, "content", None) or ()
    )
    try:
        verdict: _Verdict = schema.validate_json(answer)
    except ModelBehaviorError as exc:
        raise ModelError("The model could not check this message, so it is not answered.") from exc
    return verdict.flagged, verdict.confidence, verdict.reason
