"""A stub of Open-Meteo that answers as documented, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import httpx

BERN = {
    "id": 2661552, "name": "Bern", "latitude": 46.94809, "longitude": 7.44744, "elevation": 549.0,
    "feature_code": "PPLC", "country_code": "CH", "admin1_id": 2661551, "timezone": "Europe/Zurich",
    "population": 121631, "country_id": 2658434, "country": "Switzerland", "admin1": "Bern",
}  # fmt: skip

TODAY = date(2026, 11, 20)
NOW = datetime.fromisoformat("2026-11-20T10:37:00+00:00")


def place(name: str, region: str, country: str, code: str, population: int | None, id_: int = 1) -> dict[str, Any]:
    return BERN | {
        "id": id_, "name": name, "admin1": region, "country": country, "country_code": code, "population": population,
    }  # fmt: skip


def weather_json(temperature: float = 12.4, today: date = TODAY) -> dict[str, Any]:
    days = [today + timedelta(days=offset) for offset in range(7)]
    hours = [f"{day}T{hour:02}:00" for day in days for hour in range(24)]
    return {
        "latitude": 46.94, "longitude": 7.44, "utc_offset_seconds": 3600, "timezone": "Europe/Zurich",
        "current": {
            "time": f"{today}T11:30", "interval": 900, "temperature_2m": temperature, "apparent_temperature": 10.1,
            "relative_humidity_2m": 64, "is_day": 1, "weather_code": 61, "wind_speed_10m": 14.4,
            "wind_direction_10m": 318,
        },
        "hourly": {
            "time": hours, "temperature_2m": [5.0 + i % 24 / 2 for i in range(len(hours))],
            "weather_code": [3] * len(hours), "is_day": [1 if 8 <= i % 24 < 17 else 0 for i in range(len(hours))],
        },
        "daily": {
            "time": [str(day) for day in days], "weather_code": [61, 3, 0, 71, 95, 45, 2],
            "temperature_2m_max": [13.0, 12.0, 11.0, 2.0, 14.0, 8.0, 9.0],
            "temperature_2m_min": [4.0, 3.0, 2.0, -4.0, 5.0, 1.0, 0.0],
            "precipitation_sum": [3.2, 0.0, 0.0, 5.0, 12.0, 0.0, None],
            "precipitation_probability_max": [80, 10, 0, 70, 90, 5, None],
        },
    }  # fmt: skip


class OpenMeteoStub(httpx.AsyncBaseTransport):
    """An HTTP transport with both services, whose responses can be changed between requests.

    Attributes:
        places: Results of the geocoding service by name.
        weather: The body of the forecast service.
        failure: An exception to raise, or a response to return, instead of an answer.
        gate: An event that responses wait for; None for no wait.
        requests: All requests so far.
        busiest: The highest number of concurrent requests.
    """

    def __init__(self) -> None:
        self.places: dict[str, list[dict[str, Any]]] = {"Bern": [BERN]}
        self.weather: Mapping[str, Any] = weather_json()
        self.failure: Exception | httpx.Response | None = None
        self.gate: asyncio.Event | None = None
        self.requests: list[httpx.Request] = []
        self.busiest = 0
        self._under_way = 0
        self._arrival = asyncio.Event()

    def asked(self, service: str) -> list[dict[str, str]]:
        """Return the parameters of the requests to `"search"` or `"forecast"`."""
        return [dict(r.url.params) for r in self.requests if r.url.path.endswith(service)]

    async def has_been_asked(self, times: int) -> None:
        """Wait until `times` requests have arrived since the start."""
        while len(self.requests) < times:
            self._arrival.clear()
            await self._arrival.wait()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self._arrival.set()
        self._under_way += 1
        self.busiest = max(self.busiest, self._under_way)
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self._under_way -= 1
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        if request.url.path.endswith("search"):
            results = self.places.get(request.url.params["name"])
            return httpx.Response(200, json={"generationtime_ms": 0.5} | ({"results": results} if results else {}))
        return httpx.Response(200, json=self.weather)
