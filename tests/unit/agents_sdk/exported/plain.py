from agents import Agent, Runner

assistant = Agent(name="Assistant", instructions="Be kind.")


def run_workflow(question: str):
    result = Runner.run_sync(assistant, question)
    return result.final_output
