"""Counts of passed and failed tests, from the reports of pytest and vitest."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """Numbers of tests by result; a part that could not run at all counts as one failure."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


def read_junit_report(report: Path, code: int) -> Outcome:
    """Count the tests in pytest's report; a missing report or a bad exit code counts as at least one failure."""
    passed = failed = skipped = 0
    if report.is_file():
        for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - written by our own pytest
            total, failures, errors, skips = (
                int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
            )
            failed += failures + errors
            skipped += skips
            passed += max(0, total - failures - errors - skips)
    return _build_outcome(passed, failed, skipped, code)


def read_vitest_report(report: Path, code: int) -> Outcome:
    """Count the tests in vitest's report; a test file that could not be loaded counts as a failure."""
    passed = failed = skipped = 0
    if report.is_file():
        counts = json.loads(report.read_text(encoding="utf-8"))
        passed, failed = int(counts["numPassedTests"]), int(counts["numFailedTests"])
        skipped = int(counts["numPendingTests"]) + int(counts.get("numTodoTests", 0))
        failed += sum(
            1 for file in counts["testResults"] if file["status"] == "failed" and not file["assertionResults"]
        )
    return _build_outcome(passed, failed, skipped, code)


def _build_outcome(passed: int, failed: int, skipped: int, code: int) -> Outcome:
    return Outcome(passed, max(failed, 1) if code != 0 or not passed else failed, skipped)
