"""Tool calls that the model asked for earlier, run by the agent's own tool loop, without the model.

The calls of a batch in which one needs a person's word are not run by the framework, which would go on with them only
in a session object of its own. Here the agent is run with another client in the place of its model's: one that asks
for these very calls, and then has nothing to say. So they take the way of any call, with the agent's function
middleware, its context providers and its MCP servers.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, ClassVar

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    FunctionMiddleware,
    FunctionTool,
    Message,
    ResponseStream,
)

from context import TURN_KWARG, Turn
from errors import UnavailableError
from framework.inner_agents import agents_within, own_tools
from streaming.answers.tool_guard import is_guarded
from turns.approval_request import PendingApproval


async def replay_calls(
    agent: Any,
    messages: Sequence[Message],
    calls: Sequence[PendingApproval],
    turn: Turn,
    guard: FunctionMiddleware,
    *,
    is_allowed: bool,
) -> AsyncGenerator[Content, None]:
    """Run calls and return what came of each, as ``function_result`` contents, in no particular order.

    Args:
        agent: Who asked for them; of a workflow, the agents within it that have these tools run them.
        messages: The history that the agent would be given now.
        calls: The calls to run.
        turn: The turn that the tools find.
        guard: A guard before each tool, inside of the agent's own middleware.
        is_allowed: Whether a person has allowed them; if not, those that need a word are left out, and nothing comes
            of them.

    Raises:
        UnavailableError: When a call is of an agent that is not the framework's own.
    """
    owners: dict[int, tuple[Agent[Any], list[PendingApproval]]] = {}
    for call in calls:
        owner = _owner(agent, call.name)
        owners.setdefault(id(owner), (owner, []))[1].append(call)
    for owner, own_calls in owners.values():
        async for content in _replay(owner, messages, own_calls, turn, guard, is_allowed=is_allowed):
            yield content


def _owner(agent: Any, tool_name: str) -> Agent[Any]:
    """Return who runs the tool: `agent` itself, or within a workflow the first agent that has it."""
    if isinstance(agent, Agent):
        return agent
    for each in agents_within(agent):
        if isinstance(each, Agent) and any(getattr(tool, "name", None) == tool_name for tool in own_tools(each)):
            return each
    raise UnavailableError(
        "Permission was wanted by an agent that cannot wait for it.", code="approval.unsupported", allow_retry=False
    )


async def _replay(
    agent: Agent[Any],
    messages: Sequence[Message],
    calls: Sequence[PendingApproval],
    turn: Turn,
    guard: FunctionMiddleware,
    *,
    is_allowed: bool,
) -> AsyncGenerator[Content, None]:
    client: Any = agent.client
    stand_in: Any = copy.copy(agent)
    stand_in.client = _Replay(
        calls=calls,
        is_allowed=is_allowed,
        middleware=list(getattr(client, "function_middleware", ())),
        function_invocation_configuration=getattr(client, "function_invocation_configuration", None),
    )
    middleware = [] if is_guarded(client) else [guard]
    stream = stand_in.run(
        list(messages), stream=True, middleware=middleware, function_invocation_kwargs={TURN_KWARG: turn}
    )
    async with stream:
        async for update in stream:
            for content in update.contents:
                if content.type == "function_result":
                    yield content


class _RawReplay(BaseChatClient[Any]):
    OTEL_PROVIDER_NAME: ClassVar[str] = "parlor"

    def __init__(self, *, calls: Sequence[PendingApproval], is_allowed: bool, **layers: Any) -> None:
        super().__init__(**layers)
        self.model = "replay"
        self._calls = list(calls)
        self._is_allowed = is_allowed

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        calls, self._calls = self._calls, []

        async def ask() -> AsyncIterator[ChatResponseUpdate]:
            if calls:
                contents = [Content.from_function_call(c.call_id, c.name, arguments=c.arguments) for c in calls]
                yield ChatResponseUpdate(role="assistant", contents=contents, message_id="replay")

        return self._build_response_stream(ask())


class _Replay(FunctionInvocationLayer[Any], _RawReplay):
    """Asks for the given calls, once, and says nothing to their results."""

    def get_response(self, messages: Any, *, options: Any = None, **kwargs: Any) -> Any:
        options = dict(options or {})
        options.pop("tool_choice", None)
        tools = list(options.get("tools") or ())
        if self._is_allowed:
            options["tools"] = [_without_question(tool) for tool in tools]
        else:
            asking = {tool.name for tool in tools if _needs_word(tool)}
            self._calls = [call for call in self._calls if call.name not in asking]
        return super().get_response(messages, options=options, **kwargs)


def _needs_word(tool: Any) -> bool:
    return isinstance(tool, FunctionTool) and tool.approval_mode == "always_require"


def _without_question(tool: Any) -> Any:
    if not _needs_word(tool):
        return tool
    allowed = copy.copy(tool)
    allowed.approval_mode = "never_require"
    return allowed
