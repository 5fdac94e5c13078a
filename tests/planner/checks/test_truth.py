"""A synthetic estate knows what is wrong with it: the checks find that, and nothing beside it.

The target of the estate is one like it, so that what depends on a target is decided too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest

from planner.checks.registry import run_checks
from planner.model import VM
from planner.synth.estate import Estate, make_estate
from planner.synth.recipe import Recipe

SEED = 3
# What was planted by family and kind → the check that is about it.
CHECK_OF = {
    "compute.affinity": "compute.affinity",
    "compute.boot-order": "compute.boot.network",
    "compute.cdrom": "compute.cdrom",
    "compute.fault-tolerance": "compute.fault-tolerance",
    "compute.hardware-version": "compute.hardware-version",
    "compute.host-ageing": "hosts.version.old",
    "compute.host-disconnected": "hosts.connection",
    "compute.host-lockdown": "hosts.lockdown",
    "compute.host-maintenance": "hosts.maintenance",
    "compute.host-old": "hosts.version.unsupported",
    "compute.host-vmotion": "hosts.vmotion",
    "compute.inaccessible": "compute.connection",
    "compute.latency": "compute.latency",
    "compute.limit": "compute.limit",
    "compute.managed": "compute.managed",
    "compute.orphaned": "compute.connection",
    "compute.reservation": "compute.reservation",
    "compute.suspended": "compute.suspended",
    "compute.too-large": "compute.size.target",
    "devices.floppy": "devices.floppy",
    "devices.nvdimm": "disks.pmem",
    "devices.parallel": "devices.port",
    "devices.passthrough": "devices.passthrough",
    "devices.precision-clock": "devices.rare",
    "devices.serial": "devices.port",
    "devices.sound": "devices.rare",
    "devices.sriov": "devices.sriov",
    "devices.usb": "devices.usb",
    "devices.vgpu": "devices.vgpu",
    "devices.watchdog": "devices.rare",
    "disks.boot-raw": "compute.boot.raw",
    "disks.bus-sharing": "disks.bus-sharing",
    "disks.buslogic": "disks.controller.buslogic",
    "disks.consolidation": "disks.consolidation",
    "disks.encrypted": "security.encryption",
    "disks.filter": "disks.filters",
    "disks.flash-cache": "disks.flash-cache",
    "disks.ide": "disks.controller.ide-sata",
    "disks.independent": "disks.independent",
    "disks.iops-limit": "disks.iops-limit",
    "disks.large": "disks.size.large",
    "disks.no-capacity": "disks.size.unknown",
    "disks.nonpersistent": "disks.nonpersistent",
    "disks.nvme": "disks.controller.nvme",
    "disks.partly-tracked": "disks.cbt.partial",
    "disks.persistent-memory": "disks.pmem",
    "disks.rdm-without-lun": "disks.rdm.no-lun",
    "disks.sata": "disks.controller.ide-sata",
    "disks.too-large": "disks.size.too-large",
    "disks.uneven": "disks.size.uneven",
    "disks.very-many": "disks.count",
    "replication.other": "replication.other",
    "security.encrypted": "security.encryption",
    "security.sev": "security.sev",
    "security.sgx": "security.sgx",
    "security.tpm": "security.tpm",
    "security.vbs": "security.vbs",
    "snapshots.chain": "snapshots.chain",
    "snapshots.grown": "snapshots.size",
    "snapshots.many": "snapshots.many",
    "snapshots.month": "snapshots.old",
    "snapshots.week": "snapshots.old",
    "storage.folder": "storage.folder.duplicate",
    "storage.full": "storage.full",
    "storage.inaccessible": "storage.inaccessible",
    "storage.local": "storage.local",
    "storage.maintenance": "storage.maintenance",
    "storage.path": "storage.path",
    "storage.vmfs-old": "storage.vmfs.version",
}
# These are there without being planted: sizes and reservations people give, shared buses of clusters,
# encryption that a TPM brings along, hosts that were not upgraded, snapshots of other plants.
ALSO_FOUND = {
    "compute.reservation",
    "disks.bus-sharing",
    "disks.size.large",
    "hosts.version.old",
    "security.encryption",
    "snapshots.old",
    "snapshots.size",
}
# Another plant made them unknown again, or they name both ends of a pair.
DIFFERENT = {
    "compute.hardware-old",
    "disks.cbt.off",
    "disks.cbt.unknown",
    "disks.linked-clone",
    "disks.policy",
    "snapshots.fresh",
    "storage.lun-hidden",
}
FAMILIES = {"compute", "devices", "disks", "replication", "security", "snapshots", "storage"}


@cache
def estate() -> Estate:
    return make_estate(Recipe(vms=4000, seed=SEED))


@cache
def subjects() -> dict[str, set[str]]:
    target = make_estate(Recipe(vms=200, seed=SEED + 1)).inventory
    found: defaultdict[str, set[str]] = defaultdict(set)
    for item in run_checks(estate().inventory, target=target).findings:
        found[item.check].add(item.subject)
    return found


def planted() -> dict[str, set[str]]:
    return {
        f"{family}.{kind}": set(ids)
        for family, kinds in estate().truth.trouble.items()
        for kind, ids in kinds.items()
    }


@cache
def twice() -> set[str]:
    """What several things were planted in: one may have undone another."""
    counted = Counter(vm_id for ids in planted().values() for vm_id in ids)
    return {vm_id for vm_id, count in counted.items() if count > 1}


def machine(vm_id: str) -> VM:
    return next(vm for vm in estate().inventory.vms if vm.id == vm_id)


def test_every_kind_of_these_families_is_looked_for() -> None:
    kinds = {kind for kind in planted() if kind.partition(".")[0] in FAMILIES}
    assert kinds <= CHECK_OF.keys() | DIFFERENT
    assert len(kinds) > 60


@pytest.mark.parametrize("check", sorted(set(CHECK_OF.values())))
def test_what_was_planted_is_found_and_nothing_else(check: str) -> None:
    truth = planted()
    expected = set[str]().union(*(truth.get(kind, ()) for kind, one in CHECK_OF.items() if one == check))
    assert expected, "the estate is too small to hold one"
    assert expected - twice() <= subjects()[check]
    if check not in ALSO_FOUND:
        assert subjects()[check] - twice() <= expected


def test_change_tracking_that_another_plant_changed_again() -> None:
    off = {vm_id for vm_id in planted()["disks.cbt.off"] if machine(vm_id).cbt is False}
    assert len(off) > 200
    assert off <= subjects()["disks.cbt"]


def test_a_linked_clone_is_found_and_not_its_parent() -> None:
    pairs = planted()["disks.linked-clone"]
    assert subjects()["snapshots.linked-clone"] < pairs
    assert 2 * len(subjects()["snapshots.linked-clone"]) == len(pairs)


def test_a_lun_hidden_from_half_a_cluster_is_found_with_its_vms() -> None:
    hidden = planted()["storage.lun-hidden"]
    users = {vm.id for vm in estate().inventory.vms for disk in vm.disks if disk.lun in hidden}
    assert users
    assert subjects()["disks.rdm.hidden"] == users


def test_a_check_that_looks_for_something_else_would_be_seen() -> None:
    """Negative control."""
    assert not planted()["compute.affinity"] - twice() <= subjects()["compute.limit"]
    assert not subjects()["compute.limit"] - twice() <= planted()["compute.affinity"]


def test_most_is_planted_once() -> None:
    everything = {vm_id for ids in planted().values() for vm_id in ids}
    assert 3 * len(twice()) < 2 * len(everything)


def test_a_clean_estate_is_clean() -> None:
    """Nothing was planted, so nothing is found that can only be planted."""
    clean = make_estate(Recipe(vms=600, seed=SEED, trouble=0)).inventory
    found = {item.check for item in run_checks(clean).findings}
    assert found.isdisjoint(set(CHECK_OF.values()) - ALSO_FOUND)
