"""Load harness for any ChatKit server: speaks only POST <url> with ChatKit JSON and reads SSE.

    python chatkit_load.py turn       --url http://127.0.0.1:8001/chatkit --concurrency 10 --turns 100 --n 500
    python chatkit_load.py longthread --url ... --sizes 10,100,1000
    python chatkit_load.py history    --url ... --sizes 100,10000
    python chatkit_load.py action     --url ... --tool show_city_selector --type city_selected --payload '{"city_label":"Oslo"}'
    python chatkit_load.py idle       --url ... --concurrency 500 --rate 5 --seconds 20
    python chatkit_load.py interfere  --url ... --size 1000 --concurrency 4 --seconds 15

One JSON line per measurement on stdout.  --pid gives the server's process id (CPU and RSS of
it and its children are read from /proc); --stub-pid the LLM stub's.  The user messages carry
llm_stub.py's directives, so the server's model must be the stub.  "deltas" are the model's, not
the server's events: a server that merges them is counted fairly, and every turn's text is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from accounting import Window, rss_mb
from load_tools import (
    add,
    check_turn,
    create,
    directive,
    dist,
    emit,
    errors,
    grow,
    parsed,
    pool,
    thread_of,
    times,
)
from reading_load import history, longthread
from sse_client import Client, clock


async def turn(a, cl: Client):
    """T new threads of one turn each, C at a time."""
    text = directive(a.n, a.rate, a.ts, a.tool)

    async def one(_):
        r = await cl.call(create(text))
        check_turn(r, a.n, a.ts)
        r.text = r.other = ()
        return r

    await pool(a.concurrency, min(a.concurrency, a.warmup), one, clock() + a.max_seconds)
    w = Window(a)
    rs = await pool(a.concurrency, a.turns, one, clock() + a.max_seconds, a.n / a.rate if a.rate else 0)
    use = w.end()
    tokens = a.n * sum(1 for r in rs if not r.error)  # of the model's, however the server cut them
    events = sum(r.events for r in rs)
    extra = {}
    if a.pid and tokens:
        extra = {
            "cpu_us_per_delta": round(use["server_cpu_s"] / tokens * 1e6, 2),
            "cpu_ms_per_turn": round(use["server_cpu_s"] / len(rs) * 1e3, 3),
            "rss_mb": rss_mb(a.pid),
        }
    emit(
        a,
        "turn",
        concurrency=a.concurrency,
        turns=len(rs),
        n=a.n,
        rate=a.rate,
        tool=a.tool,
        **errors(rs),
        **times(rs),
        events=events,
        events_per_s=round(events / use["wall_s"]),
        deltas_per_s=round(tokens / use["wall_s"]),
        delta_events=sum(r.delta_events for r in rs),
        bytes=sum(r.nbytes for r in rs),
        bytes_per_delta=round(sum(r.nbytes for r in rs) / max(tokens, 1), 1),
        transit_ms=dist([t for r in rs for t in r.transit], 1e-3),
        **extra,
        **use,
    )


async def action(a, cl: Client):
    """One turn that should leave a widget in the thread, then T custom actions on it."""
    r = await cl.call(create(directive(5, tool=a.tool)))
    check_turn(r, None)
    tid = thread_of(r)
    widgets = [
        e["item"]["id"] for e in parsed(r) if e.get("type") == "thread.item.done" and e["item"].get("type") == "widget"
    ]
    kind = "threads.sync_custom_action" if a.sync else "threads.custom_action"
    params = {"thread_id": tid, "action": {"type": a.type, "payload": json.loads(a.payload)}}
    if widgets:
        params["item_id"] = widgets[-1]
    w = Window(a)
    rs = await pool(
        a.concurrency, a.turns, lambda _: cl.call({"type": kind, "params": params}), clock() + a.max_seconds
    )
    use = w.end()
    for x in rs:
        if bad := [e for e in parsed(x) if e.get("type") == "error"]:
            x.error = x.error or f"error event: {bad[0]}"
    kinds = sorted({e.get("type", "?") for x in rs[:1] for e in parsed(x)})
    extra = {"cpu_ms_per_op": round(use["server_cpu_s"] / len(rs) * 1e3, 2)} if a.pid else {}
    emit(
        a,
        "action",
        widget=bool(widgets),
        first=errors([r]),
        concurrency=a.concurrency,
        turns=len(rs),
        **errors(rs),
        **times(rs),
        events=kinds,
        **extra,
        **use,
    )


async def idle(a, cl: Client):
    """C slow streams, all open at once; steady-state CPU, RSS and pacing."""
    n = max(1, int(a.rate * (a.seconds + 2 * a.ramp)))
    base = rss_mb(a.pid)

    async def one(i):
        await asyncio.sleep(a.ramp * i / a.concurrency)
        r = await cl.call(create(directive(n, a.rate, ts=True)))
        check_turn(r, None, stamped=True)
        r.text = ()
        return r

    tasks = [asyncio.ensure_future(one(i)) for i in range(a.concurrency)]
    await asyncio.sleep(a.ramp * 1.5)
    w, t1, samples = Window(a), clock(), []
    while clock() < t1 + a.seconds and not all(t.done() for t in tasks):
        await asyncio.sleep(0.5)
        samples.append(rss_mb(a.pid))
    t2, use = clock(), w.end()
    rs = await asyncio.gather(*tasks)
    inside, gaps, seen = [], [], 0
    for r in rs:
        ts = [t for t in r.arrivals if t1 <= t <= t2]
        seen += len(ts)
        gaps += [abs((y - x) - 1 / a.rate) for x, y in zip(ts, ts[1:])]
        inside += [us for us, t in zip(r.transit, r.arrivals) if t1 <= t <= t2]
    extra = {}
    if a.pid:
        peak = max(samples)
        extra = {
            "rss_idle_mb": base,
            "rss_peak_mb": peak,
            "rss_kb_per_stream": round((peak - base) * 1e3 / a.concurrency, 1),
            "cpu_us_per_delta": round(use["server_cpu_s"] / max(seen, 1) * 1e6, 1),
            "cpu_pct_per_stream": round(use["server_cpu"] / a.concurrency * 100, 3),
        }
    emit(
        a,
        "idle",
        concurrency=a.concurrency,
        rate=a.rate,
        **errors(rs),
        deltas=seen,
        deltas_per_s=round(seen / (t2 - t1)),
        ttfd_ms=times(rs)["ttfd_ms"],
        jitter_ms=dist(gaps),
        transit_ms=dist(inside, 1e-3),
        **extra,
        **use,
    )


async def interfere(a, cl: Client):
    """Light users' turns, paced open-loop, without and then with one user hammering a long thread."""
    tid, have = await grow(a, cl, None, 0, a.size)

    async def light(stop):
        out, tasks, t = [], [], clock()
        while t < stop:

            async def one():
                r = await cl.call(create(directive(10, 20, ts=True)))
                check_turn(r, None, stamped=True)
                out.append(r)

            tasks.append(asyncio.ensure_future(one()))
            t += 1 / a.rate
            await asyncio.sleep(max(0, t - clock()))
        await asyncio.gather(*tasks)
        return out

    async def heavy(stop, obj):
        out = []
        while clock() < stop:
            out.append(await cl.call(obj() if callable(obj) else obj))
        return out

    ops = {
        "quiet": None,
        "turn": lambda: add(tid, directive(1)),
        "get_by_id": {"type": "threads.get_by_id", "params": {"thread_id": tid}},
        "items_list_1000": {"type": "items.list", "params": {"thread_id": tid, "limit": 1000, "order": "asc"}},
    }
    for name, obj in ops.items():
        w, stop = Window(a), clock() + a.seconds
        if obj is None:
            rs, hs = await light(stop), []
        else:
            got = await asyncio.gather(light(stop), *(heavy(stop, obj) for _ in range(a.concurrency)))
            rs, hs = got[0], [h for g in got[1:] for h in g]
        use = w.end()
        emit(
            a,
            "interfere",
            heavy=name,
            items=have,
            heavy_users=a.concurrency if obj else 0,
            light_rate=a.rate,
            **errors(rs),
            ttfe_ms=times(rs)["ttfe_ms"],
            ttfd_ms=times(rs)["ttfd_ms"],
            transit_ms=dist([t for r in rs for t in r.transit], 1e-3),
            heavy_total_ms=times(hs)["total_ms"],
            heavy_errors=errors(hs)["errors"],
            **use,
        )


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    sub = ap.add_subparsers(dest="scenario", required=True)

    def scenario(fn, **defaults):
        p = sub.add_parser(fn.__name__, help=(fn.__doc__ or "").split("\n")[0])
        p.set_defaults(fn=fn)
        p.add_argument("--url", required=True)
        p.add_argument("--label", default="")
        p.add_argument("--pid", type=int)
        p.add_argument("--stub-pid", type=int)
        p.add_argument(
            "--header", action="append", default=[], help="extra request header, e.g. 'Authorization: Bearer x'"
        )
        p.add_argument("--timeout", type=float, default=60)
        p.add_argument("--max-seconds", type=float, default=120, help="start nothing new after this long")
        p.add_argument("--out", help="append the JSON lines here too")
        for k, v in defaults.items():
            how = {"action": "store_true"} if v is False else {"type": type(v) if v is not None else str}
            p.add_argument("--" + k.replace("_", "-"), default=v, **how)
        return p

    scenario(turn, concurrency=1, turns=50, n=500, rate=0.0, ts=False, tool=None, warmup=4)
    scenario(longthread, sizes="10,100,1000", n=10, repeats=10)
    scenario(history, sizes="100,10000", repeats=20)
    scenario(action, concurrency=1, turns=50, type="", payload="{}", tool=None, sync=False)
    scenario(idle, concurrency=500, rate=5.0, seconds=20.0, ramp=4.0)
    scenario(interfere, size=1000, concurrency=1, rate=10.0, seconds=15.0)
    a = ap.parse_args()

    class Tee:
        files = [sys.stdout] + ([open(a.out, "a")] if a.out else [])

        def write(self, s):
            [f.write(s) for f in self.files]

        def flush(self):
            [f.flush() for f in self.files]

    a.out_file = Tee()
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    asyncio.run(a.fn(a, Client(a.url, a.header, a.timeout)))


if __name__ == "__main__":
    main()
