"""Applications that take files, on each kind of object store."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.sharing import find_stable_port
from tests.unit.files.azurite import ACCOUNT, KEY, azurite_command, create_container
from tests.unit.files.file_desk import Desk, Person, open_desk
from tests.unit.files.google_storage import create_service_account, serve_google_storage

S3_START_TIMEOUT_S = 300.0


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stand-in for S3 in a process of its own, with nothing in it."""
    port = find_stable_port()
    address = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log:
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                _wait_for(f"{address}/moto-api/data.json", server)
                yield address
            finally:
                server.terminate()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + S3_START_TIMEOUT_S
    # One client: each reads all certificates, which takes longer than the wait between two looks.
    with httpx.Client(trust_env=False, timeout=300) as client:
        while time.monotonic() < end and server.poll() is None:
            try:
                client.get(url)
                return
            except httpx.TransportError:
                time.sleep(0.05)
    raise AssertionError("the object store did not start")


@pytest.fixture(scope="session")
def azure_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stand-in for Azure Blob Storage in a process of its own, with nothing in it."""
    port = find_stable_port()
    address = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("azure")
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(azurite_command(port), cwd=folder, stdout=log, stderr=log) as server,
    ):
        try:
            _wait_for(address, server)
            yield address
        finally:
            server.terminate()


@pytest.fixture
def s3_url(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a folder in an empty bucket of S3."""
    bucket = f"bucket-{uuid4().hex[:12]}"
    httpx.put(f"{s3_address}/{bucket}", trust_env=False, timeout=300).raise_for_status()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return f"s3://{bucket}/files?endpoint={s3_address}&region=us-east-1"


@pytest.fixture
def azure_url(azure_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a folder in an empty container of Azure."""
    container = f"container-{uuid4().hex[:12]}"
    create_container(azure_address, container)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    return f"az://{container}/files?account={ACCOUNT}&endpoint={azure_address}/{ACCOUNT}"


@pytest.fixture(scope="session")
def google_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the key of a service account."""
    path = tmp_path_factory.mktemp("google") / "account.json"
    create_service_account(path)
    return path


@pytest.fixture(scope="session")
def google_address(google_account: Path) -> Iterator[str]:
    """A stand-in for Google Cloud Storage, with nothing in it."""
    with serve_google_storage(google_account) as address:
        yield address


@pytest.fixture
def google_url(google_address: str, google_account: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a folder in an empty bucket of Google."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google_account))
    return f"gs://bucket-{uuid4().hex[:12]}/files?endpoint={google_address}"


@pytest.fixture(params=["disk", "memory", "s3", "azure", "google"])
def storage_url(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty object store of each kind."""
    match request.param:
        case "disk":
            return None
        case "memory":
            return "memory:///"
        case kind:
            url: str = request.getfixturevalue(f"{kind}_url")
            return url


@pytest.fixture
async def any_desk(tmp_path: Path, storage_url: str | None) -> AsyncIterator[Desk]:
    """An application on each kind of object store."""
    async with open_desk(tmp_path, storage_url=storage_url) as desk:
        yield desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """An application with its files on a disk."""
    async with open_desk(tmp_path) as desk:
        yield desk


@pytest.fixture
async def ada(desk: Desk) -> AsyncIterator[Person]:
    async with desk.person() as person:
        yield person
