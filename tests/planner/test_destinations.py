"""Maps of datastores and folders: the longest path decides, deeper folders come along, nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.destinations import below, folder_maps, folders_above, home
from planner.plan import Plan
from planner.plan_file import dump_plan
from planner.settings import Settings
from tests.planner.sketch import disk, estate, plan, rdm, settings, vm

MAPS = {"Prod": "Moved/Prod", "Prod/Web": "Web", "/DC2/vm/Prod": "Second"}


def lands(path: str, datacenter: str = "DC1", **maps: str) -> str:
    return folder_maps(maps or MAPS).of(vm("a", folder=path, datacenter=datacenter))


@pytest.mark.parametrize(
    ("path", "datacenter", "to"),
    [
        ("/DC1/vm/Prod", "DC1", "Moved/Prod"),
        ("/DC1/vm/Prod/Db/Old", "DC1", "Moved/Prod/Db/Old"),
        ("/DC1/vm/Prod/Web", "DC1", "Web"),
        ("/DC1/vm/Prod/Web/A", "DC1", "Web/A"),
        ("/DC1/vm/Production", "DC1", ""),
        ("/DC1/vm", "DC1", ""),
        ("/DC2/vm/Prod/Db", "DC2", "Second/Db"),
        ("Prod/Web", "", "Web"),
        ("", "DC1", ""),
    ],
)
def test_the_longest_path_decides(path: str, datacenter: str, to: str) -> None:
    assert lands(path, datacenter) == to


def test_a_map_of_all_folders_takes_what_no_other_does() -> None:
    assert lands("/DC1/vm/Test/x", **{"/": "Landed", "Prod": "P"}) == "Landed/Test/x"
    assert lands("/DC1/vm", **{"/": "Landed"}) == "Landed"
    assert lands("/DC1/vm/Prod", **{"/": "Landed", "Prod": "P"}) == "P"


NAMES = st.lists(st.sampled_from(["a", "b", "vm", "DC"]), max_size=4)


@given(NAMES, st.dictionaries(st.lists(st.sampled_from(["a", "b"]), max_size=3).map("/".join), st.just("T")))
def test_what_decides_is_a_beginning_of_the_path_and_none_is_longer(
    path: list[str], maps: dict[str, str]
) -> None:
    inside = ["a", *path]  # a first name that is no datacenter and no root
    said, to = folder_maps(maps).decided("/".join(inside), "DC")
    fitting = [key for key in maps if key.split("/") == inside[: len(key.split("/"))] or not key]
    assert bool(to) == bool(fitting)
    if fitting:
        assert said == max(fitting, key=len)
        assert to == "/".join(["T", *inside[len(said.split("/")) if said else 0 :]])


def test_own_folders_are_told_below_their_datacenter() -> None:
    assert below("/DC1/vm/Prod/Web", "DC1") == below("Prod/Web", "DC1") == ("Prod", "Web")
    assert [
        folders_above(vm("a", folder=path, datacenter="DC1")) for path in ("/DC1/vm/A/B", "/DC1/vm", "")
    ] == [
        ("/", "A", "A/B"),
        ("/",),
        (),
    ]


def test_the_home_of_a_vm_is_where_its_files_are() -> None:
    first = disk(path="[two] a/a.vmdk")
    assert home(vm("a", first, vmx_path="[one] a/a.vmx")) == "one"
    assert home(vm("a", disk(path=""), first)) == "two"
    assert home(vm("a", disk(path=""))) == ""


def moved(**more: object) -> Plan:
    inventory = estate(
        vm("a", disk(path="[one] a/a.vmdk"), rdm("naa.1", path="[two] a/b.vmdk"),
           vmx_path="[one] a/a.vmx", folder="/DC/vm/Prod/Web", datacenter="DC"),
        vm("b", disk(path="[two] b/b.vmdk")),
    )  # fmt: skip
    return plan(inventory, **more)


def test_a_plan_says_where_each_vm_and_disk_lands() -> None:
    (wave,) = moved(datastores={"one": "gold"}, folders={"Prod": "P"}).waves
    assert [(item.name, item.datastore, item.folder) for item in wave.vms] == [
        ("a", "gold", "P/Web"),
        ("b", "", ""),
    ]
    assert [item.datastore for item in wave.disks] == ["gold", "", ""], "nobody said where [two] leads"


def test_an_approval_is_of_the_place_too_and_older_plans_keep_theirs() -> None:
    bare, here, there = moved(), moved(datastores={"one": "gold"}), moved(datastores={"one": "silver"})
    other = moved(datastores={"one": "gold"}, folders={"/": "P"})
    assert len({made.waves[0].fingerprint for made in (bare, here, there, other)}) == 4
    body = bare.model_dump(mode="json", by_alias=True)
    for wave in body["waves"]:
        for item in wave["vms"]:
            del item["datastore"], item["folder"]
        for item in wave["disks"]:
            del item["datastore"]
    older = Plan.model_validate(body)
    assert (older.fingerprint, older.waves[0].fingerprint) == (bare.fingerprint, bare.waves[0].fingerprint)
    assert '"datastore": "gold"' in dump_plan(here)


@pytest.mark.parametrize(
    ("maps", "why"),
    [
        ({"folders": {"Prod": "A", "/Prod/": "B"}}, "'Prod' and '/Prod/' are one folder, mapped twice"),
        ({"folders": {"Prod": ""}}, "at least 1 character"),
        ({"datastores": {"ds": ""}}, "at least 1 character"),
    ],
)
def test_maps_that_cannot_be_are_refused(maps: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings.model_validate(maps)


def test_maps_count_for_the_fingerprint_of_settings_once_they_are_set() -> None:
    assert settings(datastores={}, folders={}).fingerprint == Settings().fingerprint
    assert (
        settings(datastores={"a": "b"}).fingerprint
        != Settings().fingerprint
        != settings(folders={"a": "b"}).fingerprint
    )
