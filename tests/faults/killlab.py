"""The lab that is killed: four VMs of one group, and the project that moves them, made once.

A physical RDM becomes a VMDK, a VMDK an RDM on a larger LUN, two VMs share a disk, one ignores a shutdown
request and one is off. Site urls are relative, so that a copy of the directory is a project of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

from migrate.sites.lab.build import build_lab
from migrate.sites.lab.folder import SiteFolder
from planner.checks.registry import run_checks
from planner.model import VM, Backing, Dependency, Disk, Inventory, Nic, Power, Tie
from planner.planning import make_plan
from planner.settings import Lun, Policies, Remap, Settings, Site
from planner.store import approvals, inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project, utc_now
from planner.units import KIB, MIB

WAVE = "W01"
STUBBORN = "web"  # its guest ignores a shutdown request, so that force is needed
IDLE = "spare"  # off when the plan is made: it moves and is never started
RUNNING = ("db", "app", "web")
SITES = ("dc1", "dc2")
LUN, LARGER = "naa.t", 192 * KIB + 512  # than the disk of web-01 that moves onto it
_RATE = 400.0


def estate() -> Inventory:
    """Return four VMs of one group: both remaps, a shared disk, a VM that is off."""
    shared = Disk("2001", "Shared", MIB, path="[ds] pair/s.vmdk", multi_writer=True, bus=1, unit=0)

    def nic(number: int) -> tuple[Nic, ...]:
        return (Nic("Network adapter 1", "prod", f"00:50:56:00:00:{number:02x}", "Vmxnet3"),)

    db = VM(
        "db",
        "db-01",
        power=Power.ON,
        cpus=1,
        memory_bytes=64 * MIB,
        disks=(
            Disk("2000", "Hard disk 1", 2 * MIB, path="[ds] db/0.vmdk"),
            Disk("2002", "Hard disk 2", MIB, Backing.RDM_PHYSICAL, lun="naa.p"),
        ),
        nics=nic(1),
    )
    app = VM(
        "app",
        "app-01",
        power=Power.ON,
        cpus=1,
        memory_bytes=64 * MIB,
        disks=(Disk("2000", "Hard disk 1", MIB, path="[ds] app/0.vmdk"), shared),
        nics=nic(2),
    )
    web = VM(
        "web",
        "web-01",
        power=Power.ON,
        cpus=1,
        memory_bytes=64 * MIB,
        disks=(Disk("2000", "Hard disk 1", MIB, path="[ds] web/0.vmdk"), shared),
        nics=nic(3),
    )
    spare = VM("spare", "spare-01", power=Power.OFF, cpus=1, memory_bytes=64 * MIB, nics=nic(4))
    ties = tuple(
        Dependency(a, b, Tie.HARD, "talks to it all the time")
        for a, b in (("web", "app"), ("app", "db"), ("spare", "db"))
    )
    return Inventory("kill lab", "2026-01-01T00:00:00Z", (db, app, web, spare), dependencies=ties)


def settings() -> Settings:
    """Return the settings of the project: both remaps, short patience."""
    luns = (Lun(name=LUN, size_bytes=MIB + LARGER),)
    return Settings(
        sites={
            "dc1": Site(url="lab:lab/dc1", role="source"),
            "dc2": Site(url="lab:lab/dc2", role="target"),
        },
        luns=luns,
        remaps=(Remap(disk="web-01/Hard disk 1", to="rdm-virtual", lun=LUN),),
        policies=Policies(
            delta_cycles=1, stop_timeout_s=0.05, probe_timeout_s=2.0, block_kib=64, commit_window_h=1.0
        ),
    )


def make_template(root: Path, *, reverse: bool = False) -> Path:
    """Build project and lab under ``root``, ready to be copied: nothing of it runs.

    With ``reverse`` the wave is protected at its source once it is committed, as is the usual.
    """
    inventory, chosen = estate(), settings()
    ending = chosen.conduct.ending.model_copy(update={"reverse": reverse})
    chosen = chosen.model_copy(update={"conduct": chosen.conduct.model_copy(update={"ending": ending})})
    with Project.create(root, "kill") as project:
        settings_store.save(project, chosen, "test")
        stored = inventories.save(project, inventory)
        plan = make_plan(
            project=project.name,
            inventory=stored.inventory,
            inventory_fingerprint=stored.fingerprint,
            settings=chosen,
            created_at=utc_now(),
            findings=run_checks(stored.inventory).findings,
        )
        kept = plans.save(project, plan, "test")
        approvals.approve(project, kept, (WAVE,), "test")
    make_lab(root, inventory)
    return root


def make_lab(root: Path, inventory: Inventory) -> None:
    """Build both sites of the project in ``root``; one guest of the source does not listen."""
    build_lab(
        root / "lab",
        inventory,
        source_name="dc1",
        target_name="dc2",
        luns=settings().luns,
        seed=11,
        progress=lambda what, done, total: None,
        write_rate=_RATE,
    )
    folder = SiteFolder(root / "lab" / "dc1")
    body = json.loads((folder.root / "site.json").read_text())
    (folder.root / "site.json").write_text(json.dumps({**body, "stubborn": [STUBBORN]}))
