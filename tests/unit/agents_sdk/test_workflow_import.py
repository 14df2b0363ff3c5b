"""`parlor import-workflow`: a file becomes a use case without being run, or is refused with a reason."""

from __future__ import annotations

import filecmp
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agents_sdk.workflows.exported_workflow import ExportedWorkflow
from agents_sdk.workflows.source import read_source
from context import Services
from errors import PluginError
from process.doctor import examine
from process.use_case_loading import load_use_cases
from process.workflow_import import import_workflow, report
from tests.preloaded.commands import preloaded_python
from tests.unit.agents_sdk.imported import EXPORTED, imported, settings_of
from tests.unit.services_for_tests import open_services
from tests.unit.test_architecture import ROOT

RUN = "from agents import Agent, Runner\n\nagent = Agent(name='A')\n\n\n"
ENTRY = f"{RUN}async def run_workflow(workflow_input):\n    return await Runner.run(agent, 'x')\n"


def import_text(folder: Path, text: str, file: str = "flow.py", name: str = "flow", entry: str | None = None) -> Path:
    path = folder / file
    path.write_text(text)
    return import_workflow(path, name, folder / "cases", [folder / "cases"], entry).folder


def refusal(folder: Path, text: str, file: str = "flow.py", name: str = "flow") -> str:
    with pytest.raises(PluginError) as refused:
        import_text(folder, text, file, name)
    assert not (folder / "cases").exists() or list((folder / "cases").iterdir()) == []
    return refused.value.reason


@pytest.mark.parametrize("file", sorted(EXPORTED.glob("*.py")), ids=lambda path: path.stem)
def test_a_file_becomes_a_folder_with_itself_and_a_plugin(tmp_path: Path, file: Path) -> None:
    made = import_workflow(file, "my-flow_2", tmp_path, [])
    assert {path.name for path in made.folder.iterdir()} == {file.name, "plugin.py"}
    assert filecmp.cmp(file, made.folder / file.name, shallow=False)
    compile((made.folder / "plugin.py").read_text(), "plugin.py", "exec")


def test_nothing_of_the_file_is_run_and_the_sdk_is_not_loaded(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    file = tmp_path / "flow.py"
    file.write_text(f"open({str(mark)!r}, 'w').close()\n{ENTRY}")
    program = (
        "import sys; from pathlib import Path\n"
        "from agents_sdk.workflows.source import read_source\n"
        "import agents_sdk.workflows.exported_workflow\n"
        f"assert read_source(Path({str(file)!r}), 'n').entry == 'run_workflow'\n"
        "sys.exit(str([m for m in ('agents', 'openai', 'chatkit', 'agent_framework') if m in sys.modules] or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    import_text(tmp_path, file.read_text())
    assert not mark.exists()


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("flow.ts", "export const x = 1", "is TypeScript or JavaScript; export the workflow as Python"),
        ("flow.py", 'import { Agent } from "@openai/agents";\nconst a = new Agent({});', "is TypeScript"),
        ("flow.py", "def f(:\n", r"line 1: this is not valid Python"),
        ("flow.py", "x = '\0'", "Python"),
        ("flow.py", f"{ENTRY}x = {'-' * 50_000}1\n", "cannot be parsed as Python"),
        ("flow.py", f"{ENTRY}x{'.a' * 5_000}()\n", "cannot be parsed as Python"),
        ("flow.py", "", "no exported workflow: no function"),
        ("flow.py", "def run_workflow(x):\n    return x\n", "comes to Runner.run; in Agent Builder choose Code"),
        ("flow.py", f"{RUN}async def go():\n    await Runner.run(agent, 'x')\n", "'go' takes no input"),
        ("flow.py", f"{RUN}async def go(a, b, *, c):\n    await Runner.run(agent, a)\n", "give b, c a default"),
        ("flow.py", f"{RUN}async def go(a):\n    yield await Runner.run(agent, a)\n", "is a generator"),
        ("flow.py", f"import no_such_thing\n{ENTRY}", "line 1 imports 'no_such_thing', which is not installed; .* pip"),
        ("flow.py", f"from bs4 import x\n{ENTRY}", "pip install beautifulsoup4"),
        ("flow.py", f"{ENTRY}import asyncio\nasyncio.run(run_workflow(1))\n", "line 9: this runs the .*__main__"),
        ("flow.py", f"{RUN}async def a(x):\n    await Runner.run(agent, x)\ndef b(x):\n    Runner.run_sync(agent, x)",
         r"several functions may be the workflow \(a, b\); choose one with --entry"),
    ],
)  # fmt: skip
def test_an_invalid_workflow_is_refused_with_cause_and_remedy(tmp_path: Path, file: str, text: str, words: str) -> None:
    assert re.search(words, refusal(tmp_path, text, file), re.DOTALL)


