"""Agents of the OpenAI Agents SDK: their model, their context, their stream. Loaded when a use case returns one."""
