"""Names of failed tests in the output as soon as they have failed, also of a run that is killed before its summary."""

from __future__ import annotations

import pytest


def print_failures_at_once(config: pytest.Config) -> None:
    """Let a run print each failure in a line of its own, between the dots; workers leave that to their controller."""
    is_worker = hasattr(config, "workerinput")
    # In verbose output each test has a line with its name already.
    if not is_worker and config.get_verbosity() <= 0:
        config.pluginmanager.register(_FailureNames(config))


class _FailureNames:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)  # after the reporter's letter
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Asked for only now: a conftest is configured before the reporter.
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            word = "FAILED" if report.when == "call" else "ERROR"
            terminal.write(f"\n{word} {report.nodeid}\n", flush=True, red=True)
