"""The map of resource pools: the longest path decides, deeper pools land there too, nothing is guessed."""

from __future__ import annotations

import pytest

from planner.model import Management, ResourcePool
from planner.plan_file import dump_plan
from planner.pools import is_there, known_pools, pool_maps, pools_above, shown
from planner.units import GIB
from tests.planner.sketch import disk, estate, plan, rdm, settings, vm

MAPS = {"gold": "G", "gold/db": "D", "/dc1/host/prod/Resources/gold": "P", "east/Resources/gold": "E"}


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/dc1/host/test/Resources/gold", "G"),
        ("/dc1/host/test/Resources/gold/app", "G"),
        ("/dc1/host/test/Resources/gold/db/x", "D"),
        ("/dc1/host/prod/Resources/gold/app", "P"),
        ("/dc2/host/rack/east/Resources/gold", "E"),
        ("/dc1/host/test/Resources/golden", ""),
        ("/dc1/host/test/Resources", ""),
        ("gold", "G"),
        ("", ""),
    ],
)
def test_the_longest_path_decides(path: str, to: str) -> None:
    assert pool_maps(MAPS).of(vm("a", resource_pool=path)) == to


def test_a_map_of_all_pools_takes_what_no_other_does() -> None:
    maps = pool_maps({"/": "all", "gold": "G"})
    assert [maps.decided(f"/dc/host/c/Resources{tail}")[1] for tail in ("", "/x/y", "/gold")] == [
        *("all", "all", "G")
    ]


def test_pools_are_listed_by_their_path_below_the_cluster() -> None:
    one = vm("a", resource_pool="/dc/host/c/Resources/gold/db")
    assert pools_above(one) == ("/", "gold", "gold/db")
    assert pools_above(vm("b")) == ()
    assert shown("/dc/host/c/Resources") == "/"


def test_a_pool_of_the_target_is_named_by_the_end_of_its_path() -> None:
    known = known_pools(estate(resource_pools=(ResourcePool("r", "db", "Resources/gold/db"),)))
    there = ("db", "gold/db", "Resources/gold/db", "/DC/host/c/Resources/gold/db")
    assert all(is_there(path, known) for path in there)
    assert not any(is_there(path, known) for path in ("gold", "x/db", "/", ""))


def test_one_pool_is_mapped_once() -> None:
    with pytest.raises(ValueError, match="one pool, mapped twice"):
        settings(pools={"gold": "a", "/gold/": "b"})


def test_a_plan_says_pool_and_policies_of_what_is_mapped() -> None:
    held = vm(
        "a",
        disk("1", policy="Mirrored"),
        disk("2", policy="Other"),
        resource_pool="/dc/host/c/Resources/gold",
        management=Management(storage_policy="Mirrored"),
    )
    raw = vm("b", rdm("naa.1", policy="Mirrored"))
    source = estate(held, raw)
    bare = plan(source)
    mapped = plan(
        source,
        pools={"gold": "G"},
        storage_policies={"Mirrored": "M"},
        policies={"physical_rdm": "keep"},
        luns=[{"name": "naa.9", "size_bytes": 10 * GIB}],
    )
    said = {one.id: one for wave in mapped.waves for one in wave.vms}
    assert (said["id-a"].pool, said["id-a"].policy, said["id-b"].pool, said["id-b"].policy) == (
        "G",
        "M",
        "",
        "",
    )
    assert sorted(one.policy for wave in mapped.waves for one in wave.disks) == ["", "", "M"]
    assert '"policy": "M"' in dump_plan(mapped)
    assert settings(pools={}, storage_policies={}).fingerprint == settings().fingerprint
    assert bare.waves[0].fingerprint != mapped.waves[0].fingerprint
