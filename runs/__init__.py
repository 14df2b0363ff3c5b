"""Runs: the task that produces an answer, the log of its events, and the viewers of the log."""
