"""The list of cities in a running server: opened in the background, searched in threads, made anew when damaged."""

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
"""Longest wait for an answer of the list, which the very first start has to make; that takes a second or two."""

_FOR_EVER = float("inf")

R = TypeVar("R")


class CityLookup:
    """Answers where cities are. `open` it before use and `close` it after.

    Args:
        folder: Where the searchable list is kept; made when missing.
        source: The packaged list that it is made from.
        timeout_s: Longest wait for an answer, in seconds.
    """

    def __init__(self, folder: Path, *, source: Path = PACKAGED, timeout_s: float = LIST_TIMEOUT_S) -> None:
        self._folder = folder
        self._source = source
        self._timeout_s = timeout_s
        self._indexes: FreshCache[CityIndex] = FreshCache(1)
        self._damages = 0
        self._opening: asyncio.Task[None] | None = None
        self._is_closing = threading.Event()

    async def open(self) -> None:
        """Begin to open the list, or to make it. Returns at once: whoever asks waits for it."""
        self._is_closing.clear()
        self._opening = asyncio.create_task(self._prepare(), name="weather-cities")

    async def close(self) -> None:
        """Stop what is under way."""
        self._is_closing.set()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._indexes.close()

    async def find(self, text: str) -> CitySearch:
        """Return the city that `text` means, or suggestions.

        Raises:
            UnavailableError: When there is no list, or none in time.
        """
        return await self._ask(lambda index: index.find(text))

    async def weights_of(self, city_ids: Sequence[int]) -> dict[int, float]:
        """Return the weights of those of the cities that are in the list, by their ids.

        Raises:
            UnavailableError: When there is no list, or none in time.
        """
        return await self._ask(lambda index: index.weights_of(city_ids))

    async def list_cities(self, country: str | None, query: str | None, limit: int) -> tuple[City, ...]:
        """Return cities, see `CityIndex.list_cities`.

        Raises:
            UnavailableError: When there is no list, or none in time.
        """
        return await self._ask(lambda index: index.list_cities(country, query, limit))

    async def _ask(self, question: Callable[[CityIndex], R]) -> R:
        try:
            async with asyncio.timeout(self._timeout_s):
                damages = self._damages
                try:
                    return await asyncio.to_thread(question, await self._index(damages))
                except sqlite3.DatabaseError as exc:
                    logger.warning("list of cities is damaged or gone, making it anew", extra={"cause": str(exc)})
                # Of several who find it damaged, the first one has it made and the others wait with it.
                self._damages = damages + 1
                return await asyncio.to_thread(question, await self._index(damages + 1))
        except TimeoutError as exc:
            raise UnavailableError(
                "The list of cities is not ready yet. Please try again in a moment.", code="weather.no_list"
            ) from exc

    async def _index(self, damages: int) -> CityIndex:
        return await self._indexes.get(damages, lambda: self._load(anew=damages > 0), _FOR_EVER)

    async def _load(self, *, anew: bool) -> CityIndex:
        try:
            return await asyncio.to_thread(
                load_cities, self._folder, source=self._source, anew=anew, is_unwanted=self._is_closing.is_set
            )
        except (OSError, sqlite3.Error, ValueError, LookupError) as exc:
            logger.exception("list of cities cannot be made")
            raise UnavailableError(
                "The list of cities cannot be read at the moment. Please try again later.", code="weather.no_list"
            ) from exc

    async def _prepare(self) -> None:
        with suppress(UnavailableError):  # the log has it, and the next question tries again
            await self._index(self._damages)
