"""The commands of a clone: the programs to which the script `parlor` passes them, and their results."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import ParlorError
from infra.client_build import ROOT
from infra.command_line import COMMANDS, main, run_server
from main import CLONE_COMMANDS
from main import main as run_installed

PROGRAM = """#!/bin/sh
[ "$1" = -I ] && { echo 3.11; exit 0; }
printf '%s|' "${0##*/}" "$@"
exit 7
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that is set up: its programs print how they were called, and end with 7."""
    folder = tmp_path / "a clone"
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for path in (folder / "parlor", programs / "python", programs / "parlor"):
        path.write_text((ROOT / "parlor").read_text() if path.parent == folder else PROGRAM)
        path.chmod(0o755)
    inputs = ["pyproject.toml", "requirements-dev.lock"]
    for name in inputs:
        (folder / name).write_text("x")
    (folder / ".venv" / ".parlor-venv").write_text(f"3.11 {folder}\n")
    sums = subprocess.run(["cksum", *inputs], cwd=folder, capture_output=True, text=True, check=True)
    (folder / ".venv" / ".parlor-dev").write_text(sums.stdout)
    return folder


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield str(taken.getsockname()[1])


@pytest.fixture(autouse=True)
def _default_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where there is no .env
    for name in ("HOST", "PORT", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ([], ["python", "-m", "infra.command_line", "help"]),
        (["--help"], ["python", "-m", "infra.command_line", "--help"]),
        (["test", "--python", "--", "-k", "a b", ""], "in the clone"),
        (["check", "--static"], "in the clone"),
        (["bench", "*"], "in the clone"),
        (["build"], "in the clone"),
        (["setup"], "in the clone"),
        (["run", "--host", "::", "--no-build"], "in the clone"),
        (["doctor"], "installed"),
        (["fly", "a  b", "$HOME"], "installed"),
    ],
)
def test_the_script_hands_over_every_argument_and_returns_the_exit_code(
    clone: Path, given: list[str], called: list[str] | str
) -> None:
    if called == "in the clone":
        called = ["python", "-m", "infra.command_line", *given]
    elif called == "installed":
        called = ["parlor", *given]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [clone / "parlor", *given], env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.stderr, done.returncode) == ("", 7)
    assert done.stdout.split("|") == [*called, ""]


def test_the_installed_command_knows_what_only_a_clone_can_do() -> None:
    assert set(COMMANDS) == CLONE_COMMANDS


@pytest.mark.parametrize("given", [[], ["help"], ["--help"]])
def test_help_lists_the_installed_commands_and_those_of_a_clone(
    capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    assert main(given) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert {"run", "doctor", "help"} | CLONE_COMMANDS <= listed


def test_a_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--help"]) == 0
    assert (
        capsys.readouterr().out
        == "./parlor test: Run all tests, or the parts named: --python, --client, --browser, --container, --examples.\n"
    )


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly", "--high"]) == 2
    assert capsys.readouterr() == ("", "There is no command 'fly'; parlor help lists them.\n")


@pytest.mark.parametrize("command", ["build", "setup"])
def test_an_argument_that_would_do_nothing_is_refused(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, "--all"]) == 2
    assert "--all" in capsys.readouterr().err


def test_nothing_is_built_before_the_settings_are_read_and_the_port_is_taken(
    taken_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[bool] = []
    assert run_installed(["run", "--port", taken_port], before_serving=lambda: built.append(True)) == 1
    monkeypatch.setenv("BRAND_PRIMARY_COLOR", "reddish")
    assert run_installed(["run", "--port", "0"], before_serving=lambda: built.append(True)) == 2
    assert built == []


def test_a_build_that_fails_is_one_sentence_and_nothing_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    def build() -> None:
        raise ParlorError("Building the client failed.")

    assert run_installed(["run", "--port", "0"], before_serving=build) == 1
    assert capsys.readouterr() == ("", "Building the client failed.\n")


def test_the_server_alone_needs_no_build_and_takes_the_other_options(
    taken_port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_server(["--no-build", "--port", taken_port]) == 1
    assert taken_port in capsys.readouterr().err
