"""A command that is run in a fork of a Python with everything imported; outside it looks as if it ran here.

Its first argument is the socket of the fork server, the others are those of a Python: a script's path, or `-m` and a
module. Signals go there, and the exit code comes back. Who kills this process kills the other one a moment later;
`KILL` ends this one when the other has ended.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

KILL = signal.SIGUSR1
PASSED_ON = {each: each for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)} | {KILL: signal.SIGKILL}


def main() -> None:
    address, *arguments = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        for number in PASSED_ON:
            signal.signal(number, lambda number, _frame: connection.sendall(bytes([PASSED_ON[number]])))
        wanted = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
        message = json.dumps(wanted).encode() + b"\n"
        sent = socket.send_fds(connection, [message], [0, 1, 2])
        connection.sendall(message[sent:])
        # Who reads what the command writes, and the command itself, must see the other's end.
        os.close(0)
        os.close(1)
        said = connection.recv(16)
    code = int(said) if said else 1
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
