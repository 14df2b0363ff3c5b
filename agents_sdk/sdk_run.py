"""SDKRun: an agent with the arguments that an author would otherwise pass to `Runner.run_streamed`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agents import Agent, RunHooks

from errors import AgentError


@dataclass(frozen=True)
class SDKRun:
    """An answer of `get_agent` for those who need more than the agent.

    Attributes:
        agent: The agent.
        context: The `ctx.context` of its tools: an `AgentContext` of any class, or whatever they expect; None for the
            platform's own.
        hooks: Told of each step of the run.
        max_turns: How often models are asked at most; None for `MODEL_MAX_ROUND_TRIPS`, which it cannot exceed.
        session: Always None, as the thread is the memory of the agent.
    """

    agent: Agent[Any]
    context: Any = None
    hooks: RunHooks[Any] | None = None
    max_turns: int | None = None
    session: None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be had here.

        Raises:
            AgentError: When a session is given.
        """
        if self.session is not None:
            raise AgentError(
                "This assistant cannot answer at the moment.",
                f"a {type(self.session).__name__} was given as session: the thread keeps the conversation and the "
                "agent is handed all of it, so a session would say everything twice; leave it out",
            )
