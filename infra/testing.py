"""The test suites of a clone, called parts, and the command that runs them, two at a time.

A part often waits for servers, browsers and timers, so that two at a time keep the processors busy.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from errors import ParlorError
from infra.browser import find_browser, install_browser
from infra.client_build import ROOT, Clone, build_client, install_client_packages, node_environment, node_program
from infra.examples_environment import make_examples_environment
from infra.nginx import provide_nginx
from infra.test_reports import Outcome, read_junit_report, read_vitest_report

PART_TIMEOUT_S = 900.0
PARTS_AT_ONCE = 2
MOST_WORKERS = 8
# Options for parts that pyproject's own options exclude.
EXTRA_PART_OPTIONS = ("-o", "addopts=--strict-markers --import-mode=importlib -p no:playwright")


@dataclass(frozen=True, slots=True)
class PartOptions:
    """Options of a run of a part.

    Attributes:
        extra: Arguments from the command line, which replace those for all tests of the part.
        is_alone: Whether no other part runs at the same time.
        output: File for the output; None for the standard output of this process.
    """

    extra: Sequence[str] = ()
    is_alone: bool = True
    output: IO[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the tests.

    Attributes:
        title: Name in the output.
        test: Function that runs the part.
        prepare: Function that installs programs the part needs, while other parts are running.
        is_always_run: Whether the part runs without being named on the command line.
    """

    title: str
    test: Callable[[PartOptions], Outcome]
    prepare: Callable[[], None] | None = None
    is_always_run: bool = True


def run_tests(args: Sequence[str]) -> int:
    """Run all tests, or the named parts, and print the numbers of passed and failed tests as the last line.

    Args:
        args: Any of ``--python``, ``--client``, ``--browser``, ``--container``, ``--examples``; after ``--``,
            arguments for the one part named.

    Returns:
        The exit code: 0 when all tests passed, 1 when one failed or was skipped, 2 for unknown arguments.
    """
    names, extra = _split_extra(args)
    if not PARTS.keys() >= set(names) or (extra and len(names) != 1):
        usage = " ".join(f"[{name}]" for name in PARTS)
        print(f"Usage: parlor test {usage}, or one of them and: -- ARGUMENTS", file=sys.stderr)
        return 2
    started = time.monotonic()
    outcomes = _run_parts(plan_parts(names, has_browser=find_browser() is not None), extra, started)
    passed, failed, skipped = (sum(getattr(o, field) for o in outcomes) for field in ("passed", "failed", "skipped"))
    print(f"\n== Done in {time.monotonic() - started:.0f} s")
    if skipped:
        print(f"{skipped} skipped: see above for what was not tested here; that counts as a failure")
    print(f"{passed} passed, {failed + skipped} failed", flush=True)
    return 1 if failed or skipped else 0


def plan_parts(names: Sequence[str], *, has_browser: bool) -> list[str]:
    """Return the parts to run, each once, in the order in which they start: the longest first.

    Args:
        names: The named parts; empty for all that are always run.
        has_browser: Whether a browser is installed; if not, the client's tests run first, while it is being installed.
    """
    order = [name for name in PARTS if (name in names if names else PARTS[name].is_always_run)]
    if not has_browser and {"--browser", "--client"} <= set(order):
        order.remove("--client")
        order.insert(order.index("--browser"), "--client")
    return order


def _split_extra(args: Sequence[str]) -> tuple[list[str], list[str]]:
    names = list(args)
    if "--" not in names:
        return names, []
    cut = names.index("--")
    return names[:cut], names[cut + 1 :]


def _run_parts(order: Sequence[str], extra: Sequence[str], started: float) -> list[Outcome]:
    """Run parts concurrently. The first prints as it goes; the output of the others is printed in order."""
    outcomes = []
    preparing = ThreadPoolExecutor(1)
    running = ThreadPoolExecutor(PARTS_AT_ONCE)
    try:
        jobs: list[tuple[str, Future[Outcome], Path | None]] = []
        for name in order:
            part = PARTS[name]
            prepared = preparing.submit(part.prepare) if part.prepare else None
            log = _report_path(f"{name.removeprefix('--')}.log") if jobs else None
            job = running.submit(_run_part, part, extra, prepared, log, is_alone=len(order) == 1)
            jobs.append((part.title, job, log))
        for title, job, log in jobs:
            print(f"\n== {title} tests ({time.monotonic() - started:.0f} s so far)", flush=True)
            try:
                outcomes.append(job.result())
            except ParlorError as exc:
                print(exc, file=sys.stderr, flush=True)
                outcomes.append(Outcome(failed=1))
            if log and log.is_file():
                print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
    finally:
        running.shutdown(cancel_futures=True)
        preparing.shutdown(cancel_futures=True)
    return outcomes


