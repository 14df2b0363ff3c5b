"""Copies of agents for one answer, with time limits for tools, live MCP servers and the platform's models."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from agents import Agent, FunctionTool, Handoff, InputGuardrail, RunContextWrapper, Tool
from agents.mcp import MCPServer
from agents.tool import default_tool_error_function
from agents.tool_context import ToolContext

from agents_sdk.guarded_tools import guard_tool
from agents_sdk.mcp_calls import NotReachedError, RecoveringServer
from agents_sdk.mcp_servers import forget_tools, list_tools
from agents_sdk.platform_model import PlatformModels
from framework.mcp_recovery import is_lost
from framework.mcp_servers import NOT_REACHED, UNKNOWN_OUTCOME
from framework.sdk_agents import agent_behind_handoff, lead_handoff_to
from framework.text_updates import TextSink


class AgentCopies:
    """Copies an agent and those that it may hand over to, since many answers may share the author's objects.

    Args:
        timeout_s: How long a tool may take, in seconds.
        mark_call_failed: Receives the ids of calls that failed.
        models: The models of the run.
        show_text: Shows an agent's text at once; None when all text goes through the run.

    Attributes:
        on_tripwire: Called when an input guardrail refuses while the model is already answering.
        tripped: The guardrail that refused; None until one does.
    """

    def __init__(
        self,
        timeout_s: float,
        mark_call_failed: Callable[[str], object],
        models: PlatformModels,
        show_text: TextSink | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._mark_call_failed = mark_call_failed
        self._models = models
        self._show_text = show_text
        self.on_tripwire: Callable[[], object] = lambda: None
        self.tripped: InputGuardrail[Any] | None = None
        self._copies: dict[int, Agent[Any]] = {}

    def copy_of(self, agent: Agent[Any]) -> Agent[Any]:
        """Return the copy of an agent; it is made once, and asking again returns the same object."""
        if (known := self._copies.get(id(agent))) is not None:
            return known
        copied: Any = copy.copy(agent)
        # Before the handoffs are copied, since agents may hand over to one another in a circle.
        self._copies[id(agent)] = self._copies[id(copied)] = copied
        copied.model = self._models.model_of(agent.model, self._show_text)
        copied.tools = self._guard_tools(agent.tools)
        copied.handoffs = [
            self._copy_handoff(handoff) if isinstance(handoff, Handoff) else self.copy_of(handoff)
            for handoff in agent.handoffs
        ]
        copied.input_guardrails = [self._copy_guardrail(guardrail) for guardrail in agent.input_guardrails]
        if agent.mcp_servers:
            copied.get_mcp_tools = partial(self._list_mcp_tools, agent)
        return copied  # type: ignore[no-any-return]

    def _guard_tools(self, tools: Iterable[Tool]) -> list[Tool]:
        return [
            guard_tool(tool, self._timeout_s, self._mark_call_failed) if isinstance(tool, FunctionTool) else tool
            for tool in tools
        ]

    def _copy_handoff(self, handoff: Handoff[Any, Any]) -> Handoff[Any, Any]:
        """Return a handoff that leads to the copy of its agent."""

        async def hand_over(context: Any, arguments: str) -> Any:
            return self.copy_of(await handoff.on_invoke_handoff(context, arguments))

        copied = copy.copy(handoff)
        copied.on_invoke_handoff = hand_over
        if isinstance(target := agent_behind_handoff(handoff), Agent):
            # A run that continues after a pause finds its agents there.
            lead_handoff_to(copied, self.copy_of(target))
        return copied

    def _copy_guardrail(self, guardrail: InputGuardrail[Any]) -> InputGuardrail[Any]:
        """Return a guardrail that also reports a refusal through `on_tripwire` when it runs beside the model."""

        @functools.wraps(guardrail.guardrail_function)
        async def check(context: Any, agent: Any, given: Any) -> Any:
            output: Any = guardrail.guardrail_function(context, agent, given)
            output = await output if inspect.isawaitable(output) else output
            if output.tripwire_triggered and guardrail.run_in_parallel:
                self.tripped = guardrail
                self.on_tripwire()
            return output

        copied = copy.copy(guardrail)
        copied.guardrail_function = check
        return copied

    async def _list_mcp_tools(self, agent: Agent[Any], context: RunContextWrapper[Any]) -> list[Tool]:
        """Return the tools of an agent's MCP servers; of several tools with one name, that of the first server.

        A server that cannot be reached has no tools, and is added to the missing ones.
        """
        lists = await asyncio.gather(*(self._list_server_tools(server, agent, context) for server in agent.mcp_servers))
        tools: dict[str, Tool] = {}
        for server, offered in zip(agent.mcp_servers, lists, strict=True):
            if offered is None:
                self._models.missing.add(server.name)
                continue
            self._models.missing.discard(server.name)
            for tool in offered:
                tools.setdefault(tool.name, tool)
        return [*tools.values()]

    async def _list_server_tools(
        self, server: MCPServer, agent: Agent[Any], context: RunContextWrapper[Any]
    ) -> list[Tool] | None:
        """Return the tools of one server as the SDK makes them for `agent`; None when it cannot be reached."""
        # The SDK lists the tools of all servers of an agent; this copy has one only.
        only: Any = copy.copy(agent)
        only.mcp_servers = [RecoveringServer(server)]
        explain = agent.mcp_config.get("failure_error_function", default_tool_error_function)
        only.mcp_config = {**agent.mcp_config, "failure_error_function": self._build_failure_explainer(server, explain)}
        tools: list[Tool] | None = await list_tools(server, partial(only.get_mcp_tools, context))
        return None if tools is None else self._guard_tools(tools)

    def _build_failure_explainer(self, server: MCPServer, explain: Any) -> Any:
        """Return the SDK's `failure_error_function` for the tools of a server.

        Args:
            server: The server, whose tools are listed again after a failure.
            explain: The author's own function; None lets a failure end the run, as the SDK has it.
        """
        if explain is None:
            return None

        def explain_failure(context: ToolContext[Any], error: Exception) -> Any:
            self._mark_call_failed(context.tool_call_id)
            forget_tools(server)
            if explain is default_tool_error_function and isinstance(error, NotReachedError):
                return NOT_REACHED
            if explain is default_tool_error_function and is_lost(error):
                return UNKNOWN_OUTCOME
            return explain(context, error)

        return explain_failure


def copy_for_approved_calls(agent: Agent[Any]) -> Agent[Any]:
    """Return a copy of an agent that only makes calls which the person has already approved."""
    copied: Any = copy.copy(agent)
    copied.tools = [_without_approval(tool) for tool in agent.tools]
    copied.input_guardrails, copied.output_guardrails, copied.handoffs, copied.hooks = [], [], [], None
    copied.output_type, copied.instructions, copied.prompt = None, None, None
    if agent.mcp_servers:

        async def list_mcp_tools(context: RunContextWrapper[Any]) -> list[Tool]:
            return [_without_approval(tool) for tool in await agent.get_mcp_tools(context)]

        copied.get_mcp_tools = list_mcp_tools
    return copied  # type: ignore[no-any-return]


def _without_approval(tool: Tool) -> Tool:
    if not isinstance(tool, FunctionTool):
        return tool
    copied = copy.copy(tool)
    copied.needs_approval = False
    return copied
