"""The demonstration of a fleet: the engine on a PostgreSQL of its own, three movers, one of them killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from planner.errors import Unreachable
from planner.own_code import child_environment
from planner.units import show_duration
from tui.cli.demo import Demo
from tui.cli.output import line, say

_MOVERS = ("mover-1", "mover-2", "mover-3")
_SITE = "dc1"
_PATIENCE_S = 60.0


class FleetDemo(Demo):
    """One showing, in one directory."""

    def play(self) -> int:
        """Show it; database, movers and lab are stopped whatever happens. Returns the exit code."""
        from migrate.engine.private_postgres import PrivatePostgres

        self._clear()
        children: dict[str, subprocess.Popen[bytes]] = {}
        with PrivatePostgres() as postgres:
            try:
                self._plan()
                self._lab()
                self._title("An engine on PostgreSQL, and three movers that take what it has to carry")
                self._wherry("engine", "use", postgres.url)
                for name in _MOVERS:
                    children[name] = self._start(name, postgres.url)
                self._await(postgres.url)
                self._title("Replicate wave 1, and kill the mover that carries the first disk")
                beside = threading.Thread(target=self._kill, args=(children, postgres.url), daemon=True)
                beside.start()
                self._wherry("replicate", "W01", "--live", "--confirm", "W01")
                beside.join()
                self._title("Cut wave 1 over with the movers that are left")
                self._wherry("cutover", "W01", "--live", "--confirm", "W01")
                self._wherry("commit", "W01", "--live", "--confirm", "W01")
                self._unrepeated("W01")
            finally:
                self._end()
                for child in children.values():
                    child.terminate()
                    child.wait(60)
        took = show_duration(time.monotonic() - self._begun)
        line()
        line(click.style(f"The demo took {took}; what the killed mover had was taken over.", bold=True))
        return 0

    def _start(self, name: str, url: str) -> subprocess.Popen[bytes]:
        line(click.style(f"$ wherry mover --engine-url … --site {_SITE} --name {name} --slots 1", dim=True))
        with (self._root / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tui.cli.entry", "mover", "--engine-url", url, "--site", _SITE,
                 "--name", name, "--slots", "1"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(),
            )  # fmt: skip

    def _await(self, url: str) -> None:
        """Return when all movers hold leases."""
        from migrate.engine import leases

        deadline = time.monotonic() + _PATIENCE_S
        leases.prepare(url)
        while len(leases.alive(url)) < len(_MOVERS):
            if time.monotonic() > deadline:
                raise Unreachable(
                    "the movers did not start", f"read {Path(self._root) / _MOVERS[0]}.log and its neighbours"
                )
            time.sleep(0.1)

    def _kill(self, children: dict[str, subprocess.Popen[bytes]], url: str) -> None:
        """End the first mover that carries a disk with SIGKILL."""
        from migrate.engine.fleet import holders

        deadline = time.monotonic() + _PATIENCE_S
        while not (found := holders(url)):
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)
        child = children[found[0]]
        child.kill()
        child.wait()
        say(click.style(f"  ⚡ kill -9 of {found[0]} (process {child.pid}) with a disk in hand", fg="yellow"))
