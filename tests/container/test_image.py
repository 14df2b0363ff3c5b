"""The real image under strict conditions: any user, a read-only file system except for the volume, no network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.container.engine import ROOT, Engine, build, open_engine

HARDEST = (
    "--read-only", "--tmpfs", "/tmp", "--user", "12345", "--cap-drop", "ALL",  # noqa: S108 - in the container
    "--security-opt", "no-new-privileges", "--network", "none", "--memory", "512m", "--pids-limit", "100",
)  # fmt: skip
PYTHON = "/opt/parlor/bin/python"
HEALTH_CHECK = (PYTHON, "-I", "-S", "/opt/parlor/share/health_check.py")
PERSON = (Path(__file__).parent / "person.py").read_text(encoding="utf-8")
START_TIMEOUT_S = 300.0
MOST_BYTES = {"slim": 380_000_000, "small": 250_000_000}
"""The most that each image may weigh; benchmarks/README.md says what was measured."""

INVENTORY = (Path(__file__).parent / "inventory.py").read_text(encoding="utf-8")
REVIEW = (Path(__file__).parent / "review.py").read_text(encoding="utf-8")
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "parlor-dice"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["pydantic>=2"]  # which is there already

[project.entry-points."parlor.use_cases"]
dice = "parlor_dice.plugin"

[tool.hatch.build.targets.wheel]
packages = ["parlor_dice"]
"""

WEATHER, TODO = "What is the weather like in Bern?", "Add buy milk to my list"


class Container:
    """A running container, and what a person in it sees."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self.cookie = ""

    def do(self, *steps: list[str]) -> dict[str, Any]:
        task = json.dumps({"cookie": self.cookie, "steps": steps})
        told = json.loads(self.engine.run("exec", "-i", self.name, PYTHON, "-I", "-", task, stdin=PERSON))
        self.cookie = told["cookie"]
        seen: dict[str, Any] = told["seen"]
        return seen

    def python(self, program: str) -> str:
        return self.engine.run("exec", self.name, PYTHON, "-c", program)

    @property
    def log(self) -> str:
        return self.engine.run("logs", self.name)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while "Parlor is ready" not in self.log:
            assert time.monotonic() < deadline, self.log[-3000:]
            assert self.engine.inspect(self.name, ".State.Running"), self.log[-3000:]
            time.sleep(0.2)  # another program's state, which cannot be waited for

    def end(self, timeout_s: int = 60) -> int:
        self.engine.run("stop", "-t", str(timeout_s), self.name)
        code: int = self.engine.inspect(self.name, ".State.ExitCode")
        return code


Run = Callable[..., Container]


def _tag(variant: str) -> str:
    return f"localhost/parlor:{variant}"


@pytest.fixture(scope="session")
def _opened() -> Iterator[tuple[Engine, dict[str, Any]]]:
    with open_engine() as opened:
        yield opened


@pytest.fixture(scope="session", params=["slim", "small"])
def image(request: pytest.FixtureRequest, _opened: tuple[Engine, dict[str, Any]]) -> tuple[Engine, str, str]:
    engine, variants = _opened
    tag = _tag(request.param)
    sources = "bytecode-only" if request.param == "small" else "all"
    build(engine, tag, bases=variants[request.param], sources=sources)
    return engine, tag, request.param


@pytest.fixture
def run(image: tuple[Engine, str, str], request: pytest.FixtureRequest) -> Iterator[Run]:
    engine, tag, _ = image
    names: list[str] = []

    def run_one(volume: str, *options: str, image: str = tag, **settings: str) -> Container:
        name = f"parlor-test-{hash(request.node.nodeid) & 0xFFFFFF:x}-{len(names)}"
        names.append(name)
        variables = [part for each in settings.items() for part in ("-e", "=".join(each))]
        engine.run("run", "-d", "--name", name, *HARDEST, *options, "-v", f"{volume}:/data", *variables, image)
        container = Container(engine, name)
        container.wait_until_ready()
        return container

    yield run_one
    for name in names:
        engine.run("rm", "-f", name)


@pytest.fixture
def volume(image: tuple[Engine, str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    engine = image[0]
    name = f"parlor-data-{hash(request.node.nodeid) & 0xFFFFFF:x}"
    engine.run("volume", "create", name)
    yield name
    engine.run("volume", "rm", "-f", name)


def test_people_are_answered_and_what_they_said_outlives_the_container(run: Run, volume: str) -> None:
    first = run(volume, OFFLINE_TOKEN_DELAY_MS="0")
    seen = first.do(
        ["get", "/"], ["get", "/static/dist/page.js"], ["get", "/readyz"],
        ["say", "weather", WEATHER], ["say", "todo", TODO], ["upload", "todo", "what a note says"],
    )  # fmt: skip
    assert [seen[path][0] for path in ("/", "/static/dist/page.js", "/readyz")] == [200, 200, 200]
    assert "Bern, Switzerland" in seen[WEATHER]
    assert "buy milk" in seen[TODO].lower()
    assert seen["upload"] in ([200, 200, "what a note says"], [204, 200, "what a note says"])
    first.engine.run("exec", first.name, *HEALTH_CHECK)
    assert first.end() == 0

    again = run(volume)
    again.cookie = first.cookie
    seen = again.do(["threads", "weather"], ["threads", "todo"])
    assert seen == {"threads weather": 1, "threads todo": 1}
    again.engine.run("kill", "-s", "KILL", again.name)  # a crash, and again
    third = run(volume)
    third.cookie = first.cookie
    assert third.do(["threads", "weather"]) == {"threads weather": 1}


NEXT_VERSION = "7.0.0"
WHEEL_VERSION = """
from importlib.metadata import distribution
found = distribution("parlor")
print(found.version, found.locate_file(next(path for path in found.files if path.name == "METADATA")))
"""
WITH_A_TABLE = """
from sqlalchemy import Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from agent_framework import Agent
from base_server import BaseChatKitServer
from database import build_metadata
from plugins import UseCase, hookimpl


