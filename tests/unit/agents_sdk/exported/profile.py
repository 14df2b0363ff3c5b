from agents import RunContextWrapper, Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from pydantic import BaseModel


class ProfileSchema__SkillsItem(BaseModel):
  name: str
  years: int


class ProfileSchema(BaseModel):
  full_name: str
  is_open_to_work: bool
  skills: list[ProfileSchema__SkillsItem]
  towns: list[str]
  nickname: str | None


class ExtractorContext:
  def __init__(self, state_language: str) -> None:
    self.state_language = state_language


def extractor_instructions(run_context: RunContextWrapper[ExtractorContext], _agent: Agent[ExtractorContext]):
  state_language = run_context.context.state_language
  return f"Extract the profile. Write in {state_language}."


extractor = Agent(name="Extractor", instructions=extractor_instructions, model="gpt-4.1", output_type=ProfileSchema,
  model_settings=ModelSettings(temperature=1, top_p=1, max_tokens=2048, store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Profiles"):
    state = {"language": "English"}
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    extractor_result_temp = await Runner.run(extractor, input=[*conversation_history],
      run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0005"}),
      context=ExtractorContext(state_language=state["language"]))
    conversation_history.extend([item.to_input_item() for item in extractor_result_temp.new_items])
    extractor_result = {
      "output_text": extractor_result_temp.final_output.json(),
      "output_parsed": extractor_result_temp.final_output.model_dump()
    }
    return extractor_result
