"""An exported workflow that runs like an agent of Agent Framework: its file is called, its agents become updates."""

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
from agents_sdk.workflows.words import is_json, plain, words_of
from agents_sdk.workflows.workflow_input import build_message, call_workflow
from agents_sdk.workflows.workflow_module import run_module, workflow_module
from context import Turn
from errors import AgentError, ConflictError, EmptyAnswerError, ExitGuard
from framework.sentences import LIMIT_REACHED
from turns.approval_request import ApprovalRequest, PendingApproval
from turns.replaying_agent import ReplayingAgent
from turns.workflow_journal import build_journal_item

logger = logging.getLogger(__name__)

APPROVAL = "approval_request"
"""The name under which a question of a workflow is kept as a call."""

PATIENCE_S = 2.0
"""How long a workflow that is stopped may take to clean up, in seconds; then it is left to itself."""

_ALLOWED = "Allowed."
_NO_GUARDRAIL = "guardrail"


class WorkflowAgent(ReplayingAgent):
    """Runs an exported workflow with the platform's model.

    Args:
        source: The file.
        code: The compiled file.
        turn: The answer that it gives.
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
            messages: The thread.
            stream: True; there is no other way.
            options: The model that the person chose in the composer.
        """
        return ResponseStream(self._updates(messages, options or {}))

    async def replay_calls(
        self, messages: Sequence[Message], calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        """Yield a result for each question that a person has decided, after which the workflow goes on.

        Args:
            messages: The thread.
            calls: The questions.
            is_allowed: Whether a person has decided about them.
        """
        for call in calls if is_allowed else ():
            yield Content.from_function_result(call.call_id, result=_ALLOWED)

    async def _updates(
        self, messages: Sequence[Message], options: Mapping[str, Any]
    ) -> AsyncGenerator[AgentResponseUpdate, None]:
        stored = await self._stored_journal()
        journal = Journal(stored)
        message = build_message(write_input(messages), stored["text"] if stored else None)
        run = WorkflowRun(self._turn, self._client, message, journal, options, traces=self._traces)
        answer = self._turn.context.answer
        shown_before = answer.inbox.items_shown
        work = asyncio.create_task(self._work(run), name=f"workflow {self._turn.thread.id}")
        try:
            await asyncio.wait([work])
            value = self._outcome(run, work)
            if run.question is not None or run.wanted is not None:
                yield self._ask(run)
            elif run.is_limited:
                yield _text(LIMIT_REACHED)
            elif said := self._closing_words(run, value):
                yield run.with_more(said) or _text(said)
            elif not run.said and answer.inbox.items_shown == shown_before and answer.decided is None:
                raise EmptyAnswerError
        finally:
            work.cancel()
            await run.close()
            await asyncio.wait([work], timeout=PATIENCE_S)
            work.add_done_callback(_forget)

    async def _work(self, run: WorkflowRun) -> Any:
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

    def _outcome(self, run: WorkflowRun, work: asyncio.Task[Any]) -> Any:
        """Return the output of the workflow, or a value that stands for a guardrail's refusal.

        Raises:
            Exception: When the file, or an agent in it, has failed.
        """
        if run.question is not None or run.wanted is not None or run.is_limited:
            return None
        try:
            return work.result()
        except MaxTurnsExceeded:
            run.is_limited = True
            return None
        except (InputGuardrailTripwireTriggered, OutputGuardrailTripwireTriggered) as exc:
            logger.info("guardrail refused", extra={"guardrail": exc.guardrail_result.guardrail.get_name()})
            return {_NO_GUARDRAIL: {"failed": True}}
        except Exception as exc:
            if type(exc).__name__ == "GuardrailTripwireTriggered":  # of the package, or ours in its place
                logger.info("guardrail refused", extra={"guardrail": "openai-guardrails"})
                return {_NO_GUARDRAIL: {"failed": True}}
            raise

    def _closing_words(self, run: WorkflowRun, value: Any) -> str | None:
        """Return the text to say at the end of the workflow, if none of its agents has said it; None otherwise."""
        value = getattr(value, "final_output", value)  # a result of the SDK, which files return as it is
        if _is_refusal(value):
            refused = self._turn.context.answer.texts.refused
            return None if refused in run.said else refused
        text = value if isinstance(value, str) else value.get("output_text") if isinstance(value, dict) else None
        if isinstance(text, str) and text.strip() and any(text.strip() in said for said in run.said):
            return None
        has_spoken = bool(run.said) and run.unsaid is None
        if not has_spoken:
            parsed = value.get("output_parsed") if isinstance(value, dict) else None
            for each in (parsed, text, value, run.unsaid):
                if words := words_of(each).strip():
                    return words
            return None
        is_new = isinstance(text, str) and text.strip() and text != run.message.text
        return str(text) if is_new and not is_json(str(text)) else None

    # Questions to the person

    def _ask(self, run: WorkflowRun) -> AgentResponseUpdate:
        """Keep what is known so far, and return the question."""
        item_id = self._turn.new_id("message")
        requests, asked = run.wanted or ([], [])
        if run.wanted is None:
            arguments = {"message": run.question} if run.question else {}
            call = Content.from_function_call(item_id, APPROVAL, arguments=json.dumps(arguments, ensure_ascii=False))
            requests = [Content.from_function_approval_request(item_id, call)]
        journal = run.journal.dump(text=run.message.text, file=self._source.digest, asked=asked)
        item = build_journal_item(item_id, self._turn.thread.id, journal)
        self._turn.emit(ThreadItemDoneEvent(item=item))
        return AgentResponseUpdate(contents=requests, role="assistant", author_name=APPROVAL)

    async def _stored_journal(self) -> dict[str, Any] | None:
        """Return the journal as it was when the person was asked, with the decision; None in an answer to a message.

        Raises:
            ConflictError: When the file has changed since, so that what is known may not be of its agents any more.
            AgentError: When it is gone.
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
        said = {call.call_id: call.decision == "allowed" for call in decided.calls}
        asked = journal.get("asked") or ()
        return {
            **journal,
            "decisions": [*journal["decisions"], *(() if asked else said.values())],
            "calls": {call_id: said[call_id] for call_id in asked if call_id in said},
        }


def examine_workflow(code: CodeType, source: WorkflowSource, name: str) -> None:
    """Run the top of a file once, so that what it lacks is known before anybody asks.

    Raises:
        Exception: Whatever the file raises.
    """
    with workflow_module(code, f"exported.{name}") as module:
        run_module(module, code, PlatformNames(None), source.approvals, bool)


def _is_refusal(value: Any) -> bool:
    """Say whether a workflow has returned what its guardrails found: checks by name, each with whether it failed.

    A check that the file does not list may be the one that failed: files return this only when one has.
    """
    found = plain(value)
    found = found.get("output_parsed", found) if isinstance(found, dict) else found
    return (
        isinstance(found, dict)
        and bool(found)
        and all(isinstance(each, dict) and isinstance(each.get("failed"), bool) for each in found.values())
    )


def _text(text: str) -> AgentResponseUpdate:
    return AgentResponseUpdate(
        contents=[Content.from_text(text)], role="assistant", author_name="workflow", message_id="workflow"
    )


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # nobody waits for it; unread, it would be reported
