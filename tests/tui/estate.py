"""Projects for the screens' tests: a small estate with a plan and an approval, and a hostile one.

The read model and the checks are given by the test, so that these tests stand on their own; one test
elsewhere runs the screens on the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.checks.registry import Readiness
from planner.model import (
    VM,
    Backing,
    BusSharing,
    Dependency,
    Disk,
    Finding,
    Inventory,
    Nic,
    Power,
    Severity,
    Tie,
)
from planner.plan import (
    Plan,
    PlannedAttachment,
    PlannedDisk,
    PlannedEstimate,
    PlannedGroup,
    PlannedReason,
    PlannedVM,
    Score,
    Spread,
    Unplanned,
    Wave,
)
from planner.settings import Policies, Window
from planner.store import approvals, columns, inventories, judged, neighbours, plans
from planner.store.project import Project
from planner.units import GIB
from tui.session import Session

NOW = datetime(2026, 3, 11, 14, 2, tzinfo=UTC)
HOSTILE = (
    "[bold red]sale[/]",
    "[@click=app.exit]press me[/]",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "x" * 80,
    "twin",
    "twin",
    "[/]",
    "tab\tnew\nline",
    "\u202egnp.exe",
    "日本語サーバー",
    "e\u0301te\u0301\u200b",
    "$text-error",
)


@dataclass(frozen=True, slots=True)
class WaveRow:
    """A wave in the read model."""

    name: str
    title: str
    vms: int
    groups: int
    size_bytes: int
    window: str = ""
    approved_by: str = ""
    state: str = "planned"
    steps_done: int = 0
    steps_total: int = 0
    current: str = ""
    gate: str = ""
    since: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedRow:
    """Something that needs a person."""

    severity: str
    text: str
    hint: str
    wave: str = ""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """The read model of a project."""

    project: str
    inventory_source: str = ""
    inventory_taken_at: str = ""
    vms: int = 0
    size_bytes: int = 0
    plan_version: int | None = None
    waves: tuple[WaveRow, ...] = ()
    stages: tuple[tuple[str, int], ...] = ()
    needs: tuple[NeedRow, ...] = ()
    running: tuple[str, ...] = ()


def vm(number: int, name: str, app: str = "shop", **more: Any) -> VM:
    """Return a VM with one disk and one adapter."""
    disk = Disk("2000", "Hard disk 1", (20 + number) * GIB, path=f"[ds1] {name}/{name}.vmdk", thin=True)
    return VM(
        **{
            "id": f"vm-{number}",
            "name": name,
            "power": Power.ON,
            "guest_os": "Windows Server 2019" if number % 3 == 0 else "Rocky Linux 9",
            "cpus": 2 + number % 6,
            "memory_bytes": (4 + number) * GIB,
            "cluster": "prod-a",
            "host": "esx-01",
            "application": app,
            "disks": (disk,),
            "nics": (Nic("Network adapter 1", "vlan-10", mac="00:50:56:00:00:01", addresses=("10.0.0.4",)),),
            **more,
        }
    )


def estate() -> Inventory:
    """Return twelve VMs: a shared pair with a physical RDM among them."""
    names = ("shop-db-01", "shop-db-02", "shop-app-01", "shop-web-01", "crm-db-01", "crm-app-01",
             "crm-web-01", "dc-01", "dc-02", "jump-01", "old-box", "tiny")  # fmt: skip
    vms = [vm(number, name, name.split("-")[0]) for number, name in enumerate(names)]
    rdm = Disk("2001", "Hard disk 2", 100 * GIB, Backing.RDM_PHYSICAL, lun="naa.6001",
               bus_sharing=BusSharing.PHYSICAL)  # fmt: skip
    for index in (0, 1):
        vms[index] = vm(index, names[index], "shop", disks=(*vms[index].disks, rdm), tier="database")
    vms[10] = vm(10, "old-box", "", power=Power.OFF)
    ties = (
        Dependency("vm-2", "vm-0", Tie.HARD, "talks to its database", port=1433),
        Dependency("vm-3", "vm-2", Tie.ORDER, "front end", port=8080),
    )
    return Inventory("estate.xlsx", "2026-03-10T09:00:00Z", tuple(vms), dependencies=ties)


def findings(inventory: Inventory) -> Readiness:
    """Return a blocker and two warnings on VMs of ``estate``."""
    return Readiness(
        tuple(
            Finding(check, severity, item.id, item.name, message, remedy)
            for item in inventory.vms
            for check, severity, message, remedy in _found(item)
        ),
        {},
    )


def _found(item: VM) -> list[tuple[str, Severity, str, str]]:
    found = []
    if any(disk.backing is Backing.RDM_PHYSICAL for disk in item.disks):
        found.append(("disks.rdm", Severity.WARNING, f"{item.name} has a physical RDM", "it becomes a VMDK"))
    if item.power is Power.OFF:
        found.append(("vm.off", Severity.BLOCKER, f"{item.name} is off for a year", "exclude it"))
    return found


def plan_of(inventory: Inventory, waves: int = 2, project: str = "acme") -> Plan:
    """Return a plan that spreads all but the last VM over so many waves, two VMs a group."""
    moving = inventory.vms[:-1]
    size = -(-len(moving) // waves)
    parts = [moving[start : start + size] for start in range(0, len(moving), size)]
    return Plan(
        project=project,
        created_at="2026-03-10T10:00:00Z",
        inventory="0" * 64,
        settings="1" * 64,
        waves=tuple(_wave(f"W{number:02}", part, number) for number, part in enumerate(parts, 1)),
        unplanned=tuple(Unplanned(vm=v.id, name=v.name, why="excluded by name") for v in inventory.vms[-1:]),
        score=Score(waves=len(parts), waves_bound=1, order_violations=0, hard_violations=0),
    )


def _wave(name: str, vms: tuple[VM, ...], number: int) -> Wave:
    disks = {}
    for item in vms:
        for disk in item.disks:
            key = disk.lun or f"{item.id}/{disk.key}"
            holder = PlannedAttachment(vm=item.id, disk=disk.key, label=disk.label)
            disks.setdefault(key, (disk, []))[1].append(holder)
    groups = [vms[start : start + 2] for start in range(0, len(vms), 2)]
    return Wave(
        name=name,
        title=f"{vms[0].application} and more",
        window=Window(start=datetime(2026, 3, 7 + 7 * number, 22, tzinfo=UTC)) if number < 3 else None,
        groups=tuple(
            PlannedGroup(
                name=part[0].application or part[0].name,
                vms=tuple(v.id for v in part),
                reasons=(PlannedReason(a=part[0].id, b=part[-1].id, why="they share LUN naa.6001"),),
            )
            for part in groups
        ),
        vms=tuple(
            PlannedVM(id=v.id, name=v.name, cpus=v.cpus, memory_bytes=v.memory_bytes, powered_on=True)
            for v in vms
        ),
        boot=tuple(tuple(v.id for v in part) for part in groups),
        disks=tuple(
            PlannedDisk(volume=key, size_bytes=disk.size_bytes, source=disk.backing, target=Backing.VMDK,
                        source_lun=disk.lun, rule="a physical RDM becomes a VMDK by policy"
                        if disk.backing.is_rdm else "kept", attachments=tuple(users))
            for key, (disk, users) in disks.items()
        ),
        policies=Policies(),
        estimate=PlannedEstimate(seed_h=Spread(p50=1.5, p95=2.5), downtime_min=Spread(p50=11, p95=19)),
        why="nothing in it needs a later wave",
    )  # fmt: skip


def status_of(project: Project) -> StatusRow:
    """Answer as the read model would, from the store."""
    stored = plans.find_latest(project)
    rows = project.rows("SELECT source, taken_at, vms, size_bytes FROM inventory ORDER BY id DESC LIMIT 1")
    if not rows:
        need = NeedRow("info", "the project has no inventory yet", "run 'wherry discover FILE'")
        return StatusRow("acme", needs=(need,))
    waves = stored.plan.waves if stored else ()
    given = approvals.valid(project, stored.plan) if stored else {}
    total = rows[0]["vms"]
    return StatusRow(
        "acme", rows[0]["source"], rows[0]["taken_at"], total, rows[0]["size_bytes"],
        stored.version if stored else None,
        tuple(
            WaveRow(w.name, w.title, len(w.vms), len(w.groups), w.size_bytes,
                    w.window.start.strftime("%a %d %b %H:%M") if w.window else "",
                    given[w.name].who if w.name in given else "",
                    "approved" if w.name in given else "planned")
            for w in waves
        ),
        (("discovered", total), ("planned", sum(len(w.vms) for w in waves)),
         ("approved", sum(len(w.vms) for w in waves if w.name in given)),
         ("in sync", 0), ("cut over", 0), ("committed", 0)),
        tuple(NeedRow("info", f"{w.name} is not approved", f"wherry plan approve {w.name}", w.name)
              for w in waves if w.name not in given),
    )  # fmt: skip


def build(root: Path, inventory: Inventory | None = None, waves: int = 2, planned: bool = True) -> Path:
    """Make a project with an inventory and, when wanted, a plan whose first wave is approved."""
    inventory = inventory or estate()
    with Project.create(root, "acme") as project:
        inventories.save(project, inventory)
        if planned:
            stored = plans.save(project, plan_of(inventory, waves), "ann")
            approvals.approve(project, stored, ("W01",), "ann")
    return root


def hostile_estate() -> Inventory:
    """Return an estate in which every text is an attack."""
    vms = tuple(
        vm(number, name, name, guest_os=name, cluster=name, host=name, owner=name, tier=name,
           annotation=name, folder=name, nics=(Nic(name, name, mac=name, addresses=(name,)),),
           disks=(Disk("2000", name, GIB, path=name),))
        for number, name in enumerate(HOSTILE)
    )  # fmt: skip
    return Inventory(HOSTILE[2], "2026-03-10T09:00:00Z", vms,
                     dependencies=(Dependency("vm-0", "vm-1", Tie.SOFT, HOSTILE[0]),))  # fmt: skip


def judge(root: Path, checks_of: Callable[[Inventory], Readiness] = findings) -> None:
    """Work out what tables ask for, and keep what checks of the test's own say about the newest inventory."""
    with Project.open(root) as project:
        if inventories.find_summary(project) is None:
            return
        stored = inventories.latest(project)
        neighbours.build(project, stored.id)
        columns.build(project, stored.id)
        ids = (item.id for item in stored.inventory.vms)
        judged.store(project, judged.stamp(project), ids, checks_of(stored.inventory))


def session(
    root: Path,
    status: Any = status_of,
    patience_s: float = 0.2,
    checks_of: Callable[[Inventory], Readiness] = findings,
) -> Session:
    """Return a session whose read model comes from this module, on a project judged by ``checks_of``."""
    judge(root, checks_of)
    return Session(root, status_of=status, patience_s=patience_s, judges=False)
