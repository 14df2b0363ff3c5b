"""The documents, checked against the code."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

import use_cases
from base_server import HOOKS as HOOK_NAMES
from base_server import RESERVED_NAMES, BaseChatKitServer, action
from chat_clients.provider import ChatClients
from config import Settings
from context import ActionTurn, Turn
from infra import config_docs
from plugins import Composer, HookSpecs, OfflinePhrase, Prompt, UseCase
from process.use_case_loading import load_use_cases
from streaming.requests.run_operations import AttachRequest, StopRequest
from tests.unit.harness import Chat, texts
from tests.unit.services_for_tests import open_services
from use_cases.weather.settings import WeatherSettings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

HOOKS = (ROOT / "docs" / "hooks.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "use-cases.md").read_text("utf-8")
RUNS = (ROOT / "docs" / "runs.md").read_text("utf-8")

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)
_IN_FILE = re.compile(r"# (?P<path>\S+\.py)\n")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks_of(document: str, language: str) -> list[str]:
    return [match["text"] for match in _FENCE.finditer(document) if match["language"] == language]


def prose_of(document: str) -> str:
    """Return a document without what is code."""
    return re.sub(r"`[^`]+`", "", _FENCE.sub("", document))


def anchors_of(document: str) -> set[str]:
    """Return the fragments by which a reader reaches a heading, as GitHub makes them."""
    titles = [match["title"].lower() for match in _HEADING.finditer(_FENCE.sub("", document))]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def with_arguments(function: Callable[..., Any]) -> str:
    """Return a function's name with its arguments as a caller writes them: no annotations, no self."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    return f"{function.__name__}{inspect.Signature(parameters)}"


