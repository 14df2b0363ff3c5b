"""`./parlor bench`: measures Parlor and a floor in the same run, and prints their ratios.

The floor is a bare ASGI application that relays the same model stub without a framework, storage or validation
(`floor_asgi.py`). Absolute numbers depend on the machine and its load; ratios can be compared. These are not tests.

    ./parlor bench                 # the quick suites, some three minutes
    ./parlor bench sustain long    # those that are named
    ./parlor bench --all
    ./parlor bench --with aiohttp --rounds 5 burst paced    # Parlor over aiohttp's connections too, medians
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
START_TIMEOUT_S = 60.0
SUITE_TIMEOUT_S = 600.0

SUITES: dict[str, tuple[str, list[tuple[str, list[str]]]]] = {
    "turn": ("a short turn", [("turn", "--n 1 --turns 400 --concurrency 1".split())]),
    "burst": ("bursts, 10 streams", [("turn", "--n 500 --turns 300 --concurrency 10".split())]),
    "alone": ("first text, one stream", [("turn", "--n 10 --rate 20 --ts --turns 30 --concurrency 1".split())]),
    "paced": ("100 streams at 20/s", [("turn", "--n 40 --rate 20 --ts --turns 400 --concurrency 100".split())]),
    "sustain": (
        "300 and 600 streams at 20/s",
        [("idle", f"--concurrency {n} --rate 20 --seconds 15 --ramp 8".split()) for n in (300, 600)],
    ),
    "long": ("a thread of 10 and of 1,000 items", [("longthread", "--sizes 10,1000 --n 10 --repeats 20".split())]),
    "interfere": ("others, while one works on 1,000 items", [("interfere", "--size 1000 --seconds 10".split())]),
    "threads": ("10,000 threads", [("history", "--sizes 100,10000 --repeats 300 --max-seconds 400".split())]),
    "stops": (
        "longest stop of the event loop",
        [
            ("turn", "--n 500 --turns 60 --concurrency 10".split()),
            ("idle", "--concurrency 100 --rate 20 --seconds 15 --ramp 5".split()),
        ],
    ),
    "memory": ("memory of 100 open streams", [("idle", "--concurrency 100 --rate 20 --seconds 15 --ramp 5".split())]),
    "sdk": (
        "an agent of the Agents SDK, beside ChatKit's own way",
        [
            ("turn", "--n 500 --turns 60 --concurrency 10".split()),
            ("idle", "--concurrency 20 --rate 20 --seconds 8 --ramp 2".split()),
        ],
    ),
}
START = "start"
STARTS = {
    "ChatKit and Agent Framework": "import chatkit.server, agent_framework",
    "Parlor": "import main, use_cases.todo.plugin, use_cases.weather.plugin",
    "Parlor with an Agents SDK agent": "import main, use_cases.todo.plugin, use_cases.weather.plugin, agents_sdk.sdk_agent",
}
QUICK = ("turn", "burst", "alone", "paced")
# Suites that read, while the floor stores nothing and answers every read with the same page.
WITHOUT_FLOOR = {"long", "interfere"}
# Suites that are compared with a stock ChatKit server (`stock_sdk.py`) instead of the floor.
BESIDE_STOCK = {"sdk"}
REFERENCES = ("floor", "stock")


def main() -> int:
    """Run the suites and print one JSON line per measurement, then the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--all", action="store_true", help="all suites, some ten minutes")
    parser.add_argument("--provider", choices=("openai", "compatible"), default="openai")
    parser.add_argument("--rounds", type=int, default=1, help="how often, the servers in turn; medians are reported")
    parser.add_argument("--with", dest="opponent", choices=("aiohttp",), help="measure Parlor over it too")
    parser.add_argument("--out", type=Path, help="write the measurements there too, one JSON object per line")
    args = parser.parse_args()
    names = list(SUITES) if args.all else args.suites or list(QUICK)
    if unknown := [name for name in names if name not in (*SUITES, START)]:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(SUITES)}, {START}")
    if START in names:
        print(starts(args.rounds))
        names = [name for name in names if name != START]
        if not names:
            return 0
    results: list[dict[str, Any]] = []
    with running_stub() as (stub_port, stub_pid):
        for name in [name for name in names for _ in range(args.rounds)]:
            title, scenarios = SUITES[name]
            print(f"== {name}: {title}", file=sys.stderr, flush=True)
            use_case = "bench_sdk" if name in BESIDE_STOCK else "bench"
            servers = [("parlor", running_parlor(stub_port, args.provider, use_case=use_case))]
            if args.opponent == "aiohttp":
                servers.append(("aiohttp", running_parlor(stub_port, args.provider, HERE / "aiohttp_transport.py")))
            if name in BESIDE_STOCK:
                servers.insert(0, ("stock", running_app(stub_port, "stock_sdk:app")))
            elif name not in WITHOUT_FLOOR:
                servers.insert(0, ("floor", running_app(stub_port, "floor_asgi:relay")))
            for label, server in servers:
                with server as (url, pid, headers):
                    for scenario, options in scenarios:
                        results += measure(label, name, scenario, options, url, pid, stub_pid, headers)
    if args.out:
        args.out.write_text("".join(json.dumps(row) + "\n" for row in results), encoding="utf-8")
    print(report(medians(results)))
    return 1 if any(row.get("errors") or row.get("wrong_text") for row in results) else 0


