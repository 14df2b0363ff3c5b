"""Runs of the OpenAI Agents SDK that an author's code starts: their arguments, and their end when nobody reads them.

This relies on the private module of the SDK's default client, and on the private queue of ChatKit's `AgentContext`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from typing import Any


def without_stored_responses(agent: Any, config: Any, provider: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a run without references to stored responses, if `provider` serves the run.

    With such a reference, the SDK would send only the new messages.
    """
    from agents import Model

    if config.model_provider is not provider or isinstance(config.model or agent.model, Model):
        return arguments
    stored = {"previous_response_id": None, "conversation_id": None, "auto_previous_response_id": False}
    return {**arguments, **{name: value for name, value in stored.items() if name in arguments}}


def with_provider(run_config: Any, provider: Any) -> Any:
    """Return the configuration of a run with `provider` in place of the SDK's default model provider.

    A provider that the author chose is kept, and so is the default one if it was given a client or a key.
    """
    from agents import MultiProvider, RunConfig
    from agents.models._openai_shared import get_default_openai_client, get_default_openai_key

    config = RunConfig(**run_config) if isinstance(run_config, dict) else run_config or RunConfig()
    is_default = type(config.model_provider) is MultiProvider
    if is_default and get_default_openai_client() is None and get_default_openai_key() is None:
        config = replace(config, model_provider=provider)
    return replace(config, tracing_disabled=True)


class WatchedEvents:
    """The events of a streamed run, which remember the task that waits for the next one.

    ChatKit's helper waits in tasks of its own, and abandons them when it is stopped.

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
        """Close the SDK's events."""
        await self._events.aclose()

    def cancel_reader(self) -> None:
        """Cancel the task that waits for an event, unless it is the current one."""
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()


def watch_events(result: Any) -> list[WatchedEvents]:
    """Track the readers of a run's events; return the list to which they will be added."""
    readers: list[WatchedEvents] = []
    inner = result.stream_events

    def stream_events() -> WatchedEvents:
        events = WatchedEvents(inner())
        readers.append(events)
        return events

    result.stream_events = stream_events
    return readers


def end_run(result: Any, context: Any, readers: Iterable[WatchedEvents]) -> None:
    """End a streamed run that nobody reads any more, and cancel all tasks that wait for its events.

    Args:
        result: The result that the SDK returned.
        context: The context of the run; ChatKit's has a queue for which tasks wait too.
        readers: The readers of the events.
    """
    if not result.is_complete:
        result.cancel()
    for reader in readers:
        reader.cancel_reader()
    queue = getattr(context, "_events", None)
    for task in asyncio.all_tasks() if queue is not None else ():
        frame = getattr(task.get_coro(), "cr_frame", None)
        if frame is not None and getattr(frame.f_locals.get("self"), "queue", None) is queue:
            task.cancel()
