"""A client of Open-Meteo's geocoding and forecast APIs, with bounds. Source: https://open-meteo.com/en/docs."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel, Field, ValidationError, model_validator

from errors import UnavailableError
from use_cases.weather.conditions import MAX_DAYS, Current, Day, Hour, Report
from use_cases.weather.places.cities import Candidate, City, weigh
from use_cases.weather.settings import WeatherSettings
from use_cases.weather.sources.fresh_cache import FreshCache

REPORT_FRESH_S = 600.0
PLACES_FRESH_S = 24 * 3600.0
MAX_CACHED_REPORTS = 512
MAX_CACHED_SEARCHES = 1024
MAX_CONNECTIONS = 8
MAX_RESPONSE_BYTES = 1_000_000
MAX_PLACES = 10

_CURRENT = (
    "temperature_2m,apparent_temperature,relative_humidity_2m,is_day,weather_code,wind_speed_10m,wind_direction_10m"
)
_HOURLY = "temperature_2m,weather_code,is_day"
_DAILY = "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,precipitation_probability_max"

Temperature = Field(ge=-120, le=80)

M = TypeVar("M", bound=BaseModel)


class _Place(BaseModel):
    id: int = Field(ge=0)
    name: str = Field(min_length=1, max_length=200)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    timezone: str | None = None
    country_code: str = ""
    country: str = ""
    admin1: str = ""
    population: int | None = None


class _Places(BaseModel):
    results: list[_Place] = []


class _CurrentData(BaseModel):
    time: datetime
    temperature_2m: float = Temperature
    apparent_temperature: float = Temperature
    relative_humidity_2m: float = Field(ge=0, le=100)
    is_day: bool
    weather_code: int
    wind_speed_10m: float = Field(ge=0, le=600)
    wind_direction_10m: float = Field(ge=0, le=360)


class _HourlyData(BaseModel):
    time: list[datetime]
    temperature_2m: list[float | None]
    weather_code: list[int | None]
    is_day: list[bool | None]


class _DailyData(BaseModel):
    time: list[date] = Field(min_length=1)
    weather_code: list[int]
    temperature_2m_max: list[float]
    temperature_2m_min: list[float]
    precipitation_sum: list[float | None]
    precipitation_probability_max: list[int | None]


class _Weather(BaseModel):
    current: _CurrentData
    hourly: _HourlyData
    daily: _DailyData

    @model_validator(mode="after")
    def _check_column_lengths(self) -> Self:
        for table in (self.hourly, self.daily):
            if len({len(column) for _, column in table}) > 1:
                raise ValueError("the columns differ in length")
        return self


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return the TLS context that all clients share: loading the certificates takes 30 ms."""
    return httpx.create_ssl_context()


