"""The framework's OpenTelemetry spans: recorded only where they are exported."""

from __future__ import annotations

from errors import ConfigError


def set_up_exporter(endpoint: str | None, headers: str | None = None) -> None:
    """Have spans sent to a collector; do nothing without one, or where the process has a tracer provider already.

    Args:
        endpoint: Whole address at a collector that takes spans in OTLP over HTTP. What else there is to say,
            OpenTelemetry reads from its own variables: `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, `OTEL_SDK_DISABLED`.
        headers: Headers that it has to be shown, in the form of `OTEL_EXPORTER_OTLP_HEADERS`, which may lie in a file.

    Raises:
        ConfigError: When the packages for it are not installed.
    """
    from opentelemetry import trace

    if endpoint is None or not _is_placeholder(trace.get_tracer_provider()):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.util.re import parse_env_headers
    except ImportError as exc:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_ENDPOINT", "needs OpenTelemetry's SDK: pip install 'parlor[telemetry]'"
        ) from exc
    # What the variables say comes second, and so counts more.
    resource = Resource({SERVICE_NAME: "parlor"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    # Its queue is bounded, its thread a daemon, and what cannot be sent is dropped.
    shown = parse_env_headers(headers, liberal=True) if headers is not None else None
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, headers=shown)))
    trace.set_tracer_provider(provider)


def decide_on_telemetry(wanted: bool | None) -> bool:
    """Switch the framework's instrumentation on or off; return which.

    The framework prepares spans and metrics for each run, each request to the model and each piece of an answer, also
    without an OpenTelemetry SDK that would take them: a fifth of what a piece costs. Who calls
    `agent_framework.observability.configure_otel_providers()` or `enable_instrumentation()` later gets them back.

    Args:
        wanted: The operator's setting; None switches it on if the process has a tracer or meter provider by now.
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
