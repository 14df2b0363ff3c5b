"""SecretFiles: a source of settings that reads secrets from files, as orchestrators mount them."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from errors import ConfigError

MAX_SECRET_FILE_BYTES = 65_536

_MAY_HOLD_PASSWORD = ("database_url", "storage_url")


class SecretFiles(PydanticBaseSettingsSource):
    """Source that reads secrets from files: `OPENAI_API_KEY_FILE` is the path of a file with `OPENAI_API_KEY`.

    Args:
        settings_cls: The class of the settings.
        sources: The sources of the `…_FILE` variables, the one with the highest priority first.
    """

    def __init__(self, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._variables: dict[str, str | None] = {}
        for source in reversed(sources):
            if isinstance(source, EnvSettingsSource):
                self._variables |= {name: value for name, value in source.env_vars.items() if value}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of the file for a field; None without a file.

        Raises:
            ConfigError: When the file cannot be read, or the variable itself is set as well.
        """
        name = f"{field_name}_file"
        path = self._variables.get(name) if is_secret(field_name, field) else None
        if path is None:
            return None, field_name, False
        if self._variables.get(field_name):
            raise ConfigError(name.upper(), f"and {field_name.upper()} are both set: remove one of them")
        try:
            with open(path, "rb") as file:
                text = file.read(MAX_SECRET_FILE_BYTES).decode().strip()
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
            raise ConfigError(name.upper(), f"'{path}' cannot be read: {reason}") from exc
        if not text:
            raise ConfigError(name.upper(), f"'{path}' is empty")
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets from files, by field."""
        fields = self.settings_cls.model_fields.items()
        values = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in values.items() if value is not None}


def is_secret(name: str, field: FieldInfo) -> bool:
    """Return whether a setting is a secret, or a URL that may contain a password."""
    return "SecretStr" in str(field.annotation) or name in _MAY_HOLD_PASSWORD
