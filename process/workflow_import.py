"""Import of an exported workflow: creates a use case from one Python file, which is parsed but not run."""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents_sdk.workflows.imports import find_imported_siblings, find_missing_modules
from agents_sdk.workflows.openai_services import Need
from agents_sdk.workflows.source import read_source
from config import Settings
from errors import PluginError
from process.use_case_loading import ENTRY_POINT_GROUP, NAME_PATTERN

_PLUGIN = '''"""{title}: the workflow of {file}, which is as it was exported."""

from pathlib import Path

from agents_sdk.workflows.exported_workflow import ExportedWorkflow
from base_server import BaseChatKitServer
from plugins import UseCase, hookimpl


class WorkflowServer(BaseChatKitServer):
    workflow = ExportedWorkflow(Path(__file__).with_name({file!r}){entry})

    def get_agent(self, turn):
        return self.workflow.agent(turn, self.chat_client)


@hookimpl
def register_use_case(services):
    return UseCase(name={name!r}, title={title!r}, server=WorkflowServer(services))
'''

_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*")


@dataclass(frozen=True, slots=True)
class ImportedWorkflow:
    """A use case that was created from an exported file.

    Attributes:
        folder: The folder of the use case.
        title: The title of the use case for people.
        needs: OpenAI services that parts of the workflow depend on.
        approvals: The functions of the workflow that ask the person for approval.
        unmet_guardrails: Reasons why guardrails of the workflow cannot be built here.
        siblings: The names of the files and folders that were copied with the workflow.
    """

    folder: Path
    title: str
    needs: Sequence[Need]
    approvals: Sequence[str]
    unmet_guardrails: Sequence[str]
    siblings: Sequence[str]


def import_workflow(
    file: Path, name: str, folder: Path, paths: Sequence[Path], entry: str | None = None
) -> ImportedWorkflow:
    """Create a use case from an exported file: a folder with the file, the siblings that it imports, and a plugin.

    Args:
        file: The exported file.
        name: The name of the use case.
        folder: The folder of the use cases, which is created if it is missing.
        paths: All folders of use cases, in which the name must be free.
        entry: The function that runs the workflow; None to detect it.

    Raises:
        PluginError: When the use case cannot be created; nothing is left behind.
    """
    _check_name(name, folder, paths)
    source = read_source(file, name, entry)
    if missing := find_missing_modules(file, source.text):
        raise PluginError(name, f"{file}: {'; '.join(missing)}")
    target, siblings = folder / name, find_imported_siblings(file)
    title = source.title or name.replace("_", " ").replace("-", " ").capitalize()
    own_name = "workflow.py" if file.name in ("plugin.py", "__init__.py") or file.suffix != ".py" else file.name
    plugin = _PLUGIN.format(
        title=_one_line(title), file=own_name, name=name, entry=f", entry={entry!r}" if entry is not None else ""
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".import-") as temporary:
            draft = Path(temporary) / name
            draft.mkdir()
            shutil.copyfile(file, draft / own_name)
            for sibling in siblings:
                if sibling.is_file():
                    shutil.copyfile(sibling, draft / sibling.name)
                else:
                    shutil.copytree(sibling, draft / sibling.name, ignore=_NOT_COPIED)
            (draft / "plugin.py").write_text(plugin, encoding="utf-8")
            draft.rename(target)
    except OSError as exc:
        raise PluginError(name, f"{target} cannot be made: {exc.strerror or exc}") from exc
    return ImportedWorkflow(
        target, _one_line(title), source.needs, source.approvals, source.unmet_guardrails,
        [sibling.name for sibling in siblings],
    )  # fmt: skip


def report(result: ImportedWorkflow, settings: Settings) -> Iterator[str]:
    """Yield a report on an imported workflow, line by line."""
    folder = result.folder
    yield f"{folder} is the use case '{folder.name}' ({result.title}) now; start the server to talk to it."
    if result.siblings:
        yield f"What it imports from beside it lies there too: {', '.join(result.siblings)}."
    if result.approvals:
        yield f"It asks the person in the chat at {', '.join(result.approvals)}."
    if result.needs:
        yield "These parts need OpenAI's own services (MODEL_PROVIDER=openai); elsewhere the answer says so and ends:"
        yield from (f"  {need}" for need in result.needs)
        if not settings.is_openai:
            yield f"The model provider is '{settings.provider}' now."
    if result.unmet_guardrails:
        yield "These guardrails cannot be made without: pip install openai-guardrails. Until then the answer says so:"
        yield from (f"  {reason}" for reason in result.unmet_guardrails)


def _check_name(name: str, folder: Path, paths: Sequence[Path]) -> None:
    if not NAME_PATTERN.fullmatch(name):
        raise PluginError(
            name, "this is no name of a use case: it begins with a lower case letter and has lower case letters, "
            "digits, '-' and '_', 64 at most, e.g. support-desk"
        )  # fmt: skip
    for path in dict.fromkeys([folder, *paths]):
        if (path / name).exists() or (path / name).is_symlink():
            raise PluginError(name, f"{path / name} exists already; choose another name, or remove it first")
        if (path / f"{name}.py").exists():
            # Python would import the file instead of the folder.
            raise PluginError(name, f"{path / name}.py stands in its way; choose another name, or move that file")
    taken = [each for each in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP) if each.name == name]
    if taken:
        raise PluginError(name, f"an installed use case has this name already ({taken[0].value}); choose another")


def _one_line(title: str) -> str:
    """Return a title as one line that is safe within a docstring."""
    return " ".join(title.replace('"""', "").replace("\\", " ").split())[:80] or "Workflow"
