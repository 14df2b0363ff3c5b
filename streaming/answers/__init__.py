"""Answers: from the thread's history to the agent, and from its updates to ChatKit's events."""
