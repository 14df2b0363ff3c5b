"""Things that the workers of one test run share: each is made by one of them and lent to all."""

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
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Keep other processes out meanwhile; the system frees the lock when its holder dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def one_certificate() -> Iterator[Path]:
    """Lend a file with one of the public authorities: no test speaks to them, and to read all takes 30 ms each time."""
    authorities = Path(certifi.where()).read_text(encoding="ascii", errors="replace")
    end = "-----END CERTIFICATE-----"
    first = authorities[authorities.index("-----BEGIN") : authorities.index(end)] + end + "\n"
    with tempfile.NamedTemporaryFile("w", prefix="parlor-", suffix=".pem", encoding="ascii") as file:
        file.write(first)
        file.flush()
        yield Path(file.name)


def find_port_to_keep() -> int:
    """Return a free port that nobody gets by asking for any: so it is still free a moment later, and after a restart.

    Raises:
        OSError: When none of a hundred is free.
    """
    # The system hands out those above, of which some are always in use.
    ports = random.sample(range(20_000, 32_000), 100)
    for port in ports[:-1]:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    with socket.create_server(("127.0.0.1", ports[-1])):
        return ports[-1]


def lend_cities(city_file: Path, data_dir: Path) -> None:
    """Give a server its list of cities: to make one takes as long as all else at its first start."""
    lent = data_dir / "cache" / city_file.name
    lent.parent.mkdir(parents=True, exist_ok=True)
    if not lent.exists():
        os.link(city_file, lent)
