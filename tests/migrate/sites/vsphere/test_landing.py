"""A VM lands in the pool and under the storage policies that its plan names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.sites.vsphere.devices import Laid, device_changes
from migrate.sites.vsphere.policies import profiles, wanted_policies
from migrate.sites.vsphere.specifying import config_spec
from planner.errors import SiteRefused
from tests.migrate.sites.vsphere.test_machines import CREATE, OP, Pair, Starts, pair, starts

__all__ = ["pair", "starts"]


def test_it_lands_in_the_pool_that_the_plan_says(starts: Starts) -> None:
    pair = starts(pools=("gold", "gold/db", "batch", "batch/db"))
    with pytest.raises(SiteRefused, match="2 resource pools of prod are called db"):
        pair.target.create_vm(pair.vm(pool="db"), OP)
    pair.target.create_vm(pair.vm(pool="gold/db"), OP)
    pool = pair.wired.machines("resourcePool")["app%2fone"]["resourcePool"]
    assert (pool.name, pool.parent.name) == ("db", "gold")


def test_storage_policies_go_by_their_ids(pair: Pair) -> None:
    vsan = "vSAN Default Storage Policy"  # one of those that the simulator has
    vm = pair.vm(policy=vsan)
    vm = replace(vm, disks=(replace(vm.disks[0], policy=vsan), vm.disks[1]))
    found = profiles(pair.wired.connection, wanted_policies(vm))
    assert {name: [one.profileId for one in said] for name, said in found.items()} == {
        "": [],
        vsan: ["aa6d5a82-1c88-45da-85d3-3d74b91a5bad"],
    }
    definition = vm.definition
    assert definition is not None
    laid = {disk.key: Laid(*pair.target.laid[disk.volume]) for disk in vm.disks}
    changes = device_changes(vm, definition, laid, {"net": None, "other": None}, found)
    assert [list(one.profile) for one in changes if hasattr(one.device, "capacityInBytes")] == [
        found[vsan],
        [],
    ]
    spec = config_spec(
        vm, definition, home="ds", version=19, devices=changes, stamps={}, profiles=found[vm.policy]
    )
    assert list(spec.vmProfile) == found[vsan]
    pair.target.create_vm(vm, OP)
    assert pair.built().disks
    assert pair.wired.peer.calls()["PbmRetrieveContent"] == 2


def test_nobody_asks_for_policies_where_none_is_wanted(pair: Pair) -> None:
    pair.target.create_vm(pair.vm(), OP)
    assert "PbmQueryProfile" not in pair.wired.peer.calls()


def test_an_account_that_may_not_see_policies_is_told_so(pair: Pair) -> None:
    pair.wired.peer.rules([{"method": "PbmQueryProfile", "fault": "NoPermission"}])
    with pytest.raises(SiteRefused, match=r"the storage policies of .* cannot be read"):
        pair.target.create_vm(pair.vm(policy="Gold"), OP)
    assert CREATE not in pair.wired.tasks.log.methods
