"""Loading of use cases from entry points and folders; one that cannot be loaded is disabled, and stops no other."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import logging
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pluggy
from chatkit.server import ChatKitServer
from sqlalchemy import MetaData, Table

from base_server import BaseChatKitServer
from context import Services
from database import Base
from errors import ConfigError, PluginError, ServerError, new_error_id
from plugins import HookSpecs, Prompt, UseCase
from process.own_modules import advise_on_import, find_mistaken_import
from stock_server import StockServer

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = "parlor.use_cases"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class DisabledUseCase:
    """A use case that could not be loaded.

    Attributes:
        name: Name of the folder or entry point.
        reason: Cause, for the operator only, as it may contain an exception's text.
        error_id: Id of the error, which may be shown to anybody and is in the log too.
    """

    name: str
    reason: str
    error_id: str


@dataclass(frozen=True, slots=True)
class LoadedUseCases:
    """The use cases that were found at the start.

    Attributes:
        enabled: Use cases by name, in alphabetical order.
        disabled: Use cases that could not be loaded, with the cause.
        unknown: Names in `DISABLED_USE_CASES` that no use case has.
    """

    enabled: Mapping[str, UseCase]
    disabled: Sequence[DisabledUseCase]
    unknown: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A plugin that was found, but has not been loaded yet.

    Attributes:
        name: Name of the folder or entry point.
        origin: Place of the plugin, for messages.
        load: Function that imports and returns the plugin's module.
        folder: The folder of the plugin; None for an entry point, whose folder is only known after its import.
    """

    name: str
    origin: str
    load: Callable[[], ModuleType]
    folder: Path | None = None


def load_use_cases(
    services: Services, paths: Sequence[Path], switched_off: Sequence[str] = (), only: Sequence[str] = ()
) -> LoadedUseCases:
    """Find and register all use cases: entry points first, then the folders, in their order.

    A use case that cannot be loaded is logged and disabled. One that is found twice, by its entry point and as a
    folder, is loaded once.

    Args:
        services: The platform's services, handed to every use case.
        paths: Folders whose sub-folders with a ``plugin.py`` are use cases. Missing folders are ignored.
        switched_off: Names of folders or entry points that are not imported.
        only: Names of the only use cases to load, unless they are switched off; empty to load all.

    Raises:
        ConfigError: When `only` names a use case that does not exist, as a list of what may run has to be exact.
    """
    enabled: dict[str, UseCase] = {}
    origins: dict[str, str] = {}
    disabled: list[DisabledUseCase] = []
    seen_files: set[Path] = set()
    tables = {_table_key(table): (table, "the platform") for table in Base.metadata.tables.values()}
    candidates = list(_find_candidates(paths))
    names = {candidate.name for candidate in candidates}
    _refuse_unknown(only, names)
    for candidate in candidates:
        if not _is_switched_on(candidate, switched_off, only):
            continue
        try:
            module = _import_plugin(candidate)
            file = Path(module.__file__).resolve() if module.__file__ else None
            if file in seen_files:
                continue
            if file is not None:
                seen_files.add(file)
            use_case = _register(candidate.name, module, services)
            if use_case.name in enabled:
                raise PluginError(
                    candidate.name,
                    f"the name '{use_case.name}' is taken by {origins[use_case.name]}; rename one of them",
                )
            _claim_tables(use_case, tables)
            use_case.server.use_case = use_case
        except (PluginError, SystemExit) as exc:
            disabled.append(_disable_candidate(candidate, exc))
            continue
        enabled[use_case.name] = use_case
        origins[use_case.name] = candidate.origin
        logger.info("use case loaded", extra={"use_case": use_case.name, "origin": candidate.origin})
    unknown = tuple(name for name in dict.fromkeys(switched_off) if name not in names)
    return LoadedUseCases(dict(sorted(enabled.items())), tuple(disabled), unknown)


def _is_switched_on(candidate: _Candidate, switched_off: Sequence[str], only: Sequence[str]) -> bool:
    if only and candidate.name not in only:
        return False
    if candidate.name in switched_off:
        logger.info("use case switched off", extra={"use_case": candidate.name, "origin": candidate.origin})
        return False
    return True


def _disable_candidate(candidate: _Candidate, exc: PluginError | SystemExit) -> DisabledUseCase:
    """Log why a use case cannot be loaded, and return its entry among the disabled ones."""
    reason = exc.reason if isinstance(exc, PluginError) else f"called sys.exit({exc.code!r})"
    failure = DisabledUseCase(candidate.name, reason, new_error_id())
    logger.error(
        "use case disabled",
        extra={"use_case": failure.name, "origin": candidate.origin, "error_id": failure.error_id},
        exc_info=exc,
    )
    return failure


def _refuse_unknown(names: Sequence[str], known: Collection[str]) -> None:
    unknown = [f"'{name}'" for name in dict.fromkeys(names) if name not in known]
    if unknown:
        there = f"there are: {', '.join(sorted(known))}" if known else "none was found in USE_CASES_PATH"
        raise ConfigError("ENABLED_USE_CASES", f"there is no use case {', '.join(unknown)}; {there}")


def missing_folders(paths: Sequence[Path]) -> list[Path]:
    """Return those of `paths` that are no folders."""
    return [path for path in paths if not path.is_dir()]


def _find_candidates(paths: Sequence[Path]) -> Iterable[_Candidate]:
    for entry_point in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda each: each.name):
        yield _Candidate(entry_point.name, f"entry point {entry_point.value}", entry_point.load)
    for path in paths:
        folder = path.resolve()
        if not folder.is_dir():
            logger.warning("folder of use cases does not exist", extra={"path": str(path)})
            continue
        for plugin in sorted(folder.glob("*/plugin.py")):
            yield _Candidate(plugin.parent.name, str(plugin.parent), _folder_loader(plugin), plugin.parent)