def methods_of(cls: type) -> Iterator[Callable[..., Any]]:
    """Yield the public methods that a class itself defines."""
    yield from (each for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_"))


# Hooks


def hooks() -> set[str]:
    overridable = {with_arguments(method) for method in methods_of(BaseChatKitServer) if method.__name__ in HOOK_NAMES}
    return {with_arguments(hook) for hook in methods_of(HookSpecs)} | overridable


def test_every_hook_has_a_heading_with_its_exact_arguments_and_no_heading_is_left_over() -> None:
    headings = {match["title"] for match in _HEADING.finditer(_FENCE.sub("", HOOKS)) if "(" in match["title"]}
    assert headings == hooks()


def test_the_reference_names_every_method_that_the_platform_owns() -> None:
    owned = HOOKS.partition("## Reserved names")[2]
    assert set(re.findall(r"`([a-z]\w+)`", owned)) - {"save", "stop"} - HOOK_NAMES == RESERVED_NAMES


def test_the_decorator_of_actions_is_shown_as_it_is() -> None:
    assert f"`@{with_arguments(action)}`" in HOOKS


# The author's guide


def table_rows(document: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", document, re.MULTILINE))


@pytest.mark.parametrize("cls", [Turn, ActionTurn])
def test_the_guide_lists_every_method_of_a_turn_with_its_exact_arguments(cls: type) -> None:
    assert {with_arguments(method) for method in methods_of(cls)} <= table_rows(GUIDE)


def test_the_guide_lists_every_attribute_of_a_turn_and_no_other() -> None:
    nobody: Any = None
    turn = ActionTurn(nobody, nobody, nobody, nobody)
    properties = {name for name, each in inspect.getmembers_static(ActionTurn) if isinstance(each, property)}
    shown = {name for name in vars(turn) if not name.startswith("_")} | properties
    listed = set(re.findall(r"^\| `(\w+)` \|", section_of(GUIDE, "The Turn"), re.MULTILINE))
    listed |= {"sender"} & table_rows(section_of(GUIDE, "Actions"))
    assert shown == listed


def section_of(document: str, title: str) -> str:
    return document.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("cls", [UseCase, OfflinePhrase])
def test_the_guide_lists_every_field_of_what_authors_write(cls: Any) -> None:
    assert {field.name for field in dataclasses.fields(cls)} <= table_rows(GUIDE)


@pytest.mark.parametrize("cls", [Prompt, Composer])
def test_the_guide_shows_how_the_small_ones_are_written(cls: Any) -> None:
    assert f"`{cls.__name__}({', '.join(field.name for field in dataclasses.fields(cls))})`" in GUIDE


@pytest.fixture
def guide_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the guide, as somebody has them who copied them."""
    for block in blocks_of(GUIDE, "python"):
        if match := _IN_FILE.match(block):
            file = tmp_path / match["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)
    monkeypatch.chdir(tmp_path)
    path, modules = list(use_cases.__path__), set(sys.modules)
    yield tmp_path
    use_cases.__path__[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("use_cases.tally"):
            del sys.modules[name]


async def test_the_test_in_the_guide_passes(guide_folder: Path) -> None:
    scope: dict[str, Any] = {}
    exec((guide_folder / "tests/my_use_cases/test_tally.py").read_text(), scope)  # noqa: S102 - our own text
    data = guide_folder / "data"
    data.mkdir()
    await scope["test_a_click_counts_on"](data)


async def test_the_use_case_of_the_guide_answers_without_a_model_and_keeps_one_live_widget(guide_folder: Path) -> None:
    async with open_services(guide_folder, settings={"offline_token_delay_ms": 0}) as opened:
        services = dataclasses.replace(opened, chat_client=ChatClients(opened.settings).make)
        tally = load_use_cases(services, [Path("my_use_cases")]).enabled["tally"]
        assert tally.tables is not None
        await services.database.create_tables(tally.tables)
        chat = Chat(tally.server, use_case="tally")
        [prompt] = tally.prompts

        said = [texts(await chat.send(prompt.prompt)) for _ in range(2)]
        shown = [item["copy_text"] for item in await chat.items() if item["type"] == "widget"]

    assert said == [["That makes 1."], ["That makes 2."]]
    assert shown == ["coffee: 2"]


# Runs


def test_the_samples_of_the_run_operations_are_requests_that_the_server_takes() -> None:
    samples = [json.loads(block) for block in blocks_of(RUNS, "json")]
    requests = [sample for sample in samples if str(sample.get("type")).startswith("runs.")]
    adapter: TypeAdapter[Any] = TypeAdapter(AttachRequest | StopRequest)
    assert {type(adapter.validate_python(request)) for request in requests} == {AttachRequest, StopRequest}


# Settings


def test_the_tables_of_the_settings_are_up_to_date() -> None:
    stale = [
        name
        for name in config_docs.DOCUMENTS
        if config_docs.render_document((ROOT / name).read_text("utf-8")) != (ROOT / name).read_text("utf-8")
    ]
    assert stale == [], "run: python -m infra.config_docs"


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("table", "| `PORT` | `8000` |"),
        ("sections", "| `PORT` | whole number, 0 to 65,535 | `8000` |"),
        ("env", "#PORT=8000"),
    ],
)
def test_only_what_stands_between_the_markers_is_written(form: str, row: str) -> None:
    begin, end = f"before\n<!-- begin settings config:Settings {form} -->\n", "<!-- end settings -->\nafter"
    written = config_docs.render_document(f"{begin}old\n{end}")
    assert written.startswith(begin)
    assert written.endswith(end)
    assert row in written
    assert "old\n" not in written


def test_a_block_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="malformed"):
        config_docs.render_document("<!-- begin settings config:Settings table -->\n")


def test_the_example_of_an_env_file_holds_every_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    lines = [line.removeprefix("#") for line in example.splitlines() if re.match(r"#[A-Z]", line)]
    env = tmp_path / ".env"
    env.write_text("\n".join(lines))
    for line in lines:
        monkeypatch.delenv(line.partition("=")[0], raising=False)

    for cls in (Settings, WeatherSettings):
        assert cls(_env_file=env) == cls(_env_file=None)
        assert {config_docs.variable_of(cls, name) for name in cls.model_fields} <= {
            line.partition("=")[0] for line in lines
        }


# Every document


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_no_relative_link_is_broken(path: Path) -> None:
    document = path.read_text("utf-8")
    for match in _LINK.finditer(prose_of(document)):
        target, _, fragment = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), f"{match[0]}: there is no {target}"
        if fragment:
            assert fragment in anchors_of(linked.read_text("utf-8")), f"{match[0]}: there is no heading {fragment}"


NOT_INSTALLED = {"langgraph", "llama_index"}
"""Packages that documents speak of and a clone lacks; docs/generators.md says why."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_python_block_compiles_and_imports_what_there_is(path: Path) -> None:
    for block in blocks_of(path.read_text("utf-8"), "python"):
        tree = ast.parse(textwrap.dedent(block))
        compile(tree, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                if node.module.split(".")[0] in NOT_INSTALLED:
                    continue
                module = importlib.import_module(node.module)
                missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                assert not missing, f"{node.module} has no {missing}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_json_and_diagram_block_is_whole(path: Path) -> None:
    document = path.read_text("utf-8")
    for block in blocks_of(document, "json"):
        json.loads(block)
    for block in blocks_of(document, "mermaid"):
        assert block.startswith(("flowchart ", "sequenceDiagram\n"))
    assert document.count("\n```") % 2 == 0
