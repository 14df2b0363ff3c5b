from agents import Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from pydantic import BaseModel

calls_of_this_file = []


class PlanSchema(BaseModel):
  amount: float
  reason: str


planner = Agent(name="Planner", instructions="Plan the refund.", model="gpt-4.1", output_type=PlanSchema,
  model_settings=ModelSettings(store=True))
writer = Agent(name="Writer", instructions="Tell the person.", model="gpt-4.1", model_settings=ModelSettings(store=True))


def approval_request(message: str):
  # TODO: Implement
  return True


def approval_request1(message: str):
  # TODO: Implement
  return True


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  calls_of_this_file.append(workflow_input.input_as_text)
  with trace("Refunds"):
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    planner_result_temp = await Runner.run(planner, input=[*conversation_history],
      run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0001"}))
    conversation_history.extend([item.to_input_item() for item in planner_result_temp.new_items])
    planner_result = {
      "output_text": planner_result_temp.final_output.json(),
      "output_parsed": planner_result_temp.final_output.model_dump()
    }
    approval_message = f"Refund {planner_result['output_parsed']['amount']} francs?"

    if approval_request(approval_message):
      if approval_request1("Send a voucher too?"):
        note = "With a voucher."
      else:
        note = "Without a voucher."
      writer_result_temp = await Runner.run(writer, input=[
        *conversation_history,
        {"role": "user", "content": [{"type": "input_text", "text": note}]}
      ], run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0001"}))
      return {"output_text": writer_result_temp.final_output_as(str), "asked": len(calls_of_this_file)}
    else:
      end_result = {"message": "Nothing was refunded."}
      return end_result
