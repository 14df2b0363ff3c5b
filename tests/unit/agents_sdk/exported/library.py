from agents import FileSearchTool, WebSearchTool, Agent, ModelSettings, TResponseInputItem, Runner, RunConfig, trace
from openai import AsyncOpenAI
from pydantic import BaseModel

# Tool definitions
file_search = FileSearchTool(
  vector_store_ids=[
    "vs_books"
  ]
)
web_search_preview = WebSearchTool(
  search_context_size="medium",
  user_location={
    "type": "approximate"
  }
)
# Shared client for guardrails and file search
client = AsyncOpenAI()

librarian = Agent(name="Librarian", instructions="Answer from the shelves.", model="gpt-4.1",
  tools=[file_search, web_search_preview], model_settings=ModelSettings(store=True))
reader = Agent(name="Reader", instructions="Sum up.", model="gpt-4.1", model_settings=ModelSettings(store=True))


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Library"):
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    if "shelf" in workflow["input_as_text"]:
      librarian_result_temp = await Runner.run(librarian, input=[*conversation_history],
        run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0003"}))
      return {"output_text": librarian_result_temp.final_output_as(str)}
    filesearch_result = { "results": [
      {
        "id": result.file_id,
        "filename": result.filename,
        "score": result.score,
      } for result in (await client.vector_stores.search(vector_store_id="vs_books", query=workflow["input_as_text"], max_num_results=10)).data
    ]}
    reader_result_temp = await Runner.run(reader, input=[
      *conversation_history,
      {"role": "assistant", "content": [{"type": "output_text", "text": f"Found {filesearch_result['results'][0]['filename']}"}]}
    ], run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0003"}))
    return {"output_text": reader_result_temp.final_output_as(str)}