@pytest.mark.parametrize("name", ["", "Support", "über", "1st", "../up", "a b", "x" * 65, "-a"])
def test_a_name_that_no_use_case_can_have_is_refused(tmp_path: Path, name: str) -> None:
    assert "support-desk" in refusal(tmp_path, ENTRY, name=name)


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    made = import_text(tmp_path, ENTRY)
    with pytest.raises(PluginError, match=re.escape(f"{made} exists already; choose another name, or remove it")):
        import_text(tmp_path, ENTRY)
    with pytest.raises(PluginError, match="exists already"):
        import_workflow(tmp_path / "flow.py", "flow", tmp_path / "others", [tmp_path / "cases"])
    (tmp_path / "cases" / "other.py").write_text(ENTRY)
    with pytest.raises(PluginError, match=r"other\.py stands in its way"):
        import_workflow(tmp_path / "cases" / "other.py", "other", tmp_path / "cases", [])
    with pytest.raises(PluginError, match="an installed use case has this name already"):
        import_text(tmp_path, ENTRY, name="weather")


@pytest.mark.parametrize(
    ("make", "words"), [("missing", "there is no file"), ("folder", "is a folder"), ("bytes", "not a text")]
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, make: str, words: str) -> None:
    path = tmp_path / "flow.py"
    if make == "folder":
        path.mkdir()
    elif make == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PluginError, match=words):
        import_workflow(path, "flow", tmp_path / "cases", [])


def test_a_variable_of_the_environment_that_is_not_set_is_named_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.write_text(f"import os\nstore = os.environ['NO_SUCH_STORE']\n{ENTRY}")
    with pytest.raises(PluginError, match=r"line 2, failed: KeyError: 'NO_SUCH_STORE'; set this variable of the env"):
        ExportedWorkflow(file)


