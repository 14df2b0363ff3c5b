"""A command that is run in a fork of a Python with everything imported; outside it looks as if it ran here.

Its first argument is the socket of the fork server, the others are those of a Python: a script's path, or `-m` and a
module. Signals go there, and the exit code comes back. Who kills this process kills the other one a moment later;
`KILL` ends this one when the other has ended.
"""

from __future__ import annotations

# What `socket` and `signal` are made of, without their enums: to import those takes longer than all else here.
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
    # Who reads what the command writes, and the command itself, must see the other's end.
    os.close(0)
    os.close(1)
    said = connection.recv(16)
    connection.close()
    code = int(said) if said else 1
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
