"""Two cutovers on a real terminal: one wave is committed, one goes back, and the engine is killed once.

Everything that is done is done by keys. What came of it is looked at from outside.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import blake3
import pytest

from migrate.engine.presence import halt, running
from migrate.run import store as runs
from migrate.run.history import Event, History
from migrate.run.store import RunKind
from migrate.sites.lab.client import LabSite
from planner.model import Power
from planner.store.project import Project
from tests.faults.endstate import destructive
from tests.tui.cli import conducted
from tests.tui.cli.command import Wherry, wherry
from tests.tui.cli.estate import write
from tests.tui.tmux import Terminal, terminal

BIG = (120, 35)
NIGHT_S = 180.0  # an engine starts, and carries a wave on, on a busy machine
CONDUCT = """
[[conduct.probes]]
name = "the service answers"
vms = "name:solo"
kind = "tcp"
host = "127.0.0.1"
port = {port}
every_s = 0.2
timeout_s = 600.0

[[conduct.hooks]]
name = "move the alias"
place = "after-start"
says = "point shop.example.com to the new address"

[conduct.gates.commit]
ticket = "CHG[0-9]{{4}}"
"""


@dataclass
class Night:
    """A project with a running lab and two approved waves: W01 is ``solo``, W02 ``db-1`` with ``app-1``.

    The service of W01 answers its probe once somebody listens on ``service``.
    """

    cli: Wherry
    service: socket.socket

    def site(self, name: str) -> LabSite:
        return LabSite.connect(self.cli.root / "lab" / name, start=False)

    def kill_engine(self) -> None:
        with Project.open(self.cli.root) as project:
            pid = running(project.run_dir)
        assert pid is not None, "no engine is at work"
        os.kill(pid, signal.SIGKILL)

    def history(self, wave: str) -> History:
        with Project.open(self.cli.root) as project:
            run = runs.latest(project, wave, RunKind.WAVE)
            assert run is not None
            return runs.history(project, run)

    def differing(self, wave: str) -> list[str]:
        """Return the disks of a wave that are at the source otherwise than they were proven at the target."""
        found = []
        with closing(self.site("dc1")) as source:
            proven = [step for step in self.history(wave).runbook.steps if step.kind == "verify"]
            assert proven, "no disk was compared"
            for step in proven:
                told = self.history(wave).results[step.id]
                with closing(source.open_read(step.subject)) as disk:
                    held = bytearray(disk.size_bytes)
                    disk.read_into(memoryview(held), 0)
                if not told["source"] == told["target"] == blake3.blake3(held).hexdigest():
                    found.append(step.subject)
        return found


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    root = tmp_path / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        cli.done("discover", str(write(tmp_path / "inventory.json")))
        conducted.build(cli, CONDUCT.format(port=service.getsockname()[1]))
        monkeypatch.delenv("WHERRY_IN_PROCESS")
        try:
            yield Night(cli, service)
        finally:
            with Project.open(root) as project:
                halt(project.run_dir)
            cli("lab", "stop")


def answer(seen: Terminal, *typed: str) -> None:
    """Fill the lines of a dialog one after another, and answer it."""
    for at, words in enumerate(typed):
        if at:
            seen.press("Tab")
        seen.write(words)
    seen.press("Enter")


def copy(seen: Terminal, wave: str, title: str) -> None:
    """Have the wave under the cursor of 6 Replicate copied for the first time."""
    seen.sees(f"{wave} is approved and not begun: n makes its first copies")
    seen.press("n")
    seen.sees(f"Bring {wave} up to date now?", "its first copies are made", f"Type {wave} to go on")
    answer(seen, wave)
    seen.sees_line(f"{wave} {title}", "● in sync", patience_s=NIGHT_S)


def cut_over(seen: Terminal, wave: str) -> None:
    """Cut over the wave that 7 Cutover shows."""
    seen.sees(f"▸ Cutover ▸ {wave}", "Gate go: shut", "o cut over")
    seen.press("o")
    seen.sees(f"Cut over {wave}", "going back: abort", f"Type {wave} to go on")
    answer(seen, wave)
    seen.sees(f"✔ cutover {wave} is ordered")


def say_yes(seen: Terminal, wave: str) -> None:
    """Say that the human step is done, and come to the commit gate."""
    seen.sees_line("Gate hook/0: shut", patience_s=NIGHT_S)
    seen.sees_line("◆ GATE", f"{wave}: move the alias")  # the cursor went along with the run
    seen.press("a")
    seen.sees(f"Say yes at hook/0 of {wave}", "to do: point shop.example.com", "going back: rollback")
    answer(seen, wave)
    seen.sees_line("Gate commit: shut", patience_s=NIGHT_S)
    seen.sees("✔ up at the target", "c commit", "b back")


def test_one_wave_is_committed_and_one_rolled_back_while_the_engine_is_killed(night: Night) -> None:
    with terminal() as seen:
        seen.open(BIG, night.cli.root, "ui")
        seen.sees("▸ Overview", "○ approved", "W02")
        seen.press("6")
        copy(seen, "W01", "solo")
        seen.press("End")
        copy(seen, "W02", "shop")

        seen.press("7")
        cut_over(seen, "W01")
        seen.sees_line("◐ goes on", "solo: probe", patience_s=NIGHT_S)
        assert night.differing("W01") == []
        night.kill_engine()
        seen.sees("engine ✖ DIED", "the engine died at", "E starts one, nothing is lost")
        seen.press("E")
        seen.sees("Start the engine?", "W01  cutover by")
        seen.press("BTab", "Enter")
        seen.sees_line("✔ the engine was started and takes orders", patience_s=NIGHT_S)
        seen.sees_line("engine ● at work", patience_s=NIGHT_S)
        night.service.listen()
        say_yes(seen, "W01")
        seen.press("c")
        seen.sees("Commit W01", "✖ The point of no return", "Change ticket", "Type W01 to go on")
        answer(seen, "CHG0042", "W01")
        seen.sees_line("Committed: it may come home", patience_s=NIGHT_S)

        seen.press("w")
        seen.sees("Wave, or run to replay")
        seen.write("W02")
        seen.sees("W02 shop", without="run 1 of W01")
        seen.press("Enter")
        cut_over(seen, "W02")
        say_yes(seen, "W02")
        assert night.differing("W02") == []
        seen.press("b")
        seen.sees("Roll back W02", "undo", "Type W02 to go on")
        answer(seen, "W02")
        seen.sees_line("The run is over: rolled back", patience_s=NIGHT_S)
        seen.sees("◄ up again at the", "o begins anew")

        seen.press("8")
        seen.sees("▸ Journal", "newest first", "◄ undone")
        seen.press("/")
        seen.write("kind:gate act:approve*")
        seen.press("Enter")
        seen.sees(" match", "gate approve commit", without="undone")
        for wave, gate in (("W01", "go"), ("W01", "hook/0"), ("W01", "commit"), ("W02", "hook/0")):
            seen.sees_line(wave, "◆ approve ", f"gate approve {gate}")
        seen.press("q")
        seen.ends()

    assert (night.cli.state("W01")["stage"], night.cli.state("W02")["state"]) == (
        "reverse protected",
        "rolled back",
    )
    assert night.differing("W01") == [], "a source that was left behind stays as it was stopped"
    for wave in ("W01", "W02"):
        entries = night.history(wave).entries
        done = [entry.step for entry in entries if entry.event is Event.DONE]
        assert len(done) == len(set(done)), "a step was done twice"
    with closing(night.site("dc1")) as source, closing(night.site("dc2")) as target:
        asked = {site.name: destructive(site.directory) for site in (source, target)}
        assert max(times for calls in asked.values() for times in calls.values()) == 1, asked
        assert asked["dc1"]["shut_down", "vm-3", "do"] == asked["dc2"]["power_on", "vm-3", "do"] == 1
        assert asked["dc1"]["power_on", "vm-1", "undo"] == asked["dc2"]["delete_vm", "vm-1", "undo"] == 1
        assert {"vm-3"} == set(target.vms())
        for vm, site in (("vm-1", source), ("vm-2", source), ("vm-3", target)):
            state, guest = site.observe(vm), site.guest(vm)
            assert state is not None
            assert state.power is Power.ON
            assert site.probe(vm).ok
            assert not guest.missing
            assert not guest.corrupt
        left = source.observe("vm-3")
        assert left is not None
        assert left.power is Power.OFF
    assert night.cli.done("log", "--verify").code == 0
