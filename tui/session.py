"""What the screens show, read from the project: one immutable ``View`` after another.

The session owns no work and changes nothing. It keeps what is expensive (inventory, plan, findings)
until the store has a newer one, and asks the read model again when the store changed, while a run is
alive, or after a few seconds. It is meant for one worker thread; a lock keeps a second one out.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import WherryError
from planner.model import VM, Finding, Inventory, Severity
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.status import ProjectStatus
    from planner.checks.registry import Readiness
    from planner.plan import PlannedDisk
    from planner.store.approvals import Approval
    from planner.store.plans import StoredPlan

# One row of the inventory table: id, name, cluster, power, guest OS, CPUs, memory and disk bytes,
# wave, group, its tally or None while the checks have not run. A size or number of 0 is not known.
Tally = tuple[int, int, int]  # blockers, warnings, checks that could not be decided
Row = tuple[str, str, str, str, str, int, int, int, str, str, Tally | None]


@dataclass(frozen=True, slots=True)
class Estate:
    """The inventory with everything known about it, for details, filters and findings."""

    inventory: Inventory
    vms: dict[str, VM]
    findings: dict[str, tuple[Finding, ...]]
    unknown: dict[str, int] = field(default_factory=dict)  # check id → VMs it could not decide
    undecided: dict[str, int] = field(default_factory=dict)  # VM id → checks that could not be decided

    @property
    def blocked(self) -> int:
        """Number of VMs with a blocker."""
        return sum(any(f.severity is Severity.BLOCKER for f in found) for found in self.findings.values())


@dataclass(frozen=True, slots=True)
class View:
    """Everything the screens show at one moment. ``estate`` is None until it has been read."""

    name: str = ""
    status: ProjectStatus | None = None
    inventory_id: int | None = None
    rows: tuple[Row, ...] = ()
    estate: Estate | None = None
    plan: StoredPlan | None = None
    approvals: dict[str, Approval] = field(default_factory=dict)
    placed: dict[str, tuple[str, str]] = field(default_factory=dict)  # VM id → wave, group
    converts: dict[tuple[str, str], PlannedDisk] = field(default_factory=dict)  # VM id, disk key
    error: str = ""
    hint: str = ""
    complete: bool = False  # every part has been read at least once

    @property
    def running(self) -> tuple[str, ...]:
        """Waves with a live run process."""
        return self.status.running if self.status else ()


class Session:
    """An open project as the screens read it."""

    def __init__(
        self,
        root: Path,
        status_of: Callable[[Project], ProjectStatus] | None = None,
        checks_of: Callable[[Inventory], Readiness] | None = None,
        patience_s: float = 5.0,
    ) -> None:
        """Open the project; raises NotFound and BadInput.

        ``status_of`` is the read model, ``checks_of`` the readiness checks; None means wherry's own.
        """
        self._project = Project.open(root)
        self._status_of = status_of
        self._checks_of = checks_of
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._judged_by: tuple[int, ...] = ()
        self._asked_at = float("-inf")
        self._cost_s = 0.0  # what the last status took: asking again must not eat the machine
        self.view = View(name=self._project.name)

    def close(self) -> None:
        """Close the project; a read that is under way is given two seconds to end."""
        if self._lock.acquire(timeout=2.0):
            try:
                self._project.close()
            finally:
                self._lock.release()

    def refresh(self, force: bool = False) -> Iterator[View]:
        """Yield newer views, the quickest first; nothing when nothing changed or a read is under way."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            for view in self._read(force):
                if view is not self.view:
                    self.view = view
                    yield view
        except (WherryError, sqlite3.Error) as error:
            self._asked_at = float("-inf")
            view = replace(self.view, error=_sentence(error), hint=getattr(error, "hint", ""))
            if view != self.view:
                self.view = view
                yield view
        finally:
            self._lock.release()

    def _read(self, force: bool) -> Iterator[View]:
        project, old = self._project, self.view
        stamp = self._newest()
        number = stamp[1] or None
        if number != old.inventory_id:
            rows = self._listing(number, old.placed) if number else ()
            old = replace(old, inventory_id=number, rows=rows, estate=None)
            yield old
        if stamp[2] != (old.plan.version if old.plan else 0):
            old = self._with_plan(old)
            yield old
        # fingerprints of big waves are dear: only when plans or approvals changed
        if old.plan is not None and stamp[2:4] != self._stamp[2:4]:
            from planner.store import approvals

            given = approvals.valid(project, old.plan.plan)
            if given != old.approvals:
                old = replace(old, approvals=given)
        now = time.monotonic()
        wait_s = max(0.0 if old.running else self._patience_s, 10 * self._cost_s)
        due = now - self._asked_at >= wait_s
        changed = stamp != self._stamp and now - self._asked_at >= 10 * self._cost_s
        if force or due or changed or stamp[1:] != self._stamp[1:] or old.status is None:
            status = self._status()
            self._asked_at = time.monotonic()
            self._cost_s = self._asked_at - now
            if status != old.status:
                old = replace(old, status=status)
        self._stamp = stamp
        yield old
        judged_by = stamp[4:]  # settings, target, waivers
        if old.inventory_id is not None and (old.estate is None or judged_by != self._judged_by):
            old = self._with_estate(old)
            self._judged_by = judged_by
        if not old.complete or old.error:
            old = replace(old, complete=True, error="", hint="")
        yield old

    def _status(self) -> ProjectStatus:
        if self._status_of is None:
            from migrate.status import project_status

            self._status_of = project_status
        return self._status_of(self._project)

    def _newest(self) -> tuple[int, ...]:
        row = self._project.rows(
            "SELECT (SELECT max(id) FROM inventory WHERE role = 'source'), (SELECT max(version) FROM plan),"
            " (SELECT max(id) FROM approval), (SELECT max(version) FROM settings),"
            " (SELECT max(id) FROM inventory WHERE role = 'target'),"
            " (SELECT max(id) FROM waiver), (SELECT count(*) FROM waiver_end)"
        )[0]
        changes = self._project.rows("PRAGMA data_version")[0][0]
        return (int(changes), *(int(value or 0) for value in row))

    def _listing(self, number: int, placed: dict[str, tuple[str, str]]) -> tuple[Row, ...]:
        rows = self._project.rows(
            "SELECT id, name, cluster, power, guest_os, cpus, memory_bytes, disk_bytes"
            " FROM inventory_vm WHERE inventory = ? ORDER BY position",
            number,
        )
        nowhere = ("", "")
        return tuple((*row, *placed.get(row["id"], nowhere), None) for row in rows)

    def _with_plan(self, view: View) -> View:
        from planner.store import plans

        stored = plans.find_latest(self._project)
        placed: dict[str, tuple[str, str]] = {}
        for wave in stored.plan.waves if stored else ():
            for group in wave.groups:
                for vm in group.vms:
                    placed[vm] = (wave.name, group.name)
        converts = {
            (item.vm, item.disk): disk
            for wave in (stored.plan.waves if stored else ())
            for disk in wave.disks
            if disk.converts
            for item in disk.attachments
        }
        rows = tuple((*row[:8], *placed.get(row[0], ("", "")), row[10]) for row in view.rows)
        return replace(view, plan=stored, placed=placed, converts=converts, rows=rows)

    def _with_estate(self, view: View) -> View:
        from planner.readiness import judge, situation, today

        at = situation(self._project)
        inventory = at.inventory
        readiness = self._checks_of(inventory) if self._checks_of else judge(at, today())
        by_vm: dict[str, list[Finding]] = {}
        for finding in readiness.open:
            by_vm.setdefault(finding.subject, []).append(finding)
        findings = {key: tuple(sorted(found, key=_weight)) for key, found in by_vm.items()}
        estate = Estate(
            inventory,
            {vm.id: vm for vm in inventory.vms},
            findings,
            dict(readiness.unknown),
            dict(readiness.undecided),
        )
        rows = tuple((*row[:10], tally(estate, (row[0],))) for row in view.rows)
        return replace(view, estate=estate, rows=rows)


_ORDER = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}


def _weight(finding: Finding) -> int:
    return _ORDER[finding.severity]


def tally(estate: Estate, vms: Iterable[str]) -> Tally:
    """Return how many blockers and warnings VMs have, and checks that could not be decided."""
    members = tuple(vms)
    severities = [finding.severity for vm in members for finding in estate.findings.get(vm, ())]
    return (
        severities.count(Severity.BLOCKER),
        severities.count(Severity.WARNING),
        sum(estate.undecided.get(vm, 0) for vm in members),
    )


def _sentence(error: Any) -> str:
    if isinstance(error, WherryError):
        return error.message
    return f"the project cannot be read now: {error}"
