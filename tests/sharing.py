"""Resources that the workers of a test run share: each is made by one worker and used by all."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import certifi


@contextmanager
def hold_lock(lock: Path) -> Iterator[None]:
    """Hold a lock between processes, which the system releases if the holder dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def lend_certificate() -> Iterator[Path]:
    """Lend a file with a single public authority: no test uses them, and reading all of them takes 30 ms each time."""
    authorities = Path(certifi.where()).read_text(encoding="ascii", errors="replace")
    end = "-----END CERTIFICATE-----"
    first = authorities[authorities.index("-----BEGIN") : authorities.index(end)] + end + "\n"
    with tempfile.NamedTemporaryFile("w", prefix="parlor-", suffix=".pem", encoding="ascii") as file:
        file.write(first)
        file.flush()
        yield Path(file.name)


def find_stable_port() -> int:
    """Return a free port below the ephemeral range, so that no other process is likely to take it during a restart.

    Raises:
        OSError: When none of a hundred ports is free.
    """
    # The system assigns ports above this range.
    ports = random.sample(range(20_000, 32_000), 100)
    for port in ports[:-1]:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    with socket.create_server(("127.0.0.1", ports[-1])):
        return ports[-1]


def lend_cities(city_file: Path, data_dir: Path) -> None:
    """Give a server the city file, which takes as long to build as the rest of its first start."""
    lent = data_dir / "cache" / city_file.name
    lent.parent.mkdir(parents=True, exist_ok=True)
    if not lent.exists():
        os.link(city_file, lent)
