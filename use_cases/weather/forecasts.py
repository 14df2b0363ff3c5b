"""The weather and the cities, wherever they come from: Open-Meteo, the packaged list, or sample data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from errors import UnavailableError
from use_cases.weather.conditions import Report
from use_cases.weather.places.cities import City, CitySearch, choose_city, read_query
from use_cases.weather.places.city_lookup import LIST_TIMEOUT_S, CityLookup
from use_cases.weather.places.countries import fold
from use_cases.weather.settings import WeatherSettings
from use_cases.weather.sources.open_meteo import REPORT_FRESH_S, OpenMeteo
from use_cases.weather.sources.samples import build_sample_report

logger = logging.getLogger(__name__)

OFFLINE_MEMORY_S = 60.0
"""After a failure in `auto`, how long sample data is given at once before the service is tried again."""

REFRESH_MIN_AGE_S = 30.0
"""Clicking "Refresh" again sooner than this shows what was just fetched."""


def utc_now() -> datetime:
    """Return the current time, aware."""
    return datetime.now(UTC)


class Forecasts:
    """Answers what the weather is and where cities are, from the source that `WEATHER_SOURCE` names.

    Args:
        settings: The variables of the use case.
        cache_dir: Where the searchable list of cities is kept; made when missing.
        transport: Replaces the network, for tests.
        clock: Seconds that never go back.
        now: The current time, aware.
        list_timeout_s: Longest wait for an answer of the list of cities, in seconds.
    """

    def __init__(
        self,
        settings: WeatherSettings,
        cache_dir: Path,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        list_timeout_s: float = LIST_TIMEOUT_S,
    ) -> None:
        self.settings = settings
        self.now = now
        self._clock = clock
        self._open_meteo = OpenMeteo(settings, transport, clock)
        self._lookup = CityLookup(cache_dir, timeout_s=list_timeout_s)
        self._retry_at = float("-inf")

    async def open(self) -> None:
        """Begin to open the list of cities, and make the connection pool."""
        await self._lookup.open()
        if self.settings.source != "sample":
            await self._open_meteo.open()

    async def close(self) -> None:
        """Stop what is under way and close the connections."""
        await self._lookup.close()
        await self._open_meteo.close()

    async def find_city(self, text: str) -> CitySearch:
        """Return the city that `text` means, or suggestions.

        Raises:
            UnavailableError: When only real data is allowed and the service cannot be reached, or there is no list.
        """
        if self._is_online():
            search = await self._find_online(text)
            if search.city is not None or search.suggestions:
                return search
        # Also when the service knows no such place: the list knows what it may be a misspelling of.
        return await self._lookup.find(text)

    async def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities of the packaged list, see `CityIndex.list_cities`.

        Raises:
            UnavailableError: When there is no list.
        """
        return await self._lookup.list_cities(country, query, limit)

    async def report(self, city: City, *, is_refresh: bool = False) -> Report:
        """Return the weather of `city`; sample data says so in `is_sample`.

        Args:
            city: The place of the forecast.
            is_refresh: Whether somebody asks for newer numbers than a moment ago.

        Raises:
            UnavailableError: When only real data is allowed and the service cannot be reached.
        """
        if self._is_online():
            try:
                return await self._open_meteo.report(
                    city, max_age_s=REFRESH_MIN_AGE_S if is_refresh else REPORT_FRESH_S
                )
            except UnavailableError as exc:
                self._give_up(exc)
        return self._open_meteo.kept_report(city) or build_sample_report(city, self.now())

    async def _find_online(self, text: str) -> CitySearch:
        """Search the weather service for a city; find nothing if it is down and sample data is allowed."""
        for reading in read_query(text):
            if len(reading.name) < 2:
                continue  # the service answers nothing to a single letter
            try:
                found = await self._open_meteo.find_places(reading.name)
            except UnavailableError as exc:
                self._give_up(exc)
                break
            weights = await self._lookup.weights_of([candidate.city.id for candidate in found])
            candidates = [
                replace(candidate, weight=weights.get(candidate.city.id, candidate.weight)) for candidate in found
            ]
            # "Köln" is answered with "Cologne", which is meant; what else bears that name is the choice.
            if candidates:
                names = {fold(candidate.city.name) for candidate in candidates}
                name = fold(reading.name) if fold(reading.name) in names else fold(candidates[0].city.name)
                candidates = [candidate for candidate in candidates if fold(candidate.city.name) == name]
            search = choose_city(text, reading, candidates)
            if search.city is not None or search.suggestions:
                return search
        return CitySearch(text)

    def _is_online(self) -> bool:
        match self.settings.source:
            case "sample":
                return False
            case "open-meteo":
                return True
            case "auto":
                return self._clock() >= self._retry_at

    def _give_up(self, exc: UnavailableError) -> None:
        """Remember that the service is away, or say so when nothing else may be shown."""
        if self.settings.source == "open-meteo":
            raise exc
        if self._clock() >= self._retry_at:
            logger.warning(
                "weather service unreachable, giving sample data", extra={"cause": type(exc.__cause__).__name__}
            )
        self._retry_at = self._clock() + OFFLINE_MEMORY_S
