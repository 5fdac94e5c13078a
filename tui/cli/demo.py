"""The demonstration: the main job as a person would type it, one command after the other.

Every stage runs the real command line in a process of its own. What it claims at the end is read
back from the project: digests, steps that were not repeated, records that were not lost.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from planner.errors import BadInput, StepFailed
from planner.samples import sample_path
from planner.store.project import FILE, Project
from planner.units import show_duration
from tui.cli.output import line, say

_MARKER = ".wherry-demo"
_PATIENCE_S = 60.0


class Demo:
    """One showing, in one directory."""

    def __init__(self, directory: Path) -> None:
        self._root = directory
        self._begun = time.monotonic()
        self._stage = 0

    def play(self) -> int:
        """Show everything; the lab is stopped whatever happens. Returns the exit code."""
        self._clear()
        try:
            self._plan()
            self._lab()
            self._remedies()
            self._first_wave()
            self._second_wave()
            proven = self._papers()
        finally:
            self._end()
        took = show_duration(time.monotonic() - self._begun)
        line()
        line(
            click.style(
                f"The demo took {took}; {proven} disks were cut over, all with equal hashes.", bold=True
            )
        )
        line(f"  plan and reports   {self._root / 'exports'}")
        line(f"  look at it         {_command_name()} ui --project {self._root}")
        line(f"  your own estate    {_command_name()} init move, which says how to go on")
        return 0

    def _clear(self) -> None:
        """Remove a former demo; refuse to touch any other directory that holds something."""
        if (self._root / _MARKER).exists():
            self._end()
            shutil.rmtree(self._root)
        elif self._root.exists() and any(self._root.iterdir()):
            raise BadInput(f"{self._root} holds something that is not a demo", "name another --dir")
        self._root.mkdir(parents=True, exist_ok=True)
        (self._root / _MARKER).touch()

    def _end(self) -> None:
        """Leave no process behind."""
        if (self._root / FILE).exists():
            self._wherry("engine", "stop", quiet=True)
            self._wherry("lab", "stop", quiet=True)

    def _plan(self) -> None:
        self._title("Know the estate, and plan")
        self._wherry("init", str(self._root), "--name", "demo", bare=True)
        self._wherry("settings", "import", str(sample_path("lab") / "settings.toml"))
        self._wherry("discover", "lab")
        self._wherry("check")
        self._wherry("deps")
        self._wherry("deps", "erp-db-01")
        self._wherry("plan")
        self._wherry("plan", "show", "W01")
        self._wherry("plan", "approve")

    def _lab(self) -> None:
        self._title("Build a lab: two sites, VMs with real disks that write all the time")
        self._wherry("lab", "build")
        self._wherry("lab", "status")

    def _remedies(self) -> None:
        self._title("Clear what is in the way of wave 1, as far as wherry can; its approval stays valid")
        self._wherry("remedy", "W01")
        self._wherry("remedy", "W01", "--live", "--confirm", "W01")

    def _first_wave(self) -> None:
        self._title("Replicate wave 1 while its VMs write, and kill the engine in the middle")
        self._killing_during("replicate", "W01", "g0/d1/seed")
        self._unrepeated("W01")
        self._title("Rehearse wave 1 on the simulated twin")
        self._wherry("rehearse", "W01")
        self._wherry("rehearse", "W01", "--fault", "power_on", "--runs", "50")
        self._title("Cut wave 1 over, the engine killed once more; a physical RDM becomes a VMDK")
        self._killing_during("cutover", "W01", "g0/v1/build")
        self._wherry("status")
        self._unrepeated("W01")
        self._wherry("commit", "W01", "--live", "--confirm", "W01")

    def _second_wave(self) -> None:
        self._title("Cut wave 2 over beside a snapshot that somebody keeps; one VMDK becomes an RDM")
        self._overlooking_during("cutover", "W02", "the web server's upgrade is not over yet")
        moved = self._members("W02")
        held = {vm: row for vm, row in self._acknowledged("dc1").items() if vm in moved}
        time.sleep(1.0)  # users work at the target for a moment
        self._title("Roll wave 2 back: the sources run again, what the target wrote is kept")
        self._wherry("rollback", "W02", "--live", "--confirm", "W02")
        self._wherry("lab", "status")
        now = self._acknowledged("dc1")
        for vm, records in sorted(held.items()):
            if now.get(vm, {}).get("acknowledged", -1) < records["acknowledged"] or now[vm]["missing"]:
                raise StepFailed(f"{vm} lost records in the rollback", "this is a defect: please report it")
        line(f"  ✔ every record that the {len(held)} sources had acknowledged is still there")

    def _papers(self) -> int:
        """Export, check what the reports say and return the number of proven disks."""
        self._title("The papers")
        self._wherry("export")
        self._wherry("log", "--verify")
        self._wherry("status")
        proven = 0
        line()
        for wave in ("W01", "W02"):
            report = json.loads((self._root / "exports" / f"report-{wave}.json").read_text("utf-8"))
            for disk in report["disks"]:
                if not disk["equal"]:
                    raise StepFailed(
                        f"{disk['disk']} has no equal hashes", "this is a defect: please report it"
                    )
                became = disk["became"].split(" on ")[0]
                digest = disk["source_digest"][:32]
                line(f"  ✔ {wave} {disk['disk']:<24} {disk['was']:>12} → {became:<12} equal, {digest}…")
                proven += 1
        return proven

    def _title(self, text: str) -> None:
        self._stage += 1
        line()
        line(click.style(f"━━ {self._stage}. {text} ", bold=True, fg="cyan"))

    def _command(self, arguments: tuple[str, ...], bare: bool = False) -> list[str]:
        project = [] if bare else ["--project", str(self._root)]
        return [sys.executable, "-m", "tui.cli.entry", *arguments, *project]

    def _wherry(self, *arguments: str, bare: bool = False, quiet: bool = False) -> None:
        """Run one command and show it; raises StepFailed when it fails."""
        if not quiet:
            line(click.style(f"$ wherry {' '.join(arguments)}", dim=True))
        sys.stdout.flush()
        ended = subprocess.run(
            self._command(arguments, bare),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else None,
            stderr=subprocess.DEVNULL if quiet else None,
            check=False,
        )
        if ended.returncode and not quiet:
            raise StepFailed(
                f"'wherry {' '.join(arguments)}' ended with {ended.returncode}", "read what it said above"
            )

    def _begin(self, verb: str, wave: str) -> subprocess.Popen[bytes]:
        """Begin to show a live verb of a wave."""
        arguments = (verb, wave, "--live", "--confirm", wave)
        line(click.style(f"$ wherry {' '.join(arguments)}", dim=True))
        sys.stdout.flush()
        return subprocess.Popen(self._command(arguments), stdin=subprocess.DEVNULL)

    def _killing_during(self, verb: str, wave: str, step: str) -> None:
        """Show a live verb, and end its engine with SIGKILL as soon as ``step`` is under way."""
        from migrate.engine.presence import running

        child = self._begin(verb, wave)
        deadline = time.monotonic() + _PATIENCE_S
        killed = None
        with Project.open(self._root) as project:
            while child.poll() is None and killed is None and time.monotonic() < deadline:
                if project.rows("SELECT 1 FROM step_record WHERE step = ? AND kind = 'intent'", step) and (
                    killed := running(project.run_dir)
                ):
                    os.kill(killed, signal.SIGKILL)
                    say(click.style(f"  ⚡ kill -9 of the engine (process {killed})", fg="yellow"))
                time.sleep(0.002)
        if child.wait():
            raise StepFailed(f"{wave} did not go on after its engine was killed", "read what it said above")
        if killed is None:
            raise StepFailed(f"the run of {wave} ended before it could be killed", "run the demo again")

    def _overlooking_during(self, verb: str, wave: str, reason: str) -> None:
        """Show a live verb that waits for a snapshot of somebody else, and who has it overlooked."""
        child = self._begin(verb, wave)
        deadline = time.monotonic() + _PATIENCE_S
        with Project.open(self._root) as project:
            while child.poll() is None and not project.rows("SELECT 1 FROM step_record WHERE kind = 'held'"):
                if time.monotonic() > deadline:
                    child.kill()
                    raise StepFailed(f"{wave} does not wait for the snapshot", "read what it said above")
                time.sleep(0.05)
        self._wherry("run", "overlook", wave, "--reason", reason, "--live", "--confirm", wave)
        if child.wait():
            raise StepFailed(f"{wave} did not go on beside the snapshot", "read what it said above")

    def _unrepeated(self, wave: str) -> None:
        """Say that no finished step was done twice, or raise StepFailed."""
        with Project.open(self._root) as project:
            run = project.rows("SELECT max(id) AS id FROM run WHERE wave = ? AND kind = 'wave'", wave)[0][
                "id"
            ]
            again = project.rows(
                "SELECT a.step FROM step_record a JOIN step_record b ON a.run = b.run AND a.step = b.step "
                "WHERE a.run = ? AND a.kind = 'done' AND b.kind = 'intent' AND b.seq > a.seq",
                run,
            )
            done = project.rows("SELECT count(*) AS n FROM step_record WHERE run = ? AND kind = 'done'", run)
        if again:
            raise StepFailed(f"step {again[0]['step']} was repeated", "this is a defect: please report it")
        line(f"  ✔ {done[0]['n']} steps of {wave} are done, none of them was repeated")

    def _members(self, wave: str) -> set[str]:
        """Return the names of a wave's VMs."""
        from planner.store import plans

        with Project.open(self._root) as project:
            return {vm.name for vm in plans.latest(project).plan.wave(wave).vms}

    def _acknowledged(self, site: str) -> dict[str, dict[str, Any]]:
        """Return what each VM at a site has acknowledged, by name."""
        ended = subprocess.run(
            self._command(("lab", "status", "--json")),
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return {row["vm"]: row for row in json.loads(ended.stdout) if row["site"] == site}


def _command_name() -> str:
    """Return what to type for ``wherry`` here: its name, or its path when it is not on the search path."""
    beside = Path(sys.executable).with_name("wherry")
    found = shutil.which("wherry")
    if not beside.exists() or (found and Path(found).resolve() == beside.resolve()):
        return "wherry"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)
