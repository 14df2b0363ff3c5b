"""The objects of the platform that replace some imports of a compiled workflow file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from agents_sdk.workflows.openai_client import NO_KEY, build_platform_client, find_platform_key

if TYPE_CHECKING:
    from agents_sdk.workflows.answer_run import WorkflowRun

_GUARDRAILS_KEY = "guardrails"
_GUARDRAIL_PREFIX = "guardrails_"


class PlatformNames:
    """The platform as a compiled file sees it; `rewriting` inserts the references to it.

    Args:
        run: The answer in which the file runs; None while it is only examined.
    """

    def __init__(self, run: WorkflowRun | None) -> None:
        self._run = run
        self._clients: list[Any] = run.clients if run is not None else []

    def own_AsyncOpenAI(self, kind: type) -> type:
        """Return the class of a client that uses the platform's key."""
        return build_platform_client(kind, self._settings, self._clients)

    own_OpenAI = own_AsyncOpenAI

    def _ignore(self, function: Callable[..., Any]) -> Callable[..., None]:
        """Return a function that does nothing, since the SDK's would change the defaults of all use cases."""
        return lambda *_, **__: None

    own_set_default_openai_client = own_set_default_openai_key = own_set_default_openai_api = _ignore

    def openai_key(self, read: Callable[[], str | None]) -> str:
        """Return the OpenAI key for a file that reads it from the environment: the platform's, if it has one."""
        key = find_platform_key(self._settings)
        if key != NO_KEY:
            return key
        try:
            return read() or NO_KEY
        except KeyError:
            return NO_KEY

    def own_trace(self, trace: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `trace` whose traces are not sent, unless the use case wants them to be."""
        if self._run is not None and self._run.traces:
            return trace

        def disabled(*arguments: Any, **options: Any) -> Any:
            return trace(*arguments, **{**options, "disabled": True})

        return disabled

    def own_run_guardrails(self, run_guardrails: Callable[..., Any]) -> Callable[..., Any]:
        """Return the package's `run_guardrails`, with results that are kept while the workflow waits for a person."""

        async def run_journalled(*arguments: Any, **options: Any) -> Any:
            return await self._run_journalled(lambda: run_guardrails(*arguments, **options))

        return run_journalled

    def state(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the state of the workflow, with the values of the session's variables that it declares."""
        variables = self._run.turn.context.variables if self._run is not None else {}
        return {**values, **{name: value for name, value in variables.items() if name in values}}

    def conversation(self, items: list[Any]) -> list[Any]:
        """Return the conversation that begins with the person's message, with the thread before it."""
        return self._run.conversation(items) if self._run is not None else items

    def __getattr__(self, name: str) -> Any:
        """Return our replacement for a name of the package `openai-guardrails`.

        Raises:
            ImportError: When there is no replacement.
        """
        if not name.startswith(_GUARDRAIL_PREFIX):
            raise AttributeError(name)
        from agents_sdk.workflows import guardrail_checks

        replaced = name.removeprefix(_GUARDRAIL_PREFIX)
        if replaced == "run_guardrails":
            return self._run_own_guardrails
        if replaced in ("GuardrailResult", "load_config_bundle", "instantiate_guardrails"):
            return getattr(guardrail_checks, replaced)
        if replaced == "GuardrailTripwireTriggered":
            return guardrail_checks.GuardrailTripwireTriggered
        raise ImportError(f"'{replaced}' needs the package openai-guardrails: pip install openai-guardrails")

    @property
    def _settings(self) -> Any:
        return self._run.turn.services.settings if self._run is not None else None

    async def _run_own_guardrails(
        self, ctx: Any, data: Any, media_type: str, guardrails: Any, *, suppress_tripwire: bool = False, **_: Any
    ) -> Any:
        from agents_sdk.workflows.guardrail_checks import run_guardrails
        from agents_sdk.workflows.model_judge import judge

        if self._run is None:
            raise RuntimeError("guardrails run in an answer only")
        ask = partial(judge, self._run.models.get_model(None))
        client = getattr(ctx, "guardrail_llm", None)
        return await self._run_journalled(
            lambda: run_guardrails(ask, data, guardrails, client=client, suppress_tripwire=suppress_tripwire)
        )

    async def _run_journalled(self, ask: Callable[[], Any]) -> Any:
        """Return the results of guardrails, from the journal if they ran before the workflow waited for a person."""
        from agents_sdk.workflows.guardrail_checks import GuardrailResult

        if self._run is None:
            return await ask()
        journal = self._run.journal
        slot = journal.next_slot(_GUARDRAILS_KEY)
        if (known := journal.find_entry(_GUARDRAILS_KEY, slot)) is not None:
            return [GuardrailResult(entry["tripped"], info=entry["info"]) for entry in known]
        results = await ask()
        journal.add(_GUARDRAILS_KEY, slot, [_build_entry(result) for result in results])
        return results


def _build_entry(result: Any) -> dict[str, Any]:
    return {"tripped": bool(result.tripwire_triggered), "info": _to_json_value(result.info)}


def _to_json_value(value: Any) -> Any:
    """Return details as JSON values; others, such as an exception, as text."""
    if isinstance(value, dict):
        return {str(key): _to_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_json_value(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
