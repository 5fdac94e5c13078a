"""Inventories come back from the store exactly as they were, hostile names and unknowns included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.fingerprint import inventory_fingerprint
from planner.model import (
    VM,
    Backing,
    BusSharing,
    Cdrom,
    Cluster,
    Datastore,
    Decision,
    Dependency,
    Disk,
    Folder,
    Host,
    Inventory,
    Licence,
    Lun,
    Network,
    Nic,
    Power,
    ResourcePool,
    Ruling,
    Snapshot,
    Tie,
    VCenter,
)
from planner.store import inventories
from planner.store.project import Project

HOSTILE = ("[red]x", "=1+1", "../../etc", "\x1b[2J\x00", "\u202eevil", "x" * 80, "'; DROP TABLE vm; --", "")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path) as project:
        yield project


def full() -> Inventory:
    disk = Disk(
        "2000", "Hard disk 1", 1 << 40, Backing.RDM_PHYSICAL, "[ds] a.vmdk", "naa.6", 5, True, "persistent",
        True, "SCSI controller 1", 1, 2, BusSharing.PHYSICAL,
    )  # fmt: skip
    vm = VM(
        "id-1", "db", power=Power.SUSPENDED, cbt=False, rules=("r",), disks=(disk, Disk("2001", "b", 7)),
        nics=(Nic("n", "prod", connected=None, addresses=("10.0.0.1", "fe80::1")),),
        snapshots=(Snapshot("s"),), cdroms=(Cdrom("c", True, "iso"),), attributes=(("k", "v"),),
    )  # fmt: skip
    return Inventory(
        source="test",
        taken_at="2026-10-01T00:00:00Z",
        vms=(vm, *(VM(f"h-{number}", name, application=name) for number, name in enumerate(HOSTILE))),
        hosts=(Host("h", "esx"),),
        clusters=(Cluster("c", "cl", 3),),
        datastores=(Datastore("d", "ds", "VMFS", 1, 2),),
        networks=(Network("n", "prod", "12"),),
        dependencies=(Dependency("id-1", "h-0", Tie.HARD, "because", 443, "seen", 0.5),),
        notes=("a note",),
        gaps=("nics", "cdroms"),
        vcenters=(VCenter("uuid", "vc", extensions=("com.vmware.vcDr",)),),
        luns=(Lun("naa.6", size_bytes=5, hosts=("h",)),),
        resource_pools=(ResourcePool("r", "pool", vapp=True),),
        folders=(Folder("f", "prod", "/prod"),),
        licences=(Licence("vSphere", "XXXXX-12345", 8),),
        decisions=(Decision(Ruling.REFUSE, "a", "b", 443, HOSTILE[3], HOSTILE[4], "2026-10-01T00:00:00Z"),),
        refused=(Dependency("a", "b", Tie.HARD, HOSTILE[0], 443),),
    )


def test_an_inventory_comes_back_as_it_was(project: Project) -> None:
    before = full()
    saved = inventories.save(project, before)
    found = inventories.latest(project)
    assert found.inventory == before
    assert found.fingerprint == saved.fingerprint == inventory_fingerprint(found.inventory)


def test_every_field_of_an_inventory_is_stored(project: Project) -> None:
    """A field that is added to the model and forgotten in the store would come back at its default."""
    from dataclasses import fields

    before = full()
    empty = Inventory("", "", ())
    assert all(getattr(before, field.name) != getattr(empty, field.name) for field in fields(Inventory))
    inventories.save(project, before)
    after = inventories.latest(project).inventory
    assert all(getattr(after, field.name) == getattr(before, field.name) for field in fields(Inventory))


def test_the_head_is_cheap_and_says_the_same(project: Project) -> None:
    before = full()
    saved = inventories.save(project, before)
    head = inventories.summary(project)
    assert (head.id, head.fingerprint, head.source) == (saved.id, saved.fingerprint, "test")
    assert head.vms == len(before.vms)
    assert head.size_bytes == (1 << 40) + 7


def test_the_newest_counts_and_older_ones_stay(project: Project) -> None:
    inventories.save(project, full())
    inventories.save(project, Inventory("second", "2026-10-02T00:00:00Z", ()))
    assert inventories.latest(project).inventory.source == "second"
    assert project.rows("SELECT count(*) FROM inventory")[0][0] == 2


def test_without_an_inventory_there_is_a_hint(project: Project) -> None:
    with pytest.raises(NotFound) as caught:
        inventories.latest(project)
    assert "discover" in caught.value.hint


def test_an_inventory_that_cannot_be_stored_leaves_nothing(project: Project) -> None:
    with pytest.raises(BadInput, match="D800"):
        inventories.save(project, Inventory("x", "t", (VM("a", "fine"), VM("b", "\ud800"))))
    assert project.rows("SELECT count(*) FROM inventory")[0][0] == 0
    assert project.rows("SELECT count(*) FROM inventory_vm")[0][0] == 0