def test_only_imported_neighbours_of_a_file_are_copied(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("PLAN = 'gold'\n")  # a name that the platform has too
    (tmp_path / "prompts.py").write_text("from .config import PLAN\n")
    (tmp_path / "unused.py").write_text("")
    for folder in ("tools", "tools/__pycache__"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tools" / "search.py").write_text("")
    (tmp_path / "tools" / "words.txt").write_text("")
    (tmp_path / "tools" / "__pycache__" / "search.pyc").write_text("")
    (tmp_path / "flow.py").write_text(f"from prompts import PLAN\nimport tools.search\n{ENTRY}")
    made = import_workflow(tmp_path / "flow.py", "flow", tmp_path / "cases", [])
    lies_there = {str(each.relative_to(made.folder)) for each in made.folder.rglob("*") if each.is_file()}
    assert lies_there == {"flow.py", "plugin.py", "prompts.py", "config.py", "tools/search.py", "tools/words.txt"}
    assert "What it imports from beside it lies there too" in "\n".join(
        report(made, settings_of(tmp_path, "offline", ""))
    )


@pytest.mark.parametrize(
    ("beside", "text", "words"),
    [
        ("", "from .gone import x", "line 1 imports '.gone', which is not beside it"),
        ("", "from ..far import x", "imports '..far', which lies above its folder"),
        ("import other", "import my_tools", r"my_tools.py, line 1 imports 'other' from beside it; write: from .other"),
        ("import no_such_thing", "from my_tools import x", "my_tools.py, line 1 imports 'no_such_thing', which is not"),
        ("", "import my_tools, no_such_thing", "line 1 imports 'no_such_thing', which is not installed"),
    ],
)
def test_neighbours_that_cannot_be_imported_are_named(tmp_path: Path, beside: str, text: str, words: str) -> None:
    (tmp_path / "my_tools.py").write_text(beside)
    (tmp_path / "other.py").write_text("")
    assert words in refusal(tmp_path, f"{text}\n{ENTRY}")


def test_an_import_with_a_fallback_may_be_missing(tmp_path: Path) -> None:
    import_text(tmp_path, f"try:\n    import no_such_thing\nexcept ImportError:\n    no_such_thing = None\n{ENTRY}")


def test_the_function_that_answers_is_found_or_named(tmp_path: Path) -> None:
    two = (
        f"{RUN}async def ask(x):\n    return await Runner.run(agent, x)\nasync def {{}}(x):\n    return await ask(x)\n"
    )
    for name in ("run_workflow", "start"):
        path = tmp_path / f"{name}.py"
        path.write_text(two.format(name))
        assert read_source(path, "flow").entry == name
    assert read_source(path, "flow", "ask").entry == "ask"
    with pytest.raises(PluginError, match="has no function 'gone'; it has ask, start"):
        read_source(path, "flow", "gone")
    made = import_text(tmp_path, two.format("start"), entry="ask")
    assert "entry='ask'" in (made / "plugin.py").read_text()


def test_features_that_need_openai_are_named_with_their_line(tmp_path: Path) -> None:
    made = import_workflow(EXPORTED / "library.py", "library", tmp_path, [])
    assert [str(need) for need in made.needs] == [
        "file search in vector stores (FileSearchTool, line 6)",
        "web search (WebSearchTool, line 11)",
        "search in vector stores (client.vector_stores, line 44)",
    ]
    said = "\n".join(report(made, settings_of(tmp_path, "compatible", "http://models.test")))
    assert "need OpenAI's own services (MODEL_PROVIDER=openai)" in said
    assert "The model provider is 'compatible' now." in said
    hosted = (
        f"from agents import *\n{RUN}"
        "tool = HostedMCPTool(tool_config={})\ncode = CodeInterpreterTool(tool_config={})\n"
        "checks = {'guardrails': [{'name': 'Moderation', 'config': {}}]}\n"
        "async def run_workflow(x):\n    return await Runner.run(agent, x, conversation_id='c')\n"
    )
    path = tmp_path / "hosted.py"
    path.write_text(hosted)
    assert [need.culprit for need in read_source(path, "n").needs] == [
        "HostedMCPTool", "CodeInterpreterTool", "guardrail 'Moderation'", "conversation_id",
    ]  # fmt: skip


def test_guardrails_that_need_the_package_are_named(tmp_path: Path) -> None:
    text = (EXPORTED / "guarded.py").read_text().replace('"EMAIL_ADDRESS", ', '"PERSON", ')
    path = tmp_path / "guarded.py"
    path.write_text(text)
    [reason] = read_source(path, "n").unmet_guardrails
    assert reason == "the guardrail “Contains PII” cannot find PERSON without the package openai-guardrails (line 14)"


def test_a_title_that_would_end_the_docstring_ends_nothing(tmp_path: Path) -> None:
    evil = 'x""" + __import__("os").getcwd() + """'
    file = tmp_path / "flow.py"
    file.write_text(f"from agents import trace\n{ENTRY}\n\ndef named():\n    return trace({evil!r})\n")
    made = import_workflow(file, "flow", tmp_path / "cases", [])
    assert made.title == 'x + __import__("os").getcwd() +'
    compile((made.folder / "plugin.py").read_text(), "plugin.py", "exec")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1 / 0", "flow.py, line 1, failed: ZeroDivisionError: division by zero"),
        ("import os; os.environ['NO_SUCH_KEY']", "failed: KeyError: 'NO_SUCH_KEY'"),
        ("raise SystemExit(3)", "failed: SystemExit: 3"),
        ("import guardrails", "pip install openai-guardrails"),
        ("from guardrails import GuardrailAgent", "'GuardrailAgent' needs the package openai-guardrails"),
    ],
)
def test_a_file_that_fails_when_it_is_loaded_says_where(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "flow.py"
    file.write_text(f"{line}\n{ENTRY}")
    with pytest.raises(PluginError, match=re.escape(words)):
        ExportedWorkflow(file)


@pytest.mark.usefixtures("known_cities")
async def test_the_doctor_says_what_an_imported_workflow_needs(tmp_path: Path) -> None:
    async with imported(tmp_path, "library", "compatible", name="shelf") as flow:
        states = [(f.is_well, f.state) for f in await examine(flow.services, tmp_path) if f.subject == "workflow"]
        assert (False, "shelf: needs MODEL_PROVIDER=openai: web search (WebSearchTool, line 11)") in states
        assert len(states) == 3
    async with imported(tmp_path, "library", "openai", name="shelf") as flow:
        states = [(f.is_well, f.state) for f in await examine(flow.services, tmp_path) if f.subject == "workflow"]
        assert (True, "shelf: web search (WebSearchTool, line 11)") in states


async def test_a_broken_use_case_is_disabled_and_the_others_run(tmp_path: Path) -> None:
    folder = import_text(tmp_path, ENTRY, name="broken_flow")
    (folder / "flow.py").write_text("import no_such_thing\n" + ENTRY)
    async with open_services(tmp_path) as services:
        loaded = load(services, tmp_path / "cases")
    [broken] = loaded
    assert broken.startswith("flow.py: line 1 imports 'no_such_thing'")


def load(services: Services, folder: Path) -> list[str]:
    return [each.reason for each in load_use_cases(services, [folder]).disabled]


def test_the_command_imports_and_reports(tmp_path: Path) -> None:
    def parlor(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            preloaded_python(str(ROOT / "main.py"), *arguments),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "USE_CASES_PATH": "mine"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    file = str(EXPORTED / "refund.py")
    done = parlor("import-workflow", file, "refunds")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "mine/refunds is the use case 'refunds' (Refunds) now; start the server to talk to it.",
        "It asks the person in the chat at approval_request, approval_request1.",
    ]
    again = parlor("import-workflow", file, "refunds")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "use case 'refunds': mine/refunds exists already; choose another name, or remove it first\n"
    elsewhere = parlor("import-workflow", file, "refunds", "--into", "other")
    assert (elsewhere.returncode, elsewhere.stdout) == (1, "")
    elsewhere = parlor("import-workflow", file, "others", "--into", "other")
    assert elsewhere.stdout.splitlines()[-1] == "other is not in USE_CASES_PATH: add it there."
