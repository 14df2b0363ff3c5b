"""How long a server's event loop stands still, as somebody sees it who asks it something small all the time.

    python loop_stops.py http://127.0.0.1:8000/healthz 20

Asks again 5 ms after each answer, for so many seconds or until its standard input ends, and prints one JSON line: the
times to the answer in milliseconds. The longest is the longest stop, up to what an answer takes anyway (the median).
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
    """Return how long each answer took, in milliseconds."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    request = f"GET {address.path or '/'} HTTP/1.1\r\nhost: {address.netloc}\r\n\r\n".encode()
    took: list[float] = []
    end = time.monotonic() + seconds
    ends = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while time.monotonic() < end and not ends.done():
        start = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        took.append((time.perf_counter() - start) * 1000)
        length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        await reader.readexactly(int(length.partition(b":")[2]))
        await asyncio.sleep(PAUSE_S)
    writer.close()
    return took


def main() -> None:
    """Probe and print."""
    took = sorted(asyncio.run(probe(sys.argv[1], float(sys.argv[2]))))
    print(
        json.dumps(
            {
                "n": len(took),
                "p50": round(statistics.median(took), 2),
                "p99": round(took[int(len(took) * 0.99)], 2),
                "max": round(took[-1], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
