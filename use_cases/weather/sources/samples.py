"""Sample weather: plausible, deterministic for a city and day, and labelled as made up."""

from __future__ import annotations

import hashlib
import math
import random
from datetime import date, datetime, time, timedelta

from use_cases.weather.conditions import MAX_DAYS, Current, Day, Hour, Report
from use_cases.weather.places.cities import City

_COLDEST_HOUR = 5
_WARMEST_HOUR = 15
_YEAR_DAYS = 365.25
_WARMEST_DAY_OF_YEAR = 201  # 20 July, half a year later in the south
_DRY_CODES = (0, 1, 2, 2, 3, 3)
_FOG_CODE = 45


def build_sample_report(city: City, now: datetime) -> Report:
    """Return made-up weather that fits the city's latitude, the season and the hour.

    Args:
        city: The city, whose id and position seed the numbers.
        now: The current time, aware.
    """
    local = now.astimezone(city.zone)
    days = [_sample_day(city, local.date() + timedelta(days=offset)) for offset in range(MAX_DAYS)]
    hours = tuple(
        Hour(moment, round(_temperature_at(day, moment.hour), 1), day.code, _is_daylight(city, moment))
        for day in days
        for moment in (datetime.combine(day.date, time(hour), city.zone) for hour in range(24))
    )
    return Report(city, _sample_now(city, days[0], local), hours, tuple(days), is_sample=True)


def _rng(city: City, day: date, topic: str) -> random.Random:
    # hash() would differ from process to process.
    text = f"{city.id}|{city.latitude:.3f}|{city.longitude:.3f}|{day.isoformat()}|{topic}"
    return random.Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()))


def _warmth_of_season(city: City, day: date) -> float:
    """Return a factor from -1 in midwinter to 1 in midsummer, in the city's hemisphere."""
    phase = math.cos(2 * math.pi * (day.timetuple().tm_yday - _WARMEST_DAY_OF_YEAR) / _YEAR_DAYS)
    return phase if city.latitude >= 0 else -phase


def _sample_day(city: City, day: date) -> Day:
    distance = abs(city.latitude)
    yearly_mean = -8 + 36 * math.cos(math.radians(distance)) ** 1.5
    usual = yearly_mean + (1 + 0.15 * distance) * _warmth_of_season(city, day)
    # Neighbouring days share a part of their deviation, since weather lasts.
    unusual = sum(_rng(city, day + timedelta(days=shift), "warmth").gauss(0, 2.4) for shift in (-1, 0, 1)) / 1.7
    rng = _rng(city, day, "day")
    mean = usual + unusual * (0.4 + distance / 90)
    spread = rng.uniform(3, 6.5)
    # Deserts of the horse latitudes are dry, the tropics and the west wind belt are wet.
    wetness = 0.5 - 0.35 * math.exp(-(((distance - 25) / 9) ** 2))
    rain_percent = min(95, max(2, round(100 * rng.betavariate(1.6 * wetness / (1 - wetness), 1.6))))
    is_wet = 20 + rng.random() * 60 < rain_percent  # rain at a chance of 10 % would look like an error
    amount = round(min(45.0, rng.expovariate(1 / 5)) + 0.2, 1) if is_wet else 0.0
    low, high = round(mean - spread, 1), round(mean + spread, 1)
    return Day(day, _weather_code(rng, mean, amount, high), low, high, amount, rain_percent)


def _weather_code(rng: random.Random, mean_c: float, amount_mm: float, high_c: float) -> int:
    if amount_mm == 0:
        return _FOG_CODE if rng.random() < 0.06 and mean_c < 14 else rng.choice(_DRY_CODES)
    strength = 0 if amount_mm < 2.5 else 1 if amount_mm < 10 else 2
    if mean_c < 0.5:
        return (71, 73, 75)[strength]
    if high_c > 24 and strength == 2 and rng.random() < 0.6:
        return 95
    if rng.random() < 0.4:
        return (80, 81, 82)[strength]
    return (51 if amount_mm < 1 else 61, 63, 65)[strength]


def _temperature_at(day: Day, hour: float) -> float:
    """Return the temperature at an hour, on a cosine curve between the coldest and the warmest hour."""
    if _COLDEST_HOUR <= hour <= _WARMEST_HOUR:
        share = (hour - _COLDEST_HOUR) / (_WARMEST_HOUR - _COLDEST_HOUR)
    else:
        share = 1 - ((hour - _WARMEST_HOUR) % 24) / (24 - _WARMEST_HOUR + _COLDEST_HOUR)
    return day.min_c + (day.max_c - day.min_c) * (1 - math.cos(math.pi * share)) / 2


def _is_daylight(city: City, local: datetime) -> bool:
    """Return whether the sun is above the horizon."""
    day = local.timetuple().tm_yday
    declination = math.radians(23.44) * math.sin(2 * math.pi * (day - 81) / _YEAR_DAYS)
    offset = local.utcoffset() or timedelta()
    utc_hour = local.hour + local.minute / 60 - offset.total_seconds() / 3600
    hour_angle = math.radians((utc_hour - 12) * 15 + city.longitude)
    latitude = math.radians(city.latitude)
    height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
        hour_angle
    )
    return height > -0.0145  # the upper rim, lifted by refraction


def _sample_now(city: City, day: Day, local: datetime) -> Current:
    rng = _rng(city, day.date, "now")
    temperature = _temperature_at(day, local.hour + local.minute / 60)
    wind = round(min(70.0, rng.gammavariate(2.2, 5.5)), 1)
    is_wet = day.precipitation_mm > 0
    warmth = (temperature - day.min_c) / max(day.max_c - day.min_c, 0.1)
    humidity = round(min(99, max(12, (84 if is_wet else 66) + rng.gauss(0, 6) - 22 * warmth)))
    return Current(
        time=local.replace(second=0, microsecond=0),
        temperature_c=round(temperature, 1),
        feels_like_c=round(_feels_like(temperature, wind, humidity), 1),
        humidity_percent=humidity,
        wind_kmh=wind,
        wind_from_deg=float(rng.randrange(360)),
        code=day.code,
        is_day=_is_daylight(city, local),
    )


def _feels_like(temperature_c: float, wind_kmh: float, humidity_percent: int) -> float:
    """Return the Australian apparent temperature. Source: Steadman 1994, without radiation."""
    vapour_hpa = humidity_percent / 100 * 6.105 * math.exp(17.27 * temperature_c / (237.7 + temperature_c))
    return temperature_c + 0.33 * vapour_hpa - 0.70 * wind_kmh / 3.6 - 4.0
