"""Copies of agents for one answer: their tools are bounded, their servers connected, their models the platform's."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from agents import Agent, FunctionTool, Handoff, InputGuardrail, RunContextWrapper, Tool
from agents.mcp import MCPServer
from agents.tool import default_tool_error_function
from agents.tool_context import ToolContext

from agents_sdk.guarded_tools import guarded_tool
from agents_sdk.mcp_calls import NotReachedError, RecoveringServer
from agents_sdk.mcp_servers import doubt, listed
from agents_sdk.platform_model import PlatformModels
from framework.mcp_recovery import is_lost
from framework.mcp_servers import NOT_REACHED, UNKNOWN_OUTCOME
from framework.sdk_agents import agent_behind_handoff, lead_handoff_to
from framework.text_updates import TextSink


class AgentCopies:
    """Copies an agent, and those that it may hand over to; the author's may be shared by many answers.

    Args:
        timeout_s: How long a tool may take, in seconds.
        failed_calls: Takes the ids of calls that failed.
        models: The models of the run.
        show_text: Shows an agent's text at once; None where all goes through the run.

    Attributes:
        on_tripwire: Called when a guardrail of the input refuses while the model speaks.
        tripped: That guardrail; None while none has refused.
    """

    def __init__(
        self, timeout_s: float, failed_calls: set[str], models: PlatformModels, show_text: TextSink | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._failed_calls = failed_calls
        self._models = models
        self._show_text = show_text
        self.on_tripwire: Callable[[], object] = lambda: None
        self.tripped: InputGuardrail[Any] | None = None
        self._copies: dict[int, Agent[Any]] = {}

    def of(self, agent: Agent[Any]) -> Agent[Any]:
        """Return the copy of an agent: one and the same, however often it is asked for."""
        if (known := self._copies.get(id(agent))) is not None:
            return known
        made: Any = copy.copy(agent)
        self._copies[id(agent)] = self._copies[id(made)] = made
        made.model = self._models.model_of(agent.model, self._show_text)
        made.tools = [
            guarded_tool(tool, self._timeout_s, self._failed_calls) if isinstance(tool, FunctionTool) else tool
            for tool in agent.tools
        ]
        made.handoffs = [self._handoff(each) if isinstance(each, Handoff) else self.of(each) for each in agent.handoffs]
        made.input_guardrails = [self._watched(each) for each in agent.input_guardrails]
        if agent.mcp_servers:
            made.get_mcp_tools = partial(self._mcp_tools, agent)
        return made  # type: ignore[no-any-return]

    def _handoff(self, handoff: Handoff[Any, Any]) -> Handoff[Any, Any]:
        async def hand_over(context: Any, arguments: str) -> Any:
            return self.of(await handoff.on_invoke_handoff(context, arguments))

        made = copy.copy(handoff)
        made.on_invoke_handoff = hand_over
        if isinstance(other := agent_behind_handoff(handoff), Agent):
            # A run that goes on after a pause looks for its agents there.
            lead_handoff_to(made, self.of(other))
        return made

    def _watched(self, guardrail: InputGuardrail[Any]) -> InputGuardrail[Any]:
        @functools.wraps(guardrail.guardrail_function)
        async def check(context: Any, agent: Any, given: Any) -> Any:
            output: Any = guardrail.guardrail_function(context, agent, given)
            output = await output if inspect.isawaitable(output) else output
            if output.tripwire_triggered and guardrail.run_in_parallel:
                self.tripped = guardrail
                self.on_tripwire()
            return output

        made = copy.copy(guardrail)
        made.guardrail_function = check
        return made

    async def _mcp_tools(self, agent: Agent[Any], context: RunContextWrapper[Any]) -> list[Tool]:
        """Return the tools of an agent's servers, without those that cannot be reached."""
        found = await asyncio.gather(*(self._tools_of(server, agent, context) for server in agent.mcp_servers))
        tools: dict[str, Tool] = {}
        for server, offered in zip(agent.mcp_servers, found, strict=True):
            (self._models.missing.add if offered is None else self._models.missing.discard)(server.name)
            for tool in offered or ():
                tools.setdefault(tool.name, tool)
        return [*tools.values()]

    async def _tools_of(
        self, server: MCPServer, agent: Agent[Any], context: RunContextWrapper[Any]
    ) -> list[Tool] | None:
        only: Any = copy.copy(agent)
        only.mcp_servers = [RecoveringServer(server)]
        explain = agent.mcp_config.get("failure_error_function", default_tool_error_function)
        only.mcp_config = {**agent.mcp_config, "failure_error_function": self._noting(server, explain)}
        tools: list[Tool] | None = await listed(server, partial(only.get_mcp_tools, context))
        return tools and [
            guarded_tool(tool, self._timeout_s, self._failed_calls) if isinstance(tool, FunctionTool) else tool
            for tool in tools
        ]

    def _noting(self, server: MCPServer, explain: Any) -> Any:
        """Return what says how a failure of a server's tool reads, and looks whether the server is there."""

        def note(context: ToolContext[Any], error: Exception) -> Any:
            self._failed_calls.add(context.tool_call_id)
            doubt(server)
            if explain is default_tool_error_function and isinstance(error, NotReachedError):
                return NOT_REACHED
            if explain is default_tool_error_function and is_lost(error):
                return UNKNOWN_OUTCOME
            return explain(context, error)

        return note if explain is not None else None


def without_questions(agent: Agent[Any]) -> Agent[Any]:
    """Return a copy of an agent that does nothing but call its tools, which need no approval: a person has given it."""
    made: Any = copy.copy(agent)
    made.tools = [_allowed(tool) for tool in agent.tools]
    made.input_guardrails, made.output_guardrails, made.handoffs, made.hooks = [], [], [], None
    made.output_type, made.instructions, made.prompt = None, None, None
    if agent.mcp_servers:

        async def mcp_tools(context: RunContextWrapper[Any]) -> list[Tool]:
            return [_allowed(tool) for tool in await agent.get_mcp_tools(context)]

        made.get_mcp_tools = mcp_tools
    return made  # type: ignore[no-any-return]


def _allowed(tool: Tool) -> Tool:
    if not isinstance(tool, FunctionTool):
        return tool
    allowed = copy.copy(tool)
    allowed.needs_approval = False
    return allowed
