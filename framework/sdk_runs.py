"""Runs of the OpenAI Agents SDK that code of others begins: their arguments, and their end when nobody reads.

Where the SDK keeps its default client is private, as is the queue of ChatKit's `AgentContext`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from typing import Any


def without_stored_responses(agent: Any, config: Any, provider: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a run that goes on with nothing that a provider has stored, if `provider` is asked.

    With such a response the SDK sends what is new alone, and takes the rest for known.
    """
    from agents import Model

    if config.model_provider is not provider or isinstance(config.model or agent.model, Model):
        return arguments
    stored = {"previous_response_id": None, "conversation_id": None, "auto_previous_response_id": False}
    return {**arguments, **{name: value for name, value in stored.items() if name in arguments}}


def with_provider(run_config: Any, provider: Any) -> Any:
    """Return the configuration of a run with a provider of models instead of the SDK's default one.

    A provider that somebody chose stays, and so does the default one where it was given a client or a key.
    """
    from agents import MultiProvider, RunConfig
    from agents.models._openai_shared import get_default_openai_client, get_default_openai_key

    config = RunConfig(**run_config) if isinstance(run_config, dict) else run_config or RunConfig()
    is_default = type(config.model_provider) is MultiProvider
    if is_default and get_default_openai_client() is None and get_default_openai_key() is None:
        config = replace(config, model_provider=provider)
    return replace(config, tracing_disabled=True)


class WatchedEvents:
    """The events of a streamed run, of which the task that waits for the next one is known.

    ChatKit's helper waits in tasks of its own, and leaves them to themselves when it is stopped.

    Args:
        events: The events from the SDK.
    """

    def __init__(self, events: AsyncGenerator[Any, None]) -> None:
        self._events = events
        self._reader: asyncio.Task[Any] | None = None

    def __aiter__(self) -> WatchedEvents:
        return self

    async def __anext__(self) -> Any:
        self._reader = asyncio.current_task()
        return await self._events.__anext__()

    async def aclose(self) -> None:
        """Close what the SDK gives."""
        await self._events.aclose()

    def leave(self) -> None:
        """Cancel the task that waits, unless it is the one that calls this."""
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()


def watch_events(result: Any) -> list[WatchedEvents]:
    """Let the readers of a run's events be known; return the list that they will be in."""
    readers: list[WatchedEvents] = []
    inner = result.stream_events

    def stream_events() -> WatchedEvents:
        events = WatchedEvents(inner())
        readers.append(events)
        return events

    result.stream_events = stream_events
    return readers


def end_run(result: Any, context: Any, readers: Iterable[WatchedEvents]) -> None:
    """End a streamed run that nobody reads any more, and all who wait for its events.

    Args:
        result: The result that the SDK returned.
        context: The context that it was given; ChatKit's has a queue that is waited for too.
        readers: Readers of the events.
    """
    if not result.is_complete:
        result.cancel()
    for reader in readers:
        reader.leave()
    queue = getattr(context, "_events", None)
    for task in asyncio.all_tasks() if queue is not None else ():
        frame = getattr(task.get_coro(), "cr_frame", None)
        if frame is not None and getattr(frame.f_locals.get("self"), "queue", None) is queue:
            task.cancel()
