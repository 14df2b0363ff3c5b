from agents import Agent, Runner, SQLiteSession, trace
from openai.types.responses import ResponseTextDeltaEvent

session = SQLiteSession("conversation_123")
teller = Agent(name="Teller", instructions="Tell.")
counter = Agent(name="Counter", instructions="Count.")

async def run_workflow(workflow_input):
  with trace("Reader"):
    result = Runner.run_streamed(teller, workflow_input["input_as_text"], session=session)
    pieces = []
    async for event in result.stream_events():
      if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
        pieces.append(event.data.delta)
    await Runner.run(counter, "Count the words.", session=session)
    return f"{len(''.join(pieces))} letters"
