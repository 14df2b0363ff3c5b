"""Both ways of a piece of text (ADR 0013): whatever is true of answers must be true whichever it takes."""

from __future__ import annotations

import pytest

from tests.unit.scripted_model import ScriptedModel

WITH_TEXT = {"test_agent_view", "test_answers", "test_item_guard", "test_properties", "test_runs", "test_thread_titles"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.split(".")[-1] in WITH_TEXT:
        metafunc.fixturenames.append("way")
        metafunc.parametrize("way", ["long", "short"], indirect=True)


@pytest.fixture
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The way that text takes in this test where it can."""
    chosen: str = request.param
    monkeypatch.setattr(ScriptedModel, "tries_short_way", chosen == "short")
    return chosen
