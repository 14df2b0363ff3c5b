from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

import use_cases
from context import Services
from errors import ConfigError
from process.own_modules import PLATFORM_MODULES
from process.use_case_loading import LoadedUseCases, load_use_cases
from tests.unit.harness import Chat, texts
from tests.unit.services_for_tests import open_services
from tests.unit.test_architecture import ALLOWED

FOR_AUTHORS = {"base_server", "context", "database", "errors", "plugins", "stock_server", "widgets"}
"""The modules of which docs/use-cases.md says that a use case may import them."""

GOOD = """
from agent_framework import Agent
from base_server import BaseChatKitServer
from plugins import UseCase, hookimpl
from .words import TITLE

class Server(BaseChatKitServer):
    def get_agent(self, turn):
        return Agent(self.chat_client)

@hookimpl
def register_use_case(services):
    return UseCase(name="NAME", title=TITLE, server=Server(services))
"""


@pytest.fixture(autouse=True)
def unload_use_cases() -> Iterator[None]:
    path, modules = list(use_cases.__path__), set(sys.modules)
    yield
    use_cases.__path__[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("use_cases."):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def no_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: ())


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "strangers"
    made.mkdir()
    return made


def write(folder: Path, name: str, plugin: str = GOOD, **files: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "plugin.py").write_text(plugin.replace("NAME", name))
    for stem, text in {"words": f"TITLE = '{name.title()}'", **files}.items():
        (folder / name / f"{stem}.py").write_text(text)


@pytest.fixture
def load(services: Services) -> Callable[..., LoadedUseCases]:
    return lambda *paths: load_use_cases(services, paths)


TABLES = """
from sqlalchemy import Column, MetaData, Table, Text
metadata = MetaData()
Table("TABLE", metadata, Column("id", Text, primary_key=True))
"""
WITH_TABLES = GOOD.replace("server=", "tables=metadata, server=").replace(
    "from .words", "from .tables import metadata\nfrom .words"
)


async def test_a_folder_with_a_plugin_is_a_use_case_that_answers(
    folder: Path, load: Callable[..., LoadedUseCases]
) -> None:
    write(folder, "dice")
    write(folder, "unit-converter")
    loaded = load(folder)
    assert loaded.disabled == ()
    assert {name: found.title for name, found in loaded.enabled.items()} == {
        "dice": "Dice",
        "unit-converter": "Unit-Converter",
    }
    server = loaded.enabled["dice"].server
    assert server.use_case is loaded.enabled["dice"]
    assert texts(await Chat(server, use_case="dice").send("Roll")) == ["(the script is over)"]


def test_a_use_case_may_import_its_files_by_the_full_name(folder: Path, load: Callable[..., LoadedUseCases]) -> None:
    write(folder, "absolute", GOOD.replace("from .words", "from use_cases.absolute.words"))
    assert list(load(folder).enabled) == ["absolute"]


