"""Tools of the scenarios of `chatkit_load.py`: requests, checks of answers, and figures of many of them."""

from __future__ import annotations

import asyncio
import json
import statistics

from sse_client import Client, Reply, clock

TOKEN_CHARS = 6


# ---------------------------------------------------------------- ChatKit requests


def user_input(text: str) -> dict:
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "quoted_text": None,
        "inference_options": {},
    }


def directive(n, rate=0.0, ts=False, tool=None) -> str:
    return f"bench n={n} rate={rate:g}" + (" ts=1" if ts else "") + (f" tool={tool}" if tool else "") + " ok"


def create(text: str) -> dict:
    return {"type": "threads.create", "params": {"input": user_input(text)}, "metadata": {}}


def add(thread_id: str, text: str) -> dict:
    return {
        "type": "threads.add_user_message",
        "params": {"input": user_input(text), "thread_id": thread_id},
        "metadata": {},
    }


def parsed(reply: Reply) -> list[dict]:
    """The events that are not text deltas."""
    return [json.loads(e[e.index(b"{") :]) for e in reply.other if b"{" in e]


def thread_of(reply: Reply) -> str | None:
    return next((e["thread"]["id"] for e in parsed(reply) if e.get("type") == "thread.created"), None)


def check_turn(reply: Reply, n: int | None, stamped=False) -> None:
    """`error`: the turn failed.  `wrong`: it finished, but the text is not what the model said, or the
    streamed text is not the final item's (stamped deltas are repeated unstamped at the model's end)."""
    if reply.error:
        return
    evs = parsed(reply)
    if bad := [e for e in evs if e.get("type") == "error"]:
        reply.error = f"error event: {bad[0]}"
        return
    done = [
        e["item"] for e in evs if e.get("type") == "thread.item.done" and e["item"].get("type") == "assistant_message"
    ]
    if not done:
        reply.error = "no finished assistant message"
    elif n is not None and not stamped:
        final = "".join(c.get("text", "") for i in done for c in i.get("content", []))
        if reply.chars != n * TOKEN_CHARS:
            reply.wrong = f"streamed {reply.chars} chars, not {n * TOKEN_CHARS}"
        elif b"".join(reply.text).decode() != final:
            reply.wrong = f"the final text ({len(final)} chars) is not the streamed one"


def dist(xs, scale=1000.0, digits=2) -> dict | None:
    xs = sorted(x * scale for x in xs if x is not None)
    if not xs:
        return None
    q = lambda p: round(xs[min(len(xs) - 1, int(p * len(xs)))], digits)
    return {
        "p50": q(0.5),
        "p90": q(0.9),
        "p99": q(0.99),
        "max": round(xs[-1], digits),
        "mean": round(statistics.fmean(xs), digits),
        "n": len(xs),
    }


def times(replies: list[Reply]) -> dict:
    ok = [r for r in replies if not r.error]
    return {
        "ttfe_ms": dist([r.t_event - r.t0 for r in ok if r.t_event]),
        "ttfd_ms": dist([r.t_delta - r.t0 for r in ok if r.t_delta]),
        "total_ms": dist([r.t_end - r.t0 for r in ok]),
    }


def errors(replies: list[Reply]) -> dict:
    bad, wrong = [r.error for r in replies if r.error], [r.wrong for r in replies if r.wrong]
    return {"errors": len(bad), "wrong_text": len(wrong)} | ({"first_error": (bad + wrong)[0]} if bad or wrong else {})


def emit(a, scenario: str, **kw):
    print(json.dumps({"scenario": scenario, "label": a.label, **kw}), file=a.out_file, flush=True)


async def pool(concurrency: int, jobs: int, work, deadline: float, stagger: float = 0):
    """`work(i)` for i in 0..jobs-1, `concurrency` at a time, none started after the deadline;
    the workers' first starts are spread over `stagger` seconds."""
    it, out = iter(range(jobs)), []

    async def worker(k):
        await asyncio.sleep(stagger * k / concurrency)
        for i in it:
            if clock() > deadline:
                return
            out.append(await work(i))

    await asyncio.gather(*(worker(k) for k in range(min(concurrency, jobs))))
    return out


async def grow(a, cl: Client, tid: str | None, have: int, size: int) -> tuple[str, int]:
    """Turns on one thread until it holds `size` items (user + assistant per turn)."""
    end = clock() + a.max_seconds
    while have < size:
        r = await cl.call(add(tid, directive(1)) if tid else create(directive(1)))
        if r.error:
            raise RuntimeError(f"growing the thread failed at {have} items: {r.error}")
        tid = tid or thread_of(r)
        have += sum(1 for e in parsed(r) if e.get("type") == "thread.item.done")
        if clock() > end:
            raise RuntimeError(f"growing the thread stopped at {have} items: out of time")
    return tid, have


async def repeat(cl, obj, times_: int):
    return [await cl.call(obj) for _ in range(times_)]
