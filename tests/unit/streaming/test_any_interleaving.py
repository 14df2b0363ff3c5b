"""Random concurrent operations of two people: everything that the server has acknowledged stays true."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn, turn_of
from errors import ConflictError, NotFoundError, TooManyRequestsError
from runs.viewer import Viewer
from tests.unit.harness import user_input
from tests.unit.scripted_model import ScriptedModel, Step, calls, says
from tests.unit.services_for_tests import open_services
from turns.request_context import RequestContext

pytestmark = pytest.mark.usefixtures("text_path")

USERS = ("ada", "bob")
MAX_THREADS = 3

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Move:
    """The next deed of one person.

    Attributes:
        who: 0 or 1.
        what: The operation.
        thread: Which of the threads, the other person's too.
        pick: Which item, page size, title or key, whatever the operation needs.
    """

    who: int
    what: str
    thread: int
    pick: int


WHAT = (
    "create", "send", "send", "go_on", "go_on", "stop", "leave", "retry", "act", "act", "act_streaming", "rename",
    "delete", "attach", "read_pages", "rate",
)  # fmt: skip

moves = st.builds(
    Move,
    who=st.integers(0, 1),
    what=st.sampled_from(WHAT),
    thread=st.integers(0, MAX_THREADS - 1),
    pick=st.integers(0, 5),
)
scripts = st.lists(st.lists(moves, min_size=1, max_size=3), min_size=4, max_size=14)


@tool
async def show(ctx: FunctionInvocationContext) -> str:
    """Show a card."""
    turn_of(ctx).widget(build_card(0), copy_text="shown")
    return "Shown."


def build_card(clicks: int) -> dict[str, Any]:
    button = {"type": "Button", "label": "Click", "onClickAction": {"type": "card.click"}}
    return {"type": "Card", "id": "card", "children": [{"type": "Text", "value": str(clicks)}, button]}


SETTINGS = {
    "runs_max_per_user": 4,
    "run_log_max_bytes": 16_384,
    "run_checkpoint_interval_s": 0,  # at every opportunity: the hardest case
}


class CardServer(BaseChatKitServer):
    def __init__(self, services: Any) -> None:
        super().__init__(services)
        self.clicks: dict[str, int] = {}

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[show])

    @action("card.click")
    async def click(self, turn: ActionTurn) -> None:
        key = f"{turn.thread.id} {turn.context.metadata['idempotency_key']}"
        self.clicks[key] = self.clicks.get(key, 0) + 1
        await asyncio.sleep(0)
        turn.replace(build_card(len(self.clicks)))


class Gated(list[Sequence[Step]]):
    """Answers without end, each of which stops in its middle until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: list[asyncio.Event] = []
        self.number = 0

    def __bool__(self) -> bool:
        return True

    def pop(self, index: Any = -1) -> Sequence[Step]:
        self.number += 1
        gate = asyncio.Event()
        self.gates.append(gate)
        if self.number % 2 == 0:
            return [*says("Look: "), *calls("show", call_id=f"call_{self.number}")]
        return [*says("One ", "two "), gate, *says("three.")]


@dataclass
class Thread:
    """A conversation as its owner knows it.

    Attributes:
        owner: Whose it is.
        id: As the server named it.
        acknowledged: Items that the server has said are done, by id.
        order: All ids that were ever read, in the order in which they were read.
        opinions: What may be the feedback on an item.
        titles: What may be the title; empty when nobody has renamed it.
        is_deleted: Whether it has been deleted.
    """

    owner: int
    id: str
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    opinions: dict[str, set[str]] = field(default_factory=dict)
    titles: set[str] = field(default_factory=set)
    is_deleted: bool = False


