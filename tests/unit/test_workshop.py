import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import client_build
from infra.checks import find_hosts_in_locks, run_checks
from infra.client_build import ROOT, Clone, build_client, client_sources, fingerprint_of
from infra.nginx import find_nginx, provide_nginx
from infra.test_reports import Outcome, read_junit_report, read_vitest_report
from infra.testing import plan_parts, python_environment, run_tests, worker_options

JUNIT = """<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="{errors}" failures="{failures}"
skipped="{skipped}" tests="{tests}" time="1"/></testsuites>"""

CLIENT_FILES = {
    "package.json": "{}",
    "package-lock.json": "{}",
    ".npmrc": "",
    "src/define.ts": "1",
    "src/define.test.ts": "t",
    "vite.config.ts": "v",
}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    for name, text in CLIENT_FILES.items():
        path = tmp_path / "frontend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Clone(tmp_path)


def fingerprint(clone: Clone) -> str:
    return fingerprint_of(clone.frontend, client_sources(clone))


def test_an_installed_package_without_sources_builds_no_client(tmp_path: Path) -> None:
    build_client(Clone(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_client_whose_sources_did_not_change_is_not_built_again(clone: Clone) -> None:
    clone.dist.mkdir(parents=True)
    (clone.dist / ".fingerprint").write_text(fingerprint(clone))
    build_client(clone)
    # A build would have made the folder for its log and lock.
    assert not clone.state.exists()


@pytest.mark.parametrize("name", ["src/define.ts", "vite.config.ts", "package-lock.json", ".npmrc", "src/new.ts"])
def test_a_change_of_what_the_client_is_made_of_asks_for_a_build(clone: Clone, name: str) -> None:
    before = fingerprint(clone)
    (clone.frontend / name).write_text("changed")
    assert fingerprint(clone) != before


def test_a_change_of_a_client_test_asks_for_no_build(clone: Clone) -> None:
    before = fingerprint(clone)
    (clone.frontend / "src/define.test.ts").write_text("changed")
    assert fingerprint(clone) == before


def test_a_file_moved_without_a_change_of_content_asks_for_a_build(clone: Clone) -> None:
    before = fingerprint(clone)
    (clone.frontend / "src/define.ts").rename(clone.frontend / "src/element.ts")
    assert fingerprint(clone) != before


def test_each_module_is_compiled_once_even_without_bytecode_beside_the_sources(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (clone.root / "once.py").write_text("")
    subprocess.run([sys.executable, "-c", "import once"], cwd=clone.root, env=python_environment(clone), check=True)
    [compiled] = clone.root.rglob("once.*.pyc")
    assert compiled.is_relative_to(clone.state)

    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    assert "PYTHONPYCACHEPREFIX" not in python_environment(clone), "Python's own places are as good"


def test_a_failing_step_shows_the_end_of_its_output(clone: Clone) -> None:
    command = [sys.executable, "-c", "print('the cause'); raise SystemExit(3)"]
    with pytest.raises(client_build.ParlorError, match=r"(?s)Making tea failed.*the cause"):
        client_build.run_quietly(clone, "Making tea", command, cwd=clone.root, timeout_s=60)


@pytest.mark.parametrize(
    ("counts", "code", "expected"),
    [
        ({"tests": 9, "failures": 0, "errors": 0, "skipped": 0}, 0, Outcome(9, 0, 0)),
        ({"tests": 9, "failures": 2, "errors": 1, "skipped": 1}, 1, Outcome(5, 3, 1)),
        # An exit code that no counted test explains, e.g. a warning at the end of the run.
        ({"tests": 9, "failures": 0, "errors": 0, "skipped": 0}, 3, Outcome(9, 1, 0)),
        # Nothing passed: nothing was tested.
        ({"tests": 1, "failures": 0, "errors": 0, "skipped": 1}, 0, Outcome(0, 1, 1)),
    ],
)
def test_the_tests_of_pytest_are_counted(tmp_path: Path, counts: dict[str, int], code: int, expected: Outcome) -> None:
    report = tmp_path / "report.xml"
    report.write_text(JUNIT.format(**counts))
    assert read_junit_report(report, code) == expected


@pytest.mark.parametrize("read", [read_junit_report, read_vitest_report])
def test_a_run_that_left_no_report_counts_as_failed(tmp_path: Path, read: Callable[[Path, int], Outcome]) -> None:
    assert read(tmp_path / "missing", 0) == Outcome(0, 1, 0)


def test_a_run_that_is_killed_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "killer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run_tests(["--container", "--", "-p", "killer"]) == 1
    assert "pytest ended before its report, by SIGKILL." in capfd.readouterr().err


def test_a_client_test_file_that_does_not_load_counts_as_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(
        """{"numPassedTests": 4, "numFailedTests": 1, "numPendingTests": 2, "numTodoTests": 0, "testResults": [
        {"status": "failed", "assertionResults": []}, {"status": "failed", "assertionResults": [{}]}]}"""
    )
    assert read_vitest_report(report, 1) == Outcome(4, 2, 2)


@pytest.mark.parametrize(("processors", "workers"), [(1, "3"), (2, "5"), (64, "8")])
def test_a_whole_part_runs_in_twice_as_many_processes_as_there_are_processors_and_one_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch, processors: int, workers: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)
    assert worker_options("worksteal") == ["-n", workers, "--dist", "worksteal"]
    assert int(worker_options("worksteal", is_alone=False)[1]) == int(workers) - 1, "another part fills the gaps"


@pytest.mark.parametrize(
    ("names", "has_browser", "order"),
    [
        ([], True, ["--python", "--browser", "--client"]),
        ([], False, ["--python", "--client", "--browser"]),
        (["--client", "--browser"], False, ["--client", "--browser"]),
        (["--client", "--python", "--client"], False, ["--python", "--client"]),
        (["--examples"], True, ["--examples"]),
    ],
)
def test_the_longest_parts_begin_first_and_the_browsers_waits_until_there_is_one(
    names: list[str], has_browser: bool, order: list[str]
) -> None:
    assert plan_parts(names, has_browser=has_browser) == order


@pytest.mark.parametrize("args", [["--pyton"], ["--", "-k", "x"], ["--python", "--client", "--", "-k", "x"]])
def test_arguments_that_fit_no_part_are_refused(args: list[str]) -> None:
    assert run_tests(args) == 2


def test_an_unknown_argument_of_check_is_refused() -> None:
    assert run_checks(["--fast"]) == 2


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("requirements.lock", "--index-url https://index.example/simple"),
        ("requirements-dev.lock", "thing @ https://files.example/thing.whl"),
        ("frontend/package-lock.json", '"resolved": "https://registry.example/lit.tgz",'),
    ],
)
def test_a_host_in_a_lock_file_is_found(clone: Clone, name: str, line: str) -> None:
    (clone.root / name).write_text(f"first\n{line}\n")
    assert find_hosts_in_locks(clone) == [f"{Path(name).name}:2: {line}"]


