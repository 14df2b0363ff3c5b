from agents import Agent, Runner
from openai import AsyncOpenAI, OpenAI

client = AsyncOpenAI(api_key=None)
other = OpenAI()
writer = Agent(name="Writer", instructions="Write.")


async def run_workflow(workflow_input):
  answer = await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": workflow_input["input_as_text"]}])
  result = await Runner.run(writer, input=f"Write: {answer.choices[0].message.content}")
  return {"output_text": result.final_output_as(str)}
