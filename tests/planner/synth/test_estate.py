"""A synthetic estate is what its recipe says, and its ground truth is true."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from statistics import median

import pytest

from planner.checks.registry import all_checks, run_checks
from planner.errors import BadInput
from planner.fingerprint import inventory_fingerprint
from planner.graph import shared_services
from planner.groups import move_groups
from planner.model import Backing, Power, Tie
from planner.settings import Settings
from planner.sources.document import parse_document
from planner.synth.recipe import Recipe
from planner.units import GIB
from planner.volumes import volumes
from tests.planner.synth.estates import estate

# What no inventory alone can answer: these ask for a target, or for the project's settings.
_NEED_MORE = {
    "compute.evc",
    "compute.hardware-version.target",
    "compute.size.half",
    "compute.size.target",
    "disks.rdm.target-lun",
    "disks.size.target",
    "guest.churn.high",
    "guest.churn.link",
    "names.target",
    "network.address.target",
    "network.mac.target",
    "network.map.missing",
    "network.map.unset",
    "network.readdress.duplicate",  # addresses are settings of a project
    "network.readdress.gateway",
    "network.readdress.guest",
    "network.readdress.subnet",
    "platform.admission",
    "platform.licence.expired",
    "platform.licence.full",
    "platform.linked",  # takes a second vCenter
    "platform.version.older",
    "storage.map.folder",  # maps are settings of a project
    "storage.map.missing",
    "storage.map.room",
    "storage.map.unmapped",
    "storage.space.disk",
    "storage.space.total",
}


def test_one_seed_is_one_estate_in_another_process() -> None:
    """Hash order, import order and the clock have no say in it."""
    code = (
        "from planner.synth.estate import make_estate; from planner.synth.recipe import Recipe\n"
        "from planner.fingerprint import inventory_fingerprint as f\n"
        "print(f(make_estate(Recipe(120, 3)).inventory))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {inventory_fingerprint(estate(120, 3).inventory)}


def test_another_seed_is_another_estate() -> None:
    assert inventory_fingerprint(estate(120, 4).inventory) != inventory_fingerprint(estate(120, 3).inventory)


@pytest.mark.parametrize("vms", [10, 63, 400])
def test_it_has_as_many_vms_as_asked_for_and_holds_together(vms: int) -> None:
    inventory = estate(vms).inventory
    assert len(inventory.vms) == vms
    assert len({vm.id for vm in inventory.vms}) == vms
    hosts, stores = {host.name for host in inventory.hosts}, {store.name for store in inventory.datastores}
    networks = {network.name for network in inventory.networks}
    for vm in inventory.vms:
        assert vm.host in hosts
        assert {disk.path[1 : disk.path.index("]")] for disk in vm.disks} <= stores
        assert {nic.network for nic in vm.nics} <= networks
    assert {lun for vm in inventory.vms for disk in vm.disks if (lun := disk.lun)} <= {
        lun.name for lun in inventory.luns
    }


def test_ids_are_unique_across_vcenters() -> None:
    inventory = estate(1600).inventory
    assert len(inventory.vcenters) == 2
    for part in ("vms", "hosts", "clusters", "datastores", "networks", "resource_pools", "folders"):
        ids = [item.id for item in getattr(inventory, part)]
        assert len(set(ids)) == len(ids), part


def test_the_document_takes_it_as_it_is() -> None:
    from planner.export.inventory import inventory_lines

    inventory = estate().inventory
    assert parse_document("".join(inventory_lines(inventory)), "made") == inventory


def test_sizes_are_as_measured_estates_have_them() -> None:
    inventory = estate(3000).inventory
    moved = [vm for vm in inventory.vms if vm.movable and vm.disks]
    used = sorted((vm.used_bytes or 0) / GIB for vm in moved)
    assert 49 <= median(used) <= 231
    assert 9 <= used[len(used) * 99 // 100] / median(used) <= 49
    counts = Counter(min(len(vm.disks), 5) for vm in moved)
    assert 0.20 <= counts[1] / len(moved) <= 0.56
    assert 0.03 <= sum(vm.power is Power.OFF for vm in moved) / len(moved) <= 0.08
    rdm = sum(any(disk.backing.is_rdm for disk in vm.disks) for vm in moved) / len(moved)
    assert 0.01 <= rdm <= 0.03


def test_most_bytes_flow_on_few_edges() -> None:
    busy = sorted((flow.bytes for flow in estate(3000).flows), reverse=True)
    assert 0.45 <= sum(busy[: len(busy) // 100]) / sum(busy) <= 0.85


def test_hidden_flows_are_not_among_what_was_observed() -> None:
    made = estate()
    kinds = Counter(flow.kind for flow in made.flows if flow.hidden)
    assert sum(kinds.values()) > 0
    assert "noise" not in kinds
    soft = {(one.source, one.target) for one in made.inventory.dependencies if one.tie is Tie.SOFT}
    seen = {(flow.source.id, flow.target.id) for flow in made.flows if not flow.hidden}
    assert soft <= seen


def test_groups_found_are_the_groups_that_were_made() -> None:
    made = estate()
    found = {frozenset(group.vms) for group in move_groups(made.inventory, Settings())}
    assert found == {frozenset(group) for group in made.truth.groups}
    assert max(map(len, found)) > 3


def test_groups_without_their_ties_are_not() -> None:
    """Negative control: the comparison above can fail."""
    from dataclasses import replace

    made = estate()
    cut = replace(made.inventory, dependencies=())
    found = {frozenset(group.vms) for group in move_groups(cut, Settings())}
    assert found != {frozenset(group) for group in made.truth.groups}


def test_hubs_that_vms_need_are_found() -> None:
    made = estate()
    found = set(shared_services(made.inventory, Settings()))
    needed = {vm.id for vm in made.inventory.vms if vm.tier in {"directory", "dns"}}
    assert needed
    assert needed <= found <= set(made.truth.hubs)


def test_shared_volumes_are_those_of_the_ground_truth() -> None:
    made = estate()
    found = {
        frozenset(item.vm.id for item in volume.attachments)
        for volume in volumes(made.inventory)
        if volume.shared
    }
    told = {frozenset(one["vms"]) for one in made.truth.shared if len(one["vms"]) > 1}
    assert found == told
    kinds = {disk.backing for vm in made.inventory.vms for disk in vm.disks}
    assert kinds == set(Backing)


def test_every_check_has_something_to_find_and_undecided_is_not_all() -> None:
    readiness = run_checks(estate(1200).inventory)
    found = {finding.check for finding in readiness.findings}
    assert {check.id for check in all_checks()} - found <= _NEED_MORE


def test_planted_trouble_is_what_checks_find() -> None:
    made = estate(1200)
    readiness = run_checks(made.inventory)
    for family, kind, check in (
        ("disks", "consolidation", "disks.consolidation"),
        ("compute", "suspended", "compute.suspended"),
        ("snapshots", "many", "snapshots.many"),
        ("names", "password", "names.password"),
        ("network", "mac.duplicate", "network.mac.duplicate"),
        ("disks", "nonpersistent", "disks.nonpersistent"),
    ):
        found = sorted({finding.subject for finding in readiness.findings if finding.check == check})
        assert found == made.truth.trouble[family][kind], check


def test_without_trouble_nothing_blocks() -> None:
    made = estate(400, 7, 0.0)
    assert made.truth.trouble == {}
    blockers = [item for item in run_checks(made.inventory).findings if item.severity.value == "blocker"]
    assert blockers == []


def test_more_trouble_is_more_findings() -> None:
    few, many = (run_checks(estate(400, 7, factor).inventory).findings for factor in (1.0, 3.0))
    assert len(many) > len(few)


@pytest.mark.parametrize(
    ("vms", "trouble"), [(9, 1.0), (200_001, 1.0), (100, -0.1), (100, 11.0), (100, float("nan"))]
)
def test_a_recipe_that_cannot_be_is_refused(vms: int, trouble: float) -> None:
    with pytest.raises(BadInput) as caught:
        Recipe(vms, 7, trouble)
    assert caught.value.hint


def test_standard_switches_know_no_private_vlans() -> None:
    """What a vCenter cannot hold would come back from it as something else: as no VLAN at all."""
    networks = [one for seed in range(1, 7) for one in estate(100, seed).inventory.networks]
    odd = {one.kind for one in networks if one.vlan.startswith("pvlan") or "-" in one.vlan}
    assert odd == {"distributed"}
