from agents import (
  Agent, GuardrailFunctionOutput, InputGuardrailTripwireTriggered, ModelSettings, Runner, RunConfig, input_guardrail,
  output_guardrail, trace,
)
from pydantic import BaseModel


class HomeworkSchema(BaseModel):
  is_homework: bool


homework_check = Agent(name="Homework check", instructions="Is it homework?", output_type=HomeworkSchema)


@input_guardrail
async def no_homework(context, agent, input):
  result = await Runner.run(homework_check, input, context=context.context)
  return GuardrailFunctionOutput(output_info=None, tripwire_triggered=result.final_output.is_homework)


@output_guardrail
def no_secrets(context, agent, output):
  return GuardrailFunctionOutput(output_info=None, tripwire_triggered="hunter2" in output)


tutor = Agent(name="Tutor", instructions="Teach.", model="gpt-4.1", input_guardrails=[no_homework],
  output_guardrails=[no_secrets], model_settings=ModelSettings(store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Tutor"):
    try:
      result = await Runner.run(tutor, input=workflow_input.input_as_text, run_config=RunConfig(workflow_name="Tutor"))
    except InputGuardrailTripwireTriggered:
      return "Do your homework yourself."
    return {"output_text": result.final_output_as(str)}
