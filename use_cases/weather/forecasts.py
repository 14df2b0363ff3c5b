"""Weather reports and city searches, from Open-Meteo, the packaged list of cities, or sample data."""

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
from use_cases.weather.places.cities import City, CitySearch, choose_city, parse_query
from use_cases.weather.places.city_lookup import LIST_TIMEOUT_S, CityLookup
from use_cases.weather.places.countries import fold
from use_cases.weather.settings import WeatherSettings
from use_cases.weather.sources.open_meteo import REPORT_FRESH_S, OpenMeteo
from use_cases.weather.sources.samples import build_sample_report

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 60.0
"""How long `auto` serves sample data after a failure before it tries the service again."""

REFRESH_MIN_AGE_S = 30.0
"""Minimum age of a report before "Refresh" fetches a new one."""


def utc_now() -> datetime:
    """Return the current time, aware."""
    return datetime.now(UTC)


class Forecasts:
    """Weather reports and city searches from the source that `WEATHER_SOURCE` names.

    Args:
        settings: The variables of the use case.
        cache_dir: The folder of the searchable list of cities; created when missing.
        transport: Replaces the network, for tests.
        clock: A monotonic clock, in seconds.
        now: Returns the current time, aware.
        list_timeout_s: Time limit of a lookup in the list of cities, in seconds.
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
        """Start opening the list of cities, and create the connection pool."""
        await self._lookup.open()
        if self.settings.source != "sample":
            await self._open_meteo.open()

    async def close(self) -> None:
        """Cancel pending requests and close the connections."""
        await self._lookup.close()
        await self._open_meteo.close()

    async def find_city(self, text: str) -> CitySearch:
        """Return the city that `text` names, or suggestions.

        Raises:
            UnavailableError: When only real data is allowed and the service cannot be reached, or when the list of
                cities is not available.
        """
        if self._is_online():
            search = await self._find_online(text)
            if search.city is not None or search.suggestions:
                return search
        # Also when the service found nothing: only the list finds misspelled names.
        return await self._lookup.find(text)

    async def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities of the packaged list; see `CityIndex.list_cities`.

        Raises:
            UnavailableError: When the list is not available.
        """
        return await self._lookup.list_cities(country, query, limit)

    async def report(self, city: City, *, is_refresh: bool = False) -> Report:
        """Return the weather of `city`; `is_sample` marks sample data.

        Args:
            city: The place of the forecast.
            is_refresh: Whether to accept only a report younger than `REFRESH_MIN_AGE_S`.

        Raises:
            UnavailableError: When only real data is allowed and the service cannot be reached.
        """
        if self._is_online():
            try:
                return await self._open_meteo.report(
                    city, max_age_s=REFRESH_MIN_AGE_S if is_refresh else REPORT_FRESH_S
                )
            except UnavailableError as exc:
                self._handle_outage(exc)
        return self._open_meteo.cached_report(city) or build_sample_report(city, self.now())

    async def _find_online(self, text: str) -> CitySearch:
        """Search the weather service for a city; return an empty result if it is down and sample data is allowed."""
        for reading in parse_query(text):
            if len(reading.name) < 2:
                continue  # the service finds nothing for a single letter
            try:
                places = await self._open_meteo.find_places(reading.name)
            except UnavailableError as exc:
                self._handle_outage(exc)
                break
            weights = await self._lookup.weights_of([candidate.city.id for candidate in places])
            candidates = [
                replace(candidate, weight=weights.get(candidate.city.id, candidate.weight)) for candidate in places
            ]
            # For "Köln" the service returns "Cologne" first; the candidates are then all places of that name.
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

    def _handle_outage(self, exc: UnavailableError) -> None:
        """Switch to sample data for `RETRY_AFTER_S`; raise `exc` when only real data is allowed."""
        if self.settings.source == "open-meteo":
            raise exc
        if self._clock() >= self._retry_at:
            logger.warning(
                "weather service unreachable, giving sample data", extra={"cause": type(exc.__cause__).__name__}
            )
        self._retry_at = self._clock() + RETRY_AFTER_S
