"""`./parlor setup` compiles the modules that the server imports."""

from __future__ import annotations

import os
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path

from infra.bytecode import compile_modules, folders_to_compile


def test_modules_are_compiled_once_and_other_files_stop_nothing(tmp_path: Path) -> None:
    modules = [tmp_path / "use_cases" / "dice" / "plugin.py", tmp_path / "use_cases" / "zebra.py"]
    modules[0].parent.mkdir(parents=True)
    for module in modules:
        module.write_text("SIDES = 6\n")
    (tmp_path / "use_cases" / "template.py").write_text("class {{ name }}:\n")
    compile_modules([tmp_path / "use_cases"])
    compiled = [Path(cache_from_source(module)) for module in modules]
    assert all(each.is_file() for each in compiled)
    before = [each.stat().st_mtime_ns for each in compiled]
    # Bytecode knows the second in which its source was written.
    os.utime(modules[1], (0, 0))
    compile_modules([tmp_path / "use_cases"])
    after = [each.stat().st_mtime_ns for each in compiled]
    assert after[0] == before[0], "it was not compiled again"
    assert after[1] != before[1]


def test_tools_and_parts_of_packages_that_no_server_imports_are_left_out(tmp_path: Path) -> None:
    modules = [tmp_path / "site-packages" / name for name in ("pip/a.py", "agents/voice/a.py", "agents/a.py")]
    for module in modules:
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text("A = 1\n")
    compile_modules([tmp_path / "site-packages"])
    assert [Path(cache_from_source(module)).is_file() for module in modules] == [False, False, True]


def test_installed_packages_are_compiled_and_of_a_clone_what_is_served(tmp_path: Path) -> None:
    for name in (".git", ".venv", "data", "frontend", "tests", "web", "use_cases"):
        (tmp_path / name).mkdir()
    assert folders_to_compile(tmp_path) == [
        Path(sysconfig.get_path("purelib")),
        tmp_path / "use_cases",
        tmp_path / "web",
    ]
