"""Assembles the parts of a server, each of which is given only the parts that it needs."""

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
    """The parts that answer for one use case.

    Attributes:
        responder: Runs the agent.
        clicks: Carries out actions.
        delivery: Stores the events of answers and passes them on.
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
    fallback_action: Callable[..., Any] | None = None,
) -> ServerParts:
    """Return the parts of a server.

    Args:
        services: The platform's services.
        hooks: The server, whose methods handle `actions`.
        actions: The actions that its class declares, by name.
        fallback_action: Handles actions that are not declared; None without one.
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
        handlers.keys() if fallback_action is None else None,
    )
    clicks = Clicks(services, handlers, delivery, responder, fallback_action)
    requests = ChatKitRequests(services, hooks, delivery, responder, clicks)
    return ServerParts(responder, clicks, delivery, requests, RunOperations(services, requests))


def check_action_names(owner: str, actions: Mapping[str, BoundAction]) -> None:
    """Refuse actions whose names the platform uses itself.

    Raises:
        PluginError: When `actions` has such a name.
    """
    for name in sorted(collect_actions(Approvals).keys() & actions.keys()):
        raise PluginError(name, f"{owner}.{actions[name].method} handles it, and so does the platform; rename it")
