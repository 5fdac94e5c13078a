"""One copy of the lab, and real processes that carry its wave out and die on the way.

    Lab.copy(...)    a copy of the template with its sites running
    Lab.drive(...)   one process that drives a verb; a boundary or the parent may kill it

Site processes and drivers are forked, not started afresh: a scenario takes a fraction of a second.
What a driver passes goes into ``witness.jsonl``, line by line, so that its death loses nothing.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import blake3  # noqa: F401 - what processes import when they need it is there before they are forked
import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401
import zstandard  # noqa: F401

import migrate.daemons.control
import migrate.disks.nbd.serving
import migrate.disks.opening
import migrate.journal.attending
import migrate.journal.site
import migrate.probes.asking
import migrate.replication.service
import migrate.sites.opening
import migrate.transfers.histories
import migrate.transfers.keeping
import migrate.transfers.placing
import migrate.transfers.streamed  # noqa: F401
from migrate.daemons import receiver
from migrate.daemons.lock import is_running
from migrate.daemons.sockets import connect
from migrate.run import store as runs
from migrate.run.actions import Wait, next_actions
from migrate.run.driver import Stopped
from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.run.patience import Patience
from migrate.run.store import RunKind
from migrate.sites.lab import daemon
from migrate.sites.lab.client import LabSite
from migrate.transfers.ports import Moving
from planner.errors import Unreachable, WherryError
from planner.store.project import Project
from planner.store.writer import writer
from tests.faults.killlab import RUNNING, SITES, WAVE
from tests.faults.witness import Witness

writer(sqlite3.connect(":memory:")).close()  # loads what writes rows before processes are forked
Verb = Callable[[Project, Onlooker], Stopped]
LITTLE = Patience(transfers_s=6.0, others_s=0.1, first_s=0.02, longest_s=0.2)  # a receiver starts in it
_NOTHING: Callable[[str], None] = lambda point: None  # noqa: E731


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process that drove a verb ended: killed, at a gate, a decision or an outcome, or in error."""

    killed: bool = False
    gate: str = ""
    decide: str = ""
    outcome: str = ""
    error: str = ""  # code of a WherryError, or "defect"
    message: str = ""  # of the error, or what stands in the record of the step to decide about


