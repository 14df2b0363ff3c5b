"""The parts of a server, put together: each takes what it needs, and none is the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from context import Services
from errors import PluginError
from streaming.actions.clicks import Clicks
from streaming.actions.declared_actions import BoundAction, collect_actions
from streaming.answers.agent_runs import AgentRuns
from streaming.answers.responder import Responder
from streaming.approvals.approvals import Approvals
from streaming.hooks import Hooks
from streaming.requests.chatkit_requests import ChatKitRequests
from streaming.requests.delivery import Delivery
from streaming.requests.run_operations import RunOperations


@dataclass(frozen=True, slots=True)
class ServerParts:
    """All that answers for one use case.

    Attributes:
        responder: Asks the agent.
        clicks: Carries out actions.
        delivery: Stores and passes on what an answer consists of.
        requests: Answers ChatKit's requests.
        runs: Starts, finds and stops the runs of streaming requests.
    """

    responder: Responder
    clicks: Clicks
    delivery: Delivery
    requests: ChatKitRequests
    runs: RunOperations


def build_server_parts(
    services: Services,
    hooks: Hooks,
    actions: Mapping[str, BoundAction],
    own_action: Callable[..., Any] | None = None,
) -> ServerParts:
    """Return the parts of a server.

    Args:
        services: The platform's services.
        hooks: The server that they answer for, whose methods handle `actions`.
        actions: The actions that its class declares, by name.
        own_action: Handles what is not declared; None where nothing does.
    """
    agent_runs = AgentRuns(services, hooks)
    approvals = Approvals(services, hooks, agent_runs)
    responder = Responder(services, hooks, agent_runs, approvals)
    interval_s = services.settings.run_checkpoint_interval_s
    handlers: dict[str, tuple[BoundAction, object]] = {name: (bound, hooks) for name, bound in actions.items()}
    handlers |= {name: (bound, approvals) for name, bound in collect_actions(Approvals).items()}
    delivery = Delivery(
        services.store,
        lambda: services.runs.active,
        interval_s,
        services.settings.parlor_env,
        handlers.keys() if own_action is None else None,
    )
    clicks = Clicks(services, handlers, delivery, responder, own_action)
    requests = ChatKitRequests(services, hooks, delivery, responder, clicks)
    return ServerParts(responder, clicks, delivery, requests, RunOperations(services, requests))


def check_action_names(owner: str, actions: Mapping[str, BoundAction]) -> None:
    """Refuse actions that the platform handles itself.

    Raises:
        PluginError: When `actions` has one of them.
    """
    for name in sorted(collect_actions(Approvals).keys() & actions.keys()):
        raise PluginError(name, f"{owner}.{actions[name].method} handles it, and so does the platform; rename it")
