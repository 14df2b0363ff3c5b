from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from process.serving import bind_socket, build_url
from tests.preloaded.commands import own_python, preloaded_python

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120


def environment(**variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::ResourceWarning", **variables}


def run_command(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=variables.pop("cwd", str(ROOT)),
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_command(own_python(*arguments), **variables)


def parlor(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = preloaded_python(str(ROOT / "main.py"), *arguments)
    return run_command(command, cwd=str(folder), DATA_DIR=str(folder / "data"), **variables)


def add_use_case(folder: Path, name: str, plugin: str) -> None:
    (folder / "use_cases" / name).mkdir(parents=True)
    (folder / "use_cases" / name / "plugin.py").write_text(plugin)


def test_help_lists_the_commands_and_imports_nothing_heavy() -> None:
    program = (
        "import sys, main; code = main.main(['help']);"
        "heavy = {'chatkit', 'agent_framework', 'fastapi', 'infra', 'openai', 'uvicorn'} & set(sys.modules);"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = run_python("-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    listed = re.findall(r"^    ([a-z][a-z-]*)(?: |$)", done.stdout, re.MULTILINE)
    assert listed == [
        "run",
        "doctor",
        "backup",
        "restore",
        "config",
        "export-page",
        "import-workflow",
        "widgets",
        "help",
    ]


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = own_python(str(ROOT / "main.py"), "help")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), **pipes) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_widgets_are_listed_in_terminals_of_every_encoding_and_width(tmp_path: Path, encoding: str) -> None:
    text = "Zürich – 中文"
    widget = {"type": "Card", "children": [{"type": "Text", "value": text, "größe": 1}]}
    samples = f"title={text!r}, sample_widgets=lambda: { ({text: widget})!r}"
    add_use_case(tmp_path, "alpha", ALPHA.replace('title="Alpha"', samples))
    terminal = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C", "COLUMNS": "40"}
    command = own_python(str(ROOT / "main.py"), "widgets")
    variables = environment(DATA_DIR=str(tmp_path / "data"), USE_CASES_PATH=str(tmp_path / "use_cases"), **terminal)
    found = {}
    for arguments in ([], ["--json"]):
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=variables, capture_output=True, timeout=300, check=False
        )
        assert done.returncode == 1, done.stderr
        found[bool(arguments)] = done.stdout.decode(encoding)
    # No path is broken in two, however narrow it is.
    assert re.search(r"Card\.children\[0\]\.Text\.gr(ö|\\xf6)(ß|\\xdf)e: ", found[False]), found[False][-900:]
    assert found[False].splitlines()[-1].endswith("1 of them with mistakes")
    shown = next(group for group in json.loads(found[True])["groups"] if group["name"] == "alpha")
    assert shown["title"] == text


@pytest.mark.parametrize("command", ["test", "check", "bench", "build", "setup"])
def test_commands_that_need_the_sources_refer_to_a_clone(tmp_path: Path, command: str) -> None:
    done = parlor(command, "--anything", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"'{command}' is a command of a clone: run ./parlor {command} there.\n"


def test_a_wrong_setting_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = parlor("run", folder=tmp_path, BRAND_PRIMARY_COLOR="reddish")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("BRAND_PRIMARY_COLOR: ")


def test_a_port_in_use_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = parlor("run", folder=tmp_path, PORT=str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert str(port) in done.stderr


def test_a_database_that_cannot_be_opened_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "file.db").mkdir()
    done = parlor("run", folder=tmp_path, PORT="0", DATABASE_URL=f"sqlite:///{tmp_path / 'file.db'}")
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_damaged_database_is_a_sentence_with_the_file_and_the_remedy(tmp_path: Path, command: str) -> None:
    file = tmp_path / "data" / "parlor.db"
    file.parent.mkdir()
    file.write_bytes(b"this was a database once" * 1000)
    done = parlor(command, folder=tmp_path, **({"PORT": "0"} if command == "run" else {}))
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in output
    assert f"'{file}' is damaged; restore it from a backup, or move it away" in output


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_data_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    done = parlor(command, folder=tmp_path, **({"PORT": "0"} if command == "run" else {}))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert f"DATA_DIR: '{tmp_path / 'data'}' cannot be used: it is no folder" in done.stdout + done.stderr


@pytest.mark.usefixtures("known_cities")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_run_prints_the_real_url_once_it_can_be_opened_and_names_what_is_disabled(
    tmp_path: Path, log_format: str
) -> None:
    add_use_case(tmp_path, "broken", "raise RuntimeError('out of\\norder')")
    add_use_case(tmp_path, "alpha", ALPHA)
    process = subprocess.Popen(
        # One of them starts as everybody's does.
        (own_python if log_format == "json" else preloaded_python)(str(ROOT / "main.py"), "run"),
        cwd=tmp_path,
        env=environment(PORT="0", LOG_FORMAT=log_format, MODEL_PROVIDER="offline"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: list[str] = []
        announcing = process.stdout if log_format == "text" else process.stderr
        for line in announcing:
            lines.append(line)
            if found := re.fullmatch(r"Parlor is ready: (http://127\.0\.0\.1:[1-9]\d*)\n", line):
                break
        else:
            raise AssertionError(f"no URL in {lines}")
        assert httpx.get(f"{found[1]}/readyz", timeout=PATIENCE_S).status_code == 200
        listed = httpx.get(f"{found[1]}/api/use-cases", timeout=PATIENCE_S).json()
    finally:
        process.send_signal(signal.SIGINT)
        output, warnings = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, "it was asked to stop, and it did"
    assert "alpha" in [each["name"] for each in listed["use_cases"]]
    assert "broken" in [each["name"] for each in listed["disabled"]]
    assert "Warning: The use case 'broken' is disabled" in "".join(lines) + warnings
    if log_format == "json":
        logged = [json.loads(line) for line in output.splitlines()]
        assert {"path", "status", "request_id"} <= next(set(each) for each in logged if each["message"] == "request")


@pytest.mark.usefixtures("known_cities")
def test_doctor_says_what_works_and_what_does_not(tmp_path: Path) -> None:
    add_use_case(tmp_path, "broken", "raise RuntimeError('out of order')")
    settings = {"OPENAI_API_KEY": "sk-s3cret", "DEFAULT_USE_CASE": "gone", "USE_CASES_PATH": "use_cases:no_such"}
    add_use_case(tmp_path, "asleep", "raise RuntimeError('it was imported')")
    settings["DISABLED_USE_CASES"] = "asleep, todo, wether"
    (tmp_path / "data" / "secret.key").mkdir(parents=True)
    done = parlor("doctor", folder=tmp_path, **settings)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(r"^ok +model +openai$", done.stdout, re.MULTILINE)
    assert re.search(r"^ok +database +sqlite answers$", done.stdout, re.MULTILINE)
    assert re.search(r"^PROBLEM +use case +broken is disabled: .*out of order", done.stdout, re.MULTILINE)
    assert re.search(r"^PROBLEM +use cases +USE_CASES_PATH: there is no folder 'no_such'", done.stdout, re.MULTILINE)
    assert re.search(r"^PROBLEM +use cases +DISABLED_USE_CASES: .*'wether'$", done.stdout, re.MULTILINE)
    assert "weather" in done.stdout
    assert "asleep" not in done.stdout, "it is not even imported"
    assert "todo" not in done.stdout
    assert re.search(r"^PROBLEM +default +DEFAULT_USE_CASE: .*'gone'", done.stdout, re.MULTILINE)
    assert re.search(r"^PROBLEM +signing key +SECRET_KEY: .*secret\.key' cannot be used", done.stdout, re.MULTILINE)
    assert "s3cret" not in done.stdout + done.stderr


def test_doctor_connects_the_servers_of_tools_and_says_which_it_could(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "mcp_server.py"
    add_use_case(
        tmp_path, "alpha", SHELVES.format(python=sys.executable, script=str(script), file=str(tmp_path / "calls"))
    )
    away = {"COMPATIBLE_BASE_URL": "http://127.0.0.1:1/v1", "COMPATIBLE_MODEL": "any"}
    done = parlor("doctor", folder=tmp_path, NO_PROXY="127.0.0.1", **away)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(r"^ok +MCP server +alpha/shelf: connected, 3 tools$", done.stdout, re.MULTILINE)
    assert re.search(r"^PROBLEM +MCP server +alpha/gone: cannot be connected$", done.stdout, re.MULTILINE)
    assert re.search(r"^PROBLEM +provider +http://127.0.0.1:1/v1 cannot be reached: ", done.stdout, re.MULTILINE)


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    done = parlor("fly", folder=tmp_path)
    assert done.returncode == 2
    assert "fly" in done.stderr


def test_the_url_names_an_address_that_a_browser_can_open() -> None:
    with bind_socket("0.0.0.0", 0) as anywhere:  # noqa: S104
        assert build_url(anywhere) == f"http://127.0.0.1:{anywhere.getsockname()[1]}"
    with bind_socket("localhost", 0) as local:
        assert re.fullmatch(r"http://(127\.0\.0\.1|\[::1\]):\d+", build_url(local))


ALPHA = """
from agent_framework import Agent
from base_server import BaseChatKitServer
from plugins import UseCase, hookimpl


class Server(BaseChatKitServer):
    def get_agent(self, turn):
        return Agent(client=self.chat_client, instructions="Be brief.")


@hookimpl
def register_use_case(services):
    return UseCase(name="alpha", title="Alpha", server=Server(services))
"""

SHELVES = """
from agent_framework import MCPStdioTool, MCPStreamableHTTPTool
from base_server import BaseChatKitServer
from plugins import UseCase, hookimpl


class Server(BaseChatKitServer):
    def __init__(self, services):
        super().__init__(services)
        self.shelf = MCPStdioTool("shelf", {python!r}, args=[{script!r}, {file!r}, "stdio"])
        self.others = [MCPStreamableHTTPTool("gone", "http://127.0.0.1:1/mcp")]


@hookimpl
def register_use_case(services):
    return UseCase(name="alpha", title="Alpha", server=Server(services))
"""
