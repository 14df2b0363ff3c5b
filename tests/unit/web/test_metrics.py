from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from config import Settings
from runs.registry import Runs
from runs.statistics import MAX_USE_CASES, OTHER, RunStatistics
from storage import transaction_times
from storage.transaction_times import TransactionTimes
from tests.unit.web.edge import Edge
from web.failures import ErrorMiddleware
from web.metrics import build_metrics_router

TOKEN = "t" * 16


@asynccontextmanager
async def scraping(
    runs: Runs, times: TransactionTimes | None = None, **values: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(ErrorMiddleware)
    settings = Settings(_env_file=None, metrics=True, **values)  # type: ignore[call-arg]
    router = build_metrics_router(settings, runs, times or TransactionTimes())
    assert router is not None
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.fixture
def runs() -> Runs:
    return Runs(max_total=1, max_per_user=1, max_log_bytes=1000, timeout_s=1, linger_s=0)


async def test_answers_are_counted_by_use_case_in_the_form_of_prometheus(runs: Runs) -> None:
    usage = {"input_token_count": 100, "output_token_count": 20, "total_token_count": 120}
    runs.statistics.record("weather", "done", 0.25, usage, first_text_s=0.125, tool_calls=3, failed_tool_calls=1)
    runs.statistics.record("weather", "stopped_user", 700.0, {"input_token_count": None})
    runs.statistics.record("todo", "failed", 3.0, {})
    times = TransactionTimes()
    times.add("weather", "write", 0.001)
    async with scraping(runs, times) as client:
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert samples["parlor_answers_total", "done", "weather"] == 1
    assert samples["parlor_answers_total", "stopped_user", "weather"] == 1
    assert samples["parlor_answers_total", "failed", "todo"] == 1
    assert samples["parlor_tokens_total", "input", "weather"] == 100
    assert samples["parlor_tool_calls_total", "weather"] == 3
    assert samples["parlor_tool_failures_total", "weather"] == 1
    assert samples["parlor_answer_duration_seconds_count", "weather"] == 2
    assert samples["parlor_answer_duration_seconds_sum", "weather"] == 700.25
    assert samples["parlor_answer_duration_seconds_bucket", "0.25", "weather"] == 1
    assert samples["parlor_answer_duration_seconds_bucket", "600.0", "weather"] == 1
    assert samples["parlor_answer_duration_seconds_bucket", "+Inf", "weather"] == 2
    assert samples["parlor_first_text_seconds_count", "weather"] == 1
    assert samples["parlor_first_text_seconds_sum", "weather"] == 0.125
    assert samples["parlor_first_text_seconds_bucket", "0.1", "weather"] == 0
    assert samples["parlor_first_text_seconds_bucket", "0.25", "weather"] == 1
    assert samples["parlor_database_seconds_count", "weather", "write"] == 1
    assert samples["parlor_database_seconds_bucket", "1.0", "weather", "write"] == 1
    assert samples[("parlor_open_answers",)] == 0
    assert samples[("parlor_open_streams",)] == 0
    assert ("process_resident_memory_bytes",) in samples


@pytest.mark.parametrize("shown", [None, "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer "])
async def test_requests_without_a_token_do_not_learn_that_metrics_exist(runs: Runs, shown: str | None) -> None:
    async with scraping(runs, metrics_token=TOKEN) as client:
        refused = await client.get("/metrics", headers={} if shown is None else {"Authorization": shown})
        allowed = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (refused.status_code, allowed.status_code) == (404, 200)


async def test_without_the_setting_there_are_no_metrics(edge: Edge) -> None:
    async with edge.client(edge.app()) as client:
        assert (await client.get("/metrics")).status_code == 404


def test_labels_are_bounded() -> None:
    statistics = RunStatistics()
    for number in range(MAX_USE_CASES + 10):
        statistics.record(f"use-case-{number}", "done", 1.0, {})
    assert len(statistics.by_use_case) == MAX_USE_CASES + 1
    assert statistics.by_use_case[OTHER].outcomes == {"done": 10}


def test_use_cases_of_transactions_are_bounded() -> None:
    times = TransactionTimes()
    for number in range(3 * transaction_times.MAX_USE_CASES + 10):
        times.add(f"use-case-{number}", "read", 0.001)
    assert len(times.by_kind) == 3 * transaction_times.MAX_USE_CASES + 1
    assert (transaction_times.OTHER, "read") in times.by_kind