@dataclass(slots=True)
class Lab:
    """One copy of the template with its site processes. Use it as a context manager."""

    root: Path
    children: list[int] = field(default_factory=list)
    receives: str = "dc2"  # the site whose receiver runs beforehand

    @classmethod
    def copy(cls, template: Path, root: Path, at: str = "dc1") -> Lab:
        """Copy the template, holes stay holes, and start everything; its VMs run at a site."""
        subprocess.run(["cp", "-a", "--sparse=always", str(template), str(root)], check=True)
        lab = cls(root, receives="dc2" if at == "dc1" else "dc1")
        lab.start_sites()
        with lab.site(at) as site:
            for vm in RUNNING:
                site.power_on(vm, "the people before")
        return lab

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill_all()
        shutil.rmtree(self.root)

    # processes

    def start_sites(self) -> None:
        """Start what does not run: both sites and the receiver."""
        for site in SITES:
            if is_running(self.run_of(site), daemon.NAME) is None:
                self._serve(daemon.main, site, daemon.NAME, daemon.SOCKET)
        if is_running(self.run_of(self.receives), receiver.NAME) is None:
            self._serve(receiver.main, self.receives, receiver.NAME, receiver.SOCKET)

    def _serve(self, main: Callable[[list[str]], int], site: str, name: str, socket: str) -> None:
        directory = self.folder(site)
        (directory / "run" / socket).unlink(missing_ok=True)
        log = directory / "run" / f"{name}.log"
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                silence = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(silence, 1)
                os.dup2(silence, 2)
                faulthandler.register(signal.SIGUSR1, 2)
                threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
                os._exit(main([f"lab:{directory}" if main is receiver.main else str(directory)]))
            except BaseException:  # noqa: BLE001 - whoever waits for it reads why
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(70)
        self.children.append(pid)
        deadline = time.monotonic() + 120
        while is_running(directory / "run", name) is None or not _answers(directory / "run", socket):
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                self.children.remove(pid)
                raise AssertionError(f"{name} of {site} ended as it started: {_said(log)}")
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGUSR1)
                time.sleep(1.0)
                raise AssertionError(f"{name} of {site} does not start, it is at: {_said(log)}")
            time.sleep(0.002)

    def kill_process(self, site: str, name: str) -> bool:
        """End a site's process or receiver with SIGKILL; False when it does not run."""
        pid = is_running(self.run_of(site), name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while is_running(self.run_of(site), name) == pid:
            time.sleep(0.001)
        return True

    def kill_all(self) -> None:
        """End everything that runs for this lab, also what a driver started."""
        for site in SITES:
            self.kill_process(site, daemon.NAME)
            self.kill_process(site, receiver.NAME)
        while self.children:
            pid = self.children.pop()
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    # places

    def folder(self, site: str) -> Path:
        """Return a site's folder."""
        return self.root / "lab" / site

    def run_of(self, site: str) -> Path:
        """Return the folder of a site's sockets and locks."""
        return self.folder(site) / "run"

    @contextlib.contextmanager
    def site(self, name: str) -> Any:
        """Yield a client of a running site."""
        client = LabSite.connect(self.folder(name), start=False)
        try:
            yield client
        finally:
            client.close()

    def project(self) -> Project:
        """Open the project."""
        return Project.open(self.root)

    # driving

    def drive(
        self,
        purpose: Purpose | Verb,
        boundary: Callable[[str], None] = _NOTHING,
        report: Callable[[Moving], None] = lambda moving: None,
        opener: Callable[[Path], Project] = Project.open,
        kill_after_s: float | None = None,
        patience: Patience = LITTLE,
    ) -> Ended:
        """Carry out one verb in a process of its own; ``boundary`` is called there and may kill it."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                body = _carry(self, purpose, boundary, report, opener, patience)
                os.write(write, json.dumps(body).encode())
            finally:
                os._exit(0)
        os.close(write)
        try:
            if kill_after_s is not None and not select.select([read], [], [], kill_after_s)[0]:
                os.kill(pid, signal.SIGKILL)
            answer = os.read(read, 1 << 20)
        finally:
            os.close(read)
            _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) or not answer:
            assert os.WTERMSIG(status) == signal.SIGKILL
            return Ended(killed=True)
        return Ended(**json.loads(answer))

    def standing(self, kind: RunKind = RunKind.WAVE) -> tuple[str, str]:
        """Return (gates waited at, outcome) as the record of the newest run of a kind says now."""
        with self.project() as project:
            run = runs.latest(project, WAVE, kind)
            if run is None:
                return "", ""
            history = runs.history(project, run)
            ended = runs.outcome(history)
            actions = next_actions(history.runbook, history)
        gates = [action.step.id for action in actions if isinstance(action, Wait)]
        at_gate = gates[0] if gates and len(gates) == len(actions) else ""
        return at_gate, ended.value if ended else ""


def kill_at(*points: str) -> Callable[[str], None]:
    """Return boundaries at which the process ends itself with SIGKILL."""

    def boundary(reached: str) -> None:
        if reached in points:
            os.kill(os.getpid(), signal.SIGKILL)

    return boundary


def _carry(
    lab: Lab,
    purpose: Purpose | Verb,
    boundary: Callable[[str], None],
    report: Callable[[Moving], None],
    opener: Callable[[Path], Project],
    patience: Patience,
) -> dict[str, object]:
    witness = Witness(lab.root)

    def watched(point: str) -> None:
        witness.see(point)
        boundary(point)

    try:
        with opener(lab.root) as project:
            onlooker = Onlooker(boundary=watched, report=report, patience=patience)
            if isinstance(purpose, Purpose):
                stopped = carry_out(project, WAVE, purpose, onlooker).stopped
            else:
                stopped = purpose(project, onlooker)
    except WherryError as error:
        return {"error": error.code, "message": f"{error.message}; {error.hint}"}
    except BaseException:  # noqa: BLE001 - the parent shows it
        return {"error": "defect", "message": traceback.format_exc()}
    return {
        "gate": stopped.gate.id if stopped.gate else "",
        "decide": stopped.decide.id if stopped.decide else "",
        "outcome": stopped.outcome.value if stopped.outcome else "",
        "message": _why(lab, stopped),
    }


def _why(lab: Lab, stopped: Stopped) -> str:
    """Return what the step said that waits for a person, of which run ever."""
    if stopped.decide is None:
        return ""
    with lab.project() as project:
        rows = project.rows(
            "SELECT kind, detail FROM step_record WHERE step = ? ORDER BY seq DESC LIMIT 6", stopped.decide.id
        )
    return "; ".join(f"{row['kind']} {row['detail']}" for row in rows)


def _answers(run: Path, socket: str) -> bool:
    """Return whether somebody listens: the file is there a moment before that."""
    try:
        connect(run, socket, 1.0).close()
    except Unreachable:
        return False
    return True


def _said(log: Path) -> str:
    """Return the end of what a process said."""
    return log.read_text(errors="replace")[-4000:] if log.exists() else "nothing"


def _die_with(parent: int) -> None:
    """End this process when the one that forked it is gone, so that none is left behind."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(71)
