"""nginx with a file of ours, as operators put it before several servers."""

from __future__ import annotations

import asyncio
import contextlib
import re
from asyncio.subprocess import STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from infra.nginx import find_nginx
from tests.processes.server_process import ServerProcess
from tests.sharing import find_port_to_keep

PATIENCE_S = 300.0


def address_of(server: ServerProcess) -> str:
    return urlsplit(str(server.client.base_url)).netloc


def on_this_machine(configuration: str, places: Mapping[str, str], port: int, folder: Path) -> str:
    """Return a file of nginx with nothing changed but its addresses, ports and folders, that of its log too.

    Args:
        configuration: The file's text.
        places: Address of each service by the name that the file gives it.
        port: Where it shall listen.
        folder: Stands for `/tmp`.
    """
    for name, address in places.items():
        # nginx asks a resolver for names alone; Debian's cannot do so again while it runs.
        configuration, count = re.subn(rf"\b{name}:8000(?: resolve)?\b", address, configuration)
        assert count > 0, name
    configuration, count = re.subn(r"listen 8080;", f"listen 127.0.0.1:{port};", configuration)
    assert count == 1
    configuration = configuration.replace("/tmp/", f"{folder}/")  # noqa: S108 - what the file says
    if "access_log" in configuration:
        return configuration
    # One that is built in, which an nginx that was unpacked and not installed does not have.
    return configuration.replace("\nhttp {\n", f"\nhttp {{\n    access_log {folder}/access.log;\n")


@asynccontextmanager
async def gateway_before(
    folder: Path, configuration: str, places: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> AsyncIterator[ServerProcess]:
    """Run nginx with a file, and lend it as a server; it has ended afterwards.

    Args:
        folder: Where it may write.
        configuration: Text of its file.
        places: As for `on_this_machine`.
        headers: What the person's browser sends with each request.
    """
    program = find_nginx()
    if program is None:
        pytest.fail("the tests of the gateway need nginx: install it (on Debian: apt-get install nginx-light)")
    port = find_port_to_keep()
    own = folder / "nginx"
    own.mkdir()
    (own / "nginx.conf").write_text(on_this_machine(configuration, places, port, own), encoding="utf-8")
    with (own / "log").open("wb") as log:
        # The user of the test itself, in front, with its first words to us and not to the machine's log.
        process = await asyncio.create_subprocess_exec(
            program, "-e", "stderr", "-p", str(own), "-c", str(own / "nginx.conf"), "-g", "daemon off;",
            stdout=log, stderr=STDOUT,
        )  # fmt: skip
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False, headers=headers
        ) as client:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    assert process.returncode is None, (own / "log").read_text()[-2000:]
                    with contextlib.suppress(httpx.ConnectError):
                        await client.get("/api/use-cases")  # one cookie for all that follows
                        break
                    await asyncio.sleep(0.02)  # another program's state, which cannot be waited for
            yield ServerProcess(process, client)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