class OpenMeteo:
    """A client of Open-Meteo's two services, to be opened before use and closed after it.

    Args:
        settings: Addresses and the timeout.
        transport: Replaces the network, for tests.
        clock: A monotonic clock in seconds, for the age of cached values.
    """

    def __init__(
        self,
        settings: WeatherSettings,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._reports: FreshCache[Report] = FreshCache(MAX_CACHED_REPORTS, clock)
        self._places: FreshCache[tuple[Candidate, ...]] = FreshCache(MAX_CACHED_SEARCHES, clock)

    async def open(self) -> None:
        """Create the connection pool."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport,
                verify=self._transport is not None or _ssl_context(),
                timeout=self._settings.timeout_s,
                limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
                headers={"Accept": "application/json"},
            )

    async def close(self) -> None:
        """Cancel pending requests and close the connections."""
        await self._reports.close()
        await self._places.close()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def find_places(self, name: str) -> tuple[Candidate, ...]:
        """Return the places with this name, in the service's order.

        Raises:
            UnavailableError: When the service gives no valid response in time.
        """
        key = name.casefold()
        return await self._places.get(key, lambda: self._fetch_places(name), PLACES_FRESH_S)

    async def report(self, city: City, *, max_age_s: float = REPORT_FRESH_S) -> Report:
        """Return the weather of `city`.

        Args:
            city: The place of the forecast.
            max_age_s: Maximum age of a cached report, in seconds.

        Raises:
            UnavailableError: When the service gives no valid response in time.
        """
        # Two decimals are about a kilometre, finer than the weather models.
        key = (round(city.latitude, 2), round(city.longitude, 2), city)
        return await self._reports.get(key, lambda: self._fetch_report(city), max_age_s)

    def cached_report(self, city: City) -> Report | None:
        """Return the cached report of a city, without a request; None when there is no fresh one."""
        return self._reports.peek((round(city.latitude, 2), round(city.longitude, 2), city), REPORT_FRESH_S)

    async def _fetch_places(self, name: str) -> tuple[Candidate, ...]:
        params = {"name": name, "count": MAX_PLACES, "language": "en", "format": "json"}
        places = await self._get(self._settings.geocoding_url, params, _Places)
        return tuple(candidate for place in places.results if (candidate := _parse_place(place)) is not None)

    async def _fetch_report(self, city: City) -> Report:
        params = {
            "latitude": city.latitude,
            "longitude": city.longitude,
            "timezone": city.timezone,
            "forecast_days": MAX_DAYS,
            "current": _CURRENT,
            "hourly": _HOURLY,
            "daily": _DAILY,
        }
        return _parse_weather(city, await self._get(self._settings.forecast_url, params, _Weather))

    async def _get(self, url: str, params: dict[str, Any], model: type[M]) -> M:
        if self._client is None:
            raise RuntimeError("OpenMeteo.open() has not been called")
        try:
            # The timeout of httpx is per read; this one covers the whole request, including the wait for a slot.
            async with asyncio.timeout(self._settings.timeout_s), self._slots:
                body = await self._read_body(self._client, url, params)
            return model.model_validate_json(body)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValidationError) as exc:
            raise UnavailableError(
                "The weather service cannot be reached at the moment. Please try again later.",
                code="weather.unavailable",
            ) from exc

    async def _read_body(self, client: httpx.AsyncClient, url: str, params: dict[str, Any]) -> bytes:
        body = bytearray()
        async with client.stream("GET", url, params=params) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_RESPONSE_BYTES:
                    raise httpx.DecodingError(f"more than {MAX_RESPONSE_BYTES} bytes", request=response.request)
        return bytes(body)


def _parse_place(place: _Place) -> Candidate | None:
    if not place.timezone:
        return None
    try:
        ZoneInfo(place.timezone)
    except (OSError, ValueError, KeyError):
        return None
    city = City(
        id=place.id,
        name=place.name,
        country=place.country[:100],
        latitude=place.latitude,
        longitude=place.longitude,
        timezone=place.timezone,
        region=place.admin1[:100],
    )
    return Candidate(city, place.country_code, weigh(place.name, place.country_code, place.population or 0, 0))


def _parse_weather(city: City, weather: _Weather) -> Report:
    zone, now, hourly, daily = city.zone, weather.current, weather.hourly, weather.daily
    current = Current(
        time=now.time.replace(tzinfo=zone),
        temperature_c=now.temperature_2m,
        feels_like_c=now.apparent_temperature,
        humidity_percent=round(now.relative_humidity_2m),
        wind_kmh=now.wind_speed_10m,
        wind_from_deg=now.wind_direction_10m,
        code=now.weather_code,
        is_day=now.is_day,
    )
    rows = zip(hourly.time, hourly.temperature_2m, hourly.weather_code, hourly.is_day, strict=True)
    hours = tuple(
        Hour(moment.replace(tzinfo=zone), temperature, code or 0, bool(is_day))
        for moment, temperature, code, is_day in rows
        if temperature is not None
    )
    days = tuple(
        Day(day, code, low, high, amount or 0.0, percent)
        for day, code, low, high, amount, percent in zip(
            daily.time,
            daily.weather_code,
            daily.temperature_2m_min,
            daily.temperature_2m_max,
            daily.precipitation_sum,
            daily.precipitation_probability_max,
            strict=True,
        )
    )
    return Report(city, current, hours, days[:MAX_DAYS], is_sample=False)
