"""Sample weather."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from use_cases.weather.places.cities import City
from use_cases.weather.places.city_index import CityIndex
from use_cases.weather.sources.samples import build_sample_report

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def city_called(cities: CityIndex, name: str) -> City:
    city = cities.find(name).city
    assert city is not None
    return city


def test_a_city_and_a_day_give_the_same_numbers_in_every_process(cities: CityIndex) -> None:
    program = (
        "from datetime import UTC, datetime\n"
        "from use_cases.weather.places.cities import City\n"
        "from use_cases.weather.sources.samples import build_sample_report\n"
        f"city = {city_called(cities, 'Bern')!r}\n"
        "print(build_sample_report(city, datetime(2026, 1, 15, 12, tzinfo=UTC)).days)\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout.decode()
        for seed in ("1", "2")
    ]
    here = str(build_sample_report(city_called(cities, "Bern"), NOON).days)
    assert outputs == [here + "\n"] * 2


def test_a_sample_day_does_not_change_as_it_approaches(cities: CityIndex) -> None:
    bern = city_called(cities, "Bern")
    today, tomorrow = build_sample_report(bern, NOON), build_sample_report(bern, NOON + timedelta(days=1))
    assert today.days[1:] == tomorrow.days[:-1]


def test_another_city_and_another_day_have_other_weather(cities: CityIndex) -> None:
    bern, thun = city_called(cities, "Bern"), city_called(cities, "Thun")
    assert build_sample_report(bern, NOON).days != build_sample_report(thun, NOON).days
    assert build_sample_report(bern, NOON).days[0] != build_sample_report(bern, NOON + timedelta(days=1)).days[0]


def mean_of(city: City, start: datetime) -> float:
    days = [day for week in range(4) for day in build_sample_report(city, start + timedelta(days=7 * week)).days]
    return sum(day.min_c + day.max_c for day in days) / (2 * len(days))


def test_the_climate_fits_latitude_and_season(cities: CityIndex) -> None:
    january, july = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 7, 5, 12, tzinfo=UTC)
    bern, sydney, singapore = (city_called(cities, name) for name in ("Bern", "Sydney", "Singapore"))
    yakutsk = city_called(cities, "Yakutsk")
    assert mean_of(bern, july) - mean_of(bern, january) > 10
    assert mean_of(sydney, january) - mean_of(sydney, july) > 5
    assert abs(mean_of(singapore, january) - mean_of(singapore, july)) < 3
    assert mean_of(yakutsk, january) < 0 < mean_of(bern, july) < mean_of(singapore, july)


@pytest.mark.parametrize("name", ["Bern", "Sydney", "Murmansk", "Quito", "Auckland", "Honolulu"])
def test_every_number_is_possible_at_every_hour(cities: CityIndex, name: str) -> None:
    city = city_called(cities, name)
    for hours in range(0, 24 * 365, 53):
        report = build_sample_report(city, NOON + timedelta(hours=hours))
        now, today = report.current, report.days[0]
        assert report.is_sample
        assert today.min_c <= now.temperature_c <= today.max_c
        assert 0 <= now.humidity_percent <= 100
        assert 0 <= now.wind_kmh <= 70
        assert -45 < now.temperature_c < 50
        assert len(report.days) == 7
        assert len(report.hours) == 7 * 24
        assert report.days[0].date == now.time.date()
        for day in report.days:
            assert day.rain_percent is not None
            assert 0 <= day.rain_percent <= 100
            assert (day.precipitation_mm > 0) == (day.code >= 51)
            assert day.code < 71 or day.code > 77 or day.min_c < 1


def test_the_night_is_dark_and_the_afternoon_is_warmest(cities: CityIndex) -> None:
    hours = build_sample_report(city_called(cities, "Bern"), NOON).hours[:24]
    assert not hours[0].is_day
    assert hours[12].is_day
    assert max(hours, key=lambda hour: hour.temperature_c).time.hour == 15


def test_the_polar_night_has_no_sun(cities: CityIndex) -> None:
    midwinter = datetime(2026, 12, 21, 12, tzinfo=UTC)
    assert not any(hour.is_day for hour in build_sample_report(city_called(cities, "Tromsø"), midwinter).hours[:24])
