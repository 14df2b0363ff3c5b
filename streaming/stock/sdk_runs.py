"""Runs of Agents SDK agents that a server begins itself: with the platform's model, and ended with the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from framework.sdk_runs import end_run, prepare_runs, watch_events, with_provider
from streaming.stock.server_context import StockRequest, current_request


def watch_runs() -> None:
    """Prepare the runs that servers begin within a request from here on; those of other code stay as they are."""
    prepare_runs(_prepare, _note)


def end_runs(request: StockRequest) -> None:
    """End the runs that a server has left behind: ChatKit's helper does not, when an answer is stopped."""
    for result, context, readers in request.runs:
        end_run(result, context, readers)
    request.runs.clear()


def _prepare(arguments: dict[str, Any]) -> dict[str, Any]:
    request = current_request()
    if request is None:
        return arguments
    config = with_provider(arguments.get("run_config"), request.models())
    return {**arguments, "run_config": config}


def _note(result: Any, context: Any) -> None:
    request = current_request()
    if request is not None:
        request.runs.append((result, context, watch_events(result)))


def models_of(client: Any, *, may_choose: bool, request: StockRequest) -> Callable[[], Any]:
    """Return what makes the provider of models for the agents that a server runs in a request."""

    def make() -> Any:
        # Here and nowhere else: a server that runs no agent of the SDK does not load it.
        from streaming.stock.sdk_models import StockModels

        return StockModels(client, may_choose=may_choose, answer=request.context.answer)

    return make
