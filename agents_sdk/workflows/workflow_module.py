"""Executes an exported file as a new module for each answer, so that answers do not share its globals."""

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

_module_numbers = itertools.count(1)


@contextmanager
def workflow_module(code: CodeType, name: str) -> Iterator[ModuleType]:
    """Create a module without running its code, and remove it at the end of the block.

    Args:
        code: The compiled file.
        name: The beginning of the module's name.
    """
    module = ModuleType(f"{name}.answer_{next(_module_numbers)}")
    module.__file__ = code.co_filename
    module.__package__ = _find_package(Path(code.co_filename).parent)
    # Where dataclasses and Pydantic look up the names in annotations.
    sys.modules[module.__name__] = module
    try:
        yield module
    finally:
        sys.modules.pop(module.__name__, None)


def run_module(
    module: ModuleType, code: CodeType, platform: Any, approvals: tuple[str, ...], approve: Callable[[str], bool]
) -> None:
    """Run the code of a file, and replace its approval functions by ones that ask the person.

    Args:
        module: A new module.
        code: The compiled file.
        platform: The platform as the file sees it.
        approvals: The names of the approval functions.
        approve: Asks the person.
    """
    setattr(module, PLATFORM, platform)
    _CompiledLoader(code).exec_module(module)
    for name in approvals:
        setattr(module, name, _build_asking_function(getattr(module, name), approve))


def _find_package(folder: Path) -> str | None:
    """Return the name of the package that the files in a folder belong to; None if there is none."""
    # In reverse, since use cases are imported after the thousands of modules that they use.
    for name, loaded in reversed(list(sys.modules.items())):
        spec = getattr(loaded, "__spec__", None)
        if str(folder) in map(str, getattr(spec, "submodule_search_locations", None) or ()):
            return name
    return None


class _CompiledLoader(InspectLoader):
    """Loads a module from compiled code."""

    def __init__(self, code: CodeType) -> None:
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Return the code, for any name."""
        return self._code

    def get_source(self, fullname: str) -> None:
        """Return None, since the source differs from the compiled code."""


def _build_asking_function(original: Any, approve: Callable[[str], bool]) -> Callable[..., Any]:
    def ask(*arguments: Any, **options: Any) -> bool:
        return approve(str(next(iter([*arguments, *options.values()]), "")))

    async def ask_later(*arguments: Any, **options: Any) -> bool:
        return ask(*arguments, **options)

    return ask_later if inspect.iscoroutinefunction(original) else ask
