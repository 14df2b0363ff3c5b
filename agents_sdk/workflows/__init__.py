"""Workflows that were exported as code of the Agents SDK: read, run in answers, asked about. `agents` is loaded late."""
