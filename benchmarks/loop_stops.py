"""Measures how long a server's event loop is blocked, by sending small requests all the time.

    python loop_stops.py http://127.0.0.1:8000/healthz 20

A new request is sent 5 ms after each response, for that many seconds or until the standard input ends. The output is one
line of JSON with the response times in milliseconds. The longest, less the usual response time (the median), is the
longest time that the loop was blocked.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from urllib.parse import urlsplit

PAUSE_S = 0.005


async def probe(url: str, seconds: float) -> list[float]:
    """Return the response times in milliseconds."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    request = f"GET {address.path or '/'} HTTP/1.1\r\nhost: {address.netloc}\r\n\r\n".encode()
    response_times: list[float] = []
    deadline = time.monotonic() + seconds
    end_of_input = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while time.monotonic() < deadline and not end_of_input.done():
        start = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        response_times.append((time.perf_counter() - start) * 1000)
        length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        await reader.readexactly(int(length.partition(b":")[2]))
        await asyncio.sleep(PAUSE_S)
    writer.close()
    return response_times


def main() -> None:
    """Probe the server and print the quantiles."""
    response_times = sorted(asyncio.run(probe(sys.argv[1], float(sys.argv[2]))))
    quantiles = {
        "n": len(response_times),
        "p50": round(statistics.median(response_times), 2),
        "p99": round(response_times[int(len(response_times) * 0.99)], 2),
        "max": round(response_times[-1], 2),
    }
    print(json.dumps(quantiles))


if __name__ == "__main__":
    main()
