"""Settings: every environment variable with its type, default and description, read once."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from errors import ConfigError
from settings import secret_files
from settings.values import (
    Network,
    check_base_path,
    check_color,
    check_hosts,
    check_http_url,
    check_image_domains,
    check_networks,
    check_origins,
    check_page_url,
    check_server_keys,
    check_storage_url,
    checked_by,
    parse_server_keys,
    split_at,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

Provider = Literal["offline", "openai", "compatible", "azure"]

DATABASE_FILE_NAME = "parlor.db"
"""Name of the SQLite file in the data folder, unless `DATABASE_URL` names another."""


class Settings(BaseSettings):
    """Settings from the environment and from a file `.env` in the working directory.

    The variables have the names of the fields in upper case. An empty variable counts as not set. A secret can be read
    from a file instead, whose path is in the variable with the suffix `_FILE`.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of settings, the one with the highest priority first."""
        files = secret_files.SecretFiles(settings_cls, env_settings, dotenv_settings)
        # An empty file provides nothing, but querying every field would take as long as with the environment.
        has_file = not isinstance(dotenv_settings, EnvSettingsSource) or dotenv_settings.env_vars
        return init_settings, env_settings, *((dotenv_settings,) if has_file else ()), files

    # Server and access
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 picks a free one.")
    data_dir: Path = Field(Path("data"), description="Folder of the SQLite database, attachments and the signing key.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; default: SQLite in `DATA_DIR`. PostgreSQL: `postgresql+psycopg://…`."
    )
    use_cases_path: Annotated[tuple[Path, ...], NoDecode, split_at(":")] = Field(
        (Path("use_cases"),), description="Folders that hold use cases, separated by `:`."
    )
    disabled_use_cases: Annotated[tuple[str, ...], NoDecode, split_at(",")] = Field(
        (), description="Names of use cases that are not loaded, separated by `,`: `weather,todo`."
    )
    enabled_use_cases: Annotated[tuple[str, ...], NoDecode, split_at(",")] = Field(
        (), description="Names of the only use cases to load, separated by `,`; default: all that are found."
    )
    share_use_cases: bool = Field(
        False,
        description="Whether services with a common database and gateway list each other's use cases; see "
        "docs/deploy.md.",
    )
    default_use_case: str | None = Field(
        None, description="The use case at `POST /chatkit`; default: `weather`, else the first by name."
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Signs the user cookie, 32 characters or more; default: made once in `DATA_DIR`.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode, split_at(","), checked_by(check_origins)] = Field(
        (), description="Other origins whose pages may call the API, separated by `,`, e.g. `https://intranet.example`."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, split_at(","), checked_by(check_hosts)] = Field(
        (),
        description="Host names that the server accepts, separated by `,`: `chat.example`, `*.example`, `*` for any. "
        "Default: any; on a loopback `HOST` IP addresses, names without a dot, and those below `.localhost` and "
        "`.test`.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, split_at(","), checked_by(check_networks)] = Field(
        ("127.0.0.0/8", "::1"),
        description="Addresses and networks of proxies whose `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are "
        "trusted, separated by `,`: `10.0.0.0/8,fd00::/8`.",
    )
    base_path: Annotated[str, checked_by(check_base_path)] = Field(
        "",
        description="Path below which a proxy serves Parlor, e.g. `/tools/chat`, whether the proxy strips it or not. A "
        "trusted proxy can send it in `X-Forwarded-Prefix` instead.",
    )
    allowed_image_domains: Annotated[tuple[str, ...], NoDecode, split_at(","), checked_by(check_image_domains)] = Field(
        (),
        description="Hosts from which pictures in answers are loaded at once, separated by `,`: `img.example`, "
        "`*.img.example`, `https://img.example:8443`, `*` for any. Default: none; other pictures need a click.",
    )
    server_api_keys: Annotated[SecretStr | None, checked_by(check_server_keys)] = Field(
        None,
        description="Keys of servers that open sessions for pages with `getClientSecret`: `name:key`, separated by "
        "`,`; each key has 32 characters or more.",
    )
    parlor_env: Literal["development", "production", "test"] = Field(
        "production",
        description="Where mistakes in widgets are reported. `development`: in the chat, the log and to the model; "
        "`production`: in the log, in one line; `test`: a mistake is an error.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="The least serious log line.")
    log_format: Literal["text", "json"] = Field("text", description="One line of text or of JSON per event, on stdout.")
    metrics: bool = Field(False, description="`GET /metrics`, for Prometheus (extra `metrics`).")
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token that `/metrics` requires; default: none, so the path must not be public.",
    )
    otel_exporter_otlp_endpoint: Annotated[str | None, checked_by(check_http_url)] = Field(
        None,
        description="OpenTelemetry collector (OTLP over HTTP, extra `telemetry`), e.g. `http://localhost:4318`; other "
        "`OTEL_*` variables have their standard meaning. Default: no spans are sent.",
    )
    otel_exporter_otlp_traces_endpoint: Annotated[str | None, checked_by(check_http_url)] = Field(
        None, description="Full URL for spans, if it is not `/v1/traces` of the collector."
    )
    otel_traces_exporter: str = Field("otlp", description="`none`: no spans are sent.")
    otel_exporter_otlp_headers: SecretStr | None = Field(
        None, description="Headers for the collector, e.g. `Authorization=Basic%20…`."
    )
    enable_instrumentation: bool | None = Field(
        None, description="Spans of the agent framework; default: on when an OpenTelemetry SDK is configured."
    )

    # The model
    model_provider: Literal["auto", "offline", "openai", "compatible", "azure"] = Field(
        "auto", description="`auto`: the provider whose variables are set, else `offline`."
    )
    openai_api_key: SecretStr | None = Field(None, description="Key of the OpenAI API.")
    openai_model: str = Field("gpt-5-mini", description="Model of the OpenAI API.")
    openai_base_url: Annotated[str | None, checked_by(check_http_url)] = Field(
        None, description="Another address of the OpenAI API (Responses)."
    )
    compatible_base_url: Annotated[str | None, checked_by(check_http_url)] = Field(
        None, description="Chat Completions of Ollama, vLLM, LM Studio, llama.cpp …, e.g. `http://localhost:11434/v1`."
    )
    compatible_model: str | None = Field(None, description="Model name at `COMPATIBLE_BASE_URL`.")
    compatible_api_key: SecretStr | None = Field(None, description="API key, if the server requires one.")
    compatible_vision: Literal["auto", "no"] = Field(
        "auto",
        description="`no`: the model gets the names of pictures only; `auto`: pictures are sent until it rejects one.",
    )
    azure_openai_endpoint: Annotated[str | None, checked_by(check_http_url)] = Field(
        None, description="`https://NAME.openai.azure.com`."
    )
    azure_openai_model: str | None = Field(
        None,
        validation_alias=AliasChoices("AZURE_OPENAI_MODEL", "AZURE_OPENAI_DEPLOYMENT", "azure_openai_model"),
        description="Name of the deployment (`AZURE_OPENAI_DEPLOYMENT` is read too).",
    )
    azure_openai_api_key: SecretStr | None = Field(
        None, description="Key; without one, the machine's Azure identity is used (extra `azure`)."
    )
    azure_openai_api_version: str | None = Field(None, description="API version; default: the client's.")
    azure_openai_api: Literal["chat", "responses"] = Field(
        "chat", description="Chat Completions works with every deployment; Responses only with newer ones."
    )
    transcription_model: str | None = Field(
        None, description="Model that turns speech into text; default with OpenAI: `gpt-4o-mini-transcribe`, else none."
    )
    offline_token_delay_ms: float = Field(
        35, ge=0, le=5000, description="Pause between two words of the built-in model, in ms; 0: none."
    )
    model_connect_timeout_s: float = Field(5, gt=0, le=600, description="Time to connect to the model, in seconds.")
    model_first_timeout_s: float = Field(
        480,
        gt=0,
        le=3600,
        description="Longest wait for the first piece of an answer, in seconds, without a retry. A local server may "
        "have to load its model first: 70 GB take eight minutes from a slow disk (150 MB/s). While a server answers "
        "503 (`Loading model`), requests are repeated for the same time.",
    )
    model_timeout_s: float = Field(
        60, gt=0, le=3600, description="Longest silence of the model between two pieces of an answer, in seconds."
    )
    model_max_retries: int = Field(2, ge=0, le=10, description="Retries before the first piece of an answer.")
    model_max_round_trips: int = Field(8, ge=1, le=40, description="Calls of the model in one answer.")
    model_max_tool_calls: int = Field(24, ge=1, le=200, description="Tool calls in one answer.")
    tool_timeout_s: float = Field(
        60, gt=0, le=3_600, description="Time limit of a tool call, in seconds; a tool may set its own `timeout_s`."
    )
    history_max_items: int = Field(
        60, ge=1, le=1000, description="Most thread items that are sent to the model, newest first."
    )
    history_max_chars: int = Field(60_000, ge=100, description="Most characters of those items, newest first.")

    history_max_file_bytes: int = Field(
        6_000_000,
        ge=0,
        description="Most bytes of pictures and documents that are sent to the model for one answer, newest first.",
    )
    history_max_file_chars: int = Field(
        60_000, ge=0, description="Most characters of files that are sent to the model for one answer, newest first."
    )

    # Answers
    thread_titles: Literal["model", "first_message"] = Field(
        "model",
        description="Source of the titles of new threads: the model, with a short request each, or the first line of "
        "the first message, which is also used without a model and with more than 100 answers at once.",
    )
    on_disconnect: Literal["cancel", "continue"] = Field(
        "cancel",
        description="What happens to an answer whose client disconnects. `cancel` is what ChatKit's own client "
        "expects, which stops an answer by disconnecting; answers of clients that support resuming always continue.",
    )
    run_timeout_s: float = Field(600, gt=0, le=86_400, description="Time limit of an answer, in seconds.")
    runs_max_total: int = Field(1_000, ge=1, description="Most answers in progress at once.")
    runs_max_per_user: int = Field(8, ge=1, description="Most answers in progress at once for one user.")
    run_log_max_bytes: int = Field(
        262_144, ge=16_384, description="Most bytes of an answer that are kept for clients that resume it."
    )
    run_linger_s: float = Field(
        60, ge=0, le=3_600, description="How long a finished answer can be resumed, in seconds."
    )
    run_checkpoint_interval_s: float = Field(
        3,
        ge=0,
        le=600,
        description="Interval at which unfinished text is stored, in seconds; a crash loses at most that.",
    )
    drain_timeout_s: float = Field(
        25, ge=0, le=3_600, description="Time for answers in progress to finish after SIGTERM, in seconds."
    )
    shutdown_delay_s: float = Field(
        0,
        ge=0,
        le=300,
        description="Time after SIGTERM in which requests are still accepted, and only `/readyz` fails, in seconds; "
        "load balancers need some 5 seconds to notice. `DRAIN_TIMEOUT_S` begins after it.",
    )

    # Limits of requests
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest JSON body, in bytes.")
    max_connections: int = Field(10_000, ge=64, le=1_000_000, description="Most client connections at once.")
    max_message_chars: int = Field(32_000, ge=1, description="Longest message of a person, in characters.")

    # Files
    storage_url: Annotated[str | None, checked_by(check_storage_url)] = Field(
        None,
        description="Object store for files: `file:///path`, `s3://bucket/path`, `az://container/path`, "
        "`gs://bucket/path` or `memory://`; default: a folder in `DATA_DIR`.",
    )
    aws_access_key_id: SecretStr | None = Field(
        None, description="Key of `s3://…`; default: the machine's role, as the provider's own tools find it."
    )
    aws_secret_access_key: SecretStr | None = Field(None, description="Secret of that key.")
    aws_session_token: SecretStr | None = Field(None, description="Token of that key when it is temporary.")
    azure_storage_account_key: SecretStr | None = Field(
        None, description="Key of `az://…`; default: the machine's identity, as the provider's own tools find it."
    )
    azure_client_secret: SecretStr | None = Field(
        None,
        description="Secret of an app registration (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`) for model, database and "
        "files, if the machine has no identity.",
    )
    storage_direct_uploads: bool = Field(
        False,
        description="Browsers upload files directly to the bucket of `STORAGE_URL`, whose CORS rules must allow it.",
    )
    public_url: Annotated[str | None, checked_by(check_http_url)] = Field(
        None,
        description="URL under which browsers reach this server, e.g. `https://chat.example`, for the URLs of files; "
        "default: derived from each request.",
    )
    max_upload_bytes: int = Field(
        20 * 1024 * 1024, ge=1, le=2**31, description="Largest file of any use case, in bytes."
    )
    max_uploads_per_day: int = Field(200, ge=1, description="Most files that one person may upload in a day (UTC).")
    max_upload_bytes_per_day: int = Field(
        1024 * 1024 * 1024, ge=1, description="Most bytes that one person may upload in a day (UTC)."
    )
    unsent_file_life_s: float = Field(
        86_400, ge=60, le=2_592_000, description="How long a file is kept that is not sent with a message, in seconds."
    )
    keep_picture_metadata: bool = Field(
        False, description="Keep the metadata of pictures, such as position and time, which are removed otherwise."
    )

    # Branding
    brand_name: str = Field("Parlor", min_length=1, max_length=80, description="Name in the header and the title.")
    brand_tagline: str = Field("The chat you host yourself", max_length=160, description="Line beside the name.")
    brand_logo_url: Annotated[str, checked_by(check_page_url)] = Field(
        "/static/logo.svg", description="Absolute `http(s)` URL or a path on this server."
    )
    brand_primary_color: Annotated[str, checked_by(check_color)] = Field(
        "#4f46e5", description="`#rgb` or `#rrggbb`; the chat's theme follows it."
    )
    brand_favicon_url: Annotated[str, checked_by(check_page_url)] = Field(
        "/static/logo.svg", description="Absolute `http(s)` URL or a path on this server."
    )
    chatkit_js_url: Annotated[str | None, checked_by(check_page_url)] = Field(
        None, description="Load `<openai-chatkit>` from this URL instead of our own bundle."
    )

    @property
    def traces_endpoint(self) -> str | None:
        """The URL that spans are sent to; None when none are. Source: OpenTelemetry, OTLP exporter."""
        if self.otel_traces_exporter.strip().lower() == "none":
            return None
        if self.otel_exporter_otlp_traces_endpoint or not self.otel_exporter_otlp_endpoint:
            return self.otel_exporter_otlp_traces_endpoint
        return f"{self.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The networks of trusted proxies."""
        return tuple(ipaddress.ip_network(each) for each in self.trusted_proxies)

    @property
    def storage_keys(self) -> Mapping[str, str]:
        """The credentials for buckets that are set, by variable."""
        names = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
        names += ["azure_storage_account_key", "azure_client_secret"]
        secrets = {name.upper(): getattr(self, name) for name in names}
        return {name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None}

    @property
    def server_keys(self) -> Mapping[str, str]:
        """The secret keys of servers, by name."""
        return parse_server_keys(self.server_api_keys.get_secret_value()) if self.server_api_keys else {}

    @property
    def provider(self) -> Provider:
        """The provider in effect, with `auto` resolved.

        Raises:
            ConfigError: When a variable that the provider needs is not set.
        """
        chosen = self.model_provider
        if chosen == "auto":
            if self.azure_openai_endpoint:
                chosen = "azure"
            elif self.compatible_base_url:
                chosen = "compatible"
            elif self.openai_api_key:
                chosen = "openai"
            else:
                chosen = "offline"
        required: dict[str, tuple[tuple[str, object], ...]] = {
            "openai": (("OPENAI_API_KEY", self.openai_api_key),),
            "compatible": (
                ("COMPATIBLE_BASE_URL", self.compatible_base_url),
                ("COMPATIBLE_MODEL", self.compatible_model),
            ),
            "azure": (
                ("AZURE_OPENAI_ENDPOINT", self.azure_openai_endpoint),
                ("AZURE_OPENAI_MODEL", self.azure_openai_model),
            ),
        }
        for variable, value in required.get(chosen, ()):
            if not value:
                raise ConfigError(variable, f"is needed for the model provider '{chosen}'")
        return chosen

    @property
    def is_openai(self) -> bool:
        """Whether the provider is OpenAI itself, which has the models that authors name, and services of its own."""
        return self.provider == "openai"

    @property
    def resolved_transcription_model(self) -> str | None:
        """The model for dictation; None when there is none."""
        if self.provider == "offline":
            return None
        return self.transcription_model or ("gpt-4o-mini-transcribe" if self.is_openai else None)

    @property
    def resolved_database_url(self) -> str | URL:
        """`DATABASE_URL`, or the SQLite file in `DATA_DIR`."""
        # Imported here, as `parlor help` needs no database library.
        from sqlalchemy.engine import URL

        # Not formatted as text, as the path may contain characters with a meaning in URLs.
        return self.database_url or URL.create("sqlite+aiosqlite", database=str(self.data_dir / DATABASE_FILE_NAME))


def is_secret(field_name: str) -> bool:
    """Return whether a setting is a secret, or a URL that may contain a password."""
    return secret_files.is_secret(field_name, Settings.model_fields[field_name])


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigError: When a variable is invalid; the error names the variable.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False)[0]
        variable = str(error["loc"][0]).upper() if error["loc"] else "settings"
        raise ConfigError(variable, error["msg"].removeprefix("Value error, ")) from exc
    _ = settings.provider  # raises now, and not at the first answer, if a variable of the provider is missing
    return settings
