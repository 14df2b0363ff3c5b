import asyncio

from agents import Agent, ModelSettings, Runner, RunConfig, trace
from pydantic import BaseModel

checker = Agent(name="Checker", instructions="Check the facts.", model="gpt-4.1-mini")
optimist = Agent(name="Optimist", instructions="See the good.", model="gpt-4.1",
  tools=[checker.as_tool(tool_name="check", tool_description="Check facts.")])
pessimist = Agent(name="Pessimist", instructions="See the bad.", model="gpt-4.1")
chair = Agent(name="Chair", instructions="Conclude.", model="gpt-4.1", model_settings=ModelSettings(store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Panel"):
    conversation_history = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow_input.input_as_text}]}
    ]
    good, bad = await asyncio.gather(
      Runner.run(optimist, input=[*conversation_history]),
      Runner.run(pessimist, input=[*conversation_history])
    )
    conversation_history.extend([item.to_input_item() for item in good.new_items])
    conversation_history.extend([item.to_input_item() for item in bad.new_items])
    chair_result = await Runner.run(chair, input=conversation_history, run_config=RunConfig(workflow_name="Panel"))
    return {"output_text": chair_result.final_output_as(str)}
