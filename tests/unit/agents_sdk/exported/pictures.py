import agents
import openai
from pydantic import BaseModel, Field

client = openai.AsyncOpenAI()


class PictureInput(BaseModel):
    input_as_text: str
    image_data_urls: list[str] = Field(default_factory=list)
    plan: str = "basic"


async def describe(workflow_input: PictureInput) -> str:
    viewer = agents.Agent(name="Viewer", instructions=f"Describe, for the plan {workflow_input.plan}.")
    with agents.trace("Pictures"):
        result = await agents.Runner.run(viewer, workflow_input.input_as_text)
    return f"{result.final_output} ({len(workflow_input.image_data_urls)} seen)"
