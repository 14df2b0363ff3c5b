"""Runs an exported workflow like an agent of Agent Framework: calls the file, and streams its agents as updates."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import CodeType
from typing import Any

from agent_framework import AgentResponse, AgentResponseUpdate, Content, Message, ResponseStream
from agents import InputGuardrailTripwireTriggered, MaxTurnsExceeded, OutputGuardrailTripwireTriggered
from chatkit.types import ThreadItemDoneEvent

from agents_sdk.input_items import write_input
from agents_sdk.paused_runs import load_journal
from agents_sdk.workflows.answer_run import WorkflowRun, current_run
from agents_sdk.workflows.journal import Journal
from agents_sdk.workflows.platform_names import PlatformNames
from agents_sdk.workflows.runner import install_runner
from agents_sdk.workflows.source import WorkflowSource
from agents_sdk.workflows.workflow_input import build_message, call_workflow
from agents_sdk.workflows.workflow_module import run_module, workflow_module
from agents_sdk.workflows.workflow_output import format_output, is_json, to_plain_value
from context import Turn
from errors import AgentError, ConflictError, EmptyAnswerError, ExitGuard
from framework.sentences import LIMIT_REACHED
from turns.approval_request import ApprovalRequest, PendingApproval
from turns.replaying_agent import ReplayingAgent
from turns.workflow_journal import build_journal_item

logger = logging.getLogger(__name__)

APPROVAL = "approval_request"
"""The name of the call as which a question of a workflow is stored."""

CLEANUP_TIMEOUT_S = 2.0
"""How long a stopped workflow may take to clean up, in seconds; after that nobody waits for it."""

_ALLOWED = "Allowed."
_GUARDRAIL_KEY = "guardrail"


class WorkflowAgent(ReplayingAgent):
    """Runs an exported workflow with the platform's model.

    Args:
        source: The file.
        code: The compiled file.
        turn: The answer.
        client: A chat client of the platform.
        traces: Whether the file's traces are sent, as the SDK does by default.
    """

    def __init__(self, source: WorkflowSource, code: CodeType, turn: Turn, client: Any, *, traces: bool) -> None:
        install_runner()
        self._source = source
        self._code = code
        self._turn = turn
        self._client = client
        self._traces = traces

    def run(
        self, messages: Sequence[Message], *, stream: bool, options: Mapping[str, Any] | None = None
    ) -> ResponseStream[AgentResponseUpdate, AgentResponse[Any]]:
        """Return the answer as updates.

        Args:
            messages: The messages of the thread.
            stream: True; other values are not supported.
            options: The model that the person has chosen in the composer.
        """
        return ResponseStream(self._stream_updates(messages, options or {}))

    async def replay_calls(
        self, messages: Sequence[Message], calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        """Yield a result for each question that the person has decided, after which the workflow continues.

        Args:
            messages: The messages of the thread.
            calls: The questions.
            is_allowed: False for calls that need no decision, which have no result here.
        """
        for call in calls if is_allowed else ():
            yield Content.from_function_result(call.call_id, result=_ALLOWED)

    async def _stream_updates(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncGenerator[AgentResponseUpdate, None]:
        stored = await self._load_journal()
        journal = Journal(stored)
        message = build_message(write_input(messages), stored["text"] if stored else None)
        run = WorkflowRun(self._turn, self._client, message, journal, options, traces=self._traces)
        answer = self._turn.context.answer
        items_before = answer.inbox.items_shown
        task = asyncio.create_task(self._run_file(run), name=f"workflow {self._turn.thread.id}")
        try:
            await asyncio.wait([task])
            value = self._read_outcome(run, task)
            if run.question is not None or run.approval_requests is not None:
                yield self._ask_person(run)
            elif run.is_limited:
                yield _build_text_update(LIMIT_REACHED)
            elif closing_text := self._find_closing_text(run, value):
                yield run.extend_last_text(closing_text) or _build_text_update(closing_text)
            elif not run.shown_texts and answer.inbox.items_shown == items_before and answer.decided is None:
                raise EmptyAnswerError
        finally:
            task.cancel()
            await run.close()
            await asyncio.wait([task], timeout=CLEANUP_TIMEOUT_S)
            task.add_done_callback(_ignore_result)

    async def _run_file(self, run: WorkflowRun) -> Any:
        current_run.set(run)
        name = self._turn.context.use_case
        with ExitGuard(f"use case '{name}': the file"), workflow_module(self._code, f"exported.{name}") as module:
            # In a thread: what a file does at its top may take a while.
            await asyncio.to_thread(
                run_module, module, self._code, PlatformNames(run), self._source.approvals, run.approve
            )
            function = getattr(module, self._source.entry)
            call = call_workflow(function, run.message, self._turn.context.variables, name)
            value = await asyncio.to_thread(call) if not inspect.iscoroutinefunction(function) else call()
            return await value if inspect.isawaitable(value) else value

    def _read_outcome(self, run: WorkflowRun, task: asyncio.Task[Any]) -> Any:
        """Return the output of the workflow; after a refusal, the output that a guardrail of the file would have.

        Raises:
            Exception: When the file or one of its agents has failed.
        """
        if run.question is not None or run.approval_requests is not None or run.is_limited:
            return None
        try:
            return task.result()
        except MaxTurnsExceeded:
            run.is_limited = True
            return None
        except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered) as exc:
            logger.info("guardrail refused", extra={"guardrail": exc.guardrail_result.guardrail.get_name()})
            return {_GUARDRAIL_KEY: {"failed": True}}
        except Exception as exc:
            if type(exc).__name__ == "GuardrailTripwireTriggered":  # of the package, or ours in its place
                logger.info("guardrail refused", extra={"guardrail": "openai-guardrails"})
                return {_GUARDRAIL_KEY: {"failed": True}}
            raise

    def _find_closing_text(self, run: WorkflowRun, value: Any) -> str | None:
        """Return the text to show at the end of the workflow; None if its agents have shown it already."""
        value = getattr(value, "final_output", value)  # a result of the SDK, which some files return
        if _is_refusal(value):
            refused = self._turn.context.answer.texts.refused
            return None if refused in run.shown_texts else refused
        text = value if isinstance(value, str) else value.get("output_text") if isinstance(value, dict) else None
        if isinstance(text, str) and text.strip() and any(text.strip() in shown for shown in run.shown_texts):
            return None
        has_spoken = bool(run.shown_texts) and run.unshown_output is None
        if not has_spoken:
            parsed = value.get("output_parsed") if isinstance(value, dict) else None
            for candidate in (parsed, text, value, run.unshown_output):
                if words := format_output(candidate).strip():
                    return words
            return None
        is_new = isinstance(text, str) and text.strip() and text != run.message.text
        return str(text) if is_new and not is_json(str(text)) else None

    # Questions to the person

    def _ask_person(self, run: WorkflowRun) -> AgentResponseUpdate:
        """Store the journal, and return the question to the person."""
        item_id = self._turn.new_id("message")
        requests, asked_ids = run.approval_requests or ([], [])
        if run.approval_requests is None:
            arguments = {"message": run.question} if run.question else {}
            call = Content.from_function_call(item_id, APPROVAL, arguments=json.dumps(arguments, ensure_ascii=False))
            requests = [Content.from_function_approval_request(item_id, call)]
        journal = run.journal.dump(text=run.message.text, file=self._source.digest, asked=asked_ids)
        item = build_journal_item(item_id, self._turn.thread.id, journal)
        self._turn.emit(ThreadItemDoneEvent(item=item))
        return AgentResponseUpdate(contents=requests, role="assistant", author_name=APPROVAL)

    async def _load_journal(self) -> dict[str, Any] | None:
        """Return the journal of the question that the person has decided; None in an answer to a message.

        Raises:
            ConflictError: When the file was changed after the question, so that the journal may not fit its agents.
            AgentError: When there is no journal any more.
        """
        decided: ApprovalRequest | None = self._turn.context.answer.decided
        if decided is None:
            return None
        journal = await load_journal(self._turn, decided)
        if journal is None:
            raise AgentError(
                "This assistant cannot go on where it has asked you. Ask again, please.",
                f"use case '{self._turn.context.use_case}': the journal of the question {decided.id} is gone",
            )
        if journal.get("file") != self._source.digest:
            raise ConflictError(
                "This assistant was changed after it had asked you. Ask again, please.", code="workflow.changed"
            )
        decisions = {call.call_id: call.decision == "allowed" for call in decided.calls}
        asked_ids = journal.get("asked") or ()
        return {
            **journal,
            "decisions": [*journal["decisions"], *(() if asked_ids else decisions.values())],
            "calls": {call_id: decisions[call_id] for call_id in asked_ids if call_id in decisions},
        }


def examine_workflow(code: CodeType, source: WorkflowSource, name: str) -> None:
    """Run the top level of a file once, so that it fails before anybody asks a question.

    Raises:
        Exception: Whatever the file raises.
    """
    with workflow_module(code, f"exported.{name}") as module:
        run_module(module, code, PlatformNames(None), source.approvals, bool)


def _is_refusal(value: Any) -> bool:
    """Return whether the output of a workflow is the results of its guardrails: each by its name, with a ``failed``.

    Files return these only if a guardrail has refused the text, even if it is not among them.
    """
    output = to_plain_value(value)
    output = output.get("output_parsed", output) if isinstance(output, dict) else output
    return (
        isinstance(output, dict)
        and bool(output)
        and all(isinstance(result, dict) and isinstance(result.get("failed"), bool) for result in output.values())
    )


def _build_text_update(text: str) -> AgentResponseUpdate:
    return AgentResponseUpdate(
        contents=[Content.from_text(text)], role="assistant", author_name="workflow", message_id="workflow"
    )


def _ignore_result(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # asyncio reports an exception that nobody has retrieved
