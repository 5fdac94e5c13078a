"""A lab whose VMs are all in the way of their move, and what must be true once they are not any more.

One guest does not listen to a shutdown request: it is never forced, so its disks stay as they are. One
VM is off and stays off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from migrate import audit
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.driver import Stopped
from migrate.run.execute import Onlooker
from migrate.run.history import Event
from migrate.run.remedying import apply_remedies, take_back
from migrate.run.store import RunKind
from migrate.sites.lab.oplog import read_ops
from planner.model import Cdrom, Inventory, Power
from planner.planning import make_plan
from planner.store import inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project, utc_now
from tests.faults.endstate import ONCE, healthy, repeated, world
from tests.faults.killlab import IDLE, WAVE, estate, make_lab, settings
from tests.faults.labrun import Lab
from tests.migrate.troubled import CHECKS, findings

FIXES = {
    "db": ("consolidate", "disconnect-media", "enable-cbt", "upgrade-hardware", "disk-mode"),
    "app": ("enable-cbt", "disk-mode"),
    "web": ("enable-cbt", "disk-mode"),
    "spare": ("upgrade-hardware",),
}


def odd_estate() -> Inventory:
    """Return the lab's estate with something to do at every VM."""
    odd: dict[str, dict[str, Any]] = {
        "db": {"hw_version": 10, "cbt": False, "consolidation_needed": True,
               "cdroms": (Cdrom("CD/DVD drive 1", True, "[iso] install.iso"),)},
        "app": {"cbt": False},
        "web": {"cbt": False},
        "spare": {"hw_version": 9},
    }  # fmt: skip
    plain = estate()
    return replace(
        plain,
        vms=tuple(
            replace(
                vm,
                **odd[vm.id],
                disks=tuple(replace(disk, mode="independent_persistent") for disk in vm.disks),
            )
            for vm in plain.vms
        ),
    )


def make_template(root: Path) -> Path:
    """Build project and lab under ``root``, ready to be copied: nothing of it runs."""
    inventory = odd_estate()
    with Project.create(root, "remedy") as project:
        settings_store.save(project, settings(), "test")
        stored = inventories.save(project, inventory)
        plan = make_plan(
            project=project.name,
            inventory=stored.inventory,
            inventory_fingerprint=stored.fingerprint,
            settings=settings(),
            created_at=utc_now(),
            findings=findings(FIXES, {vm.id: vm.name for vm in inventory.vms}),
            own_checks=CHECKS,
        )
        plans.save(project, plan, "test")
    make_lab(root, inventory)
    return root


def apply(project: Project, onlooker: Onlooker) -> Stopped:
    """Carry the remedies out, outages agreed to."""
    carried = apply_remedies(project, WAVE, with_outage=True, onlooker=onlooker)
    return carried[-1].stopped if carried else Stopped(outcome=Outcome.COMMITTED)


def undo(project: Project, onlooker: Onlooker) -> Stopped:
    """Take all of them back."""
    return take_back(project, WAVE, with_outage=True, onlooker=onlooker)[-1].stopped


def ended(lab: Lab) -> str:
    """Return how the newest run of remedies ended, empty when it did not or there is none."""
    with lab.project() as project:
        run = runs.latest(project, WAVE, RunKind.REMEDY)
        found = runs.outcome(runs.history(project, run)) if run else None
    return found.value if found else ""


def whole_world(lab: Lab) -> dict[str, Any]:
    """Return all that two equal end states have in common, configurations included."""
    with lab.site("dc1") as site:
        configurations = {vm: asdict(site.configuration(vm)) for vm in sorted(site.vms())}
    return {**world(lab), "configurations": configurations}


def changes(lab: Lab) -> Counter[tuple[str, str, str]]:
    """Return how often each change was made, by call, subject and way."""
    return Counter(
        (str(line["call"]), str(line["subject"]), "undo" if "/undo" in str(line["op"]) else "do")
        for line in read_ops(lab.folder("dc1") / "state" / "ops.log")
        if line["call"] in ONCE and line.get("done") and "/v" in str(line["op"])
    )


def _always(lab: Lab) -> Iterator[str]:
    """Yield what is wrong that must never be, whichever way the run went."""
    yield from repeated(lab)
    yield from healthy(lab, "dc1")
    if asked := read_ops(lab.folder("dc2") / "state" / "ops.log"):
        yield f"the target was asked to {asked[0]['call']}"
    with lab.site("dc1") as site:
        if site.observe(IDLE).power is not Power.OFF:
            yield f"{IDLE} was started"
        if left := site.list_snapshots():
            yield f"{len(left)} snapshots are left"
    if any(call == "power_off" for call, *_ in changes(lab)):
        yield "a guest was forced off"
    with lab.project() as project:
        if (line := audit.broken_at(project)) is not None:
            yield f"the audit chain breaks at line {line}"
        for run in runs.every(project, RunKind.REMEDY):
            done: set[str] = set()
            for entry in runs.history(project, run).entries:
                if entry.event is Event.INTENT and entry.step in done:
                    yield f"{entry.step} began again after it was done"
                if entry.event is Event.DONE:
                    done.add(entry.step)


def remedied(lab: Lab, end: dict[str, Any], made: Counter[tuple[str, str, str]]) -> list[str]:
    """Return what is wrong after the remedies: another end than undisturbed, a change too many or few."""
    problems = list(_always(lab))
    if ended(lab) != Outcome.COMMITTED.value:
        problems.append(f"the remedies are not done but {ended(lab) or 'under way'}")
    if whole_world(lab) != end:
        problems.append("the end state is not that of an undisturbed run")
    if changes(lab) != made:
        problems.append(f"changes differ: {changes(lab) - made} too many, {made - changes(lab)} too few")
    return problems


def taken_back(lab: Lab, begin: dict[str, Any]) -> list[str]:
    """Return what is wrong after the way back; only consolidation stays done."""
    problems = list(_always(lab))
    if ended(lab) != Outcome.ROLLED_BACK.value:
        problems.append(f"the remedies are not taken back but {ended(lab) or 'under way'}")
    now = whole_world(lab)
    wanted = begin["configurations"]["db"]
    merged = now["configurations"]["db"]["consolidation_needed"]
    wanted = {**begin, "configurations": {
        **begin["configurations"], "db": {**wanted, "consolidation_needed": merged}}}  # fmt: skip
    if now != wanted:
        odd = [vm for vm, found in now["configurations"].items() if found != wanted["configurations"][vm]]
        problems.append(f"not as before: {', '.join(odd) or 'disks or power'}")
    return problems
