"""Runs of Agents SDK agents that a server begins itself: with the platform's model, and ended with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from framework.default_runner import prepare_runs
from framework.sdk_runs import end_run, watch_events, with_provider, without_stored_responses
from store import ParlorStore
from streaming.stock.server_context import StockRequest, current_request

MAX_EARLIER_ITEMS = 60
"""Newest items of a thread that a run is given which would go on with a stored response."""


def watch_runs() -> None:
    """Prepare the runs that servers begin within a request from here on; those of other code stay as they are."""
    prepare_runs(_prepare, _loop, _note)


def end_runs(request: StockRequest) -> None:
    """End the runs that a server has left behind: ChatKit's helper does not, when an answer is stopped."""
    for result, context, readers in request.runs:
        end_run(result, context, readers)
    request.runs.clear()


def _prepare(agent: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    request = current_request()
    if request is None:
        return arguments
    goes_on = bool(arguments.get("previous_response_id") or arguments.get("conversation_id"))
    provider = request.models(goes_on)
    config = with_provider(arguments.get("run_config"), provider)
    return {**without_stored_responses(agent, config, provider, arguments), "run_config": config}


def _loop() -> asyncio.AbstractEventLoop | None:
    request = current_request()
    return request.loop if request is not None else None


def _note(result: Any, context: Any) -> None:
    request = current_request()
    if request is not None:
        request.runs.append((result, context, watch_events(result)))


def models_of(client: Any, *, may_choose: bool, request: StockRequest, store: ParlorStore) -> Callable[[bool], Any]:
    """Return a function that makes the provider of models for the agents that a server runs in a request.

    It is called with whether a run continues a response that OpenAI would have stored. Such a run gets the earlier
    messages from the thread instead.
    """

    def make(goes_on: bool) -> Any:
        # Here and nowhere else: a server that runs no agent of the SDK does not load it.
        from streaming.stock.sdk_models import StockModels, earlier_items

        async def history() -> list[Any]:
            if request.thread_id is None:
                return []
            newest = await store.load_history(request.thread_id, MAX_EARLIER_ITEMS, request.context)
            return await earlier_items(newest, request.message_id)

        answer = request.context.answer
        return StockModels(client, may_choose=may_choose, answer=answer, history=history if goes_on else None)

    return make
