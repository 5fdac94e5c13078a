"""What the suites that hunt faults covered is printed at the end of every run, seeds included."""

from __future__ import annotations

import pytest

_HUNTERS = ("tests/faults/", "tests/migrate/replication/")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        (report.nodeid.partition("::")[2], " · ".join(report.capstdout.split("\n")).strip(" ·"))
        for report in terminalreporter.stats.get("passed", [])
        if report.nodeid.startswith(_HUNTERS) and report.capstdout
    ]
    if told:
        terminalreporter.section("covered by the fault suites")
        for name, said in told:
            terminalreporter.line(f"{name}: {said}")
