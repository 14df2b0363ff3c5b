"""Forecasts: their sources, and a service that is down, slow or wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from errors import UnavailableError
from tests.unit.weather.conftest import Clock, OpenForecasts
from tests.unit.weather.open_meteo_stub import NOW, OpenMeteoStub, place, weather_json
from use_cases.weather.forecasts import RETRY_AFTER_S, Forecasts
from use_cases.weather.places.cities import City
from use_cases.weather.sources.open_meteo import MAX_CONNECTIONS, REPORT_FRESH_S

AWAY = httpx.ConnectError("refused")


async def bern(forecasts: Forecasts) -> City:
    city = (await forecasts.find_city("Bern")).city
    assert city is not None
    return city


async def test_real_weather_comes_from_geocoding_and_forecast(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub
) -> None:
    async with open_forecasts(source="open-meteo", forecast_url="http://w.test/v1/forecast") as forecasts:
        report = await forecasts.report(await bern(forecasts))
    assert not report.is_sample
    assert report.city.label == "Bern, Switzerland"
    assert (report.current.temperature_c, report.current.humidity_percent, report.current.wind_kmh) == (12.4, 64, 14.4)
    assert report.current.time.isoformat() == "2026-11-20T11:30:00+01:00"
    assert [day.max_c for day in report.days] == [13.0, 12.0, 11.0, 2.0, 14.0, 8.0, 9.0]
    assert report.days[6].rain_percent is None
    assert stub.asked("search")[0]["name"] == "Bern"
    assert stub.requests[-1].url.host == "w.test"
    asked = stub.asked("forecast")[0]
    assert (asked["latitude"], asked["longitude"], asked["timezone"]) == ("46.94809", "7.44744", "Europe/Zurich")


async def test_without_the_service_auto_gives_sample_data_and_does_not_knock_again_for_a_while(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub, clock: Clock
) -> None:
    stub.failure = AWAY
    async with open_forecasts(source="auto") as forecasts:
        city = await bern(forecasts)
        assert (await forecasts.report(city)).is_sample
        assert len(stub.requests) == 1
        stub.failure = None
        clock.seconds += RETRY_AFTER_S - 1
        assert (await forecasts.report(city)).is_sample
        assert len(stub.requests) == 1
        clock.seconds += 1
        assert not (await forecasts.report(city)).is_sample


async def test_sample_mode_never_asks_the_network(open_forecasts: OpenForecasts, stub: OpenMeteoStub) -> None:
    async with open_forecasts(source="sample") as forecasts:
        assert (await forecasts.report(await bern(forecasts))).is_sample
    assert stub.requests == []


def weather_without(key: str) -> dict[str, Any]:
    return {name: value for name, value in weather_json().items() if name != key}


@pytest.mark.parametrize(
    "body",
    [
        weather_without("current"),
        weather_without("daily"),
        weather_json() | {"daily": weather_json()["daily"] | {"temperature_2m_max": [1.0]}},
        weather_json() | {"current": weather_json()["current"] | {"temperature_2m": "warm"}},
        weather_json() | {"current": weather_json()["current"] | {"temperature_2m": 9999}},
        {"error": True, "reason": "Cannot initialize"},
    ],
)
async def test_an_answer_that_makes_no_sense_counts_as_no_answer(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub, body: Mapping[str, Any]
) -> None:
    stub.weather = body
    async with open_forecasts(source="auto") as forecasts:
        assert (await forecasts.report(await bern(forecasts))).is_sample
    async with open_forecasts(source="open-meteo") as forecasts:
        city = await bern(forecasts)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await forecasts.report(city)


@pytest.mark.parametrize(
    "failure",
    [
        AWAY,
        httpx.ReadTimeout("slow"),
        httpx.Response(429, json={"error": True}),
        httpx.Response(500, text="oops"),
        httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
        httpx.Response(200, text="<html>Log in to the hotel's network</html>"),
        httpx.Response(200, content=b" " * 1_500_000),
    ],
    ids=lambda failure: type(failure).__name__ + str(getattr(failure, "status_code", "")),
)
async def test_every_kind_of_failure_is_one_clear_error_in_open_meteo_mode(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub, failure: Exception | httpx.Response
) -> None:
    stub.failure = failure
    async with open_forecasts(source="open-meteo") as forecasts:
        with pytest.raises(UnavailableError, match="cannot be reached") as caught:
            await forecasts.find_city("Bern")
    assert caught.value.allow_retry
    assert len(stub.requests) == 1


async def test_a_service_that_never_answers_is_given_up_after_the_timeout(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub
) -> None:
    stub.gate = asyncio.Event()
    async with open_forecasts(source="auto", timeout_s=0.05) as forecasts, asyncio.timeout(15):
        assert (await forecasts.report(await bern(forecasts))).is_sample


async def test_fresh_values_are_not_requested_again(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub, clock: Clock
) -> None:
    async with open_forecasts(source="open-meteo") as forecasts:
        city = await bern(forecasts)
        await forecasts.report(city)
        await forecasts.report(await bern(forecasts))
        assert (len(stub.asked("search")), len(stub.asked("forecast"))) == (1, 1)
        clock.seconds += REPORT_FRESH_S + 1
        await forecasts.report(city)
        assert len(stub.asked("forecast")) == 2


async def test_refresh_asks_again_but_not_at_every_click(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub, clock: Clock
) -> None:
    async with open_forecasts(source="open-meteo") as forecasts:
        city = await bern(forecasts)
        await forecasts.report(city)
        stub.weather = weather_json(temperature=20.0)
        assert (await forecasts.report(city, is_refresh=True)).current.temperature_c == 12.4
        clock.seconds += 31
        assert (await forecasts.report(city, is_refresh=True)).current.temperature_c == 20.0


async def test_concurrent_requests_for_the_same_value_cause_one_request(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub
) -> None:
    async with open_forecasts(source="open-meteo") as forecasts:
        city = await bern(forecasts)
        stub.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(forecasts.report(city)) for _ in range(20)]
            leaving = asyncio.create_task(forecasts.report(city))
            await stub.has_been_asked(2)
            leaving.cancel()
            stub.gate.set()
    assert len(stub.asked("forecast")) == 1
    assert {task.result().current.temperature_c for task in waiting} == {12.4}
    assert leaving.cancelled()


async def test_no_more_than_a_few_requests_are_under_way_at_once(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub
) -> None:
    async with open_forecasts(source="open-meteo") as forecasts:
        cities = await forecasts.list_cities("Switzerland", None, 16)
        stub.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for city in cities:
                group.create_task(forecasts.report(city))
            await stub.has_been_asked(MAX_CONNECTIONS)
            stub.gate.set()
    assert len(stub.requests) == 16
    assert stub.busiest == MAX_CONNECTIONS


async def test_closing_cancels_pending_requests(open_forecasts: OpenForecasts, stub: OpenMeteoStub) -> None:
    async with open_forecasts(source="open-meteo", timeout_s=60) as forecasts:
        city = await bern(forecasts)
        stub.gate = asyncio.Event()
        asking = asyncio.create_task(forecasts.report(city))
        await stub.has_been_asked(2)
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_places_of_one_name_are_distinguished_by_data_of_the_service(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub
) -> None:
    stub.places["London"] = [
        place("London", "England", "United Kingdom", "GB", 8_961_989, 2643743),
        place("London", "Ontario", "Canada", "CA", 422_324, 6058560),
    ]
    stub.places["Twin"] = [
        place("Twin", "Nord", "Land", "XX", None, 11),
        place("Twin", "Syd", "Land", "XX", None, 12),
    ]
    async with open_forecasts(source="open-meteo") as forecasts:
        plain, hinted = await forecasts.find_city("London"), await forecasts.find_city("London, Ontario")
        twins = await forecasts.find_city("Twin")
    assert plain.city is not None
    assert plain.city.country == "United Kingdom"
    assert hinted.city is not None
    assert hinted.city.label == "London, Ontario, Canada"
    assert twins.is_ambiguous
    assert [city.full_label for city in twins.suggestions] == ["Twin, Nord, Land", "Twin, Syd, Land"]


async def test_a_place_of_the_service_that_the_list_knows_has_the_fame_that_it_has_there(
    open_forecasts: OpenForecasts, stub: OpenMeteoStub
) -> None:
    # By their populations alone it would not be clear which one is meant.
    stub.places["Barcelona"] = [
        place("Barcelona", "Catalonia", "Spain", "ES", 1_700_000, 3128760),
        place("Barcelona", "Anzoátegui", "Venezuela", "VE", 800_000, 3648559),
    ]
    stub.places["Nowhere"] = [found | {"name": "Nowhere", "id": 0} for found in stub.places["Barcelona"]]
    async with open_forecasts(source="open-meteo") as forecasts:
        known, unknown = await forecasts.find_city("Barcelona"), await forecasts.find_city("Nowhere")
    assert known.city is not None
    assert known.city.label == "Barcelona, Spain"
    assert unknown.is_ambiguous


async def test_a_name_that_the_service_does_not_know_leads_to_suggestions_of_the_list(
    open_forecasts: OpenForecasts,
) -> None:
    async with open_forecasts(source="open-meteo") as forecasts:
        search = await forecasts.find_city("Zurch")
    assert search.city is None
    assert [city.name for city in search.suggestions] == ["Zürich"]


async def test_sample_weather_is_of_the_present_moment(open_forecasts: OpenForecasts) -> None:
    async with open_forecasts(source="sample") as forecasts:
        report = await forecasts.report(await bern(forecasts))
    assert report.current.time == NOW