class World:
    """Two people, a server, and what must be true of them."""

    def __init__(self, server: CardServer, turns: Gated) -> None:
        self.server = server
        self.turns = turns
        self.threads: list[Thread] = []
        self.readers: dict[asyncio.Task[None], Viewer] = {}
        self.requests = 0

    # What people do

    async def play(self, batch: Sequence[Move]) -> None:
        """Make some moves at once; then everything that was ever acknowledged must be there."""
        # In the order of the thread: who reads two streams may hear of a later item first.
        before = {thread.id: list(thread.order) for thread in self.threads}
        found = await asyncio.gather(*(self._move(move) for move in batch))
        await self._settle()
        for each in found:
            if each is not None:
                thread, kept_until = each
                known = before.get(thread.id, [])
                # What came during this very batch may have come before the retry, and gone with it.
                kept = set(known[: known.index(kept_until) + 1] if kept_until in known else [*known, kept_until])
                thread.acknowledged = {k: v for k, v in thread.acknowledged.items() if k in kept}
        await self.check()

    async def _move(self, move: Move) -> tuple[Thread, str] | None:
        """Return the thread, and the last item that stays, when answers were thrown away on purpose."""
        if move.what == "create":
            if sum(thread.owner == move.who for thread in self.threads) < MAX_THREADS:
                await self._expect(self._create(move), may_be_refused=True)
            return None
        if move.what == "go_on":
            gates, self.turns.gates = self.turns.gates, []
            for gate in gates:
                gate.set()
            return None
        if not self.threads:
            return None
        thread = self.threads[move.thread % len(self.threads)]
        is_foreign = thread.owner != move.who
        operation = getattr(self, f"_{move.what}")(thread, move)
        outcome = await self._expect(operation, is_foreign=is_foreign, is_gone=thread.is_deleted, may_be_refused=True)
        return (thread, outcome) if move.what == "retry" and outcome is not None else None

    async def _expect(
        self,
        operation: Coroutine[Any, Any, Any],
        *,
        is_foreign: bool = False,
        is_gone: bool = False,
        may_be_refused: bool = False,
    ) -> Any:
        try:
            outcome = await operation
        except NotFoundError:
            return None
        except (ConflictError, TooManyRequestsError):
            assert may_be_refused
            return None
        assert outcome is None or not (is_foreign or is_gone), "what is missing or a stranger's was found"
        return outcome

    async def _create(self, move: Move) -> None:
        viewer = await self._ask(move.who, "threads.create", input=user_input(f"Create {self.requests}"))
        first = await anext(viewer)
        thread = Thread(move.who, next(_events(first))["thread"]["id"])
        self.threads.append(thread)
        self._read(thread, viewer, first)

    async def _send(self, thread: Thread, move: Move) -> str:
        is_resumable = move.pick % 2 == 0
        viewer = await self._ask(
            move.who, "threads.add_user_message", thread, {"resumable": is_resumable}, input=user_input("More")
        )
        self._read(thread, viewer)
        return "sent"

    async def _stop(self, thread: Thread, move: Move) -> str | None:
        answer = json.loads(await self._ask(move.who, "runs.stop", thread))
        return "stopped" if answer["run"] else None

    async def _leave(self, thread: Thread, move: Move) -> None:
        """Close a tab, whosever it is."""
        if self.readers:
            task, viewer = list(self.readers.items())[move.pick % len(self.readers)]
            task.cancel()
            await asyncio.wait([task])
            await viewer.aclose()

    async def _retry(self, thread: Thread, move: Move) -> str:
        asked = [item_id for item_id, item in thread.acknowledged.items() if item["type"] == "user_message"]
        item_id = asked[move.pick % len(asked)] if asked else "msg_none"
        viewer = await self._ask(move.who, "threads.retry_after_item", thread, item_id=item_id)
        self._read(thread, viewer)
        return item_id

    async def _act(self, thread: Thread, move: Move, kind: str = "threads.sync_custom_action") -> str | None:
        cards = [item_id for item_id, item in thread.acknowledged.items() if item["type"] == "widget"]
        if not cards:
            return None
        answer = await self._ask(
            move.who,
            kind,
            thread,
            {"idempotency_key": f"key_{move.pick % 2}"},
            item_id=cards[0],
            action={"type": "card.click", "payload": None},
        )
        if isinstance(answer, Viewer):
            async for _ in answer:
                pass
        clicks = self.server.clicks.get(f"{thread.id} key_{move.pick % 2}")
        assert clicks == 1, "it was said to be done"
        return "acted"

    async def _act_streaming(self, thread: Thread, move: Move) -> str | None:
        return await self._act(thread, move, "threads.custom_action")

    async def _rename(self, thread: Thread, move: Move) -> str:
        await self._ask(move.who, "threads.update", thread, title=f"Title {move.pick}")
        thread.titles.add(f"Title {move.pick}")
        return "renamed"

    async def _delete(self, thread: Thread, move: Move) -> str:
        await self._ask(move.who, "threads.delete", thread)
        thread.is_deleted = True
        return "deleted"

    async def _attach(self, thread: Thread, move: Move) -> str | None:
        viewer = await self._ask(move.who, "runs.attach", thread, after=move.pick)
        if not isinstance(viewer, Viewer):
            return None
        self._read(thread, viewer)
        return "attached"

    async def _read_pages(self, thread: Thread, move: Move) -> str:
        """Page through the thread while others write to it: nothing comes twice, and the order is the order."""
        order, after, ids = ("asc", "desc")[move.pick % 2], None, []
        while True:
            page = json.loads(
                await self._ask(move.who, "items.list", thread, limit=1 + move.pick % 3, order=order, after=after)
            )
            ids += [item["id"] for item in page["data"]]
            after = page.get("after")
            if not page["has_more"]:
                break
        assert len(ids) == len(set(ids))
        _check_order(thread, ids if order == "asc" else ids[::-1])
        return "read"

    async def _rate(self, thread: Thread, move: Move) -> str | None:
        if not thread.acknowledged:
            return None
        item_id, kind = list(thread.acknowledged)[move.pick % len(thread.acknowledged)], ("positive", "negative")
        await self._ask(move.who, "items.feedback", thread, item_ids=[item_id], kind=kind[move.pick % 2])
        thread.opinions.setdefault(item_id, set()).add(kind[move.pick % 2])
        return "rated"

    # How they do it

    async def _ask(
        self, who: int, type_: str, thread: Thread | None = None, metadata: Any = None, **params: Any
    ) -> Any:
        self.requests += 1
        if thread is not None:
            params["thread_id"] = thread.id
        body = json.dumps({"type": type_, "params": params, "metadata": metadata or {"resumable": True}})
        return await self.server.handle(body.encode(), RequestContext(USERS[who], "test", f"req_{self.requests}"))

    def _read(self, thread: Thread, viewer: Viewer, first: bytes = b"") -> None:
        """Read a stream in the background, and note what it says is done."""

        async def read() -> None:
            note(first)
            async for chunk in viewer:
                note(chunk)

        def note(chunk: bytes) -> None:
            for event in _events(chunk):
                if event["type"] == "thread.item.done":
                    thread.acknowledged.setdefault(event["item"]["id"], event["item"])

        task = asyncio.create_task(read())
        self.readers[task] = viewer
        task.add_done_callback(self.readers.pop)

    async def _settle(self) -> None:
        """Return when nothing happens any more but waiting for a gate."""
        quiet = 0
        while quiet < 3:
            before = [run.log.last for run in self._active()], len(self.readers)
            for _ in range(20):
                await asyncio.sleep(0)
            # The database has threads of its own: this waits behind what they are asked now.
            await self.server.store.load_threads(1, None, "desc", RequestContext("nobody", "test", "req"))
            await self.server.services.database.run_write(lambda connection: None)
            quiet = quiet + 1 if before == ([run.log.last for run in self._active()], len(self.readers)) else 0

    # What must be true

    def _active(self) -> list[Any]:
        return sorted(self.server.services.runs._active, key=lambda run: run.id)

    async def check(self) -> None:
        keys = [run.key for run in self._active() if run.key is not None]
        assert len(keys) == len(set(keys)), "at most one answer is being written in a thread"
        for who in (0, 1):
            page = json.loads(await self._ask(who, "threads.list", limit=100))
            mine = {thread.id for thread in self.threads if thread.owner == who and not thread.is_deleted}
            assert {each["id"] for each in page["data"]} == mine
        for thread in self.threads:
            for who in (0, 1):
                if who != thread.owner or thread.is_deleted:
                    await self._is_missing(thread, who)
            if not thread.is_deleted:
                await self._is_whole(thread)
        assert all(count == 1 for count in self.server.clicks.values()), self.server.clicks

    async def _is_missing(self, thread: Thread, who: int) -> None:
        for type_ in ("threads.get_by_id", "items.list", "runs.attach"):
            try:
                await self._ask(who, type_, thread)
            except NotFoundError:
                continue
            raise AssertionError(f"{type_} shows what is missing or a stranger's")

    async def _is_whole(self, thread: Thread) -> None:
        # Before the page is read: what is acknowledged while it is on its way need not be in it.
        acknowledged, opinions_before = dict(thread.acknowledged), dict(thread.opinions)
        page = json.loads(await self._ask(thread.owner, "items.list", thread, limit=100, order="asc"))
        assert not page["has_more"]
        items = {item["id"]: item for item in page["data"]}
        assert len(items) == len(page["data"]), "no item is repeated"
        assert {item["thread_id"] for item in items.values()} <= {thread.id}
        _check_order(thread, list(items))
        for item_id, item in acknowledged.items():
            assert item_id in items, "no acknowledged item is lost"
            if item["type"] != "widget":  # those are replaced by their actions
                assert items[item_id] == item
        opinions = page.get("feedback", {})
        for item_id, allowed in opinions_before.items():
            if item_id in acknowledged:
                assert opinions[item_id] in allowed
        whole = json.loads(await self._ask(thread.owner, "threads.get_by_id", thread))
        assert not thread.titles or whole["title"] in thread.titles