def test_no_lock_file_names_a_host() -> None:
    assert find_hosts_in_locks(Clone()) == []


def test_the_examples_are_run_with_the_versions_that_the_clone_has() -> None:
    versions: list[dict[str, str]] = []
    for name in ("requirements-dev.lock", "requirements-examples.lock"):
        lines = (Clone().root / name).read_text("utf-8").splitlines()
        pins = [line.split(" ")[0].split("==") for line in lines if "==" in line.split(" ")[0]]
        versions.append({pin[0]: pin[1] for pin in pins})
    clones, examples = versions
    assert examples["langgraph"]
    shared = clones.keys() & examples.keys()
    assert "pydantic" in shared
    assert {name: examples[name] for name in shared} == {name: clones[name] for name in shared}


def test_without_python_the_command_says_so_in_one_sentence(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("dirname", "mkdir", "rm", "cat", "sed"):
        path = shutil.which(tool)
        assert path
        (tools / tool).symlink_to(path)
    command = tmp_path / "parlor"
    command.write_bytes((ROOT / "parlor").read_bytes())
    done = subprocess.run(
        ["/bin/sh", str(command), "run"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Parlor needs Python 3.11 or newer")
    assert done.stderr.count("\n") == 1


APT = """#!/bin/sh
[ "$1" = download ] || exit 0
touch nginx_1.0_all.deb
"""
DPKG = """#!/bin/sh
mkdir -p "$3/usr/sbin" && touch "$3/usr/sbin/nginx" && chmod 755 "$3/usr/sbin/nginx"
"""


def test_nginx_is_unpacked_beside_the_clone_and_starts_nothing_on_the_machine(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("touch", "mkdir", "chmod"):
        (programs / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(programs))
    provide_nginx(clone, ())
    assert find_nginx(clone, ()) is None, "without apt, the tests that need it say so"
    for name, script in (("apt-get", APT), ("dpkg-deb", DPKG)):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    provide_nginx(clone, ())
    assert find_nginx(clone, ()) == str(clone.state / "nginx" / "usr" / "sbin" / "nginx")
    (programs / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    provide_nginx(clone, ())  # it is there, and is not fetched again


@pytest.mark.parametrize("is_root", [True, False])
def test_the_package_list_is_updated_only_by_root_and_where_nginx_cannot_be_fetched_without(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_root: bool
) -> None:
    lists = ": > lists.new" if is_root else "exit 100"
    (tmp_path / "apt-get").write_text(
        f"#!/bin/sh\necho $1 >> commands\n[ $1 = update ] && {{ {lists}; exit; }}\n[ -e lists.new ]\n"
    )
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)
    provide_nginx(clone, ())
    commands = (clone.state / "nginx" / "commands").read_text().split()
    assert commands == (["download", "update", "download"] if is_root else ["download"])
    assert (clone.state / "nginx.log").is_file()
    provide_nginx(clone, ())
    more = (clone.state / "nginx" / "commands").read_text().split()[len(commands) :]
    assert more == ["download"], "what another apt has locked is not asked for where it is not needed"


def test_nginx_that_cannot_be_fetched_stops_no_other_test(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho no such host\nexit 100\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    provide_nginx(clone, ())
    assert "no such host" in capsys.readouterr().out
