"""Resource pools and storage policies with their maps: who is in them, what is lost without a map."""

from __future__ import annotations

from planner.model import Inventory, Management, ResourcePool
from planner.units import GIB
from tests.planner.sketch import disk, estate, settings, vm
from tui.acts.landing_pools import (
    policies_of,
    policy_landings,
    pool_landings,
    pools_of,
    pools_there,
)

ROOT = "/DC/host/c/Resources"


def source() -> Inventory:
    gold = Management(storage_policy="Gold")
    return estate(
        vm("a", disk(policy="Gold"), resource_pool=f"{ROOT}/gold/db", management=gold),
        vm("b", disk(policy="Mirrored"), resource_pool=f"{ROOT}/gold"),
        vm("c", resource_pool=ROOT),
        vm("d"),
        vm("t", disk(policy="Old"), template=True, resource_pool=f"{ROOT}/old"),
    )


def there() -> Inventory:
    pools = (ResourcePool("r0", "Resources", "Resources"), ResourcePool("r1", "new", "Resources/new"))
    return estate(resource_pools=pools)


def test_pools_count_what_lies_deeper_and_the_clusters_own_needs_no_map() -> None:
    rows = {row.name: row for row in pool_landings(source(), there(), settings(pools={"gold/db": "new"}))}
    assert set(rows) == {"/", "gold", "gold/db"} == set(pools_of(source()))
    assert (rows["/"].vms, rows["/"].wrong) == (3, "")
    assert (rows["gold"].vms, rows["gold"].goes) == (2, "")
    assert rows["gold"].wrong == "not mapped: lands in its cluster's own pool"
    assert (rows["gold/db"].to, rows["gold/db"].size_bytes, rows["gold/db"].wrong) == ("new", 10 * GIB, "")


def test_deeper_pools_land_where_the_upper_one_does() -> None:
    rows = {row.name: row for row in pool_landings(source(), there(), settings(pools={"/gold/": "gone"}))}
    assert (rows["gold/db"].to, rows["gold/db"].goes, rows["gold/db"].by) == ("", "gone", "/gold/")
    assert rows["gold"].wrong == "the target has no such pool"
    assert pool_landings(source(), None, settings(pools={"gold": "gone"}))[1].wrong == ""
    assert (pools_there(there()), pools_there(estate()), pools_there(None)) == (("new",), None, None)


def test_policies_are_those_in_use_and_of_maps() -> None:
    maps = settings(storage_policies={"Gold": "Fast", "Unused": "x"})
    rows = {row.name: row for row in policy_landings(source(), maps)}
    assert policies_of(source()) == ("Gold", "Mirrored")
    assert (rows["Gold"].vms, rows["Gold"].to, rows["Gold"].wrong) == (1, "Fast", "")
    assert rows["Mirrored"].wrong == "not mapped: its disks get the default of their datastore"
    assert (rows["Unused"].vms, rows["Unused"].wrong) == (0, "")
