"""Scenarios that read: a thread that grows long, and a list of threads that does."""

from __future__ import annotations

import json

from accounting import Window, rss_mb
from load_tools import add, check_turn, create, directive, emit, errors, grow, pool, repeat, times
from sse_client import Client, clock


async def longthread(a, cl: Client):
    tid, have = None, 0
    for size in map(int, a.sizes.split(",")):
        w = Window(a)
        tid, have = await grow(a, cl, tid, have, size)
        growth = w.end()
        for op in ("turn", "get_by_id", "items_20", "items_walk"):
            w = Window(a)
            if op == "turn":
                rs = await repeat(cl, add(tid, directive(a.n)), a.repeats)
                for r in rs:
                    check_turn(r, a.n)
            elif op in ("get_by_id", "items_20"):
                rs = await repeat(cl, reads_of(tid)[op], a.repeats)
            else:  # the whole thread, page by page of 100
                rs, after, seen = [], None, 0
                for _ in range(200):
                    r = await cl.call(
                        {
                            "type": "items.list",
                            "params": {"thread_id": tid, "limit": 100, "order": "asc", "after": after},
                        }
                    )
                    rs.append(r)
                    page = json.loads(r.body) if not r.error else {}
                    seen += len(page.get("data", []))
                    after = page.get("after")
                    if not page.get("has_more"):
                        break
            use = w.end()
            extra = (
                {}
                if op != "items_walk"
                else {"pages": len(rs), "items_seen": seen, "walk_ms": round(use["wall_s"] * 1e3, 1)}
            )
            if a.pid:
                extra["cpu_ms_per_op"] = round(use["server_cpu_s"] / len(rs) * 1e3, 2)
            emit(
                a,
                "longthread",
                op=op,
                items=have,
                **errors(rs),
                **times(rs),
                bytes=rs[-1].nbytes,
                **extra,
                **{k: use[k] for k in ("others_cpu",)},
            )
            if op == "turn":
                have += 2 * a.repeats
        emit(a, "longthread", op="growth", items=have, wall_s=growth["wall_s"], server_cpu_s=growth.get("server_cpu_s"))


def reads_of(tid: str) -> dict[str, dict]:
    """Return the requests of a client that opens a list of threads, and one of them."""
    return {
        "get_by_id": {"type": "threads.get_by_id", "params": {"thread_id": tid}},
        "items_20": {"type": "items.list", "params": {"thread_id": tid, "limit": 20, "order": "desc"}},
        "list_20": {"type": "threads.list", "params": {"limit": 20, "order": "desc"}},
        "list_100": {"type": "threads.list", "params": {"limit": 100, "order": "desc"}},
    }


async def history(a, cl: Client):
    have = 0
    for size in map(int, a.sizes.split(",")):
        w = Window(a)

        async def one(_):
            r = await cl.call(create(directive(1)))
            r.text = r.other = ()
            return r

        rs = await pool(8, size - have, one, clock() + a.max_seconds)
        growth = w.end()
        have += sum(1 for r in rs if not r.error)
        if have < size:
            emit(a, "history", op="growth", threads=have, **errors(rs), note="out of time or failed")
        tid, _ = await grow(a, cl, None, 0, 40)
        for op, request in reads_of(tid).items():
            w = Window(a)
            rs = await repeat(cl, request, a.repeats)
            use = w.end()
            extra = {"cpu_ms_per_op": round(use["server_cpu_s"] / len(rs) * 1e3, 2)} if a.pid else {}
            emit(a, "history", op=op, threads=have, **errors(rs), **times(rs), bytes=rs[-1].nbytes, **extra)
        w, after, pages = Window(a), None, []
        for _ in range(50):  # 50 pages deep
            r = await cl.call({"type": "threads.list", "params": {"limit": 20, "order": "desc", "after": after}})
            pages.append(r)
            page = json.loads(r.body) if not r.error else {}
            after = page.get("after")
            if not page.get("has_more"):
                break
        use = w.end()
        extra = {"cpu_ms_per_op": round(use["server_cpu_s"] / len(pages) * 1e3, 2)} if a.pid else {}
        emit(a, "history", op="walk_20", threads=have, pages=len(pages), **errors(pages), **times(pages), **extra)
        emit(
            a,
            "history",
            op="growth",
            threads=have,
            wall_s=growth["wall_s"],
            server_cpu_s=growth.get("server_cpu_s"),
            rss_mb=rss_mb(a.pid),
        )