class Base(DeclarativeBase):
    metadata = build_metadata()


class Visit(Base):
    __tablename__ = "visits_visit"
    id: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[str] = mapped_column(Text)


class Server(BaseChatKitServer):
    def __init__(self, services):
        super().__init__(services)
        self._database = services.database

    def get_agent(self, turn):
        return Agent(self.chat_client)

    async def post_respond_hook(self, thread, turn):
        async with self._database.write() as session:
            session.add(Visit(said=thread.id))
        return
        yield


@hookimpl
def register_use_case(services):
    return UseCase(name="visits", title="Visits", server=Server(services), tables=Base.metadata)
"""


def test_another_version_takes_over_the_volume_and_the_old_one_can_take_it_back(
    image: tuple[Engine, str, str], run: Run, volume: str, tmp_path: Path
) -> None:
    engine, tag, variant = image
    old = run(volume, OFFLINE_TOKEN_DELAY_MS="0")
    old.do(["say", "todo", TODO])
    version, metadata = old.python(WHEEL_VERSION).split()
    assert version == _version()
    # The next version says so of itself, and has a table that this one does not know.
    text = old.python(f"print(open({metadata!r}).read())")
    (tmp_path / "METADATA").write_text(text.replace(f"\nVersion: {version}", f"\nVersion: {NEXT_VERSION}", 1))
    plugin = tmp_path / "use_cases" / "visits" / "plugin.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(WITH_A_TABLE, encoding="utf-8")
    label = f"LABEL org.opencontainers.image.version={NEXT_VERSION}"
    lines = [f"FROM {tag}", label, f"COPY METADATA {metadata}", "COPY use_cases /use_cases"]
    (tmp_path / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
    next_one = f"localhost/parlor-next:{variant}"
    engine.run("build", "-t", next_one, str(tmp_path))
    engine.run("exec", old.name, "/opt/parlor/bin/parlor", "backup", "/data/before.tar.gz")
    assert old.end() == 0

    new = run(volume, image=next_one, OFFLINE_TOKEN_DELAY_MS="0")
    new.cookie = old.cookie
    assert new.python(WHEEL_VERSION).split()[0] == NEXT_VERSION
    assert new.do(["threads", "todo"], ["say", "visits", "Hello"])["threads todo"] == 1
    count = "SELECT count(*) FROM visits_visit"
    counted = f"import sqlite3; print(sqlite3.connect('/data/parlor.db').execute({count!r}).fetchone()[0])"
    assert new.python(counted).strip() == "1"
    assert new.end() == 0

    back = run(volume)
    back.cookie = old.cookie
    assert back.do(["threads", "todo"]) == {"threads todo": 1}
    assert back.python(counted).strip() == "1", "what the other one wrote stays"
    # A backup of the old version, which the new one has made nothing of.
    engine.run("exec", back.name, "/opt/parlor/bin/parlor", "restore", "/data/before.tar.gz")
    assert back.do(["threads", "todo"]) == {"threads todo": 1}


def test_an_unfinished_answer_is_reported_and_kept(run: Run, volume: str) -> None:
    container = run(volume, OFFLINE_TOKEN_DELAY_MS="2000", DRAIN_TIMEOUT_S="1")
    task = json.dumps({"cookie": "", "steps": [["say", "todo", "Hello"]]})
    reading = container.engine.start("exec", container.name, PYTHON, "-I", "-c", PERSON, task)
    count = "import sqlite3; [n] = sqlite3.connect('/data/parlor.db').execute('SELECT count(*) FROM items').fetchone()"
    deadline = time.monotonic() + START_TIMEOUT_S
    while container.python(f"{count}; print(n)").strip() == "0":
        assert time.monotonic() < deadline, container.log[-3000:]
    began = time.monotonic()
    assert container.end() == 0
    assert time.monotonic() - began < 30
    told, _ = reading.communicate(timeout=300)
    assert '"allow_retry":true' in json.loads(told)["seen"]["Hello"].replace(" ", "")


def test_another_user_of_another_platform_needs_nothing_more(run: Run, volume: str) -> None:
    container = run(volume, "--user", "1000680000:0")
    assert container.do(["get", "/readyz"])["/readyz"][0] == 200
    assert "data folder" not in container.log
    container.engine.run("exec", container.name, *HEALTH_CHECK)


def write_use_case(folder: Path) -> Path:
    """Write what the README says to write, where the container's user can read it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "@hookimpl" in block]
    plugin = folder / "dice" / "plugin.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(block, encoding="utf-8")
    for path in (folder, plugin.parent, plugin):
        path.chmod(0o755)
    return folder


