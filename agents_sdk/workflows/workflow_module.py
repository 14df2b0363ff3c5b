"""Executes an exported file as a new module for each answer, so that no two answers share its globals."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from agents_sdk.workflows.rewriting import PLATFORM

_numbers = itertools.count(1)


@contextmanager
def workflow_module(code: CodeType, name: str) -> Iterator[ModuleType]:
    """Make a module without running its code, and forget it at the end of the block.

    Args:
        code: The compiled file.
        name: The beginning of the module's name.
    """
    module = ModuleType(f"{name}.answer_{next(_numbers)}")
    module.__file__ = code.co_filename
    module.__package__ = _package_of(Path(code.co_filename).parent)
    # Data classes and pydantic look up the names of annotations there.
    sys.modules[module.__name__] = module
    try:
        yield module
    finally:
        sys.modules.pop(module.__name__, None)


def run_module(
    module: ModuleType, code: CodeType, platform: Any, approvals: tuple[str, ...], approve: Callable[[str], bool]
) -> None:
    """Run the code of a file, and let the functions that stand for a person ask one.

    Args:
        module: A new module.
        code: The compiled file.
        platform: What the file finds of the platform.
        approvals: Names of the functions that stand for a person.
        approve: Asks the person.
    """
    setattr(module, PLATFORM, platform)
    _Compiled(code).exec_module(module)
    for name in approvals:
        setattr(module, name, _asking(getattr(module, name), approve))


def _package_of(folder: Path) -> str | None:
    """Return the package of which the files in a folder are modules; None without one."""
    # Use cases are imported after the thousands of modules that they rest upon.
    for name, loaded in reversed(list(sys.modules.items())):
        spec = getattr(loaded, "__spec__", None)
        if str(folder) in map(str, getattr(spec, "submodule_search_locations", None) or ()):
            return name
    return None


class _Compiled(InspectLoader):
    """Loads a module from code that is compiled already."""

    def __init__(self, code: CodeType) -> None:
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Return the code, whatever the module is called."""
        return self._code

    def get_source(self, fullname: str) -> None:
        """Return nothing: the source is another than the code."""


def _asking(original: Any, approve: Callable[[str], bool]) -> Callable[..., Any]:
    def ask(*arguments: Any, **options: Any) -> bool:
        return approve(str(next(iter([*arguments, *options.values()]), "")))

    async def ask_later(*arguments: Any, **options: Any) -> bool:
        return ask(*arguments, **options)

    return ask_later if inspect.iscoroutinefunction(original) else ask
