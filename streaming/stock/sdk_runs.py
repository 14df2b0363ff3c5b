"""Runs of Agents SDK agents that a server starts itself: they use the platform's model, and end with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from framework.default_runner import prepare_runs
from framework.sdk_runs import end_run, watch_events, with_provider, without_stored_responses
from store import ParlorStore
from streaming.stock.server_context import StockRequest, current_request

MAX_EARLIER_ITEMS = 60
"""How many of a thread's newest items are given to a run that would otherwise continue a stored response."""


def watch_runs() -> None:
    """Prepare the runs that servers start within a request from now on; runs outside of requests are not changed."""
    prepare_runs(_prepare_arguments, _request_loop, _register_run)


def end_runs(request: StockRequest) -> None:
    """End the runs of a server that are still active; ChatKit's helper does not end them when an answer is stopped."""
    for result, context, readers in request.runs:
        end_run(result, context, readers)
    request.runs.clear()


def _prepare_arguments(agent: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    request = current_request()
    if request is None:
        return arguments
    continues_response = bool(arguments.get("previous_response_id") or arguments.get("conversation_id"))
    provider = request.models(continues_response)
    config = with_provider(arguments.get("run_config"), provider)
    return {**without_stored_responses(agent, config, provider, arguments), "run_config": config}


def _request_loop() -> asyncio.AbstractEventLoop | None:
    request = current_request()
    return request.loop if request is not None else None


def _register_run(result: Any, context: Any) -> None:
    request = current_request()
    if request is not None:
        request.runs.append((result, context, watch_events(result)))


def build_model_provider_factory(
    client: Any, *, may_choose: bool, request: StockRequest, store: ParlorStore
) -> Callable[[bool], Any]:
    """Return a function that creates the model provider for the agents that a server runs in a request.

    The argument of that function is whether a run continues a response that OpenAI would have stored. Such a run gets
    the earlier messages from the thread instead.
    """

    def make(continues_response: bool) -> Any:
        # Imported here only, so that a server that runs no agent of the SDK does not load it.
        from streaming.stock.sdk_models import StockModels, earlier_items

        async def history() -> list[Any]:
            if request.thread_id is None:
                return []
            newest = await store.load_history(request.thread_id, MAX_EARLIER_ITEMS, request.context)
            return await earlier_items(newest, request.message_id)

        answer = request.context.answer
        loader = history if continues_response else None
        return StockModels(client, may_choose=may_choose, answer=answer, history=loader)

    return make
