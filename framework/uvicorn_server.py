"""A uvicorn server that says when it listens, and leaves it to its owner what a signal means.

Of uvicorn's insides it relies on two methods that run while it serves: `startup` returns when the sockets listen, and
`handle_exit` is the handler of every signal that asks for the end. All else is public: `serve`, and the attributes
`should_exit`, which closes the listener and waits for open connections, and `force_exit`, which does not wait.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn


class UvicornServer(uvicorn.Server):
    """A server that goes on until its owner sets `should_exit`, whatever signals come.

    Args:
        config: The application and how it is served.
        on_listening: Called once, in the loop, when the server listens.
        on_signal: Called in the main thread with the number of each SIGINT and SIGTERM. It may run between any two
            instructions: let it do no more than note the signal and wake the loop.
    """

    def __init__(
        self, config: uvicorn.Config, *, on_listening: Callable[[], object], on_signal: Callable[[int], object]
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._on_signal = on_signal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and tell the owner."""
        await super().startup(sockets)
        self._on_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell the owner of a signal."""
        # Not noted where uvicorn notes it: it would raise the signal again while there is a loop, which tells it to
        # whatever happens to be running then.
        self._on_signal(sig)
