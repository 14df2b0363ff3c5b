from agents import Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from openai import AsyncOpenAI
from types import SimpleNamespace
from guardrails.runtime import load_config_bundle, instantiate_guardrails, run_guardrails
from pydantic import BaseModel

# Shared client for guardrails and file search
client = AsyncOpenAI()
ctx = SimpleNamespace(guardrail_llm=client)
# Guardrails definitions
safety_config = {
  "guardrails": [
    {"name": "Jailbreak", "config": {"model": "gpt-4.1-mini", "confidence_threshold": 0.7}},
    {"name": "Contains PII", "config": {"block": False, "entities": ["EMAIL_ADDRESS", "CREDIT_CARD"]}}
  ]
}


def tripped(results):
  return any(getattr(r, "tripwire_triggered", False) is True for r in (results or []))


def safe_text_of(results, fallback):
  for r in (results or []):
    info = (r.info if hasattr(r, "info") else None) or {}
    if isinstance(info, dict) and ("checked_text" in info):
      return info.get("checked_text") or fallback
  return fallback


async def scrub_conversation_history(history, config):
  pii = next((g for g in config["guardrails"] if g["name"] == "Contains PII"), None)
  for msg in (history or []):
    content = (msg or {}).get("content") or []
    for part in content:
      if isinstance(part, dict) and part.get("type") == "input_text" and isinstance(part.get("text"), str):
        res = await run_guardrails(ctx, part["text"], "text/plain",
          instantiate_guardrails(load_config_bundle({"guardrails": [pii]})),
          suppress_tripwire=True, raise_guardrail_errors=True)
        part["text"] = safe_text_of(res, part["text"])


def fail_output(results):
  def found(name):
    return next((r for r in results if (r.info or {}).get("guardrail_name") == name), None)
  pii, jailbreak = found("Contains PII"), found("Jailbreak")
  counts = [f"{kind}: {len(texts)}" for kind, texts in ((pii.info if pii else {}).get("detected_entities") or {}).items()]
  return {
    "pii": {"failed": bool(pii and pii.tripwire_triggered), "detected_counts": counts},
    "jailbreak": {"failed": bool(jailbreak and jailbreak.tripwire_triggered)}
  }


async def run_and_apply_guardrails(input_text, config, history, workflow):
  results = await run_guardrails(ctx, input_text, "text/plain", instantiate_guardrails(load_config_bundle(config)),
    suppress_tripwire=True, raise_guardrail_errors=True)
  await scrub_conversation_history(history, config)
  return {
    "has_tripwire": tripped(results),
    "safe_text": safe_text_of(results, input_text),
    "fail_output": fail_output(results or []),
    "pass_output": {"safe_text": safe_text_of(results, input_text)}
  }


helper = Agent(name="Helper", instructions="Help.", model="gpt-4.1", model_settings=ModelSettings(store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Guarded help"):
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    guardrails_input_text = workflow["input_as_text"]
    guardrails_result = await run_and_apply_guardrails(guardrails_input_text, safety_config, conversation_history, workflow)
    guardrails_output = (guardrails_result["has_tripwire"] and guardrails_result["fail_output"]) or guardrails_result["pass_output"]
    if guardrails_result["has_tripwire"]:
      return guardrails_output
    else:
      helper_result_temp = await Runner.run(helper, input=[*conversation_history],
        run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0002"}))
      return {"output_text": helper_result_temp.final_output_as(str)}
