"""The variables that begin with `WEATHER_`."""

from __future__ import annotations

from pathlib import Path

import pytest

from errors import ConfigError
from use_cases.weather.settings import load_weather_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env of whoever runs the tests
    for name in ("SOURCE", "UNITS", "TIMEOUT_S", "FORECAST_URL", "GEOCODING_URL"):
        monkeypatch.delenv(f"WEATHER_{name}", raising=False)


def test_without_variables_it_is_auto_and_celsius(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEATHER_SOURCE", "")
    settings = load_weather_settings()
    assert (settings.source, settings.units, settings.timeout_s) == ("auto", "celsius", 3.0)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WEATHER_SOURCE", "openmeteo"),
        ("WEATHER_UNITS", "kelvin"),
        ("WEATHER_TIMEOUT_S", "0"),
        ("WEATHER_FORECAST_URL", "api.open-meteo.com"),
        ("WEATHER_GEOCODING_URL", "file:///etc/passwd"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as caught:
        load_weather_settings()
    assert caught.value.variable == variable
