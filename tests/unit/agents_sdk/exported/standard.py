from agents import Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from openai import AsyncOpenAI
from types import SimpleNamespace
from guardrails.runtime import load_config_bundle, instantiate_guardrails, run_guardrails
from pydantic import BaseModel

client = AsyncOpenAI()
ctx = SimpleNamespace(guardrail_llm=client)
# What Agent Builder ticks when its guardrails are switched on
standard_config = {
  "guardrails": [
    {"name": "Contains PII", "config": {"block": False, "detect_encoded_pii": True,
      "entities": ["CREDIT_CARD", "US_BANK_NUMBER", "US_PASSPORT", "US_SSN"]}},
    {"name": "Moderation", "config": {"categories": ["sexual/minors", "violence"]}},
    {"name": "Hallucination Detection", "config": {"model": "gpt-4.1", "knowledge_source": "vs_facts", "confidence_threshold": 0.7}}
  ]
}


def masked(results, text):
  return next((r.info["checked_text"] for r in results if "checked_text" in r.info), text)


def build_guardrail_fail_output(results):
  def _get(name):
    return next((r for r in results if r.info.get("guardrail_name") == name), None)
  pii, mod, jb, hal = map(_get, ["Contains PII", "Moderation", "Jailbreak", "Hallucination Detection"])
  def _tripwire(r):
    return bool(r.tripwire_triggered)
  def _info(r):
    return r.info
  jb_info, hal_info, mod_info, pii_info = map(_info, [jb, hal, mod, pii])
  return {
    "pii": {"failed": _tripwire(pii), "counts": list((pii_info.get("detected_entities") or {}).keys())},
    "moderation": {"failed": _tripwire(mod), "flagged_categories": mod_info.get("flagged_categories")},
    "jailbreak": {"failed": _tripwire(jb)},
    "hallucination": {"failed": _tripwire(hal), "reasoning": hal_info.get("reasoning")}
  }


helper = Agent(name="Helper", instructions="Help.", model="gpt-4.1", model_settings=ModelSettings(store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Standard guardrails"):
    workflow = workflow_input.model_dump()
    results = await run_guardrails(ctx, workflow["input_as_text"], "text/plain",
      instantiate_guardrails(load_config_bundle(standard_config)), suppress_tripwire=True, raise_guardrail_errors=True)
    fail_output = build_guardrail_fail_output(results)
    if any(r.tripwire_triggered for r in results):
      return fail_output
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": masked(results, workflow["input_as_text"])}]}
    ]
    helper_result_temp = await Runner.run(helper, input=[*conversation_history], run_config=RunConfig())
    return {"output_text": helper_result_temp.final_output_as(str)}
