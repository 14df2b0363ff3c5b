"""A uvicorn server that reports when it listens, and passes signals to its owner.

It relies on two of uvicorn's methods that are not documented: `startup` returns when the sockets listen, and
`handle_exit` is the handler of every signal that asks for the end. All else is public: `serve`, and the attributes
`should_exit`, which closes the listener and waits for open connections, and `force_exit`, which does not wait.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn


class UvicornServer(uvicorn.Server):
    """A server that runs until its owner sets `should_exit`, whatever signals arrive.

    Args:
        config: The application and the options of uvicorn.
        on_listening: Called once, in the event loop, when the server listens.
        on_signal: Called in the main thread with the number of each SIGINT and SIGTERM. It may interrupt any
            instruction, so it should only record the signal and wake the loop.
    """

    def __init__(
        self, config: uvicorn.Config, *, on_listening: Callable[[], object], on_signal: Callable[[int], object]
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._on_signal = on_signal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and notify the owner."""
        await super().startup(sockets)
        self._on_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Pass a signal to the owner."""
        # Not recorded as uvicorn does: it would raise the signal again while the loop runs, in whatever code is being
        # executed then.
        self._on_signal(sig)