def starts(rounds: int) -> str:
    """Return a table of the cost of the imports of a process: processor time and memory."""
    code = "import resource; {}; use = resource.getrusage(resource.RUSAGE_SELF); print(use.ru_utime, use.ru_maxrss)"
    lines = ["", "start                                       CPU, s     MB    ratio, ratio"]
    floors: list[float] = []
    for what, imports in STARTS.items():
        command = [sys.executable, "-c", code.format(imports)]
        runs = [
            [float(word) for word in subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split()]
            for _ in range(rounds)
        ]
        spent, kept = (statistics.median(each) for each in zip(*runs, strict=True))
        floors = floors or [spent, kept]
        lines.append(f"{what:40} {spent:9.2f} {kept / 1024:6.0f} {spent / floors[0]:6.2f} x {kept / floors[1]:6.2f} x")
    return "\n".join(lines)


def measure(
    label: str, suite: str, scenario: str, options: list[str], url: str, pid: int, stub_pid: int, headers: list[str]
) -> list[dict[str, Any]]:
    """Run one scenario of the load client and return its measurements."""
    command = [sys.executable, str(HERE / "chatkit_load.py"), scenario, "--url", url, "--label", label]
    command += ["--pid", str(pid), "--stub-pid", str(stub_pid), *options]
    for header in headers:
        command += ["--header", header]
    with probing(url) if suite == "stops" else nullcontext() as stops:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SUITE_TIMEOUT_S, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return [{"suite": suite, "label": label, "scenario": scenario, "errors": 1}]
    more = {"stop_ms": json.loads(stops[0])} if stops else {}
    return [{"suite": suite, **more, **json.loads(line)} for line in done.stdout.splitlines()]


@contextmanager
def probing(url: str) -> Iterator[list[str]]:
    """Run `loop_stops.py` against a server; the yielded list contains its output afterwards."""
    address = urlsplit(url)
    target = f"{address.scheme}://{address.netloc}/healthz"
    command = [sys.executable, str(HERE / "loop_stops.py"), target, str(SUITE_TIMEOUT_S)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    printed: list[str] = []
    try:
        yield printed
    finally:
        printed.append(running.communicate(timeout=15)[0])


@contextmanager
def running_stub() -> Iterator[tuple[int, int]]:
    """Start the model stub."""
    port = free_port()
    with process([sys.executable, str(HERE / "llm_stub.py"), "--port", str(port)]) as running:
        wait_for(f"http://127.0.0.1:{port}/stats", running)
        yield port, running.pid


@contextmanager
def running_app(stub_port: int, app: str) -> Iterator[tuple[str, int, list[str]]]:
    """Start an application that Parlor is compared with: the bare relay, or the stock server."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "error"]
    with process(command, {"LLM_PORT": str(stub_port)}, cwd=HERE) as running:
        wait_for_port(port, running)
        yield f"http://127.0.0.1:{port}/chatkit", running.pid, []


@contextmanager
def running_parlor(
    stub_port: int, provider: str, program: Path = ROOT / "main.py", use_case: str = "bench"
) -> Iterator[tuple[str, int, list[str]]]:
    """Start Parlor with SQLite in a new folder and all its features."""
    port = free_port()
    base_url = f"http://127.0.0.1:{stub_port}/v1"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "DATA_DIR": folder, "PORT": str(port), "USE_CASES_PATH": str(HERE / "use_cases"), "WEATHER_SOURCE": "sample",
            "MODEL_PROVIDER": provider, "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": base_url, "OPENAI_MODEL": "stub",
            "COMPATIBLE_BASE_URL": base_url, "COMPATIBLE_MODEL": "stub", "LOG_LEVEL": "WARNING",
            # All load comes from one user here.
            "RUNS_MAX_PER_USER": "100000", "RUNS_MAX_TOTAL": "100000",
        }  # fmt: skip
        command = [sys.executable, str(program), "run"]
        with process(command, environment, cwd=folder) as running:
            wait_for(f"http://127.0.0.1:{port}/readyz", running)
            wait_until_idle(running.pid)
            url = f"http://127.0.0.1:{port}/chatkit/{use_case}"
            yield url, running.pid, [f"Cookie: {cookie_of(url)}"]


@contextmanager
def process(
    command: list[str], environment: dict[str, str] | None = None, cwd: Path | str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program and stop it afterwards."""
    kept = {k: v for k, v in os.environ.items() if not re.match(r"(OPENAI|AZURE|COMPATIBLE|MODEL|BRAND)_", k)}
    running = subprocess.Popen(
        command, env={**kept, **(environment or {})}, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield running
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def cookie_of(url: str) -> str:
    """Return the cookie of a new user."""
    body = b'{"type":"threads.list","params":{}}'
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.headers["set-cookie"]).split(";")[0]


def free_port() -> int:
    """Return a TCP port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, running: subprocess.Popen[bytes]) -> None:
    """Wait until `url` answers with 200."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not come up")


