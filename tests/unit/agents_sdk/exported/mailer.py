from agents import Agent, HostedMCPTool, ModelSettings, TResponseInputItem, Runner, RunConfig, function_tool, trace
from pydantic import BaseModel

sent = []


@function_tool(needs_approval=True)
def send_mail(to: str) -> str:
  """Send a mail."""
  sent.append(to)
  return f"Sent to {to}, mail {len(sent)}."


@function_tool
def look_up(name: str) -> str:
  """Look up an address."""
  return f"{name}@x.example"


mcp = HostedMCPTool(tool_config={"type": "mcp", "server_label": "crm", "server_url": "https://crm.example/mcp", "require_approval": "always"})


class PlanSchema(BaseModel):
  plan: str


planner = Agent(name="Planner", instructions="Plan.", model="gpt-4.1", output_type=PlanSchema)
sender = Agent(name="Sender", instructions="Send mails.", model="gpt-4.1", tools=[send_mail, look_up], model_settings=ModelSettings(store=True))
boss = Agent(name="Boss", instructions="Let others send.", model="gpt-4.1", tools=[sender.as_tool("ask_sender", "Send a mail.")])
clerk = Agent(name="Clerk", instructions="Keep the customers.", model="gpt-4.1", tools=[mcp])
writer = Agent(name="Writer", instructions="Tell what was done.", model="gpt-4.1")


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Mailer"):
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    planner_result_temp = await Runner.run(planner, input=[*conversation_history], run_config=RunConfig())
    plan = planner_result_temp.final_output.model_dump()["plan"]
    agent = {"boss": boss, "clerk": clerk}.get(plan, sender)
    result_temp = await Runner.run(agent, input=[*conversation_history], run_config=RunConfig())
    conversation_history.extend([item.to_input_item() for item in result_temp.new_items])
    writer_result_temp = await Runner.run(writer, input=[*conversation_history])
    return {"output_text": writer_result_temp.final_output_as(str)}
