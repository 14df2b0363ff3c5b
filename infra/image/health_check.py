"""Health check of the container: exits with 0 when the server in it answers `/healthz`.

It uses a bare socket, since importing an HTTP client would double the time and memory of every check.
"""

from __future__ import annotations

import os
import socket
import sys

TIMEOUT_S = 4.0
_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def is_healthy(port: int) -> bool:
    """Return whether the server on `port` of localhost responds with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
            connection.sendall(_REQUEST)
            return connection.recv(16).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_healthy(int(os.environ.get("PORT") or 8000)) else 1)
