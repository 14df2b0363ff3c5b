"""Answers: the thread's history is converted for the agent, and the agent's updates into ChatKit's events."""
