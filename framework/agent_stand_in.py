"""Stand-ins for an agent: copies whose model is replaced by one that requests given calls.

The framework runs a batch of calls in which one needs a person's approval only in a session object of its own. A copy
of the agent with another client runs them anywhere, with the agent's own tools, middleware and context providers.
This relies on the facts that an agent may be copied and reads its attribute `client` at each run, that a tool may be
copied and reads `approval_mode` at each call, and on the layers of the client's tool loop.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, ClassVar

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    FunctionTool,
    Message,
    ResponseStream,
)

from framework.function_middleware import function_middleware_of
from framework.response_streams import build_response_stream


def build_stand_in(agent: Agent[Any], calls: Sequence[Content], *, is_allowed: bool) -> Agent[Any]:
    """Return a copy of `agent` whose next run makes `calls`, and then ends without a text.

    Args:
        agent: The agent, which is not changed.
        calls: Contents of the type ``function_call``.
        is_allowed: Whether a person has allowed the calls; if not, those of tools that need approval are left out.
    """
    client: Any = agent.client
    stand_in: Any = copy.copy(agent)
    stand_in.client = _CallsClient(
        calls=calls,
        is_allowed=is_allowed,
        middleware=list(function_middleware_of(client)),
        function_invocation_configuration=getattr(client, "function_invocation_configuration", None),
    )
    return stand_in  # type: ignore[no-any-return]  # of the type of `agent`


class _RawCallsClient(BaseChatClient[Any]):
    OTEL_PROVIDER_NAME: ClassVar[str] = "parlor"

    def __init__(self, *, calls: Sequence[Content], is_allowed: bool, **layers: Any) -> None:
        super().__init__(**layers)
        self.model = "replay"
        self._calls = list(calls)
        self._is_allowed = is_allowed

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        calls, self._calls = self._calls, []

        async def request_calls() -> AsyncIterator[ChatResponseUpdate]:
            if calls:
                yield ChatResponseUpdate(role="assistant", contents=calls, message_id="replay")

        return build_response_stream(request_calls())


class _CallsClient(FunctionInvocationLayer[Any], _RawCallsClient):
    """Chat client that requests the given calls, once, and answers their results with nothing."""

    def get_response(self, messages: Any, *, options: Any = None, **kwargs: Any) -> Any:
        options = dict(options or {})
        options.pop("tool_choice", None)
        tools = list(options.get("tools") or ())
        if self._is_allowed:
            options["tools"] = [_without_approval(tool) for tool in tools]
        else:
            names_with_approval = {tool.name for tool in tools if _needs_approval(tool)}
            self._calls = [call for call in self._calls if call.name not in names_with_approval]
        return super().get_response(messages, options=options, **kwargs)


def _needs_approval(tool: Any) -> bool:
    return isinstance(tool, FunctionTool) and tool.approval_mode == "always_require"


def _without_approval(tool: Any) -> Any:
    if not _needs_approval(tool):
        return tool
    allowed = copy.copy(tool)
    allowed.approval_mode = "never_require"
    return allowed
