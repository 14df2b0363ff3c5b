from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from database import Database
from storage.chat_sessions import KEPT_AFTER_EXPIRY, ChatSessions
from turns.chat_session import ChatSession, SessionConfiguration
from turns.clock import utc_now

CONFIGURATION = SessionConfiguration(
    variables=MappingProxyType({"plan": "pro", "seats": 3, "rate": 0.5, "is_new": True, "none": ""}),
    max_requests_per_minute=5,
    has_titles=False,
    has_uploads=True,
    max_file_mb=7,
    max_files=2,
    has_history=False,
    recent_threads=9,
    version="3",
)
SESSION = ChatSession(
    id="cksess_1",
    key_name="shop",
    user="ada",
    use_case="todo",
    expires_at=utc_now().replace(microsecond=0) + timedelta(minutes=10),
    is_cancelled=False,
    configuration=CONFIGURATION,
)


@pytest.fixture
async def sessions(any_database: Database) -> ChatSessions:
    stored = ChatSessions(any_database)
    await stored.save(SESSION)
    return stored


async def test_a_session_comes_back_as_it_was_saved(sessions: ChatSessions) -> None:
    assert await sessions.load("cksess_1") == SESSION
    assert await sessions.load("cksess_2") is None
    loaded = await sessions.load("cksess_1")
    assert loaded is not None
    # Equal is not the same: 1 equals True.
    for name, value in CONFIGURATION.variables.items():
        assert type(loaded.configuration.variables[name]) is type(value)


async def test_only_the_key_that_opened_a_session_cancels_it(sessions: ChatSessions) -> None:
    assert await sessions.cancel("cksess_1", "desk") is None
    assert await sessions.load("cksess_1") == SESSION
    assert await sessions.cancel("cksess_1", "shop") == replace(SESSION, is_cancelled=True)
    assert await sessions.load("cksess_1") == replace(SESSION, is_cancelled=True)


async def test_requests_that_come_together_are_counted_together(sessions: ChatSessions) -> None:
    began = utc_now().minute
    waits = await asyncio.gather(*(sessions.count_request(SESSION) for _ in range(20)))
    minutes = 1 if utc_now().minute == began else 2
    assert 5 <= waits.count(0) <= 5 * minutes
    assert all(0 <= wait <= 60 for wait in waits)


async def test_uploads_that_come_together_are_counted_together(sessions: ChatSessions) -> None:
    allowed = await asyncio.gather(*(sessions.count_upload(SESSION) for _ in range(9)))
    assert allowed.count(True) == 2


async def test_a_session_is_kept_for_a_while_after_its_end(sessions: ChatSessions) -> None:
    ended = utc_now() - KEPT_AFTER_EXPIRY
    old = replace(SESSION, id="cksess_old", expires_at=ended - timedelta(minutes=1))
    recent = replace(SESSION, id="cksess_recent", expires_at=ended + timedelta(minutes=1))
    for session in (old, recent, replace(SESSION, id="cksess_new")):
        await sessions.save(session)
    assert await sessions.load("cksess_old") is None
    assert await sessions.load("cksess_recent") == recent


def test_names_and_users_that_are_equal_when_joined_are_different_people() -> None:
    people = {replace(SESSION, key_name=key, user=user).user_id for key, user in [("a", "b:c"), ("a:b", "c")]}
    assert len(people) == 2
