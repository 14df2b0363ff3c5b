"""The cost of the client in a browser, compared with a bare page that appends text nodes from the same stream.

Run `python benchmarks/browser_load.py` (some three minutes; the client must be built). Both pages get the same bytes
from the same server, in Chromium, one after the other; the last column is their ratio.

- deltas: a long, paced answer: the time of scripts and of all tasks on the main thread for 1,000 deltas, from the 100th
  and from the 5,000th delta. The first is the cost of a delta, and the two show that it does not grow;
- shapes: large answers: the longest task on the main thread in CPU time, which is how long a keystroke may wait;
- thread: 1,000 items: opening the thread, scrolling to its beginning, and an answer at its end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from infra.browser import find_browser
from tests.browser.servers.hosting import serve_in_thread

DIST = Path(__file__).resolve().parent.parent / "static" / "dist"
PACE_S = 0.005
WINDOW = 500
FIRST_AT, LATE_AT = 100, 5_000
ITEMS = 1_000
WAIT_MS = 120_000
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
THREAD: dict[str, Any] = {
    "id": "thr_1", "title": "Load", "created_at": "2026-11-20T10:00:00", "status": {"type": "active"}, "metadata": {},
    "items": {"data": [], "has_more": False, "after": None},
}  # fmt: skip

CHAT_PAGE = """<!doctype html><meta charset="utf-8"><title>chat</title><script src="/dist/chatkit.js"></script>
<style>html, body { margin: 0; height: 100% } openai-chatkit { display: block; height: 100% }</style>
<openai-chatkit></openai-chatkit>
<script>
  const chat = document.querySelector('openai-chatkit');
  window.isOver = false;
  chat.addEventListener('chatkit.response.end', () => { window.isOver = true; });
  chat.addEventListener('chatkit.thread.load.end', () => { window.isLoaded = true; });
  const initialThread = new URLSearchParams(location.search).get('thread') ?? undefined;
  chat.setOptions({api: {url: '/chatkit', domainKey: 'local'}, initialThread});
  window.ask = text => void chat.sendUserMessage({text});
</script>"""
BARE_PAGE = """<!doctype html><meta charset="utf-8"><title>bare</title>
<style>main { white-space: pre-wrap }</style><main></main>
<script>
  window.isOver = false;
  window.ask = async text => {
    const main = document.querySelector('main');
    const params = {input: {content: [{type: 'input_text', text}]}};
    const answer = await fetch('/chatkit', {method: 'POST', body: JSON.stringify({type: 'threads.create', params})});
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const frames = (rest + piece.value).split('\\n\\n');
      rest = frames.pop();
      for (const frame of frames) {
        const delta = JSON.parse(frame.slice(6)).update?.delta ?? '';
        if (delta.includes('\\n') || !main.lastChild) main.append(document.createElement('p'));
        main.lastChild.append(delta);
      }
    }
    window.isOver = true;
  };
</script>"""


@dataclass
class Gate:
    """A point at which the stream waits until the benchmark has read its meters."""

    reached: Event
    opened: Event

    @classmethod
    def new(cls) -> Gate:
        return cls(Event(), Event())


@dataclass
class Answer:
    """Deltas and gates in order, and the pause after each delta."""

    parts: list[str | Gate]
    pace_s: float = PACE_S


def prose(count: int) -> list[str]:
    """Return the deltas of a typical answer, word by word: paragraphs, lists, a table, code."""
    section = (
        "## What happens next\n\nThe **first** paragraph says what a [page](https://a.example) of `words` is about, and"
        " goes on for a while, as answers do, until everything has been said that had to be said about the matter.\n\n"
        "- one thing and another\n- a second thing, *emphasised*\n- a third\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
        "| 3 | 4 |\n\n```python\ndef forecast(city: str) -> str:\n    return look_up(city)  # soon\n```\n\n"
    )
    words = [word + " " for word in section.replace("\n", "\n ").split(" ")]
    words = [word.replace("\n ", "\n") for word in words]
    return [words[at % len(words)] for at in range(count)]


def formulas(count: int) -> list[str]:
    return [f"Formula {n}: $x_{{{n}}} = \\frac{{a^{n}}}{{\\sqrt{{b_{n}}}}}$ holds.\n\n" for n in range(count)]


def table(rows: int) -> list[str]:
    body = [f"| {n} | item {n} | {n * 7} | *some* words |\n" for n in range(rows)]
    return ["| n | name | value | note |\n| --- | --- | --- | --- |\n", *body]


def code(lines: int) -> list[str]:
    return ["```python\n", *(f"value_{n} = compute({n})  # line {n}\n" for n in range(lines)), "```\n"]


def items() -> list[dict[str, Any]]:
    """Return a thread's items, oldest first."""
    return [user(f"q{n}", f"Question {n}?") if n % 2 == 0 else assistant(f"a{n}", PARAGRAPHS) for n in range(ITEMS)]


