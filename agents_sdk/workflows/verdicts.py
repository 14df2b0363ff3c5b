"""Verdicts of the platform's model about texts, for guardrails that ask one."""

from __future__ import annotations

from agents import AgentOutputSchema, ModelBehaviorError, ModelProvider, ModelSettings, ModelTracing
from pydantic import BaseModel

from errors import ModelError


class _Verdict(BaseModel):
    flagged: bool
    confidence: float
    reason: str


async def judge(models: ModelProvider, instruction: str, text: str) -> tuple[bool, float, str]:
    """Let a model judge a text by an instruction; return whether it is flagged, how sure that is, and why.

    Raises:
        ModelError: When it gives no verdict.
    """
    schema = AgentOutputSchema(_Verdict)
    response = await models.get_model(None).get_response(
        instruction, text, ModelSettings(), [], schema, [], ModelTracing.DISABLED,
        previous_response_id=None, conversation_id=None, prompt=None,
    )  # fmt: skip
    said = "".join(
        getattr(part, "text", "") for item in response.output for part in getattr(item, "content", None) or ()
    )
    try:
        verdict: _Verdict = schema.validate_json(said)
    except ModelBehaviorError as exc:
        raise ModelError("The model could not check this message, so it is not answered.") from exc
    return verdict.flagged, verdict.confidence, verdict.reason
