"""Load harness for any ChatKit server: sends ChatKit requests by POST to a URL and reads server-sent events.

    python chatkit_load.py turn       --url http://127.0.0.1:8001/chatkit --concurrency 10 --turns 100 --n 500
    python chatkit_load.py longthread --url ... --sizes 10,100,1000
    python chatkit_load.py history    --url ... --sizes 100,10000
    python chatkit_load.py action     --url ... --tool show_city_selector --type city_selected --payload '{"city_label":"Oslo"}'
    python chatkit_load.py idle       --url ... --concurrency 500 --rate 5 --seconds 20
    python chatkit_load.py interfere  --url ... --size 1000 --concurrency 4 --seconds 15

It prints one line of JSON per measurement. --pid is the process id of the server, whose CPU and memory are then read
from /proc, with those of its children; --stub-pid is that of the LLM stub. The user messages contain the directives of
llm_stub.py, which must be the server's model. "deltas" are those of the model rather than the server's events, so that
a server that merges them is counted fairly; the text of every turn is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from accounting import UsageWindow, rss_mb
from load_tools import (
    add_message,
    check_turn,
    count_errors,
    create_thread,
    created_thread_id,
    directive,
    distribution,
    grow_thread,
    parse_events,
    print_result,
    run_pool,
    timings,
)
from reading_load import history, longthread
from sse_client import Client, clock


async def turn(args, client: Client):
    """New threads of one turn each, several at a time."""
    text = directive(args.n, args.rate, args.ts, args.tool)

    async def run_turn(_):
        reply = await client.call(create_thread(text))
        check_turn(reply, args.n, args.ts)
        reply.text = reply.other = ()
        return reply

    await run_pool(args.concurrency, min(args.concurrency, args.warmup), run_turn, clock() + args.max_seconds)
    window = UsageWindow(args)
    stagger = args.n / args.rate if args.rate else 0
    replies = await run_pool(args.concurrency, args.turns, run_turn, clock() + args.max_seconds, stagger)
    usage = window.end()
    tokens = args.n * sum(
        1 for reply in replies if not reply.error
    )  # the model's deltas, however the server merged them
    events = sum(reply.events for reply in replies)
    extra = {}
    if args.pid and tokens:
        extra = {
            "cpu_us_per_delta": round(usage["server_cpu_s"] / tokens * 1e6, 2),
            "cpu_ms_per_turn": round(usage["server_cpu_s"] / len(replies) * 1e3, 3),
            "rss_mb": rss_mb(args.pid),
        }
    print_result(
        args,
        "turn",
        concurrency=args.concurrency,
        turns=len(replies),
        n=args.n,
        rate=args.rate,
        tool=args.tool,
        **count_errors(replies),
        **timings(replies),
        events=events,
        events_per_s=round(events / usage["wall_s"]),
        deltas_per_s=round(tokens / usage["wall_s"]),
        delta_events=sum(reply.delta_events for reply in replies),
        bytes=sum(reply.nbytes for reply in replies),
        bytes_per_delta=round(sum(reply.nbytes for reply in replies) / max(tokens, 1), 1),
        transit_ms=distribution([t for reply in replies for t in reply.transit], 1e-3),
        **extra,
        **usage,
    )


async def action(args, client: Client):
    """One turn that should leave a widget in the thread, then custom actions of that widget."""
    reply = await client.call(create_thread(directive(5, tool=args.tool)))
    check_turn(reply, None)
    thread_id = created_thread_id(reply)
    widgets = [
        e["item"]["id"]
        for e in parse_events(reply)
        if e.get("type") == "thread.item.done" and e["item"].get("type") == "widget"
    ]
    kind = "threads.sync_custom_action" if args.sync else "threads.custom_action"
    params = {"thread_id": thread_id, "action": {"type": args.type, "payload": json.loads(args.payload)}}
    if widgets:
        params["item_id"] = widgets[-1]
    window = UsageWindow(args)
    replies = await run_pool(
        args.concurrency,
        args.turns,
        lambda _: client.call({"type": kind, "params": params}),
        clock() + args.max_seconds,
    )
    usage = window.end()
    for result in replies:
        if failures := [event for event in parse_events(result) if event.get("type") == "error"]:
            result.error = result.error or f"error event: {failures[0]}"
    kinds = sorted({event.get("type", "?") for result in replies[:1] for event in parse_events(result)})
    extra = {"cpu_ms_per_op": round(usage["server_cpu_s"] / len(replies) * 1e3, 2)} if args.pid else {}
    print_result(
        args,
        "action",
        widget=bool(widgets),
        first=count_errors([reply]),
        concurrency=args.concurrency,
        turns=len(replies),
        **count_errors(replies),
        **timings(replies),
        events=kinds,
        **extra,
        **usage,
    )


async def idle(args, client: Client):
    """Slow streams, all open at once: steady-state CPU, memory and pacing."""
    n = max(1, int(args.rate * (args.seconds + 2 * args.ramp)))
    base = rss_mb(args.pid)

    async def run_stream(i):
        await asyncio.sleep(args.ramp * i / args.concurrency)
        reply = await client.call(create_thread(directive(n, args.rate, ts=True)))
        check_turn(reply, None, stamped=True)
        reply.text = ()
        return reply

    tasks = [asyncio.ensure_future(run_stream(i)) for i in range(args.concurrency)]
    await asyncio.sleep(args.ramp * 1.5)
    window, start, samples = UsageWindow(args), clock(), []
    while clock() < start + args.seconds and not all(task.done() for task in tasks):
        await asyncio.sleep(0.5)
        samples.append(rss_mb(args.pid))
    end, usage = clock(), window.end()
    replies = await asyncio.gather(*tasks)
    transit_us, jitter, seen = [], [], 0
    for reply in replies:
        arrivals = [t for t in reply.arrivals if start <= t <= end]
        seen += len(arrivals)
        jitter += [abs((after - before) - 1 / args.rate) for before, after in zip(arrivals, arrivals[1:])]
        transit_us += [us for us, t in zip(reply.transit, reply.arrivals) if start <= t <= end]
    extra = {}
    if args.pid:
        peak = max(samples)
        extra = {
            "rss_idle_mb": base,
            "rss_peak_mb": peak,
            "rss_kb_per_stream": round((peak - base) * 1e3 / args.concurrency, 1),
            "cpu_us_per_delta": round(usage["server_cpu_s"] / max(seen, 1) * 1e6, 1),
            "cpu_pct_per_stream": round(usage["server_cpu"] / args.concurrency * 100, 3),
        }
    print_result(
        args,
        "idle",
        concurrency=args.concurrency,
        rate=args.rate,
        **count_errors(replies),
        deltas=seen,
        deltas_per_s=round(seen / (end - start)),
        ttfd_ms=timings(replies)["ttfd_ms"],
        jitter_ms=distribution(jitter),
        transit_ms=distribution(transit_us, 1e-3),
        **extra,
        **usage,
    )


async def interfere(args, client: Client):
    """Turns of light users at a fixed rate, without and then with heavy users on a long thread."""
    thread_id, item_count = await grow_thread(args, client, None, 0, args.size)

    async def run_turn():
        reply = await client.call(create_thread(directive(10, 20, ts=True)))
        check_turn(reply, None, stamped=True)
        return reply

    async def run_light_users(stop):
        tasks, due = [], clock()
        while due < stop:
            tasks.append(asyncio.ensure_future(run_turn()))
            due += 1 / args.rate
            await asyncio.sleep(max(0, due - clock()))
        return await asyncio.gather(*tasks)

    async def run_heavy_user(stop, request):
        replies = []
        while clock() < stop:
            replies.append(await client.call(request() if callable(request) else request))
        return replies

    requests = {
        "quiet": None,
        "turn": lambda: add_message(thread_id, directive(1)),
        "get_by_id": {"type": "threads.get_by_id", "params": {"thread_id": thread_id}},
        "items_list_1000": {"type": "items.list", "params": {"thread_id": thread_id, "limit": 1000, "order": "asc"}},
    }
    for name, request in requests.items():
        window, stop = UsageWindow(args), clock() + args.seconds
        if request is None:
            replies, heavy_replies = await run_light_users(stop), []
        else:
            heavy_users = [run_heavy_user(stop, request) for _ in range(args.concurrency)]
            replies, *lists = await asyncio.gather(run_light_users(stop), *heavy_users)
            heavy_replies = [reply for replies_of_user in lists for reply in replies_of_user]
        usage = window.end()
        print_result(
            args,
            "interfere",
            heavy=name,
            items=item_count,
            heavy_users=args.concurrency if request else 0,
            light_rate=args.rate,
            **count_errors(replies),
            ttfe_ms=timings(replies)["ttfe_ms"],
            ttfd_ms=timings(replies)["ttfd_ms"],
            transit_ms=distribution([t for reply in replies for t in reply.transit], 1e-3),
            heavy_total_ms=timings(heavy_replies)["total_ms"],
            heavy_errors=count_errors(heavy_replies)["errors"],
            **usage,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    subparsers = parser.add_subparsers(dest="scenario", required=True)

    def add_scenario(fn, **defaults):
        scenario = subparsers.add_parser(fn.__name__, help=(fn.__doc__ or "").split("\n")[0])
        scenario.set_defaults(fn=fn)
        scenario.add_argument("--url", required=True)
        scenario.add_argument("--label", default="")
        scenario.add_argument("--pid", type=int)
        scenario.add_argument("--stub-pid", type=int)
        scenario.add_argument(
            "--header", action="append", default=[], help="extra request header, e.g. 'Authorization: Bearer x'"
        )
        scenario.add_argument("--timeout", type=float, default=60)
        scenario.add_argument("--max-seconds", type=float, default=120, help="start nothing new after this long")
        scenario.add_argument("--out", help="append the JSON lines here too")
        for name, default in defaults.items():
            kind = {"action": "store_true"} if default is False else {"type": str if default is None else type(default)}
            scenario.add_argument("--" + name.replace("_", "-"), default=default, **kind)

    add_scenario(turn, concurrency=1, turns=50, n=500, rate=0.0, ts=False, tool=None, warmup=4)
    add_scenario(longthread, sizes="10,100,1000", n=10, repeats=10)
    add_scenario(history, sizes="100,10000", repeats=20)
    add_scenario(action, concurrency=1, turns=50, type="", payload="{}", tool=None, sync=False)
    add_scenario(idle, concurrency=500, rate=5.0, seconds=20.0, ramp=4.0)
    add_scenario(interfere, size=1000, concurrency=1, rate=10.0, seconds=15.0)
    args = parser.parse_args()

    class Tee:
        files = [sys.stdout] + ([open(args.out, "a")] if args.out else [])

        def write(self, s):
            [f.write(s) for f in self.files]

        def flush(self):
            [f.flush() for f in self.files]

    args.out_file = Tee()
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    asyncio.run(args.fn(args, Client(args.url, args.header, args.timeout)))


if __name__ == "__main__":
    main()
