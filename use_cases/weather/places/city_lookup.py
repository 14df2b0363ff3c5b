"""City searches in a running server: the index is opened in the background and queried in threads."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from errors import UnavailableError
from use_cases.weather.places.cities import City, CitySearch
from use_cases.weather.places.city_file import PACKAGED
from use_cases.weather.places.city_index import CityIndex, load_cities
from use_cases.weather.sources.fresh_cache import FreshCache

logger = logging.getLogger(__name__)

LIST_TIMEOUT_S = 20.0
"""Time limit of a query, including the wait for the file, which takes a second or two to build at the first start."""

_NO_EXPIRY = float("inf")

R = TypeVar("R")


class CityLookup:
    """Asynchronous queries of the city index, to be opened before use and closed after it.

    Args:
        folder: The folder of the index file; created when missing.
        source: The packaged list of cities.
        timeout_s: Time limit of a query, in seconds.
    """

    def __init__(self, folder: Path, *, source: Path = PACKAGED, timeout_s: float = LIST_TIMEOUT_S) -> None:
        self._folder = folder
        self._source = source
        self._timeout_s = timeout_s
        self._indexes: FreshCache[CityIndex] = FreshCache(1)
        self._rebuilds = 0
        self._opening: asyncio.Task[None] | None = None
        self._is_closing = threading.Event()

    async def open(self) -> None:
        """Start opening or building the index in the background; queries wait for it."""
        self._is_closing.clear()
        self._opening = asyncio.create_task(self._prepare(), name="weather-cities")

    async def close(self) -> None:
        """Cancel a build and pending queries."""
        self._is_closing.set()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._indexes.close()

    async def find(self, text: str) -> CitySearch:
        """Return the city that `text` names, or suggestions.

        Raises:
            UnavailableError: When the index cannot be opened, or not in time.
        """
        return await self._query_index(lambda index: index.find(text))

    async def weights_of(self, city_ids: Sequence[int]) -> dict[int, float]:
        """Return the weights of cities by id; ids that are not in the list are left out.

        Raises:
            UnavailableError: When the index cannot be opened, or not in time.
        """
        return await self._query_index(lambda index: index.weights_of(city_ids))

    async def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities; see `CityIndex.list_cities`.

        Raises:
            UnavailableError: When the index cannot be opened, or not in time.
        """
        return await self._query_index(lambda index: index.list_cities(country, query, limit))

    async def _query_index(self, question: Callable[[CityIndex], R]) -> R:
        try:
            async with asyncio.timeout(self._timeout_s):
                rebuilds = self._rebuilds
                try:
                    return await asyncio.to_thread(question, await self._get_index(rebuilds))
                except sqlite3.DatabaseError as exc:
                    logger.warning("list of cities is damaged or gone, making it anew", extra={"cause": str(exc)})
                # Concurrent queries that find the same damage share one rebuild.
                self._rebuilds = rebuilds + 1
                return await asyncio.to_thread(question, await self._get_index(rebuilds + 1))
        except TimeoutError as exc:
            raise UnavailableError(
                "The list of cities is not ready yet. Please try again in a moment.", code="weather.no_list"
            ) from exc

    async def _get_index(self, rebuilds: int) -> CityIndex:
        return await self._indexes.get(rebuilds, lambda: self._load(rebuild=rebuilds > 0), _NO_EXPIRY)

    async def _load(self, *, rebuild: bool) -> CityIndex:
        try:
            return await asyncio.to_thread(
                load_cities, self._folder, source=self._source, rebuild=rebuild, is_cancelled=self._is_closing.is_set
            )
        except (OSError, sqlite3.Error, ValueError, LookupError) as exc:
            logger.exception("list of cities cannot be made")
            raise UnavailableError(
                "The list of cities cannot be read at the moment. Please try again later.", code="weather.no_list"
            ) from exc

    async def _prepare(self) -> None:
        with suppress(UnavailableError):  # it was logged, and the next query tries again
            await self._get_index(self._rebuilds)
