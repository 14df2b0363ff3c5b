"""Loading of use cases: entry points and folders, each checked, none able to stop the others."""

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
        reason: Cause, for the operator's eyes: it may hold an exception's text.
        error_id: Id of the error, for everybody's eyes; the log has it too.
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
        unknown: Names that were to be switched off and that no use case has.
    """

    enabled: Mapping[str, UseCase]
    disabled: Sequence[DisabledUseCase]
    unknown: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A plugin that was found and not loaded yet.

    Attributes:
        name: Name of the folder or entry point.
        origin: Place of the plugin, for messages.
        load: Function that imports and returns the plugin's module.
        folder: The folder that holds the plugin; None for an entry point's, which is not known before it is imported.
    """

    name: str
    origin: str
    load: Callable[[], ModuleType]
    folder: Path | None = None


def load_use_cases(
    services: Services, paths: Sequence[Path], switched_off: Sequence[str] = (), only: Sequence[str] = ()
) -> LoadedUseCases:
    """Find and register all use cases: entry points first, then the folders, in their order.

    A use case that cannot be loaded is reported and does not stop the others. One that is found twice, by its entry
    point and as a folder, is loaded once.

    Args:
        services: The platform's services, handed to every use case.
        paths: Folders whose sub-folders with a ``plugin.py`` are use cases. Missing folders are ignored.
        switched_off: Names of folders or entry points that are not imported.
        only: Names of the only ones to load, unless they are switched off; empty to load all that are found.

    Raises:
        ConfigError: When `only` names a use case that does not exist: a list of what may run must be exact.
    """
    enabled: dict[str, UseCase] = {}
    origins: dict[str, str] = {}
    disabled: list[DisabledUseCase] = []
    seen_files: set[Path] = set()
    tables = {_table_key(table): (table, "the platform") for table in Base.metadata.tables.values()}
    unknown = list(dict.fromkeys(switched_off))
    candidates = list(_candidates(paths))
    _refuse_unknown(only, {each.name for each in candidates})
    for candidate in candidates:
        if candidate.name in unknown:
            unknown.remove(candidate.name)
        if only and candidate.name not in only:
            continue
        if candidate.name in switched_off:
            logger.info("use case switched off", extra={"use_case": candidate.name, "origin": candidate.origin})
            continue
        try:
            module = _import(candidate)
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
            disabled.append(_disable(candidate, exc))
            continue
        enabled[use_case.name] = use_case
        origins[use_case.name] = candidate.origin
        logger.info("use case loaded", extra={"use_case": use_case.name, "origin": candidate.origin})
    return LoadedUseCases(dict(sorted(enabled.items())), tuple(disabled), tuple(unknown))


def _disable(candidate: _Candidate, exc: PluginError | SystemExit) -> DisabledUseCase:
    """Log why a use case cannot be loaded, and return what is told about it."""
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
    """Return the folders of use cases that do not exist."""
    return [path for path in paths if not path.is_dir()]


def _candidates(paths: Sequence[Path]) -> Iterable[_Candidate]:
    for entry_point in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda found: found.name):
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

    The folder's parent joins the path of the package `use_cases`, so that a use case reads the same wherever it lies:
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


def _import(candidate: _Candidate) -> ModuleType:
    before = set(sys.modules)
    try:
        module = candidate.load()
        if candidate.folder is not None and (mistake := find_mistaken_import(candidate.folder)) is not None:
            raise PluginError(candidate.name, mistake)
    except PluginError:
        raise
    except BaseException as exc:
        # Half-imported siblings must not satisfy a later import.
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
    """Return the use case that the module's hook offers.

    Raises:
        PluginError: When the module implements no hook, misspells one, or offers something else than a use case.
    """
    # A manager of its own: one plugin's mistake, found by check_pending, cannot be mixed up with another's.
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
        offers = manager.hook.register_use_case(services=services)
    except Exception as exc:
        raise PluginError(name, f"register_use_case failed: {type(exc).__name__}: {exc}") from exc
    if not offers:
        raise PluginError(name, "register_use_case returned None instead of a UseCase")
    offer = offers[0]
    if inspect.iscoroutine(offer):
        offer.close()
        raise PluginError(name, "register_use_case must be a plain function, not 'async def'")
    if not isinstance(offer, UseCase):
        raise PluginError(name, f"register_use_case returned {type(offer).__name__} instead of a UseCase")
    try:
        _check(name, offer)
    except (AttributeError, TypeError) as exc:
        # A field of another kind than its annotation says: this use case's mistake, and nobody else's.
        raise PluginError(name, f"its UseCase cannot be read: {exc}") from exc
    if isinstance(offer.server, StockServer):
        try:
            offer.server.bind(services)
        except ServerError as exc:
            raise PluginError(name, str(exc)) from exc
    return offer


def _claim_tables(use_case: UseCase, claimed: dict[str, tuple[Table, str]]) -> None:
    """Add a use case's tables to those that are claimed, or refuse it: a table is not made where one of its name is.

    Args:
        use_case: The use case. It may share the very tables of another, as it may share their module.
        claimed: The tables of the platform and of the use cases before, each with its owner.

    Raises:
        PluginError: When it would read and write the rows of somebody else.
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
    return table.fullname.lower()  # SQLite makes no difference


def _check(name: str, offer: UseCase) -> None:
    if not NAME_PATTERN.fullmatch(offer.name):
        raise PluginError(name, f"the name '{offer.name}' must be lower case letters, digits, '-' and '_'")
    if not isinstance(offer.server, BaseChatKitServer | StockServer):
        is_stock = isinstance(offer.server, ChatKitServer)
        advice = "; a server written for ChatKit goes into StockServer(…)" if is_stock else ""
        raise PluginError(name, f"its server is a {type(offer.server).__name__}, not a BaseChatKitServer{advice}")
    if offer.server.use_case is not None:
        raise PluginError(name, f"its server already answers for '{offer.server.use_case.name}'")
    for prompt in offer.prompts:
        if not isinstance(prompt, Prompt):
            raise PluginError(name, "prompts must be Prompt(label, prompt) objects")
