"""The framework's spans: created only if they are exported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agent_framework.observability import OBSERVABILITY_SETTINGS, enable_instrumentation
from opentelemetry import metrics, trace

from framework.telemetry import decide_on_telemetry


class OwnTracers(trace.TracerProvider):
    """A provider of telemetry, as an SDK would set it."""

    def get_tracer(self, *args: object, **kwargs: object) -> trace.Tracer:
        return trace.NoOpTracer()


class OwnMeters(metrics.MeterProvider):
    """A provider of telemetry, as an SDK would set it."""

    def get_meter(self, *args: object, **kwargs: object) -> metrics.Meter:
        return metrics.NoOpMeter("test")


@pytest.fixture(autouse=True)
def instrumented() -> Iterator[None]:
    before = OBSERVABILITY_SETTINGS.enable_instrumentation
    OBSERVABILITY_SETTINGS.enable_instrumentation = True
    yield
    OBSERVABILITY_SETTINGS.enable_instrumentation = before


def test_without_an_sdk_nothing_is_prepared_for_it() -> None:
    assert not decide_on_telemetry(None)
    assert not OBSERVABILITY_SETTINGS.enable_instrumentation
    enable_instrumentation()
    assert OBSERVABILITY_SETTINGS.enable_instrumentation, "who asks for it later gets it"


@pytest.mark.parametrize(("api", "name", "own"), [(trace, "tracer", OwnTracers), (metrics, "meter", OwnMeters)])
def test_with_an_sdk_it_stays_on(monkeypatch: pytest.MonkeyPatch, api: object, name: str, own: type) -> None:
    # The API's own setter works once per process.
    monkeypatch.setattr(api, f"get_{name}_provider", lambda: own())
    assert decide_on_telemetry(None)
    assert OBSERVABILITY_SETTINGS.enable_instrumentation


@pytest.mark.parametrize("wanted", [True, False])
def test_the_operator_decides_where_they_say_anything(wanted: bool) -> None:
    assert decide_on_telemetry(wanted) is wanted
    assert OBSERVABILITY_SETTINGS.enable_instrumentation is wanted
