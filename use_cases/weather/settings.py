"""Settings of the weather use case: the environment variables that begin with `WEATHER_`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ConfigError
from use_cases.weather.conditions import Units

ENV_PREFIX = "WEATHER_"


class WeatherSettings(BaseSettings):
    """The variables of the weather use case. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    source: Literal["auto", "open-meteo", "sample"] = Field(
        "auto",
        description="`open-meteo`: real data only; `sample`: labelled sample data, no network; "
        "`auto`: real data, and sample data while the service cannot be reached.",
    )
    units: Units = Field("celsius", description="What a widget shows until somebody switches it.")
    timeout_s: float = Field(3.0, gt=0, le=60, description="Longest wait for one answer of Open-Meteo, in seconds.")
    forecast_url: str = Field("https://api.open-meteo.com/v1/forecast", description="Open-Meteo's forecast API.")
    geocoding_url: str = Field(
        "https://geocoding-api.open-meteo.com/v1/search", description="Open-Meteo's geocoding API."
    )

    @field_validator("forecast_url", "geocoding_url")
    @classmethod
    def _check_http_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"'{value}' is not an http(s) URL")
        return value


def load_weather_settings() -> WeatherSettings:
    """Read the environment once.

    Raises:
        ConfigError: When a variable is invalid; the error names it.
    """
    try:
        return WeatherSettings()
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False)[0]
        variable = f"{ENV_PREFIX}{error['loc'][0]}".upper() if error["loc"] else ENV_PREFIX
        raise ConfigError(variable, error["msg"].removeprefix("Value error, ")) from exc
