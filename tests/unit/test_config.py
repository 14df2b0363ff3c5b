from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, load_settings
from errors import ConfigError
from files.object_store import open_object_store
from process.settings_report import HIDDEN, report


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.lower() in Settings.model_fields or name.startswith(
            ("OPENAI_", "AZURE_", "AWS_", "BRAND_", "COMPATIBLE_")
        ):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # no .env of the person who runs the tests


def test_the_defaults_need_nothing() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.provider) == ("127.0.0.1", 8000, "offline")
    assert settings.use_cases_path == (Path("use_cases"),)
    assert str(settings.resolved_database_url).endswith("parlor.db")


WRONG = {
    "BRAND_PRIMARY_COLOR": ["red", "#12345", "#ggg", "url(x)", "#fff;}"],
    "BRAND_LOGO_URL": ["javascript:alert(1)", "//evil.example/x.png", "data:image/png;base64,x", "logo.png", "/a b"],
    "BRAND_FAVICON_URL": ["ftp://x/y", "/\\evil.example"],
    "CHATKIT_JS_URL": ["javascript:1"],
    "PORT": ["70000", "http"],
    "MODEL_PROVIDER": ["gpt"],
    "SECRET_KEY": ["short"],
    "OFFLINE_TOKEN_DELAY_MS": ["-1", "slow"],
    "HISTORY_MAX_ITEMS": ["0"],
    "ALLOWED_ORIGINS": ["intranet.example", "https://x/path"],
    "ALLOWED_IMAGE_DOMAINS": ["a.example/x", "x;script-src *", "*.*", "[::1]", "a..b", "javascript:", "a:99999"],
    "OPENAI_BASE_URL": ["localhost:1234"],
    "ON_DISCONNECT": ["maybe"],
    "TRUSTED_PROXIES": ["proxy.example", "10.0.0.1/8", "10.0.0.0/99", "*"],
    "BASE_PATH": ["tools", "//evil.example", "/a/../b", "/a b", "/a?b", "/ä"],
}


@pytest.mark.parametrize(("variable", "value"), [(v, value) for v, values in WRONG.items() for value in values])
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=f"^{variable}: "):
        load_settings()


def test_a_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")
    assert "hunter2" not in repr(load_settings())


@pytest.mark.parametrize(
    ("variables", "provider"),
    [
        ({}, "offline"),
        ({"OPENAI_API_KEY": "k"}, "openai"),
        ({"COMPATIBLE_BASE_URL": "http://127.0.0.1:1/v1", "COMPATIBLE_MODEL": "m"}, "compatible"),
        ({"AZURE_OPENAI_ENDPOINT": "https://x.openai.azure.com", "AZURE_OPENAI_DEPLOYMENT": "m"}, "azure"),
        ({"OPENAI_API_KEY": "k", "MODEL_PROVIDER": "offline"}, "offline"),
        ({"OPENAI_API_KEY": ""}, "offline"),
    ],
)
def test_the_provider_is_the_one_whose_variables_are_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], provider: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load_settings().provider == provider


@pytest.mark.parametrize(
    ("chosen", "missing"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("compatible", "COMPATIBLE_BASE_URL"),
        ("azure", "AZURE_OPENAI_ENDPOINT"),
    ],
)
def test_a_provider_without_its_variables_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, chosen: str, missing: str
) -> None:
    monkeypatch.setenv("MODEL_PROVIDER", chosen)
    with pytest.raises(ConfigError, match=missing):
        load_settings()


def test_lists_are_split_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USE_CASES_PATH", "use_cases: /opt/more ::")
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://A.example/, http://b.example:8080")
    settings = load_settings()
    assert settings.use_cases_path == (Path("use_cases"), Path("/opt/more"))
    assert settings.allowed_origins == ("https://a.example", "http://b.example:8080")


def test_places_of_pictures_are_kept_as_browsers_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_IMAGE_DOMAINS", "Img.Example, *.bücher.example, HTTPS://a.example:8443/, 127.0.0.1, *")
    assert load_settings().allowed_image_domains == (
        "img.example",
        "*.xn--bcher-kva.example",
        "https://a.example:8443",
        "127.0.0.1",
        "*",
    )


def test_a_data_folder_with_any_name_is_a_database(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "what? 100% #1")
    assert getattr(settings.resolved_database_url, "database", "").endswith("what? 100% #1/parlor.db")


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, text in {"key": "k" * 40 + "\n", "url": "postgresql+psycopg://u:p@db/x", "model": "sk-1"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY_FILE={tmp_path / 'model'}\n")
    settings = load_settings()
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == "k" * 40
    assert settings.database_url == "postgresql+psycopg://u:p@db/x"
    assert settings.provider == "openai"


async def test_the_keys_of_a_bucket_may_lie_in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signed = []
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY"):
        (tmp_path / name).write_text("bmluZQ==\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    for url in ("s3://bucket/x?region=r", "az://container/x?account=ada"):
        objects = open_object_store(url, tmp_path, load_settings(storage_url=url).storage_keys)
        signed.append(await objects.sign_put("one", 60))
    assert "X-Amz-Credential=bmluZQ%3D%3D" in signed[0]
    assert "X-Amz-Security-Token=bmluZQ%3D%3D" in signed[0]
    assert "sig=" in signed[1]


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(path))
    with pytest.raises(ConfigError, match=f"^OPENAI_API_KEY_FILE: '{path}' "):
        load_settings()


def test_a_secret_is_set_only_once_and_other_settings_have_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("x" * 40)
    monkeypatch.setenv("BRAND_NAME_FILE", str(tmp_path / "text"))
    assert load_settings().brand_name == "Parlor"
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "text"))
    monkeypatch.setenv("SECRET_KEY", "y" * 40)
    with pytest.raises(ConfigError, match="both set"):
        load_settings()


def test_the_report_names_every_setting_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2" * 10)
    monkeypatch.setenv("SERVER_API_KEYS", f"shop:{'hunter2' * 10}")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://parlor:hunter2@db/parlor?password=hunter2")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:hunter2@proxy.example/v1")
    monkeypatch.setenv("PORT", "9000")
    lines = report(load_settings())
    assert [line.partition("=")[0].lower() for line in lines] == list(Settings.model_fields)
    assert "PORT=9000  # set" in lines
    assert "HOST=127.0.0.1" in lines
    assert f"DATABASE_URL=postgresql+psycopg://{HIDDEN}@db/parlor?{HIDDEN}  # set" in lines
    assert "hunter2" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({}, None),
        ({"ENDPOINT": "http://collector:4318/"}, "http://collector:4318/v1/traces"),
        ({"ENDPOINT": "http://collector:4318", "TRACES_ENDPOINT": "http://spans/in"}, "http://spans/in"),
        ({"TRACES_ENDPOINT": "https://spans.example/v1/traces"}, "https://spans.example/v1/traces"),
    ],
)
def test_spans_go_where_the_usual_variables_say(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    assert load_settings().traces_endpoint == endpoint
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert load_settings().traces_endpoint is None
