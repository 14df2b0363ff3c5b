"""The lines of `parlor doctor` about server keys, which never contain a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings
from process.doctor import metrics_findings, server_key_findings
from tests.unit.process.test_command_line import parlor

KEY = "0123456789abcdef0123456789abcdef"


def settings(**given: str) -> Settings:
    return Settings(_env_file=None, model_provider="offline", **given)  # type: ignore[call-arg,arg-type]


def test_keys_are_counted_and_named() -> None:
    found = server_key_findings(settings(server_api_keys=f"shop:{KEY},blog:{KEY[::-1]}"))
    assert [(each.is_well, each.is_warning, each.state) for each in found] == [(True, False, "2: shop, blog")]


def test_without_keys_no_server_opens_sessions() -> None:
    [found] = server_key_findings(settings())
    assert (found.is_well, "SERVER_API_KEYS" in found.state) == (True, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_this_machine_alone_plain_http_is_no_matter(host: str) -> None:
    assert not [
        each for each in server_key_findings(settings(server_api_keys=f"a:{KEY}", host=host)) if each.is_warning
    ]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "parlor.example"])  # noqa: S104 - read, not bound
def test_where_others_reach_it_plain_http_is_warned_of(host: str) -> None:
    [warning] = [
        each for each in server_key_findings(settings(server_api_keys=f"a:{KEY}", host=host)) if each.is_warning
    ]
    assert f"HOST={host}" in warning.state
    assert "https" in warning.state


def test_numbers_that_everybody_may_read_are_warned_of() -> None:
    open_to_all = {"metrics": "true", "host": "0.0.0.0"}  # noqa: S104 - read, not bound
    [warning] = metrics_findings(settings(**open_to_all))
    assert (warning.is_warning, "METRICS_TOKEN" in warning.state) == (True, True)
    for given in ({**open_to_all, "metrics_token": KEY}, {**open_to_all, "host": "127.0.0.1"}, {"host": "10.0.0.7"}):
        assert metrics_findings(settings(**given)) == []


@pytest.mark.usefixtures("known_cities")
def test_the_report_names_keys_and_a_short_one_and_shows_no_values(tmp_path: Path) -> None:
    done = parlor("doctor", folder=tmp_path, SERVER_API_KEYS=f"shop:{KEY}", HOST="0.0.0.0")  # noqa: S104 - read
    assert "ok      server keys  1: shop\n" in done.stdout
    assert "warning server keys  HOST=0.0.0.0" in done.stdout
    assert KEY not in done.stdout + done.stderr
    short = parlor("doctor", folder=tmp_path, SERVER_API_KEYS="shop:tooshort-s3cret")
    assert (short.returncode, "the key 'shop' must have 32 characters" in short.stderr) == (2, True)
    assert "s3cret" not in short.stdout + short.stderr
