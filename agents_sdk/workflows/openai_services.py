"""Finds the services of OpenAI that an exported workflow needs, in its source, and names them for people."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

HOSTED_TOOLS = {
    "FileSearchTool": "file search in vector stores",
    "WebSearchTool": "web search",
    "CodeInterpreterTool": "the code interpreter",
    "HostedMCPTool": "tools of a hosted MCP server",
    "ImageGenerationTool": "image generation",
    "ComputerTool": "computer use",
    "LocalShellTool": "the local shell tool",
    "ShellTool": "the shell tool",
    "ApplyPatchTool": "the patch tool",
    "ToolSearchTool": "tool search",
}
"""Tools that run in OpenAI's Responses API, by the name of their class."""

CLIENT_SERVICES = {
    "vector_stores": "search in vector stores",
    "files": "files stored at OpenAI",
    "containers": "containers at OpenAI",
    "moderations": "moderation",
    "conversations": "conversations stored at OpenAI",
    "responses": "the Responses API",
    "images": "image generation",
    "audio": "speech",
    "realtime": "realtime sessions",
    "beta": "beta services of OpenAI",
    "batches": "batches",
}
"""Parts of an `AsyncOpenAI` client that other servers do not support, by their attribute."""

HOSTED_GUARDRAILS = {"Moderation": "moderation", "Hallucination Detection": "search in vector stores"}
"""Guardrails that ask OpenAI's services, by the name in their configuration."""

_CONVERSATION_ARGUMENTS = ("previous_response_id", "conversation_id")


@dataclass(frozen=True, slots=True)
class Need:
    """A service of OpenAI that a file uses.

    Attributes:
        service: The name of the service for people.
        culprit: The class, argument or attribute in the file that uses the service.
        line: The line of the culprit.
    """

    service: str
    culprit: str
    line: int

    def __str__(self) -> str:
        """Return the need in words."""
        return f"{self.service} ({self.culprit}, line {self.line})"


def find_needs(tree: ast.Module) -> list[Need]:
    """Return the services of OpenAI that a file uses, ordered by line, each culprit once."""
    first_needs: dict[tuple[str, str], Need] = {}
    for need in _find_all_needs(tree):
        known = first_needs.setdefault((need.service, need.culprit), need)
        if need.line < known.line:
            first_needs[need.service, need.culprit] = need
    return sorted(first_needs.values(), key=lambda need: need.line)


def _find_all_needs(tree: ast.Module) -> Iterator[Need]:
    clients = _find_client_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in HOSTED_TOOLS:
                yield Need(HOSTED_TOOLS[called], called, node.lineno)
            elif called == "OpenAIConversationsSession":
                yield Need("conversations stored at OpenAI", called, node.lineno)
            for keyword in node.keywords:
                if keyword.arg in _CONVERSATION_ARGUMENTS and not _is_none_literal(keyword.value):
                    yield Need("conversations stored at OpenAI", keyword.arg, keyword.value.lineno)
                elif keyword.arg == "prompt" and called == "Agent":
                    yield Need("prompts stored at OpenAI", "Agent(prompt=…)", keyword.value.lineno)
        elif isinstance(node, ast.Attribute) and node.attr in CLIENT_SERVICES:
            if isinstance(node.value, ast.Name) and node.value.id in clients:
                yield Need(CLIENT_SERVICES[node.attr], f"{node.value.id}.{node.attr}", node.lineno)
        elif isinstance(node, ast.Dict) and (guardrail := read_guardrail(node)):
            name, _ = guardrail
            if name in HOSTED_GUARDRAILS:
                yield Need(HOSTED_GUARDRAILS[name], f"guardrail '{name}'", node.lineno)


def read_guardrail(node: ast.Dict) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the settings of a guardrail from its literal configuration; None for any other dictionary.

    Settings whose values are not literals are left out.
    """
    values = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
    name, config = values.get("name"), values.get("config")
    if not isinstance(config, ast.Dict) or not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        return None
    settings = {}
    for key, value in zip(config.keys, config.values, strict=True):
        with suppress(ValueError):
            settings[str(ast.literal_eval(key or value))] = ast.literal_eval(value)
    return name.value, settings


def _find_client_names(tree: ast.Module) -> set[str]:
    """Return the names of the variables that an OpenAI client is assigned to."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func).rpartition(".")[2] in ("AsyncOpenAI", "OpenAI")
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _is_none_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