def _folder_loader(plugin: Path) -> Callable[[], ModuleType]:
    """Return a function that imports ``FOLDER/plugin.py`` as ``use_cases.FOLDER.plugin``.

    The folder's parent is added to the path of the package `use_cases`, so that imports are the same for any location:
    ``from .agent import …`` and ``from use_cases.dice.agent import …`` both work, without an ``__init__.py``.
    """

    def load() -> ModuleType:
        import use_cases

        parent = str(plugin.parent.parent)
        if parent not in use_cases.__path__:
            use_cases.__path__.append(parent)
            importlib.invalidate_caches()
        name = plugin.parent.name
        if "." in name:
            raise PluginError(name, "a folder's name must not contain a dot")
        module = importlib.import_module(f"use_cases.{name}.plugin")
        if module.__file__ and Path(module.__file__).resolve() != plugin.resolve():
            raise PluginError(name, f"a folder of this name is already at {Path(module.__file__).parent}; rename one")
        return module

    return load


def _import_plugin(candidate: _Candidate) -> ModuleType:
    before = set(sys.modules)
    try:
        module = candidate.load()
        if candidate.folder is not None and (mistake := find_mistaken_import(candidate.folder)) is not None:
            raise PluginError(candidate.name, mistake)
    except PluginError:
        raise
    except BaseException as exc:
        # Partially imported modules must not satisfy a later import.
        for name in set(sys.modules) - before:
            if name.startswith("use_cases."):
                del sys.modules[name]
        if not isinstance(exc, Exception | SystemExit):
            raise
        advice = advise_on_import(exc, candidate.folder) if candidate.folder is not None else ""
        raise PluginError(candidate.name, f"cannot be imported: {type(exc).__name__}: {exc}{advice}") from exc
    if not inspect.ismodule(module):
        raise PluginError(candidate.name, 'the entry point must name a module, e.g. "my_package.plugin"')
    return module


def _register(name: str, module: ModuleType, services: Services) -> UseCase:
    """Return the use case that the module's hook returns.

    Raises:
        PluginError: When the module implements no hook, misspells one, or returns anything else than a use case.
    """
    # A separate manager for each plugin, so that a mistake which check_pending finds is this plugin's.
    manager = pluggy.PluginManager("parlor")
    manager.add_hookspecs(HookSpecs)
    try:
        manager.register(module, name)
        manager.check_pending()
    except Exception as exc:
        raise PluginError(name, str(exc)) from exc
    if not manager.hook.register_use_case.get_hookimpls():
        raise PluginError(name, "has no function register_use_case marked with @hookimpl")
    try:
        results = manager.hook.register_use_case(services=services)
    except Exception as exc:
        raise PluginError(name, f"register_use_case failed: {type(exc).__name__}: {exc}") from exc
    if not results:
        raise PluginError(name, "register_use_case returned None instead of a UseCase")
    use_case = results[0]
    if inspect.iscoroutine(use_case):
        use_case.close()
        raise PluginError(name, "register_use_case must be a plain function, not 'async def'")
    if not isinstance(use_case, UseCase):
        raise PluginError(name, f"register_use_case returned {type(use_case).__name__} instead of a UseCase")
    try:
        _check_use_case(name, use_case)
    except (AttributeError, TypeError) as exc:
        # A field of another type than its annotation: the author's mistake, which must not stop other use cases.
        raise PluginError(name, f"its UseCase cannot be read: {exc}") from exc
    if isinstance(use_case.server, StockServer):
        try:
            use_case.server.bind(services)
        except ServerError as exc:
            raise PluginError(name, str(exc)) from exc
    return use_case


def _claim_tables(use_case: UseCase, claimed: dict[str, tuple[Table, str]]) -> None:
    """Add a use case's tables to `claimed`.

    A second table of the same name would not be created, and the two owners would share the rows of the first.

    Args:
        use_case: The use case. It may share the tables of another one, if both import them from one module.
        claimed: The tables of the platform and of the use cases before, each with its owner.

    Raises:
        PluginError: When the name of a table is taken.
    """
    if use_case.tables is None:
        return
    if not isinstance(use_case.tables, MetaData):
        kind = type(use_case.tables).__name__
        raise PluginError(use_case.name, f"tables is of the type {kind} and must be a MetaData: tables=MyBase.metadata")
    own = {_table_key(table): (table, f"use case '{use_case.name}'") for table in use_case.tables.tables.values()}
    for key in own.keys() & claimed.keys():
        table, owner = claimed[key]
        if table is not own[key][0]:
            raise PluginError(
                use_case.name, f"its table '{table.name}' has the name of one of {owner}; rename it, e.g. with a prefix"
            )
    claimed |= own


def _table_key(table: Table) -> str:
    return table.fullname.lower()  # SQLite ignores the case of names


def _check_use_case(name: str, use_case: UseCase) -> None:
    if not NAME_PATTERN.fullmatch(use_case.name):
        raise PluginError(name, f"the name '{use_case.name}' must be lower case letters, digits, '-' and '_'")
    if not isinstance(use_case.server, BaseChatKitServer | StockServer):
        is_stock = isinstance(use_case.server, ChatKitServer)
        advice = "; a server written for ChatKit goes into StockServer(…)" if is_stock else ""
        raise PluginError(name, f"its server is a {type(use_case.server).__name__}, not a BaseChatKitServer{advice}")
    if use_case.server.use_case is not None:
        raise PluginError(name, f"its server already answers for '{use_case.server.use_case.name}'")
    for prompt in use_case.prompts:
        if not isinstance(prompt, Prompt):
            raise PluginError(name, "prompts must be Prompt(label, prompt) objects")
