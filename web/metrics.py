"""`GET /metrics`: metrics for Prometheus, when `METRICS` is on."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from config import Settings
from errors import ConfigError, NotFoundError
from web.client_secrets import bearer_token

if TYPE_CHECKING:
    from prometheus_client import Metric

    from runs.registry import Runs
    from storage.transaction_times import TransactionTimes

PATH = "/metrics"


class PlatformCollector:
    """Prometheus collector that reads the platform's statistics at each scrape, and costs nothing in between.

    Args:
        runs: Counts answers, tokens and tool calls.
        transaction_times: Measures the store's transactions.
    """

    def __init__(self, runs: Runs, transaction_times: TransactionTimes) -> None:
        self._runs = runs
        self._transaction_times = transaction_times

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the platform."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        by_name = ("use_case",)
        answers = CounterMetricFamily("parlor_answers", "Answers that have ended.", labels=("use_case", "outcome"))
        durations = HistogramMetricFamily("parlor_answer_duration_seconds", "Time of whole answers.", labels=by_name)
        first_texts = HistogramMetricFamily("parlor_first_text_seconds", "Time to the first text.", labels=by_name)
        tokens = CounterMetricFamily("parlor_tokens", "Tokens of models.", labels=("use_case", "kind"))
        calls = CounterMetricFamily("parlor_tool_calls", "Calls of tools.", labels=by_name)
        failed = CounterMetricFamily("parlor_tool_failures", "Calls of tools that failed.", labels=by_name)
        for name, known in self._runs.statistics.by_use_case.items():
            for outcome, count in known.outcomes.items():
                answers.add_metric((name, outcome), count)
            durations.add_metric((name,), list(known.durations.cumulative_counts()), known.durations.sum_s)
            first_texts.add_metric((name,), list(known.first_texts.cumulative_counts()), known.first_texts.sum_s)
            for kind, count in known.tokens.items():
                tokens.add_metric((name, kind), count)
            calls.add_metric((name,), known.tool_calls)
            failed.add_metric((name,), known.failed_tool_calls)
        yield from (answers, durations, first_texts, tokens, calls, failed)
        database = HistogramMetricFamily(
            "parlor_database_seconds", "Time of the store's transactions.", labels=("use_case", "kind")
        )
        for labels, times in self._transaction_times.by_kind.items():
            database.add_metric(labels, list(times.cumulative_counts()), times.sum_s)
        yield database
        yield GaugeMetricFamily("parlor_open_answers", "Answers being written now.", self._runs.active)
        yield GaugeMetricFamily("parlor_open_streams", "Responses that send an answer.", self._runs.open_streams)
        draining = float(self._runs.is_draining)
        yield GaugeMetricFamily("parlor_draining", "1 while no new answers are taken, before the end.", draining)


def build_metrics_router(settings: Settings, runs: Runs, transaction_times: TransactionTimes) -> APIRouter | None:
    """Return the route of the metrics; None when they are off.

    Raises:
        ConfigError: When the package prometheus-client is not installed.
    """
    if not settings.metrics:
        return None
    try:
        import prometheus_client
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    except ImportError as exc:
        raise ConfigError("METRICS", "needs the package prometheus-client: pip install 'parlor[metrics]'") from exc

    # Not the package's global registry, whose metrics belong to the use cases that register them.
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    prometheus_client.PlatformCollector(registry=registry)
    registry.register(PlatformCollector(runs, transaction_times))
    token = settings.metrics_token.get_secret_value() if settings.metrics_token is not None else None
    router = APIRouter()

    @router.get(PATH)
    async def get_metrics(request: Request) -> Response:
        """Return all metrics; if a token is configured, the request has to show it."""
        bearer = bearer_token(request.headers) or ""
        if token is not None and not hmac.compare_digest(bearer.encode(), token.encode()):
            raise NotFoundError("There is nothing here.")  # a 401 would reveal that the path exists
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
