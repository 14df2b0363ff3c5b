"""Concurrent uploads: the memory of the server, and how long other people wait for their first text meanwhile.

Usage: python benchmarks/uploads.py URL PID [COUNT [MEGABYTES]], for a running server with the built-in model.
"""

import asyncio
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path

import httpx

MB = 1024 * 1024
SENDING_S = 30
"""Duration of each upload."""
QUIET_ASKS = 30
PAUSE_S = 0.2
NICENESS = 10
PIECE = os.urandom(64 * 1024).hex().encode()


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


async def open_client(url: str) -> httpx.AsyncClient:
    """Return a client with the cookie of a new user."""
    client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False)
    await client.get("/")
    return client


async def first_text_s(client: httpx.AsyncClient) -> float:
    message = {"content": [{"type": "input_text", "text": "hello"}], "attachments": [], "inference_options": {}}
    body = {"type": "threads.create", "params": {"input": message}}
    began = time.perf_counter()
    async with client.stream("POST", "/chatkit/weather", json=body) as answer:
        async for line in answer.aiter_lines():
            if "text_delta" in line:
                return time.perf_counter() - began
    raise AssertionError("no text")


async def upload(client: httpx.AsyncClient, size: int, send_s: float) -> None:
    params = {"name": "a.txt", "size": size, "mime_type": "text/plain"}
    created = (await client.post("/chatkit/weather", json={"type": "attachments.create", "params": params})).json()
    to = created["upload_descriptor"]

    async def body():
        pieces = -(-size // len(PIECE))
        for number in range(pieces):
            yield PIECE[: size - number * len(PIECE)]
            await asyncio.sleep(send_s / pieces)

    answer = await client.put(to["url"], content=body(), headers={**to["headers"], "Content-Length": str(size)})
    answer.raise_for_status()


async def send(url: str, count: int, size: int) -> None:
    """Upload all files concurrently, and print the duration."""
    clients = [await open_client(url) for _ in range(count)]
    began = time.perf_counter()
    await asyncio.gather(*(upload(client, size, SENDING_S) for client in clients))
    print(time.perf_counter() - began)


def milliseconds(waits: list[float]) -> dict[str, int]:
    return {
        "p50": round(statistics.median(waits) * 1000),
        "p95": round(statistics.quantiles(waits, n=20)[-1] * 1000),
        "asked": len(waits),
    }


async def main(url: str, pid: int, count: int, size: int) -> None:
    asking = await open_client(url)
    await first_text_s(asking)
    quiet = []
    for _ in range(QUIET_ASKS):
        quiet.append(await first_text_s(asking))
        await asyncio.sleep(PAUSE_S)
    before, peak, busy, load = memory_mb(pid), 0.0, [], os.getloadavg()[0]
    # A process of its own with low priority, since browsers would use other machines' processors.
    command = [sys.executable, __file__, "--send", url, str(count), str(size)]
    sender = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, preexec_fn=lambda: os.nice(NICENESS)
    )
    sent = asyncio.create_task(sender.communicate())

    async def watch() -> None:
        nonlocal peak
        while not sent.done():
            peak = max(peak, memory_mb(pid))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    while not sent.done():
        busy.append(await first_text_s(asking))
        await asyncio.sleep(PAUSE_S)
    took = float((await sent)[0])
    await watching
    quiet_ms, busy_ms = milliseconds(quiet), milliseconds(busy)
    print(json.dumps({
        "uploads": count, "mb_each": size / MB, "took_s": round(took, 1), "mb_per_s": round(count * size / MB / took),
        "memory_before_mb": round(before), "memory_grew_by_mb": round(peak - before),
        "first_text_quiet_ms": quiet_ms, "first_text_busy_ms": busy_ms,
        "ratio": {name: round(busy_ms[name] / quiet_ms[name], 2) for name in ("p50", "p95")},
        "load_before": round(load, 1), "load_after": round(os.getloadavg()[0], 1), "processors": os.cpu_count(),
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "--send":
        asyncio.run(send(sys.argv[2], *map(int, sys.argv[3:])))
    else:
        pid, count, megabytes = [int(each) for each in sys.argv[2:]] + [100, 20][len(sys.argv) - 3 :]
        asyncio.run(main(sys.argv[1], pid, count, megabytes * MB))
