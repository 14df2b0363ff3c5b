"""The wheel contains the server and its client, without development tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.unit.test_architecture import ROOMS, ROOT

BUILD_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder into which the wheel was installed. Python keeps there what it has compiled, as not of an archive."""
    folder = wheel.parent / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(folder: Path, command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line of the folder, and not that of the clone."""
    program = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import main;"
        f"assert main.__file__.startswith({str(folder)!r}); sys.exit(main.main({command!r}))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def files_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_room_of_the_server_is_in_the_wheel(wheel: Path) -> None:
    in_sources = {
        str(path.relative_to(ROOT))
        for room in ROOMS - {"infra"}
        for path in (*ROOT.glob(f"{room}.py"), *ROOT.glob(f"{room}/**/*.py"))
    }
    assert len(in_sources) > 100
    assert {name for name in files_in(wheel) if name.endswith(".py")} == in_sources


def test_beside_the_rooms_the_wheel_holds_the_page_and_data_and_nothing_for_a_clone_alone(wheel: Path) -> None:
    names = files_in(wheel)
    assert {"static/index.html", "static/logo.svg"} <= names
    tops = {name.partition("/")[0].removesuffix(".py") for name in names if ".dist-info/" not in name}
    assert tops == ROOMS - {"infra"} | {"static"}
    assert not [
        name for name in names if name.endswith((".ts", ".test.js", ".md", ".fingerprint")) or "node_modules" in name
    ]


def test_an_installed_package_refers_to_a_clone_for_tests(installed: Path, tmp_path: Path) -> None:
    done = run_installed(installed, ["test", "--python"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "'test' is a command of a clone: run ./parlor test there.\n"


def test_the_help_of_an_installed_package_does_not_mention_a_clone(installed: Path, tmp_path: Path) -> None:
    done = run_installed(installed, ["help"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "clone" not in done.stdout
    assert "import-workflow" in done.stdout


def test_an_installed_package_imports_a_workflow(installed: Path, tmp_path: Path) -> None:
    file = ROOT / "tests/unit/agents_sdk/exported/triage.py"
    done = run_installed(installed, ["import-workflow", str(file), "post-office", "--into", "mine"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "mine/post-office/triage.py").read_text() == file.read_text()
