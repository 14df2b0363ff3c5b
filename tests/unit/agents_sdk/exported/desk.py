from agents import Agent, RunContextWrapper, Runner, function_tool, trace
from pydantic import BaseModel

from errors import ForbiddenError

CARD = {"type": "Card", "id": "list", "children": [{"type": "Text", "value": "milk"}]}


@function_tool
def add(ctx: RunContextWrapper, item: str) -> str:
  """Add an item."""
  ctx.context.turn.widget(CARD)
  return f"Added {item}."


@function_tool
def refuse() -> str:
  """Refuse."""
  raise ForbiddenError("Not on Sundays.")


desk = Agent(name="desk", instructions="Be kind.", tools=[add, refuse])


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Desk"):
    conversation_history = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow_input.input_as_text}]}
    ]
    result_temp = await Runner.run(desk, input=[*conversation_history])
    conversation_history.extend([item.to_input_item() for item in result_temp.new_items])
    return {"output_text": result_temp.final_output_as(str)}