BROKEN = {
    "syntax": ("def (", "SyntaxError"),
    "imports": ("import a_package_that_is_missing", "a_package_that_is_missing"),
    "sibling": ("from words import TITLE", "from .words import"),
    "sibling_of_our_name": ("from widgets import build_card", "from .widgets import"),
    "attribute_of_ours": ("import errors\nerrors.SOLD_OUT", "from .errors import"),
    "takes_ours": ("from config import Settings", "plugin.py, line 1, imports 'config', which is Parlor's own module"),
    "takes_ours_later": (
        GOOD.replace("return Agent", "from web.pages import page\n        return Agent"),
        "plugin.py, line 9, imports 'web', which is Parlor's own module and not the one in this folder",
    ),
    "exits": ("raise SystemExit(3)", "SystemExit"),
    "exits_later": (GOOD.replace("Server(services))", "exit(3))"), "called sys.exit(3)"),
    "no_hook": ("x = 1", "register_use_case"),
    "misspelled": (
        "from plugins import hookimpl\n@hookimpl\ndef regster_use_case(services): ...",
        "regster_use_case",
    ),
    "extra_argument": (
        "from plugins import hookimpl\n@hookimpl\ndef register_use_case(services, app): ...",
        "app",
    ),
    "coroutine": (
        "from plugins import hookimpl\n@hookimpl\nasync def register_use_case(services): ...",
        "plain function",
    ),
    "nothing": ("from plugins import hookimpl\n@hookimpl\ndef register_use_case(services): ...", "returned None"),
    "something": ("from plugins import hookimpl\n@hookimpl\ndef register_use_case(services): return 1", "returned int"),
    "raises": (
        "from plugins import hookimpl\n@hookimpl\ndef register_use_case(services): raise OSError('disk')",
        "OSError: disk",
    ),
    "bad_name": (GOOD.replace("NAME", "Bad Name!"), "lower case"),
    "bad_server": (GOOD.replace("Server(services))", "object())"), "not a BaseChatKitServer"),
    "owns": (
        GOOD.replace("def get_agent(self, turn)", "async def respond(self, thread, message, context)"),
        "defines 'respond'",
    ),
    "no_hook_s": (GOOD.replace("    def get_agent", "    open = True\n    def get_agent"), "the hook 'open' as a bool"),
    "no_super": (
        GOOD.replace("    def get_agent", "    def __init__(self, services): pass\n    def get_agent"),
        "does not call super().__init__(services)",
    ),
    "sets": (
        GOOD.replace(
            "    def get_agent", "    def __setattr__(self, name, value): raise OSError(name)\n    def get_agent"
        ),
        "register_use_case failed: OSError: store",
    ),
    "number": (GOOD.replace('name="NAME"', "name=5"), "its UseCase cannot be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_use_case_is_reported_and_stops_no_other(
    name: str, folder: Path, load: Callable[..., LoadedUseCases], caplog: pytest.LogCaptureFixture
) -> None:
    source, words = BROKEN[name]
    write(folder, name, source, widgets="def build_card(): ...", errors="SOLD_OUT = 1", config="class Settings: ...")
    (folder / name / "web").mkdir()
    write(folder, "zz_good")
    loaded = load(folder)
    assert list(loaded.enabled) == ["zz_good"]
    [disabled] = loaded.disabled
    assert disabled.name == name
    assert words in disabled.reason
    assert any(getattr(record, "error_id", None) == disabled.error_id for record in caplog.records)


def test_a_use_case_may_have_modules_called_like_ours(folder: Path, load: Callable[..., LoadedUseCases]) -> None:
    plugin = GOOD.replace("from .words", "from .config").replace(
        "import TITLE", "import TITLE\nfrom . import main, web"
    )
    write(
        folder,
        "dice",
        plugin,
        config="TITLE = 'Own'\nfrom errors import ParlorError",
        main="",
        errors="from os import path",
    )
    (folder / "dice" / "web").mkdir()
    (folder / "dice" / "by_itself.py").write_text("import config")
    loaded = load(folder)
    assert [found.title for found in loaded.enabled.values()] == ["Own"], loaded.disabled


def test_the_modules_that_a_use_case_does_not_import_are_those_of_the_house() -> None:
    assert set(ALLOWED) - FOR_AUTHORS - {"use_cases"} == PLATFORM_MODULES


@pytest.mark.parametrize("table", ["items", "Threads", "chat_sessions", "files"])
def test_a_use_case_may_not_take_a_table_of_the_platform_for_its_own(
    table: str, folder: Path, load: Callable[..., LoadedUseCases]
) -> None:
    write(folder, "shop", WITH_TABLES, tables=TABLES.replace("TABLE", table))
    [disabled] = load(folder).disabled
    assert f"its table '{table.lower()}' has the name of one of the platform; rename it" in disabled.reason


def test_of_two_use_cases_with_a_table_of_one_name_the_second_is_refused_unless_it_is_the_same_table(
    folder: Path, load: Callable[..., LoadedUseCases]
) -> None:
    write(folder, "a", WITH_TABLES, tables=TABLES.replace("TABLE", "prices"))
    write(folder, "b", WITH_TABLES, tables=TABLES.replace("TABLE", "Prices"))
    write(folder, "c", WITH_TABLES, tables="from use_cases.a.tables import metadata")
    write(folder, "d", WITH_TABLES, tables="metadata = 5")
    loaded = load(folder)
    assert list(loaded.enabled) == ["a", "c"]
    assert [(each.name, each.reason) for each in loaded.disabled] == [
        ("b", "its table 'prices' has the name of one of use case 'a'; rename it, e.g. with a prefix"),
        ("d", "tables is of the type int and must be a MetaData: tables=MyBase.metadata"),
    ]


def test_of_two_use_cases_with_one_name_the_first_wins(
    tmp_path: Path, folder: Path, load: Callable[..., LoadedUseCases]
) -> None:
    write(folder, "dice")
    write(folder, "dice_again", GOOD.replace("NAME", "dice"))
    other = tmp_path / "other"
    write(other, "dice")
    loaded = load(folder, other)
    assert list(loaded.enabled) == ["dice"]
    assert [(d.name, "taken by" in d.reason or "already at" in d.reason) for d in loaded.disabled] == [
        ("dice_again", True),
        ("dice", True),
    ]


def test_only_those_that_are_listed_are_imported(folder: Path, services: Services) -> None:
    write(folder, "dice")
    write(folder, "cards", "raise RuntimeError('it was imported')")
    write(folder, "chess", "raise RuntimeError('it was imported')")
    loaded = load_use_cases(services, [folder], only=["dice", "chess"], switched_off=["chess"])
    assert (list(loaded.enabled), list(loaded.disabled), list(loaded.unknown)) == (["dice"], [], [])


def test_an_unknown_name_in_the_list_is_an_error_with_the_known_names(folder: Path, services: Services) -> None:
    write(folder, "dice")
    write(folder, "cards")
    said = "ENABLED_USE_CASES: there is no use case 'Dice', 'chess'; there are: cards, dice$"
    with pytest.raises(ConfigError, match=said):
        load_use_cases(services, [folder], only=["Dice", "cards", "chess"])
    with pytest.raises(ConfigError, match=r"none was found in USE_CASES_PATH"):
        load_use_cases(services, [folder / "no"], only=["dice"])


def test_a_folder_that_is_missing_or_empty_is_no_error(tmp_path: Path, load: Callable[..., LoadedUseCases]) -> None:
    (tmp_path / "empty" / "not_a_use_case").mkdir(parents=True)
    loaded = load(tmp_path / "missing", tmp_path / "empty")
    assert (dict(loaded.enabled), list(loaded.disabled)) == ({}, [])


def test_an_installed_package_is_found_by_its_entry_point_and_only_once(
    folder: Path, load: Callable[..., LoadedUseCases], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "dice")
    point = importlib.metadata.EntryPoint("dice", "use_cases.dice.plugin", "parlor.use_cases")
    missing = importlib.metadata.EntryPoint("ghost", "no_such_package.plugin", "parlor.use_cases")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: (point, missing))
    use_cases.__path__.append(str(folder))
    loaded = load(folder)
    assert list(loaded.enabled) == ["dice"]
    assert [d.name for d in loaded.disabled] == ["ghost"]