def wait_until_idle(pid: int) -> None:
    """Wait until a process is idle: use cases may still load data in the background after the start."""
    deadline, before = time.monotonic() + START_TIMEOUT_S, -1
    while time.monotonic() < deadline:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        spent = int(fields[11]) + int(fields[12])  # clock ticks
        if spent - before <= 1:
            return
        before = spent
        time.sleep(0.5)


def wait_for_port(port: int, running: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens on `port`."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def subject_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return the key of a measurement, which is the same for all servers."""
    return tuple(row.get(key) for key in ("suite", "scenario", "concurrency", "op", "items", "threads", "heavy"))


def medians(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge the rounds of each measurement: the median of each number, and the maximum of the errors."""
    rounds: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in results:
        rounds.setdefault((row["label"], *subject_of(row)), []).append(row)

    def median(values: list[Any]) -> Any:
        if all(isinstance(value, dict) for value in values):
            keys = dict.fromkeys(key for value in values for key in value)
            return {key: median([value[key] for value in values if key in value]) for key in keys}
        if all(isinstance(value, int | float) for value in values) and any(value != values[0] for value in values):
            return statistics.median(values)
        return values[0]

    return [
        {**median(each), **{key: max(r.get(key) or 0 for r in each) for key in ("errors", "wrong_text")}}
        for each in rounds.values()
    ]


def report(results: list[dict[str, Any]]) -> str:
    """Return a table of the most important figures, with ratios to the floor or the stock server of the same suite."""
    floors = {subject_of(r): r for r in results if r["label"] in REFERENCES}
    lines = ["", "suite            what                                     parlor  floor, stock        ratio"]

    def row(suite: str, what: str, own: float | None, floor: float | None) -> None:
        if own is not None:
            ratio = f"{own / floor:8.2f} x" if floor else ""
            lines.append(f"{suite:16} {what:36} {own:12.2f} {floor if floor is not None else '':>12} {ratio:>12}")

    for r in results:
        if r["label"] in REFERENCES:
            continue
        f = floors.get(subject_of(r), {})
        where = r["suite"] if r["label"] == "parlor" else f"{r['suite']}, {r['label']}"
        size = f" ({r['concurrency']})" if r["scenario"] == "idle" else ""
        row(where, "CPU per delta, us" + size, r.get("cpu_us_per_delta"), f.get("cpu_us_per_delta"))
        row(where, "CPU per turn, ms", r.get("cpu_ms_per_turn"), f.get("cpu_ms_per_turn"))
        row(where, "deltas per second" + size, r.get("deltas_per_s"), f.get("deltas_per_s"))
        for key, what in (("ttfd_ms", "first text"), ("transit_ms", "transit"), ("total_ms", "whole")):
            for quantile in ("p50", "p99", "max"):
                own, floor = (r.get(key) or {}).get(quantile), (f.get(key) or {}).get(quantile)
                name = " ".join(str(r[k]) for k in ("op", "items", "threads", "heavy") if r.get(k) is not None)
                row(where, f"{what} {quantile}, ms{size} {name}".rstrip(), own, floor)
        for quantile in ("p50", "p99", "max"):
            own, floor = (r.get("stop_ms") or {}).get(quantile), (f.get("stop_ms") or {}).get(quantile)
            row(where, f"answer to a probe {quantile}, ms {r['scenario']}", own, floor)
        row(
            where,
            f"CPU per operation, ms {r.get('op', '')} {r.get('items', r.get('threads', ''))}",
            r.get("cpu_ms_per_op"),
            None,
        )
        row(where, "kB per open stream" + size, r.get("rss_kb_per_stream"), f.get("rss_kb_per_stream"))
        if r.get("errors") or r.get("wrong_text"):
            lines.append(
                f"{where:16} FAILED: {r.get('errors')} errors, {r.get('wrong_text')} wrong texts: {r.get('first_error')}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
