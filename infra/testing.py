"""The parts of a clone's tests, and a run of them: two parts at once, so that the processors are always busy.

A part waits for servers, browsers and timers for much of its time, and at its end for its last test.
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
# For parts that pyproject's own options leave out.
OUTSIDE = ("-o", "addopts=--strict-markers --import-mode=importlib -p no:playwright")


@dataclass(frozen=True, slots=True)
class Request:
    """How a part is to be run.

    Attributes:
        extra: Arguments from the command line, instead of those for all tests of the part.
        is_alone: Whether no other part runs beside it.
        output: File for what it prints; None for this process' own.
    """

    extra: Sequence[str] = ()
    is_alone: bool = True
    output: IO[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the tests.

    Attributes:
        title: Name for people.
        test: Function that runs it.
        prepare: Function that fetches what it needs, while others run already.
        is_always_run: Whether a run of all tests has this part, and not only one that names it.
    """

    title: str
    test: Callable[[Request], Outcome]
    prepare: Callable[[], None] | None = None
    is_always_run: bool = True


def run_tests(args: Sequence[str]) -> int:
    """Run all tests, or the parts named, and print how many passed and failed as the last line.

    Args:
        args: Any of ``--python``, ``--client``, ``--browser``, ``--container``, ``--examples``; after ``--``,
            arguments for the one part named.

    Returns:
        0 when all passed, 1 when one failed, 2 when the arguments make no sense.
    """
    names, extra = _split_extra(args)
    if not PARTS.keys() >= set(names) or (extra and len(names) != 1):
        usage = " ".join(f"[{name}]" for name in PARTS)
        print(f"Usage: parlor test {usage}, or one of them and: -- ARGUMENTS", file=sys.stderr)
        return 2
    started = time.monotonic()
    outcomes = _run_parts(plan_of(names, has_browser=find_browser() is not None), extra, started)
    passed, failed, skipped = (sum(getattr(o, field) for o in outcomes) for field in ("passed", "failed", "skipped"))
    print(f"\n== Done in {time.monotonic() - started:.0f} s")
    if skipped:
        print(f"{skipped} skipped: see above for what was not tested here; that counts as a failure")
    print(f"{passed} passed, {failed + skipped} failed", flush=True)
    return 1 if failed or skipped else 0


def plan_of(names: Sequence[str], *, has_browser: bool) -> list[str]:
    """Return the parts to run, each at most once, in the order in which they begin: the longest ones first.

    Args:
        names: Parts that were named; none of them means all that are always run.
        has_browser: Whether the browser is there. Fetching one takes as long as the client's tests, so they go first.
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
    """Run parts side by side. The first one prints as it goes; what others print is held back until its turn."""
    outcomes = []
    preparing = ThreadPoolExecutor(1)
    running = ThreadPoolExecutor(PARTS_AT_ONCE)
    try:
        jobs: list[tuple[str, Future[Outcome], Path | None]] = []
        for name in order:
            part = PARTS[name]
            prepared = preparing.submit(part.prepare) if part.prepare else None
            log = _report(f"{name.removeprefix('--')}.log") if jobs else None
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
        return part.test(Request(extra, is_alone))
    with log.open("wb") as output:
        return part.test(Request(extra, is_alone, output))


def _test_python(request: Request) -> Outcome:
    # Some tests read what the server would send of the built client.
    build_client()
    return _pytest(
        "python", request, request.extra or in_workers("worksteal", per_processor=3, is_alone=request.is_alone)
    )


def _test_client(request: Request) -> Outcome:
    install_client_packages()
    report = _report("client.json")
    reporters = ["--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
    command = in_frontend("vitest/vitest.mjs", "run", *reporters, *request.extra)
    try:
        done = subprocess.run(
            command, cwd=Clone().frontend, env=node_environment(), check=False, timeout=PART_TIMEOUT_S,
            stdout=request.output, stderr=request.output,
        )  # fmt: skip
    except subprocess.TimeoutExpired as exc:
        raise ParlorError(f"These tests took longer than {PART_TIMEOUT_S:.0f} s and were stopped.") from exc
    return read_vitest_report(report, done.returncode)


def _test_browser(request: Request) -> Outcome:
    build_client()
    # A process of its own: Playwright's event loop and pytest-asyncio's cannot share one. These options stand in for
    # pyproject's, which keep Playwright out of the other tests.
    options = ["-o", "addopts=--strict-markers --import-mode=importlib"]
    # The files one after the other: what a file has opened is there for all its tests.
    workers = in_workers("loadfile", "--no-loadscope-reorder", is_alone=request.is_alone)
    return _pytest("browser", request, [*options, *(request.extra or [*workers, "tests/browser"])])


def _test_container(request: Request) -> Outcome:
    return _pytest("container", request, [*OUTSIDE, *(request.extra or ["tests/container"])])


def _test_examples(request: Request) -> Outcome:
    python = str(make_examples_environment())
    return _pytest("examples", request, [*OUTSIDE, *(request.extra or ["tests/examples"])], python)


PARTS = {
    "--python": Part("Python", _test_python, prepare=provide_nginx),
    "--browser": Part("Browser", _test_browser, prepare=install_browser),
    "--client": Part("Client", _test_client),
    # Minutes, and an engine or packages that not every machine has: where they are asked for by name.
    "--container": Part("Container", _test_container, is_always_run=False),
    "--examples": Part("Examples", _test_examples, is_always_run=False),
}
"""All parts by the argument that names them, the longest first."""


def in_workers(distribution: str, *more: str, per_processor: int = 2, is_alone: bool = True) -> list[str]:
    """Return the options with which pytest runs in so many processes that the processors are busy.

    Each waits for half of the time, for servers, browsers and timers: two for each processor, three in the part that
    is still there when the others have ended, and one more where no other part fills the gaps.

    Args:
        distribution: How pytest-xdist deals out the tests.
        more: Further options.
        per_processor: How many processes for each processor.
        is_alone: Whether no other part runs at the same time.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(per_processor * processors, MOST_WORKERS - 1) + is_alone
    return ["-n", str(workers), "--dist", distribution, *more]


def _pytest(name: str, request: Request, arguments: Sequence[str], python: str = sys.executable) -> Outcome:
    report = _report(f"{name}.xml")
    command = [python, "-m", "pytest", f"--junit-xml={report}", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=python_environment(), check=False, stdout=request.output, stderr=request.output
    )
    if not report.is_file():
        # Killed, or ended by a library: it has said nothing, neither why nor what had failed until then.
        raise ParlorError(f"pytest ended before its report, {describe_end(done.returncode)}.")
    return read_junit_report(report, done.returncode)


def describe_end(code: int) -> str:
    """Return how a process has ended, in words; a negative code is a signal's number."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


def python_environment(clone: Clone | None = None) -> dict[str, str]:
    """Return the environment of Python's own tools, in which each module is compiled once and not in each process.

    Where no bytecode is wanted beside the sources, as in container images, it is kept in the state folder.
    """
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment.setdefault("PYTHONPYCACHEPREFIX", str((clone or Clone()).state / "bytecode"))
    return environment


def in_frontend(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of the client's packages."""
    return [node_program(), str(Clone().frontend / "node_modules" / script), *arguments]


def _report(name: str) -> Path:
    folder = Clone().state / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.unlink(missing_ok=True)  # a run that dies early must not be judged by an earlier one's report
    return path