def test_custom_use_cases_can_be_on_a_volume_or_in_a_derived_image(
    image: tuple[Engine, str, str], run: Run, volume: str, tmp_path: Path
) -> None:
    engine, tag, variant = image
    tmp_path.chmod(0o755)
    folder = write_use_case(tmp_path / "my_use_cases")
    mounted = run(volume, "-v", f"{folder}:/use_cases:ro")
    assert "You rolled a " in mounted.do(["say", "dice", "Roll a die with 20 sides"])["Roll a die with 20 sides"]
    assert mounted.end() == 0

    (tmp_path / "Dockerfile").write_text(f"FROM {tag}\nCOPY my_use_cases /use_cases\n", encoding="utf-8")
    own = f"localhost/parlor-own:{variant}"
    engine.run("build", "-t", own, str(tmp_path))
    copied = run(volume, image=own)
    assert "You rolled a " in copied.do(["say", "dice", "Roll a die with 20 sides"])["Roll a die with 20 sides"]


def test_a_use_case_of_ones_own_is_installed_by_one_line(
    image: tuple[Engine, str, str], run: Run, volume: str, tmp_path: Path
) -> None:
    engine, tag, variant = image
    tmp_path.chmod(0o755)
    project = write_use_case(tmp_path / "project")
    (project / "dice").rename(project / "parlor_dice")
    (project / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=300)
    # As docs/deploy.md says it, but for the index, which no test reaches.
    install = "RUN pip install --no-index /tmp/parlor_dice-1.0-py3-none-any.whl"
    lines = [f"FROM {tag}", "COPY *.whl /tmp/", install]
    if variant == "small":
        # It has neither a shell nor pip: what the other one has installed is copied, as docs/deploy.md says.
        lines = [f"FROM {_tag('slim')} AS packages", *lines[1:], f"FROM {tag}"]
        lines.append("COPY --from=packages /packages /packages")
    (tmp_path / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
    own = f"localhost/parlor-installed:{variant}"
    engine.run("build", "-t", own, str(tmp_path))
    installed = run(volume, image=own)
    assert "You rolled a " in installed.do(["say", "dice", "Roll a die with 20 sides"])["Roll a die with 20 sides"]


def test_the_inventory_lists_what_is_there_and_nothing_needless_is(
    image: tuple[Engine, str, str], run: Run, volume: str
) -> None:
    engine, tag, variant = image
    container = run(volume)
    seen = engine.run("exec", "-i", container.name, PYTHON, "-", stdin=INVENTORY)
    there = json.loads(seen.splitlines()[-1])
    assert there["listed"] == there["found"]
    assert there["untrue"] == [], "each package's RECORD says what is there"
    assert "GeoNames" in there["notices"]
    assert there["unnoticed"] == []
    assert there["uncached"] == []
    assert there["dated"] == [], "bytecode that holds for one build's dates only"
    if variant == "small":
        assert there["tools"] == []
    size = int(engine.inspect(tag, ".Size"))
    assert size < MOST_BYTES[variant], f"{size / 1e6:.0f} MB"
    labels = engine.inspect(tag, ".Config.Labels")
    assert labels["org.opencontainers.image.title"] == "Parlor"
    assert labels["org.opencontainers.image.version"] == _version()


def test_the_image_holds_nothing_that_a_security_review_would_find(
    image: tuple[Engine, str, str], run: Run, volume: str
) -> None:
    engine, tag, variant = image
    container = run(volume)
    there = json.loads(engine.run("exec", "-i", container.name, PYTHON, "-I", "-", stdin=REVIEW))
    assert there["writable"] == []
    # What the slim base brings (su, passwd, mount) is held by no-new-privileges.
    privileged = [path for path in there["privileged"] if variant == "small" or path.startswith(("/opt", "/use_cases"))]
    assert privileged == []
    assert there["leftovers"] == []
    # Where an image of one's own installs packages; read-only, as everywhere here, it stays as it was built.
    assert there["owned"] == ["/packages"]
    assert there["capabilities"] == 0
    variables = dict(each.split("=", 1) for each in engine.inspect(tag, ".Config.Env"))
    assert variables["HOST"] == "0.0.0.0"  # noqa: S104 - of the container
    assert not [name for name in variables if re.search("KEY|SECRET|TOKEN|PASSWORD", name)]
    assert engine.inspect(tag, ".Config.User") == "10001:0"


def _version() -> str:
    match = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None
    return match[1]
