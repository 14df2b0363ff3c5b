"""The guard of a tool: a time limit that holds even if the tool ignores cancellation."""

from __future__ import annotations

import asyncio

import pytest
from agent_framework import FunctionInvocationContext, tool

from streaming.answers.tool_guard import ToolGuard


@tool
async def idle() -> str:
    """Do nothing."""
    return "done"


def call() -> FunctionInvocationContext:
    return FunctionInvocationContext(idle, {}, kwargs={})


async def test_a_tool_that_heeds_no_cancellation_does_not_hold_up_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    released = asyncio.Event()
    ended = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    context = call()
    await ToolGuard(0.01, patience_s=0.01).process(context, stubborn)
    assert context.result == "The tool took longer than 0.01 seconds and was stopped."
    assert "tool does not let itself be stopped" in caplog.text
    released.set()
    await ended.wait()


async def test_a_tool_may_clean_up_when_its_time_is_over() -> None:
    cleaned = asyncio.Event()

    async def careful() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    context = call()
    await ToolGuard(0.01).process(context, careful)
    assert cleaned.is_set()
    assert "longer than" in str(context.result)


async def test_exceptions_of_a_tool_are_raised_including_its_own_timeouts() -> None:
    async def times_out() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await ToolGuard(5).process(call(), times_out)


async def test_a_stopped_answer_stops_its_tool() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def process() -> None:
        await ToolGuard(60).process(call(), endless)

    task = asyncio.create_task(process())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()
