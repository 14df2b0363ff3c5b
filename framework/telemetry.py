"""The framework's OpenTelemetry spans: recorded only where they are exported."""

from __future__ import annotations

from errors import ConfigError


def set_up_exporter(endpoint: str | None, headers: str | None = None) -> None:
    """Export spans to a collector; do nothing without one, or if the process has a tracer provider already.

    Args:
        endpoint: The complete URL of a collector that accepts spans in OTLP over HTTP. OpenTelemetry reads further
            options from its own variables: `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, `OTEL_SDK_DISABLED`.
        headers: Headers for the collector, in the form of `OTEL_EXPORTER_OTLP_HEADERS`; the setting may be a file.

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
    # The variables come second, so that they take precedence.
    resource = Resource({SERVICE_NAME: "parlor"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    # Its queue is bounded, its thread is a daemon, and spans that cannot be sent are dropped.
    parsed_headers = parse_env_headers(headers, liberal=True) if headers is not None else None
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, headers=parsed_headers)))
    trace.set_tracer_provider(provider)


def decide_on_telemetry(wanted: bool | None) -> bool:
    """Switch the framework's instrumentation on or off; return whether it is on.

    The framework prepares spans and metrics for each run, each request to the model and each piece of an answer, even
    without an OpenTelemetry SDK: a fifth of the cost of a piece. A later call of
    `agent_framework.observability.configure_otel_providers()` or `enable_instrumentation()` switches it on again.

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
