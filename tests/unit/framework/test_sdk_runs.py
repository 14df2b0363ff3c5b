"""Reliances of `framework/sdk_runs.py` and `framework/chatkit_servers.py`; see `test_reliances.py`."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import agents
from agents.models import _openai_shared as shared
from agents.run import get_default_agent_runner, set_default_agent_runner
from chatkit.agents import AgentContext, _AsyncQueueIterator
from chatkit.server import ChatKitServer

from framework.chatkit_servers import mix_in_class, overridden_methods
from framework.default_runner import PreparedRunner, prepare_runs
from framework.sdk_runs import end_run, watch_events, with_provider, without_stored_responses


def test_the_runner_that_is_set_is_the_one_that_runs() -> None:
    """Relied on by `framework/default_runner.py`: agents that others run get the platform's model.

    When this fails: look in `agents/run.py` how `Runner.run_streamed` finds its runner, and set that.
    """
    before = get_default_agent_runner()
    seen: list[Any] = []

    class Inner:
        def run_streamed(self, agent: Any, given: Any, **arguments: Any) -> str:
            seen.append((agent, given, arguments["context"]))
            return "result"

    def prepare(agent: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        return {**arguments, "context": "ours"}

    runner: Any = Inner()
    try:
        set_default_agent_runner(runner)
        prepare_runs(prepare, lambda: None, lambda result, context: seen.append((result, context)))
        once = get_default_agent_runner()
        prepare_runs(prepare, lambda: None)
        assert get_default_agent_runner() is once
        assert isinstance(once, PreparedRunner)
        agent: Any = "agent"
        agents.Runner.run_streamed(agent, "hi", context="theirs")
    finally:
        set_default_agent_runner(before)
    assert seen == [("agent", "hi", "ours"), ("result", "ours")]


def test_a_provider_that_somebody_chose_stays() -> None:
    """Relied on by `framework/sdk_runs.py`: `with_provider` replaces the SDK's default provider alone.

    When this fails: look in `agents/models/_openai_shared.py` where the default client is, and in `RunConfig` what the
    default provider is.
    """
    ours: Any = object()
    own = agents.OpenAIProvider(api_key="k")
    assert with_provider(None, ours).model_provider is ours
    assert with_provider({"workflow_name": "x"}, ours).model_provider is ours
    assert with_provider(agents.RunConfig(), ours).tracing_disabled is True
    assert with_provider(agents.RunConfig(model_provider=own), ours).model_provider is own
    agents.set_default_openai_key("somebody's", use_for_tracing=False)
    try:
        assert with_provider(None, ours).model_provider is not ours
    finally:
        shared._default_openai_key = None


def test_stored_responses_are_used_only_with_an_authors_own_provider() -> None:
    """Relied on by `framework/sdk_runs.py`: `without_stored_responses` strips what our provider could not go on with.

    When this fails: look in `agents/run.py` which arguments let a run send what is new alone.
    """
    ours: Any = object()
    config = with_provider(None, ours)
    given = {"previous_response_id": "resp_1", "auto_previous_response_id": True, "context": "c"}
    stripped = without_stored_responses(agents.Agent(name="a", model="gpt-4.1"), config, ours, given)
    assert stripped == {"previous_response_id": None, "auto_previous_response_id": False, "context": "c"}
    own: Any = agents.OpenAIProvider(api_key="k").get_model("gpt-4.1")
    assert without_stored_responses(agents.Agent(name="a", model=own), config, ours, given) == given
    other = with_provider(agents.RunConfig(model_provider=agents.OpenAIProvider(api_key="k")), ours)
    assert without_stored_responses(agents.Agent(name="a"), other, ours, given) == given


async def test_a_task_that_waits_for_events_is_cancelled() -> None:
    """Relied on by `framework/sdk_runs.py`: `end_run` leaves no task behind that ChatKit's helper has left to itself.

    When this fails: look in `chatkit/agents.py` for what `stream_agent_response` waits for (`_AsyncQueueIterator`).
    """

    class Result:
        is_complete = False

        def cancel(self) -> None:
            self.is_complete = True

        async def stream_events(self) -> Any:
            await asyncio.Event().wait()
            yield None

    store: Any = None
    thread: Any = {"id": "t", "created_at": "2026-11-28T10:00:00"}
    context: Any = AgentContext(thread=thread, store=store, request_context=None)
    result = Result()
    readers = watch_events(result)
    waiting = [
        asyncio.ensure_future(each.__anext__())
        for each in (result.stream_events(), _AsyncQueueIterator(context._events))
    ]
    await asyncio.sleep(0)
    end_run(result, context, readers)
    done, pending = await asyncio.wait(waiting, timeout=5)
    assert pending == set()
    assert all(task.cancelled() for task in done)
    assert result.is_complete


def test_the_methods_of_chatkits_server_are_those_that_we_know() -> None:
    """Relied on by `framework/chatkit_servers.py`, and `streaming/stock/construction.py`: what is asked of a server.

    When this fails: decide whether a new method is one that an author overrides (then ask it in `streaming/stock/`, and
    add it to `OVERRIDABLE`), or ChatKit's own.
    """
    methods = {name for name, each in vars(ChatKitServer).items() if inspect.isfunction(each) and name[:2] != "__"}
    assert {name for name in methods if name[0] != "_"} == {
        "respond",
        "action",
        "sync_action",
        "add_feedback",
        "transcribe",
        "get_stream_options",
        "handle_stream_cancelled",
        "process",
    }

    class Server(ChatKitServer[Any]):
        def respond(self, *_: Any) -> Any: ...

        def _process_events(self, *_: Any) -> Any: ...

        def mine(self) -> None: ...

    assert overridden_methods(Server) == {"respond", "_process_events"}


def test_an_object_becomes_one_of_another_class_and_stays_what_it_was() -> None:
    """Relied on by `framework/chatkit_servers.py`: `mix_in_class` gives a store of the author's our methods.

    When this fails: Python has changed which classes may be exchanged; a store then has to be replaced.
    """

    class Own:
        def load(self) -> str:
            return "own"

        def more(self) -> str:
            return "more"

    class Ours:
        def load(self) -> str:
            return "ours"

    class Slotted:
        __slots__ = ("place",)

    own, slotted = Own(), Slotted()
    assert mix_in_class(own, Ours)
    assert (own.load(), own.more(), isinstance(own, Own)) == ("ours", "more", True)
    assert not mix_in_class(slotted, Ours)