PARAGRAPHS = "".join(prose(110))


def user(item_id: str, text: str) -> dict[str, Any]:
    return {
        "type": "user_message", "id": item_id, "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00",
        "content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {},
    }  # fmt: skip


def assistant(item_id: str, text: str | None) -> dict[str, Any]:
    content = [] if text is None else [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "assistant_message", "id": item_id, "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00",
            "content": content}  # fmt: skip


class Server:
    """Serves both pages, a thread of 1,000 items, and the answer that the benchmark has set."""

    def __init__(self) -> None:
        self.answer = Answer([])
        self.read_to_beginning = Event()
        self._items = items()
        routes: list[Route | Mount] = [
            Route("/chat", lambda _: HTMLResponse(CHAT_PAGE)),
            Route("/bare", lambda _: HTMLResponse(BARE_PAGE)),
            Route("/chatkit", self._operate, methods=["POST"]),
            Mount("/dist", StaticFiles(directory=DIST)),
        ]
        self.app = Starlette(routes=routes)

    async def _operate(self, request: Request) -> Response:
        body = json.loads(await request.body())
        params = body["params"]
        if body["type"] in ("threads.create", "threads.add_user_message"):
            return StreamingResponse(self._stream(), media_type="text/event-stream")
        if body["type"] == "threads.get_by_id":
            return JSONResponse(THREAD)
        if body["type"] == "items.list":
            newest_first = self._items[::-1]
            at = next((at + 1 for at, item in enumerate(newest_first) if item["id"] == params.get("after")), 0)
            page = newest_first[at : at + params["limit"]]
            has_more = at + len(page) < len(newest_first)
            if not has_more:
                self.read_to_beginning.set()
            return JSONResponse({"data": page, "has_more": has_more, "after": page[-1]["id"] if has_more else None})
        return JSONResponse({"data": [], "has_more": False, "after": None})

    async def _stream(self) -> AsyncIterator[bytes]:
        answer = self.answer
        yield event({"type": "thread.created", "thread": THREAD})
        yield event({"type": "thread.item.done", "item": user("usr_new", "go")})
        yield event({"type": "thread.item.added", "item": assistant("msg_new", None)})
        for part in answer.parts:
            if isinstance(part, Gate):
                part.reached.set()
                await asyncio.to_thread(part.opened.wait)
                continue
            update = {"type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": part}
            yield event({"type": "thread.item.updated", "item_id": "msg_new", "update": update})
            await asyncio.sleep(answer.pace_s)
        text = "".join(part for part in answer.parts if isinstance(part, str))
        yield event({"type": "thread.item.done", "item": assistant("msg_new", text)})


def event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


class Meter:
    """Measures the main thread of a page."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._session.send("Profiler.enable")
        self._session.send("Profiler.setSamplingInterval", {"interval": 500})

    def start(self) -> None:
        """Begin to measure."""
        self._before = self._tasks_s()
        self._session.send("Profiler.start")

    def stop(self) -> dict[str, float]:
        """Return milliseconds of scripts and of all tasks since `start`."""
        profile = self._session.send("Profiler.stop")["profile"]
        # Idle time, garbage collection and other native code have names in parentheses.
        others = {node["id"] for node in profile["nodes"] if node["callFrame"]["functionName"].startswith("(")}
        samples = zip(profile["samples"], profile["timeDeltas"], strict=True)
        script_ms = sum(delta for node, delta in samples if node not in others) / 1_000
        return {"script": script_ms, "all": (self._tasks_s() - self._before) * 1_000}

    def _tasks_s(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def cost_of_deltas(page: Page, server: Server) -> dict[str, float]:
    """Return milliseconds per 1,000 deltas, early and late in an answer."""
    text = prose(LATE_AT + WINDOW)
    gates = [Gate.new() for _ in range(4)]
    places = [FIRST_AT, FIRST_AT + WINDOW, LATE_AT, LATE_AT + WINDOW]
    parts: list[str | Gate] = []
    start = 0
    for place, gate in zip(places, gates, strict=True):
        parts += [*text[start:place], gate]
        start = place
    server.answer = Answer(parts)
    meter = Meter(page)
    page.evaluate("void ask('go')")
    readings = []
    for at, gate in enumerate(gates):
        if not gate.reached.wait(WAIT_MS / 1000):
            raise TimeoutError("the answer did not come to its next gate")
        page.wait_for_timeout(300)
        if at % 2 == 0:
            meter.start()
        else:
            readings.append(meter.stop())
        gate.opened.set()
    page.wait_for_function("isOver", timeout=WAIT_MS)
    return {
        f"{kind}, from delta {place:,}": reading[kind] * 1_000 / WINDOW
        for kind in ("script", "all")
        for place, reading in zip((FIRST_AT, LATE_AT), readings, strict=True)
    }


def longest_task(browser: Browser, page: Page, work: Callable[[], None]) -> float:
    """Return the milliseconds of the longest task of the page's main thread while `work` runs."""
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    work()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {(each["pid"], each["tid"]) for each in events if each.get("args", {}).get("name") == "CrRendererMain"}
    durations = [
        each.get("tdur", each.get("dur", 0)) / 1000
        for each in events
        if each["name"] == "ThreadControllerImpl::RunTask" and (each["pid"], each["tid"]) in mains
    ]
    return max(durations, default=0.0)


