"""ExportedWorkflow: an exported file that answers, created by the plugin next to it; only this loads the SDK."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents_sdk.workflows.imports import find_missing_modules
from agents_sdk.workflows.openai_services import Need
from agents_sdk.workflows.rewriting import compile_source
from agents_sdk.workflows.source import read_source
from errors import PluginError

if TYPE_CHECKING:
    from context import Turn


class ExportedWorkflow:
    """A workflow that was exported as a Python file, ready to answer.

    The top level of the file is run once, so that a file that cannot work fails at start-up. Each answer runs the file
    again, so that answers share no global variables.

    Args:
        path: The file, which is not modified.
        entry: The function that answers; None to find it.
        traces: Whether the file's traces are sent to OpenAI, as the SDK does by default.

    Raises:
        PluginError: When the file cannot work; the text names the culprit and the remedy.
    """

    def __init__(self, path: Path, *, entry: str | None = None, traces: bool = False) -> None:
        name = path.parent.name
        self._source = read_source(path, name, entry)
        if missing := find_missing_modules(path, self._source.text):
            raise PluginError(name, f"{path.name}: {'; '.join(missing)}")
        self._code = compile_source(self._source)
        self._traces = traces
        from agents_sdk.workflows.workflow_agent import examine_workflow

        try:
            examine_workflow(self._code, self._source, name)
        except (Exception, SystemExit) as exc:
            raise PluginError(
                name, f"{_describe_failing_line(exc, path)} failed: {type(exc).__name__}: {exc}{_suggest_remedy(exc)}"
            ) from exc

    @property
    def unmet_guardrails(self) -> Sequence[str]:
        """Reasons why guardrails of the file cannot be run, if the package `openai-guardrails` is not installed."""
        return self._source.unmet_guardrails

    @property
    def needs(self) -> Sequence[Need]:
        """The services of OpenAI without which a part of the workflow does not work."""
        return self._source.needs

    def agent(self, turn: Turn, client: Any) -> Any:
        """Return the agent that runs the workflow, for `get_agent`.

        Args:
            turn: The answer.
            client: The server's `chat_client`.
        """
        from agents_sdk.workflows.workflow_agent import WorkflowAgent

        return WorkflowAgent(self._source, self._code, turn, client, traces=self._traces)


def _describe_failing_line(exc: BaseException, path: Path) -> str:
    """Return the name of the file, with the last of its lines in the traceback."""
    lines = []
    trace = exc.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f"{path.name}, line {lines[-1]}," if lines else path.name


def _suggest_remedy(exc: BaseException) -> str:
    if isinstance(exc, ModuleNotFoundError) and exc.name == "guardrails":
        return "; import its functions by name (from guardrails.runtime import …), or: pip install openai-guardrails"
    if isinstance(exc, KeyError) and _is_missing_variable(exc):
        return "; set this variable of the environment before the start"
    return ""


def _is_missing_variable(exc: BaseException) -> bool:
    """Return whether an error was raised by the mapping of environment variables."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "os"
