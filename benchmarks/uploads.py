"""Uploads side by side: memory of the process, and how long somebody else waits for the first words meanwhile.

python benchmarks/uploads.py URL PID [COUNT [MEGABYTES]]: a server that runs already, with the built-in model, and its process.
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
PIECE = os.urandom(64 * 1024).hex().encode()


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


async def person(url: str) -> httpx.AsyncClient:
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


async def main(url: str, pid: int, count: int, size: int) -> None:
    asking, sending = await person(url), [await person(url) for _ in range(count)]
    quiet = [await first_text_s(asking) for _ in range(10)]
    before, peak, busy = memory_mb(pid), 0.0, []
    began = time.perf_counter()
    uploads = asyncio.gather(*(upload(client, size, 30) for client in sending))

    async def watch() -> None:
        nonlocal peak
        while not uploads.done():
            peak = max(peak, memory_mb(pid))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    while not uploads.done():
        busy.append(await first_text_s(asking))
        await asyncio.sleep(0.2)
    await uploads
    await watching
    took = time.perf_counter() - began
    print(json.dumps({
        "uploads": count, "mb_each": size / MB, "took_s": round(took, 1), "mb_per_s": round(count * size / MB / took),
        "memory_before_mb": round(before), "memory_grew_by_mb": round(peak - before),
        "first_text_quiet_ms": round(statistics.median(quiet) * 1000), "first_text_busy_ms": round(statistics.median(busy) * 1000),
        "first_text_busy_p95_ms": round(sorted(busy)[int(len(busy) * 0.95) - 1] * 1000), "asked": len(busy),
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[2:]] + [100, 20][len(sys.argv) - 3 :]
    asyncio.run(main(sys.argv[1], numbers[0], numbers[1], numbers[2] * MB))
