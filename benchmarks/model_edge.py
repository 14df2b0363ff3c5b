"""The cost of turning a provider's bytes into an agent's updates: our clients, and the framework's on OpenAI's SDK.

Run `python benchmarks/model_edge.py`. All clients are measured in the same run, in turn, and the figures are medians of
the rounds; the last columns are the ratios to our clients. CPU time is that of this process; the model is another
process that sends made-up deltas. `--with aiohttp` adds our clients over aiohttp's connections.

- burst: the whole answer at once, so that one read contains hundreds of deltas;
- paced: many concurrent answers whose deltas arrive one by one, as from a real model;
- shown: the same when a plain call shows each delta (ADR 0013), which the framework's clients do not support;
- history: a short answer to a thread of 400 messages, which is the cost of the request;
- kept: memory per delta until the answer ends.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agent_framework import Agent, BaseChatClient, Message
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from openai import AsyncOpenAI

from chat_clients.http.provider_connection import (
    IDLE_CONNECTION_S,
    MAX_CONNECTIONS,
    MAX_IDLE_CONNECTIONS,
    ProviderConnection,
)
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from framework.text_updates import TEXT_SINK_KWARG

ROUNDS = 5
BURST_DELTAS = 2000
PACED_DELTAS = 100
PACED_STREAMS = 40
PACE_S = 0.05
HISTORY_MESSAGES = 400
WORD = "token "


def responses_events(count: int) -> list[bytes]:
    """Return the encoded events of a response with `count` deltas."""
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    text = WORD * count
    part = {"type": "output_text", "text": text, "annotations": []}
    response = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "parallel_tool_calls": True,
        "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None, "metadata": {},
    }  # fmt: skip
    usage = {"input_tokens": 3, "output_tokens": count, "total_tokens": count + 3}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": {**response, "status": "in_progress", "output": []}}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "content": []}}),
        *(("response.output_text.delta", {**place, "delta": WORD, "logprobs": []}) for _ in range(count)),
        ("response.output_text.done", {**place, "text": text, "logprobs": []}),
        ("response.output_item.done", {"output_index": 0, "item": {**item, "content": [part]}}),
        (
            "response.completed",
            {"response": {**response, "status": "completed", "usage": usage, "output": [{**item, "content": [part]}]}},
        ),
    ]
    return [
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': at, **more})}\n\n".encode()
        for at, (kind, more) in enumerate(events)
    ]


def completions_events(count: int) -> list[bytes]:
    """Return the encoded chunks of a chat completion with `count` deltas."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    usage = {"prompt_tokens": 3, "completion_tokens": count, "total_tokens": count + 3}
    chunks = [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": WORD}) for _ in range(count)),
        chunk({}, "stop"),
        {**head, "choices": [], "usage": usage},
    ]
    return [*(f"data: {json.dumps(piece)}\n\n".encode() for piece in chunks), b"data: [DONE]\n\n"]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests; the name of the model is the number of deltas and the seconds between them."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
            count, pace_s = body["model"].split("/")
            events = (responses_events if b"/responses" in head else completions_events)(int(count))
            chunks = [b"%x\r\n%s\r\n" % (len(event), event) for event in events]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            if pace := float(pace_s):
                for chunk in chunks:
                    writer.write(chunk)
                    await asyncio.sleep(pace)
            else:
                writer.write(b"".join(chunks))
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _run_model(port: Any) -> None:
    async def serve() -> None:
        server = await asyncio.start_server(_serve, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


Client = BaseChatClient[Any]
Clients = dict[str, dict[str, Client]]


def build_clients(base_url: str, *, with_aiohttp: bool = False) -> tuple[Clients, Callable[[], Awaitable[None]]]:
    """Return the framework's client and ours for each protocol, and a function that closes them."""
    sdk = AsyncOpenAI(api_key="none", base_url=base_url)
    connections = {"ours": ProviderConnection(base_url)}
    if with_aiohttp:
        from aiohttp_transport import AiohttpTransport

        transport = AiohttpTransport(
            max_connections=MAX_CONNECTIONS, max_idle=MAX_IDLE_CONNECTIONS, idle_s=IDLE_CONNECTION_S
        )
        connections["aiohttp"] = ProviderConnection(base_url, transport=transport)
    clients: Clients = {
        "responses": {"SDK": OpenAIChatClient(model="m", async_client=sdk)},
        "completions": {"SDK": OpenAIChatCompletionClient(model="m", async_client=sdk)},
    }
    for name, connection in connections.items():
        clients["responses"][name] = ResponsesChatClient(connection=connection, model="m", path="/responses")
        clients["completions"][name] = CompletionsChatClient(connection=connection, model="m", path="/chat/completions")

    async def close() -> None:
        await sdk.close()
        for connection in connections.values():
            await connection.close()

    return clients, close


async def answer(client: Client, model: str, messages: Any = "Hello", **more: Any) -> int:
    """Run an agent, check its answer, and return the number of updates."""
    options: Mapping[str, Any] = {"model": model, "store": False}
    updates = 0
    async with Agent(client, "Be short.").run(messages, stream=True, options=options, **more) as stream:
        async for _ in stream:
            updates += 1
    count = int(model.split("/")[0])
    text = (await stream.get_final_response()).text
    if text != WORD * count:
        raise SystemExit(f"wrong text: {len(text)} characters instead of {len(WORD * count)}")
    return updates


async def burst(client: Client) -> float:
    """Return microseconds of CPU per delta of an answer that arrives at once."""
    started = time.process_time()
    await answer(client, f"{BURST_DELTAS}/0")
    return (time.process_time() - started) / BURST_DELTAS * 1e6


async def paced(client: Client, **more: Any) -> float:
    """Return microseconds of CPU per delta of answers whose deltas arrive one by one, without the cost per answer."""

    async def run(count: int) -> float:
        started = time.process_time()
        async with asyncio.TaskGroup() as group:
            for at in range(PACED_STREAMS):
                group.create_task(answer(client, f"{count}/{PACE_S}", **more))
                await asyncio.sleep(PACE_S / PACED_STREAMS * (1 + at % 2))
        return time.process_time() - started

    short = await run(1)
    return (await run(1 + PACED_DELTAS) - short) / (PACED_DELTAS * PACED_STREAMS) * 1e6


async def shown(client: Client) -> float | None:
    """Return `paced` for answers whose deltas a plain call shows; None for a client that does not support it."""
    if not getattr(client, "takes_text_sink", False):
        return None
    return await paced(client, client_kwargs={TEXT_SINK_KWARG: lambda text, message_id: True})


async def history(client: Client) -> float:
    """Return milliseconds of CPU of a short answer to a long thread."""
    messages = [Message("user" if at % 2 == 0 else "assistant", [WORD * 20]) for at in range(HISTORY_MESSAGES)]
    started = time.process_time()
    await answer(client, "1/0", messages)
    return (time.process_time() - started) * 1e3


async def kept(client: Client) -> float:
    """Return the bytes per delta that are allocated until the end of an answer whose deltas arrive one by one."""
    held: list[int] = []
    gc.collect()
    tracemalloc.start()
    try:
        options: Mapping[str, Any] = {"model": "200/0.01", "store": False}
        async with Agent(client).run("Hello", stream=True, options=options) as run:
            async for update in run:
                if update.text == WORD:
                    held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return (held[-1] - held[0]) / (len(held) - 1)


MEASURES: dict[str, tuple[str, Callable[[Client], Awaitable[float | None]]]] = {
    "burst": ("us/delta", burst),
    "paced": ("us/delta", paced),
    "shown": ("us/delta", shown),
    "history": ("ms", history),
    "kept": ("bytes/delta", kept),
}


async def measure(base_url: str, names: list[str], rounds: int, *, with_aiohttp: bool) -> None:
    """Print one line per measure and protocol."""
    clients, close = build_clients(base_url, with_aiohttp=with_aiohttp)
    sides = list(clients["responses"])
    others = [side for side in sides if side != "ours"]
    print(
        " " * 24 + "".join(f"{side:>10}" for side in sides) + " " * 14 + "".join(f"{f'{o}/ours':>14}" for o in others)
    )
    for protocol, of_protocol in clients.items():
        for client in of_protocol.values():
            await answer(client, "10/0")  # a warm-up
        for name in names:
            unit, run = MEASURES[name]
            results: dict[str, list[float]] = {side: [] for side in sides}
            for _ in range(1 if name == "kept" else rounds):
                for side, client in of_protocol.items():
                    gc.collect()
                    if (value := await run(client)) is not None:
                        results[side].append(value)
            medians = {side: statistics.median(values) for side, values in results.items() if values}
            figures = "".join(f"{medians[side]:10.1f}" if side in medians else f"{'-':>10}" for side in sides)
            ratios = (f"{medians[o] / medians['ours']:13.2f}x" if o in medians else f"{'-':>14}" for o in others)
            print(f"{protocol:12}{name:12}{figures}  {unit:12}{''.join(ratios)}", flush=True)
    await close()


def main() -> None:
    """Start the model, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", choices=[[], *MEASURES], help="default: all")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--uvloop", action="store_true", help="as the server runs")
    parser.add_argument("--with", dest="opponent", choices=["aiohttp"], help="measure our clients over it too")
    chosen = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    model = multiprocessing.get_context("spawn").Process(target=_run_model, args=(theirs,), daemon=True)
    model.start()
    try:
        work = measure(
            f"http://127.0.0.1:{ours.recv()}/v1",
            chosen.measures or list(MEASURES),
            chosen.rounds,
            with_aiohttp=chosen.opponent == "aiohttp",
        )
        if chosen.uvloop:
            import uvloop

            uvloop.run(work)
        else:
            asyncio.run(work)
    finally:
        model.terminate()


if __name__ == "__main__":
    main()