def _check_order(thread: Thread, ids: list[str]) -> None:
    """Items come in the order in which they were ever seen; new ones may be anywhere."""
    known = [item_id for item_id in ids if item_id in thread.order]
    assert known == [item_id for item_id in thread.order if item_id in known], "the order is stable between reads"
    if len(known) < len(ids):
        merged = list(ids)
        for item_id in thread.order:
            if item_id not in merged:
                merged.append(item_id)
        thread.order = merged


def _events(chunk: bytes) -> AsyncIterator[dict[str, Any]] | Any:
    for line in chunk.decode().split("\n"):
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def new_world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        turns = Gated()
        model = ScriptedModel()
        model.turns = turns
        services = await stack.enter_async_context(open_services(Path(folder), model, settings=SETTINGS))
        world = World(CardServer(services), turns)
        try:
            yield world
        finally:
            await services.runs.drain(0)
            await asyncio.gather(*world.readers)


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=scripts)
def test_any_interleaving_of_what_people_do_keeps_what_was_acknowledged(script: list[list[Move]]) -> None:
    async def play() -> None:
        async with asyncio.timeout(PATIENCE_S), new_world() as world:
            await world.play([Move(0, "create", 0, 0), Move(1, "create", 0, 0)])
            for batch in script:
                await world.play(batch)

    asyncio.run(play())
