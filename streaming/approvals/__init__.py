"""Approvals: tool calls that a person has to allow."""
