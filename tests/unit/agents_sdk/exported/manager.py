import os
from os import getenv
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_default_openai_client, set_default_openai_key
from openai import AsyncOpenAI

client = AsyncOpenAI(api_key=os.environ["OPENAI_API_KEY"])
set_default_openai_client(client)
set_default_openai_key(os.environ.get("OPENAI_API_KEY", ""))
if not getenv("OPENAI_API_KEY"):
  raise SystemExit("Set OPENAI_API_KEY")

expert = Agent(name="Expert", instructions="Know.")

@function_tool
async def ask_expert(question: str) -> str:
  """Ask the expert."""
  return (await Runner.run(expert, question)).final_output

desk = Agent(name="Desk", instructions="Serve.", tools=[ask_expert])
closer = Agent(name="Closer", instructions="Close.", model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=client))

class Manager:
  def __init__(self, agent):
    self.agent = agent

  async def answer(self, text):
    result = await Runner.run(self.agent, text)
    return (await Runner.run(closer, result.to_input_list() + [{"role": "user", "content": "Close it."}])).final_output

manager = Manager(desk)

async def chat(message: str):
  return await manager.answer(message)
