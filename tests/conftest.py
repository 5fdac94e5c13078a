"""What the suites that hunt faults covered is printed at the end of every run, seeds included."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import pytest
from hypothesis import settings

from tests.memory import Memory
from tests.vcenter.fixtures import (  # noqa: F401  (fixtures of every package)
    module_vcenter,
    stranger,
    vcenter,
    vcenter_authority,
    vcenter_binary,
    vcenter_certificate,
)

_HUNTERS = ("tests/faults/", "tests/guest/", "tests/migrate/replication/", "tests/simulation/")

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

# Compiled tests and product are kept whatever the environment says: each process reads them again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Verbs do their work themselves; tests of the engine start one.
os.environ["WHERRY_IN_PROCESS"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C work in what tests start, also when the whole run was put into the background."""
    config.pluginmanager.register(Memory())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out by whole files when several processes run them."""
    from tests.sharing import WholeFiles

    return WholeFiles(config, log)


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
