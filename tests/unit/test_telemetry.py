"""The framework's spans: left out where nobody gets them, there where somebody does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agent_framework.observability import OBSERVABILITY_SETTINGS, enable_instrumentation
from opentelemetry import metrics, trace

from chat_clients.telemetry import leave_out_unheard_telemetry


class OwnTracers(trace.TracerProvider):
    """As an SDK would set it."""

    def get_tracer(self, *args: object, **kwargs: object) -> trace.Tracer:
        return trace.NoOpTracer()


class OwnMeters(metrics.MeterProvider):
    """As an SDK would set it."""

    def get_meter(self, *args: object, **kwargs: object) -> metrics.Meter:
        return metrics.NoOpMeter("test")


@pytest.fixture(autouse=True)
def instrumented(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ENABLE_INSTRUMENTATION", raising=False)
    before = OBSERVABILITY_SETTINGS.enable_instrumentation
    OBSERVABILITY_SETTINGS.enable_instrumentation = True
    yield
    OBSERVABILITY_SETTINGS.enable_instrumentation = before


def test_without_an_sdk_nothing_is_prepared_for_it() -> None:
    assert leave_out_unheard_telemetry()
    assert not OBSERVABILITY_SETTINGS.enable_instrumentation
    enable_instrumentation()
    assert OBSERVABILITY_SETTINGS.enable_instrumentation, "who asks for it later gets it"


@pytest.mark.parametrize(("api", "name", "own"), [(trace, "tracer", OwnTracers), (metrics, "meter", OwnMeters)])
def test_with_an_sdk_it_stays_on(monkeypatch: pytest.MonkeyPatch, api: object, name: str, own: type) -> None:
    # The API's own setter works once per process.
    monkeypatch.setattr(api, f"get_{name}_provider", lambda: own())
    assert not leave_out_unheard_telemetry()
    assert OBSERVABILITY_SETTINGS.enable_instrumentation


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_variable_decides_where_it_is_set(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ENABLE_INSTRUMENTATION", value)
    assert not leave_out_unheard_telemetry()
    assert OBSERVABILITY_SETTINGS.enable_instrumentation, "the framework has read it itself"
