"""Scenarios for reads: a thread and a list of threads that grow."""

from __future__ import annotations

import json

from accounting import UsageWindow, rss_mb
from load_tools import (
    add_message,
    check_turn,
    count_errors,
    create_thread,
    directive,
    grow_thread,
    print_result,
    repeat,
    run_pool,
    timings,
)
from sse_client import Client, Reply, clock


async def longthread(args, client: Client):
    """Turns and reads on a thread that grows to each of the sizes."""
    thread_id, item_count = None, 0
    for size in map(int, args.sizes.split(",")):
        window = UsageWindow(args)
        thread_id, item_count = await grow_thread(args, client, thread_id, item_count, size)
        growth = window.end()
        for op in ("turn", "get_by_id", "items_20", "items_walk"):
            window = UsageWindow(args)
            seen = 0
            if op == "turn":
                replies = await repeat(client, add_message(thread_id, directive(args.n)), args.repeats)
                for reply in replies:
                    check_turn(reply, args.n)
            elif op in ("get_by_id", "items_20"):
                replies = await repeat(client, read_requests(thread_id)[op], args.repeats)
            else:
                replies, seen = await walk_items(client, thread_id)
            usage = window.end()
            extra = {}
            if op == "items_walk":
                extra = {"pages": len(replies), "items_seen": seen, "walk_ms": round(usage["wall_s"] * 1e3, 1)}
            print_reads(args, "longthread", replies, usage, op=op, items=item_count, **extra)
            if op == "turn":
                item_count += 2 * args.repeats
        print_result(
            args,
            "longthread",
            op="growth",
            items=item_count,
            wall_s=growth["wall_s"],
            server_cpu_s=growth.get("server_cpu_s"),
        )


def print_reads(args, scenario, replies: list[Reply], usage, **fields):
    """Print the measurement of one kind of request, with its processor time if the server's process is known."""
    if args.pid:
        fields["cpu_ms_per_op"] = round(usage["server_cpu_s"] / len(replies) * 1e3, 2)
    print_result(
        args,
        scenario,
        **count_errors(replies),
        **timings(replies),
        bytes=replies[-1].nbytes,
        **fields,
        others_cpu=usage["others_cpu"],
    )


async def walk_items(client: Client, thread_id: str) -> tuple[list[Reply], int]:
    """Read a whole thread in pages of 100 items; return the replies and the number of items."""
    replies, after, seen = [], None, 0
    for _ in range(200):
        params = {"thread_id": thread_id, "limit": 100, "order": "asc", "after": after}
        reply = await client.call({"type": "items.list", "params": params})
        replies.append(reply)
        page = json.loads(reply.body) if not reply.error else {}
        seen += len(page.get("data", []))
        after = page.get("after")
        if not page.get("has_more"):
            break
    return replies, seen


async def walk_threads(client: Client) -> list[Reply]:
    """Read 50 pages of 20 threads, and return the replies."""
    replies, after = [], None
    for _ in range(50):
        params = {"limit": 20, "order": "desc", "after": after}
        reply = await client.call({"type": "threads.list", "params": params})
        replies.append(reply)
        page = json.loads(reply.body) if not reply.error else {}
        after = page.get("after")
        if not page.get("has_more"):
            break
    return replies


def read_requests(thread_id: str) -> dict[str, dict]:
    """Return the requests of a client that opens a list of threads, and one of them."""
    return {
        "get_by_id": {"type": "threads.get_by_id", "params": {"thread_id": thread_id}},
        "items_20": {"type": "items.list", "params": {"thread_id": thread_id, "limit": 20, "order": "desc"}},
        "list_20": {"type": "threads.list", "params": {"limit": 20, "order": "desc"}},
        "list_100": {"type": "threads.list", "params": {"limit": 100, "order": "desc"}},
    }


async def history(args, client: Client):
    """Reads while the number of threads grows to each of the sizes."""

    async def add_thread(_):
        reply = await client.call(create_thread(directive(1)))
        reply.text = reply.other = ()
        return reply

    thread_count = 0
    for size in map(int, args.sizes.split(",")):
        window = UsageWindow(args)
        replies = await run_pool(8, size - thread_count, add_thread, clock() + args.max_seconds)
        growth = window.end()
        thread_count += sum(1 for reply in replies if not reply.error)
        if thread_count < size:
            print_result(
                args,
                "history",
                op="growth",
                threads=thread_count,
                **count_errors(replies),
                note="out of time or failed",
            )
        thread_id, _ = await grow_thread(args, client, None, 0, 40)
        for op, request in read_requests(thread_id).items():
            window = UsageWindow(args)
            replies = await repeat(client, request, args.repeats)
            usage = window.end()
            print_reads(args, "history", replies, usage, op=op, threads=thread_count)
        window = UsageWindow(args)
        replies = await walk_threads(client)
        usage = window.end()
        extra = {"cpu_ms_per_op": round(usage["server_cpu_s"] / len(replies) * 1e3, 2)} if args.pid else {}
        print_result(
            args,
            "history",
            op="walk_20",
            threads=thread_count,
            pages=len(replies),
            **count_errors(replies),
            **timings(replies),
            **extra,
        )
        print_result(
            args,
            "history",
            op="growth",
            threads=thread_count,
            wall_s=growth["wall_s"],
            server_cpu_s=growth.get("server_cpu_s"),
            rss_mb=rss_mb(args.pid),
        )
