from agents import Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from pydantic import BaseModel


class JudgementSchema(BaseModel):
  good: bool
  advice: str


poet = Agent(name="Poet", instructions="Write a line.", model="gpt-4.1", model_settings=ModelSettings(store=True))
critic = Agent(name="Critic", instructions="Judge the line.", model="gpt-4.1", output_type=JudgementSchema,
  model_settings=ModelSettings(store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Poems"):
    state = {"round": 0, "done": False, "rounds": 3}
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    while (not state["done"] and state["round"] < state["rounds"]):
      poet_result_temp = await Runner.run(poet, input=[*conversation_history],
        run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0004"}))
      conversation_history.extend([item.to_input_item() for item in poet_result_temp.new_items])
      critic_result_temp = await Runner.run(critic, input=[*conversation_history],
        run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0004"}))
      conversation_history.extend([item.to_input_item() for item in critic_result_temp.new_items])
      critic_result = {
        "output_text": critic_result_temp.final_output.json(),
        "output_parsed": critic_result_temp.final_output.model_dump()
      }
      state["done"] = critic_result["output_parsed"]["good"]
      state["round"] = state["round"] + 1
    return {"output_text": poet_result_temp.final_output_as(str)}
