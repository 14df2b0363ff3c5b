"""Services around a model that the test scripts; and answers on both ways of their text (ADR 0013)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from context import Services
from tests.unit.scripted_model import ScriptedModel
from tests.unit.services_for_tests import open_services

WITH_TEXT = {
    "test_agent_view", "test_answers", "test_approvals", "test_item_guard", "test_properties", "test_runs",
    "test_thread_titles",
}  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.split(".")[-1] in WITH_TEXT:
        metafunc.fixturenames.append("way")
        metafunc.parametrize("way", ["through the agent", "direct"], indirect=True)


@pytest.fixture
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The way that text takes in this test where it can."""
    chosen: str = request.param
    monkeypatch.setattr(ScriptedModel, "tries_direct_text", chosen == "direct")
    return chosen


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    """The platform's services on a fresh file, with the model that the test's module scripts."""
    async with open_services(tmp_path, model) as opened:
        yield opened
