"""Workflows that were exported as code of the Agents SDK: read, run in answers. `agents` is loaded late."""
