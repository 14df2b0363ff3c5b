"""Fixtures of the HTTP edge, through which tests of the process look at it."""

from __future__ import annotations

from tests.unit.web.conftest import edge as edge
from tests.unit.web.conftest import log as log
