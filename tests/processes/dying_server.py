"""A server that kills itself at a moment which a file names: before or after an operation, or inside a transaction.

Started as ``python -m tests.processes.dying_server`` in the folder with that file.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from obstore.store import LocalStore
from sqlalchemy import Connection

from config import load_settings
from database import Database
from files.object_store import ObjectStore
from main import create_app
from process.data_folder import prepare_data_folder
from process.serving import bind_socket, build_url, serve

ORDER = Path("die")
"""File with the moment, such as ``before put_file``, ``inside _claim`` or ``after delete``."""

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


def die_if_ordered(moment: str) -> None:
    """Kill this process if the file names this moment."""
    if ORDER.exists() and ORDER.read_text() == moment:
        os.kill(os.getpid(), signal.SIGKILL)


class DyingObjects(ObjectStore):
    """An object store whose process may be killed before and after each operation that writes."""

    async def put_file(self, key: str, path: Path) -> None:
        die_if_ordered("before put_file")
        await super().put_file(key, path)
        die_if_ordered("after put_file")

    async def put(self, key: str, data: bytes) -> None:
        die_if_ordered("before put")
        await super().put(key, data)
        die_if_ordered("after put")

    async def delete(self, keys: Iterable[str]) -> None:
        die_if_ordered("before delete")
        await super().delete(keys)
        die_if_ordered("after delete")


class DyingDatabase(Database):
    """A database whose process may be killed around each transaction that writes, and before it is committed."""

    async def run_write(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        name = getattr(work, "__name__", "")

        def work_and_die(connection: Connection, *args: *Ts) -> R:
            result = work(connection, *args)
            die_if_ordered(f"inside {name}")
            return result

        die_if_ordered(f"before {name}")
        result = await super().run_write(work_and_die, *args)
        die_if_ordered(f"after {name}")
        return result


def main() -> None:
    """Serve until the kill, with the settings of the environment."""
    settings = load_settings()
    folder = prepare_data_folder(settings.data_dir).resolve()
    with bind_socket(settings.host, settings.port) as listener:
        app = create_app(
            settings,
            database=DyingDatabase(settings.resolved_database_url),
            objects=DyingObjects(LocalStore(folder, automatic_cleanup=True), "file", folder),
        )
        url = build_url(listener)
        serve(
            app,
            listener,
            app.state.lifecycle,
            max_connections=settings.max_connections,
            shutdown_delay_s=settings.shutdown_delay_s,
            announce=lambda _: print(f"Parlor is ready: {url}", flush=True),  # noqa: T201 - the test waits for it
        )


if __name__ == "__main__":
    main()
