"""A proxy for a Python command that runs in a fork of a process with everything imported.

The first argument is the socket of the fork server, the others are those of Python: a script's path, or `-m` and a
module. Signals are passed on, and the exit code is passed back. If this process is killed, the command is killed a
moment later; after the signal `KILL`, this process ends when the command has ended.
"""

from __future__ import annotations

# The C modules behind `signal` and `socket`, whose enums take longer to import than everything else here.
import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import marshal
import os
import sys

PASSED_ON = {each: each for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)} | {signal.SIGUSR1: signal.SIGKILL}

LENGTH_BYTES = 4
FILE_NUMBER_BYTES = 4


def main() -> None:
    address, *arguments = sys.argv[1:]
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(address)
    for number in PASSED_ON:
        signal.signal(number, lambda number, _frame: connection.sendall(bytes([PASSED_ON[number]])))
    wanted = marshal.dumps({"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()})
    message = len(wanted).to_bytes(LENGTH_BYTES, "big") + wanted
    files = b"".join(file.to_bytes(FILE_NUMBER_BYTES, sys.byteorder) for file in (0, 1, 2))
    sent = connection.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    connection.sendall(message[sent:])
    # The command and the readers of its output must notice when the other side closes its end.
    os.close(0)
    os.close(1)
    exit_code = connection.recv(16)
    connection.close()
    code = int(exit_code) if exit_code else 1
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