def answer_shape(page: Page) -> Callable[[], None]:
    def work() -> None:
        page.evaluate("void ask('go')")
        page.wait_for_function("isOver", timeout=WAIT_MS)
        page.wait_for_timeout(1_500)

    return work


def open_thread(page: Page, url: str) -> Callable[[], None]:
    def work() -> None:
        page.goto(f"{url}/chat?thread=thr_1")
        page.wait_for_function("window.isLoaded", timeout=WAIT_MS)
        page.wait_for_timeout(1_000)

    return work


def read_upwards(page: Page, server: Server) -> Callable[[], None]:
    def work() -> None:
        page.mouse.move(400, 300)
        for _ in range(1_000):
            if server.read_to_beginning.is_set():
                break
            page.mouse.wheel(0, -2_000)
            page.wait_for_timeout(30)
        assert server.read_to_beginning.is_set(), "the beginning of the thread was not reached"
        page.wait_for_timeout(2_000)

    return work


Row = tuple[str, float, float | None]
"""A figure: its title, the value of the chat, and that of the bare page, if it was measured."""


def open_page(browser: Browser, url: str, name: str) -> Page:
    page = browser.new_page(viewport={"width": 1_000, "height": 800})
    page.goto(f"{url}/{name}")
    page.wait_for_timeout(1_500)
    return page


def measure_deltas(browser: Browser, url: str, server: Server) -> list[Row]:
    chat, bare = (cost_of_deltas(open_page(browser, url, name), server) for name in ("chat", "bare"))
    return [(f"deltas: {name}, ms per 1,000", chat[name], bare[name]) for name in chat]


def measure_shapes(browser: Browser, url: str, server: Server) -> list[Row]:
    shapes = {
        "700 formulas": formulas(700),
        "table of 2,000 rows": table(2_000),
        "code of 2,000 lines": code(2_000),
    }
    rows: list[Row] = []
    for title, deltas in shapes.items():
        for how, answer in (("at 1,000/s", Answer(list(deltas), 0.001)), ("at once", Answer(["".join(deltas)]))):
            server.answer = answer
            durations = []
            for name in ("chat", "bare"):
                page = open_page(browser, url, name)
                durations.append(longest_task(browser, page, answer_shape(page)))
                page.close()
            rows.append((f"shapes: {title}, {how}: longest task, ms", durations[0], durations[1]))
    return rows


def measure_thread(browser: Browser, url: str, server: Server) -> list[Row]:
    page = open_page(browser, url, "chat")
    opening = longest_task(browser, page, open_thread(page, url))
    scrolling = longest_task(browser, page, read_upwards(page, server))
    server.answer = Answer(list(prose(400)))
    answering = longest_task(browser, page, answer_shape(page))
    rows: list[Row] = [
        ("thread: open the newest page: longest task, ms", opening, None),
        ("thread: read up to the first of 1,000 items: longest task, ms", scrolling, None),
        ("thread: an answer below 1,000 items: longest task, ms", answering, None),
    ]
    meter = Meter(page)
    meter.start()
    answer_shape(page)()
    for kind, value in meter.stop().items():
        rows.append((f"thread: an answer below 1,000 items: {kind}, ms per 1,000 deltas", value * 1_000 / 400, None))
    return rows


SUITES = {"deltas": measure_deltas, "shapes": measure_shapes, "thread": measure_thread}


def main() -> int:
    """Print one line per figure: the chat, the bare page, their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}; all of them by default")
    chosen = parser.parse_args().suites or list(SUITES)
    path = find_browser()
    if path is None or not (DIST / "chatkit.js").is_file():
        parser.error("it takes Chromium and a built client: run ./parlor test once")
    server = Server()
    rows: list[Row] = []
    with serve_in_thread(server.app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        for name, measure in SUITES.items():
            if name in chosen:
                rows += measure(browser, url, server)
        browser.close()
    for title, chat_value, bare_value in rows:
        ratio = "" if not bare_value else f"{bare_value:9.1f} {chat_value / bare_value:7.1f} x"
        print(f"{title:72} {chat_value:9.1f} {ratio}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
