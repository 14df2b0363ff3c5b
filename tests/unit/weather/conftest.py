"""Fixtures of the weather tests: a stub of Open-Meteo, a fixed time, and a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.weather.open_meteo_stub import NOW, OpenMeteoStub
from use_cases.weather.forecasts import Forecasts
from use_cases.weather.places.city_index import CityIndex, load_cities
from use_cases.weather.settings import WeatherSettings


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


OpenForecasts = Callable[..., AbstractAsyncContextManager[Forecasts]]


@pytest.fixture(scope="session")
def cities(city_file: Path) -> CityIndex:
    return load_cities(city_file.parent)


@pytest.fixture
def stub() -> OpenMeteoStub:
    return OpenMeteoStub()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_forecasts(stub: OpenMeteoStub, clock: Clock, cities: CityIndex) -> OpenForecasts:
    @asynccontextmanager
    async def opened(**variables: Any) -> AsyncIterator[Forecasts]:
        settings = WeatherSettings(_env_file=None, **variables)
        forecasts = Forecasts(settings, cities.path.parent, transport=stub, clock=clock, now=lambda: NOW)
        await forecasts.open()
        try:
            yield forecasts
        finally:
            await forecasts.close()

    return opened
