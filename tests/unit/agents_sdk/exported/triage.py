from agents import function_tool, Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from pydantic import BaseModel
from openai.types.shared.reasoning import Reasoning


# Tool definitions
@function_tool
def find_parcel(number: str):
  return f"Parcel {number} is in Olten."


class RoutingSchema(BaseModel):
  topic: str
  urgency: int


routing = Agent(
  name="Routing",
  instructions="Say what the person wants: parcel, or anything else.",
  model="gpt-4.1-mini",
  output_type=RoutingSchema,
  model_settings=ModelSettings(
    temperature=0,
    top_p=1,
    max_tokens=2048,
    store=True
  )
)


parcel_desk = Agent(
  name="Parcel desk",
  instructions="Find parcels.",
  model="gpt-5",
  tools=[
    find_parcel
  ],
  model_settings=ModelSettings(
    parallel_tool_calls=True,
    store=True,
    reasoning=Reasoning(
      effort="low",
      summary="auto"
    )
  )
)


front_desk = Agent(
  name="Front desk",
  instructions="Help with everything else.",
  model="gpt-4.1",
  model_settings=ModelSettings(
    temperature=1,
    store=True
  )
)


class WorkflowInput(BaseModel):
  input_as_text: str


# Main code entrypoint
async def run_workflow(workflow_input: WorkflowInput):
  with trace("Post office"):
    state = {
      "plan": "basic",
      "tries": 0
    }
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {
        "role": "user",
        "content": [
          {
            "type": "input_text",
            "text": workflow["input_as_text"]
          }
        ]
      }
    ]
    routing_result_temp = await Runner.run(
      routing,
      input=[
        *conversation_history
      ],
      run_config=RunConfig(trace_metadata={
        "__trace_source__": "agent-builder",
        "workflow_id": "wf_0000"
      })
    )

    conversation_history.extend([item.to_input_item() for item in routing_result_temp.new_items])

    routing_result = {
      "output_text": routing_result_temp.final_output.json(),
      "output_parsed": routing_result_temp.final_output.model_dump()
    }
    if routing_result["output_parsed"]["topic"] == "parcel":
      parcel_desk_result_temp = await Runner.run(
        parcel_desk,
        input=[
          *conversation_history,
          {
            "role": "user",
            "content": [
              {
                "type": "input_text",
                "text": f"The plan is {state['plan']}."
              }
            ]
          }
        ],
        run_config=RunConfig(trace_metadata={
          "__trace_source__": "agent-builder",
          "workflow_id": "wf_0000"
        })
      )

      conversation_history.extend([item.to_input_item() for item in parcel_desk_result_temp.new_items])

      parcel_desk_result = {
        "output_text": parcel_desk_result_temp.final_output_as(str)
      }
      return parcel_desk_result
    else:
      front_desk_result_temp = await Runner.run(
        front_desk,
        input=[
          *conversation_history
        ],
        run_config=RunConfig(trace_metadata={
          "__trace_source__": "agent-builder",
          "workflow_id": "wf_0000"
        })
      )
      front_desk_result = {
        "output_text": front_desk_result_temp.final_output_as(str)
      }
