"""Commands in a fork of a preloaded Python behave as in a Python of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.preloaded import fork_server
from tests.preloaded.commands import KILL, preloaded_python
from tests.waiting import until

SCRIPT = """
import os, sys, threading
from pathlib import Path
print(__name__, sys.argv[1:], os.getcwd(), os.environ.get("WORD"), sys.path[0], sys.stdin.read())
print("aside", file=sys.stderr)
{end}
"""


def script(folder: Path, end: str) -> str:
    path = folder / "script.py"
    path.write_text(SCRIPT.format(end=end))
    return str(path)


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("", 0, "aside\n"),
        ("sys.exit(7)", 7, "aside\n"),
        ("sys.exit('gone wrong')", 1, "aside\ngone wrong\n"),
        ("os._exit(3)", 3, "aside\n"),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, "aside\n"),
    ],
)
def test_a_command_has_its_own_environment_and_exit_code(tmp_path: Path, end: str, code: int, said: str) -> None:
    done = subprocess.run(
        preloaded_python(script(tmp_path, f"sys.stdout.flush(); {end}"), "one", "--two"),
        cwd=tmp_path, env={"WORD": "blue", "PATH": os.environ["PATH"]}, input="read", capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.stdout == f"__main__ ['one', '--two'] {tmp_path} blue {tmp_path} read\n"
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_reach_the_command(tmp_path: Path, number: signal.Signals) -> None:
    process = await waiting(tmp_path, "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))")
    process.send_signal(number)
    async with asyncio.timeout(60):
        assert await process.wait() == (-signal.SIGINT if number == signal.SIGINT else 9)


async def test_a_killed_command_has_ended_when_its_client_ends(tmp_path: Path) -> None:
    process = await waiting(tmp_path)
    process.send_signal(KILL)
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGKILL
    assert not is_there(tmp_path)


async def test_a_command_whose_client_is_killed_ends(tmp_path: Path) -> None:
    process = await waiting(tmp_path)
    process.kill()
    await process.wait()
    await until(lambda: not is_there(tmp_path))


@pytest.mark.parametrize(("other", "imported"), [("", "tests tests.test_other tests.test_whole\n"), ("1 / 0", "\n")])
def test_tests_are_imported_for_all_workers_or_else_each_worker_says_what_is_wrong(
    tmp_path: Path, other: str, imported: str
) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_whole.py").write_text("def test_one() -> None: ...")
    (folder / "test_other.py").write_text(f"{other}\ndef test_two() -> None: ...")
    code = f"""
import runpy, sys
runpy.run_path({fork_server.__file__!r})["import_tests"](
    ["--rootdir=.", "--import-mode=importlib", "-p", "no:playwright", "tests"]
)
print("names:", *sorted(name for name in sys.modules if name.partition(".")[0] == "tests"))
"""
    done = subprocess.run(
        preloaded_python("-c", code), cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.partition("names:")[2].lstrip(" ") == imported


async def waiting(folder: Path, first: str = "") -> asyncio.subprocess.Process:
    """Return a command that waits for ever."""
    path = folder / "waiting.py"
    mark = folder / "process"
    path.write_text(
        f"import os, sys, threading\nfrom pathlib import Path\n{first}\n"
        f"Path({str(mark)!r}).write_text(str(os.getpid()))\nprint('here', flush=True)\nthreading.Event().wait()\n"
    )
    process = await asyncio.create_subprocess_exec(*preloaded_python(str(path)), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"here\n"
    return process


def is_there(folder: Path) -> bool:
    try:
        os.kill(int((folder / "process").read_text()), 0)
    except ProcessLookupError:
        return False
    return True