def _run_part(
    part: Part, extra: Sequence[str], prepared: Future[None] | None, log: Path | None, *, is_alone: bool
) -> Outcome:
    if prepared:
        prepared.result()
    if log is None:
        return part.test(PartOptions(extra, is_alone))
    with log.open("wb") as output:
        return part.test(PartOptions(extra, is_alone, output))


def _run_python_tests(options: PartOptions) -> Outcome:
    # Some tests read the files of the built client.
    build_client()
    return _pytest(
        "python", options, options.extra or worker_options("worksteal", per_processor=3, is_alone=options.is_alone)
    )


def _run_client_tests(options: PartOptions) -> Outcome:
    install_client_packages()
    report = _report_path("client.json")
    reporters = ["--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
    command = frontend_command("vitest/vitest.mjs", "run", *reporters, *options.extra)
    try:
        done = subprocess.run(
            command, cwd=Clone().frontend, env=node_environment(), check=False, timeout=PART_TIMEOUT_S,
            stdout=options.output, stderr=options.output,
        )  # fmt: skip
    except subprocess.TimeoutExpired as exc:
        raise ParlorError(f"These tests took longer than {PART_TIMEOUT_S:.0f} s and were stopped.") from exc
    return read_vitest_report(report, done.returncode)


def _run_browser_tests(options: PartOptions) -> Outcome:
    build_client()
    # A process of its own: Playwright's event loop and pytest-asyncio's cannot share one. These options stand in for
    # pyproject's, which keep Playwright out of the other tests.
    pytest_options = ["-o", "addopts=--strict-markers --import-mode=importlib"]
    # Each file stays in one worker, since its tests share what they have opened.
    workers = worker_options("loadfile", "--no-loadscope-reorder", is_alone=options.is_alone)
    return _pytest("browser", options, [*pytest_options, *(options.extra or [*workers, "tests/browser"])])


def _run_container_tests(options: PartOptions) -> Outcome:
    return _pytest("container", options, [*EXTRA_PART_OPTIONS, *(options.extra or ["tests/container"])])


def _run_examples_tests(options: PartOptions) -> Outcome:
    python = str(make_examples_environment())
    return _pytest("examples", options, [*EXTRA_PART_OPTIONS, *(options.extra or ["tests/examples"])], python)


PARTS = {
    "--python": Part("Python", _run_python_tests, prepare=provide_nginx),
    "--browser": Part("Browser", _run_browser_tests, prepare=install_browser),
    "--client": Part("Client", _run_client_tests),
    # These take minutes, and an engine or packages that not every machine has.
    "--container": Part("Container", _run_container_tests, is_always_run=False),
    "--examples": Part("Examples", _run_examples_tests, is_always_run=False),
}
"""Parts of the tests by their command-line option, the longest first."""


def worker_options(distribution: str, *more: str, per_processor: int = 2, is_alone: bool = True) -> list[str]:
    """Return the options with which pytest runs in enough workers to keep the processors busy.

    Workers wait for half of the time, for servers, browsers and timers. So there are two for each processor, three in
    the longest part, and one more when no other part runs.

    Args:
        distribution: How pytest-xdist distributes the tests, as for its option ``--dist``.
        more: Further options.
        per_processor: Number of workers for each processor.
        is_alone: Whether no other part runs at the same time.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(per_processor * processors, MOST_WORKERS - 1) + is_alone
    return ["-n", str(workers), "--dist", distribution, *more]


def _pytest(name: str, options: PartOptions, arguments: Sequence[str], python: str = sys.executable) -> Outcome:
    report = _report_path(f"{name}.xml")
    command = [python, "-m", "pytest", f"--junit-xml={report}", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=python_environment(), check=False, stdout=options.output, stderr=options.output
    )
    if not report.is_file():
        # Killed, or ended by a library: it has said nothing, neither why nor what had failed until then.
        raise ParlorError(f"pytest ended before its report, {describe_end(done.returncode)}.")
    return read_junit_report(report, done.returncode)


def describe_end(code: int) -> str:
    """Return how a process has ended, in words; a negative code is a signal's number."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


def python_environment(clone: Clone | None = None) -> dict[str, str]:
    """Return an environment for Python tools in which bytecode is written, so that each module is compiled once.

    If `PYTHONDONTWRITEBYTECODE` is set, as in container images, the bytecode goes to the state folder.
    """
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment.setdefault("PYTHONPYCACHEPREFIX", str((clone or Clone()).state / "bytecode"))
    return environment


def frontend_command(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of the client's packages."""
    return [node_program(), str(Clone().frontend / "node_modules" / script), *arguments]


def _report_path(name: str) -> Path:
    folder = Clone().state / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.unlink(missing_ok=True)  # if the run dies early, an old report must not count
    return path
