"""Tools for the scenarios of `chatkit_load.py`: ChatKit requests, checks of answers, and statistics."""

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
    """Return a message text that tells `llm_stub.py` how to answer."""
    return f"bench n={n} rate={rate:g}" + (" ts=1" if ts else "") + (f" tool={tool}" if tool else "") + " ok"


def create_thread(text: str) -> dict:
    return {"type": "threads.create", "params": {"input": user_input(text)}, "metadata": {}}


def add_message(thread_id: str, text: str) -> dict:
    return {
        "type": "threads.add_user_message",
        "params": {"input": user_input(text), "thread_id": thread_id},
        "metadata": {},
    }


# ---------------------------------------------------------------- Answers


def parse_events(reply: Reply) -> list[dict]:
    """Return the events of an answer, without text deltas."""
    return [json.loads(event[event.index(b"{") :]) for event in reply.other if b"{" in event]


def created_thread_id(reply: Reply) -> str | None:
    return next((e["thread"]["id"] for e in parse_events(reply) if e.get("type") == "thread.created"), None)


def check_turn(reply: Reply, n: int | None, stamped=False) -> None:
    """Set `error` if the turn failed, or `wrong` if its text differs from what the model sent.

    The streamed text must also equal the text of the final item. Stamped deltas are not compared, since the model
    repeats them without stamps at its end.
    """
    if reply.error:
        return
    events = parse_events(reply)
    if failures := [event for event in events if event.get("type") == "error"]:
        reply.error = f"error event: {failures[0]}"
        return
    messages = [
        event["item"]
        for event in events
        if event.get("type") == "thread.item.done" and event["item"].get("type") == "assistant_message"
    ]
    if not messages:
        reply.error = "no finished assistant message"
    elif n is not None and not stamped:
        final = "".join(part.get("text", "") for message in messages for part in message.get("content", []))
        if reply.chars != n * TOKEN_CHARS:
            reply.wrong = f"streamed {reply.chars} chars, not {n * TOKEN_CHARS}"
        elif b"".join(reply.text).decode() != final:
            reply.wrong = f"the final text ({len(final)} chars) is not the streamed one"


# ---------------------------------------------------------------- Statistics


def distribution(values, scale=1000.0, digits=2) -> dict | None:
    """Return quantiles, mean and count of the values that are not None, scaled; None without any."""
    values = sorted(value * scale for value in values if value is not None)
    if not values:
        return None
    quantile = lambda q: round(values[min(len(values) - 1, int(q * len(values)))], digits)
    return {
        "p50": quantile(0.5),
        "p90": quantile(0.9),
        "p99": quantile(0.99),
        "max": round(values[-1], digits),
        "mean": round(statistics.fmean(values), digits),
        "n": len(values),
    }


def timings(replies: list[Reply]) -> dict:
    """Return the times to the first event, the first delta and the end of the answers without errors."""
    ok = [reply for reply in replies if not reply.error]
    return {
        "ttfe_ms": distribution([reply.t_event - reply.t0 for reply in ok if reply.t_event]),
        "ttfd_ms": distribution([reply.t_delta - reply.t0 for reply in ok if reply.t_delta]),
        "total_ms": distribution([reply.t_end - reply.t0 for reply in ok]),
    }


def count_errors(replies: list[Reply]) -> dict:
    """Return the numbers of failed answers and of wrong texts, and the first message, if any."""
    failed = [reply.error for reply in replies if reply.error]
    wrong = [reply.wrong for reply in replies if reply.wrong]
    counts = {"errors": len(failed), "wrong_text": len(wrong)}
    return counts | ({"first_error": (failed + wrong)[0]} if failed or wrong else {})


def print_result(args, scenario: str, **figures):
    """Print one line of JSON."""
    print(json.dumps({"scenario": scenario, "label": args.label, **figures}), file=args.out_file, flush=True)


# ---------------------------------------------------------------- Load


async def run_pool(concurrency: int, jobs: int, work, deadline: float, stagger: float = 0):
    """Run `work(i)` for i in 0..jobs-1, `concurrency` at a time, and return the results.

    No job starts after the deadline. The first jobs of the workers are spread over `stagger` seconds.
    """
    job_numbers, results = iter(range(jobs)), []

    async def worker(number):
        await asyncio.sleep(stagger * number / concurrency)
        for i in job_numbers:
            if clock() > deadline:
                return
            results.append(await work(i))

    await asyncio.gather(*(worker(number) for number in range(min(concurrency, jobs))))
    return results


async def grow_thread(
    args, client: Client, thread_id: str | None, item_count: int, size: int
) -> tuple[str | None, int]:
    """Send messages to a thread until it has `size` items; return its id and the number of its items."""
    end = clock() + args.max_seconds
    while item_count < size:
        text = directive(1)
        reply = await client.call(add_message(thread_id, text) if thread_id else create_thread(text))
        if reply.error:
            raise RuntimeError(f"growing the thread failed at {item_count} items: {reply.error}")
        thread_id = thread_id or created_thread_id(reply)
        item_count += sum(1 for event in parse_events(reply) if event.get("type") == "thread.item.done")
        if clock() > end:
            raise RuntimeError(f"growing the thread stopped at {item_count} items: out of time")
    return thread_id, item_count


async def repeat(client, request, count: int):
    """Send a request several times, one after the other, and return the replies."""
    return [await client.call(request) for _ in range(count)]
