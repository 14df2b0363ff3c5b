from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.unit.web.edge import Edge


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edge:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    return Edge(tmp_path / "data")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog
