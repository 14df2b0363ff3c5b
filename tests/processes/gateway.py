"""nginx with one of our configuration files, in front of several servers."""

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
from tests.sharing import find_stable_port

PATIENCE_S = 300.0


def host_and_port(server: ServerProcess) -> str:
    return urlsplit(str(server.client.base_url)).netloc


def adapt_configuration(configuration: str, places: Mapping[str, str], port: int, folder: Path) -> str:
    """Return a configuration of nginx with its addresses, ports and folders changed for this machine.

    Args:
        configuration: The text of the file.
        places: Address of each service, by its name in the file.
        port: The port to listen on.
        folder: The folder to use instead of `/tmp`.
    """
    for name, address in places.items():
        # An address needs no resolver, and Debian's nginx does not support the option `resolve`.
        configuration, count = re.subn(rf"\b{name}:8000(?: resolve)?\b", address, configuration)
        assert count > 0, name
    configuration, count = re.subn(r"listen 8080;", f"listen 127.0.0.1:{port};", configuration)
    assert count == 1
    configuration = configuration.replace("/tmp/", f"{folder}/")  # noqa: S108 - the path in the file
    if "access_log" in configuration:
        return configuration
    # The built-in default path does not exist for an nginx that was unpacked rather than installed.
    return configuration.replace("\nhttp {\n", f"\nhttp {{\n    access_log {folder}/access.log;\n")


@asynccontextmanager
async def run_gateway(
    folder: Path, configuration: str, places: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> AsyncIterator[ServerProcess]:
    """Run nginx with a configuration, and yield it as a server.

    Args:
        folder: A folder for its files.
        configuration: The text of the file.
        places: Address of each service, by its name in the file.
        headers: Headers of each request.
    """
    program = find_nginx()
    if program is None:
        pytest.fail("the tests of the gateway need nginx: install it (on Debian: apt-get install nginx-light)")
    port = find_stable_port()
    own = folder / "nginx"
    own.mkdir()
    (own / "nginx.conf").write_text(adapt_configuration(configuration, places, port, own), encoding="utf-8")
    with (own / "log").open("wb") as log:
        # In the foreground, as the test's own user, with early errors on stderr rather than in the machine's log.
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
                    await asyncio.sleep(0.02)  # another program sets no event to wait for
            yield ServerProcess(process, client)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
