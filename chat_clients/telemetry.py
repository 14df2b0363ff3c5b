"""The framework's OpenTelemetry spans: made where somebody gets them, left out where nobody does."""

from __future__ import annotations

import logging
import os

logger = logging.getLogger(__name__)


def leave_out_unheard_telemetry() -> bool:
    """Switch the framework's instrumentation off if nobody listens; return whether it was.

    The framework prepares spans and metrics for each run, each request to the model and each piece of an answer, also
    without an OpenTelemetry SDK that would take them: a fifth of what a piece costs. It stays on where the process has
    a tracer or meter provider by now, or where the variable ENABLE_INSTRUMENTATION says anything; and who calls
    `agent_framework.observability.configure_otel_providers()` or `enable_instrumentation()` later gets it back.
    """
    from agent_framework.observability import OBSERVABILITY_SETTINGS
    from opentelemetry import metrics, trace

    if os.environ.get("ENABLE_INSTRUMENTATION"):
        return False
    if not _is_placeholder(trace.get_tracer_provider()) or not _is_placeholder(metrics.get_meter_provider()):
        return False
    OBSERVABILITY_SETTINGS.enable_instrumentation = False
    logger.debug("no OpenTelemetry SDK is set up: the framework's spans are left out")
    return True


def _is_placeholder(provider: object) -> bool:
    # The API's own providers do nothing, or stand for one that may be set later.
    return type(provider).__module__.split(".")[:2] in (["opentelemetry", "trace"], ["opentelemetry", "metrics"])
