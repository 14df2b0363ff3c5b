"""The framework's OpenTelemetry spans: made where somebody gets them, left out where nobody does."""

from __future__ import annotations


def decide_on_telemetry(wanted: bool | None) -> bool:
    """Switch the framework's instrumentation on or off; return which.

    The framework prepares spans and metrics for each run, each request to the model and each piece of an answer, also
    without an OpenTelemetry SDK that would take them: a fifth of what a piece costs. Who calls
    `agent_framework.observability.configure_otel_providers()` or `enable_instrumentation()` later gets them back.

    Args:
        wanted: What the operator says; None: on where the process has a tracer or meter provider by now.
    """
    from agent_framework.observability import OBSERVABILITY_SETTINGS
    from opentelemetry import metrics, trace

    if wanted is None:
        providers = (trace.get_tracer_provider(), metrics.get_meter_provider())
        wanted = not all(_is_placeholder(provider) for provider in providers)
    OBSERVABILITY_SETTINGS.enable_instrumentation = wanted
    return wanted


def _is_placeholder(provider: object) -> bool:
    # The API's own providers do nothing, or stand for one that may be set later.
    return type(provider).__module__.split(".")[:2] in (["opentelemetry", "trace"], ["opentelemetry", "metrics"])
