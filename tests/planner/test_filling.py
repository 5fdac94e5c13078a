"""Target datastores filling wave by wave, and the note on the plan when one of them is full."""

from __future__ import annotations

from dataclasses import replace

from planner.filling import Filled, fill, filling_notes, full_words, load_of, load_of_all, loads_now
from planner.model import Datastore, Disk, Inventory
from planner.plan import Plan
from planner.planning import make_plan
from planner.sized import show_size, size_of
from planner.units import GIB
from planner.volumes import own_volume
from tests.planner.sketch import disk, estate, needs, plan, rdm, settings, vm

MAPS = {"one": "gold", "two": "gold", "raw": "silver"}


def there(*stores: Datastore) -> Inventory:
    return estate(datastores=stores)


def store(name: str, free: int, **more: object) -> Datastore:
    return Datastore(f"d-{name}", name, free_bytes=free * GIB, **more)  # type: ignore[arg-type]


def source() -> Inventory:
    shared = disk("2001", path="[two] s/s.vmdk")
    return estate(
        vm("a", disk(path="[one] a/a.vmdk"), shared, memory_bytes=GIB),
        vm("b", disk(path="[two] b/b.vmdk"), shared, memory_bytes=GIB),
        vm("c", disk(path="[one] c/c.vmdk"), memory_bytes=GIB),
        vm("d", disk(path="[unmapped] d/d.vmdk"), memory_bytes=GIB),
        vm("e", rdm("naa.1", path="[raw] e/e.vmdk")),
        ties=(needs("a", "b"),),
    )


def planned(**more: object) -> Plan:
    return plan(source(), caps={"vms": 2}, **{"datastores": MAPS, **more})


def test_disks_and_swap_files_land_shared_ones_once_and_raw_devices_nowhere() -> None:
    loads = {vm.name: load_of(wave) for wave in planned().waves for vm in wave.vms}
    assert loads["a"] == {"gold": 32 * GIB}
    both = planned(policies={"physical_rdm": "keep"}, luns=[{"name": "naa.t", "size_bytes": 10 * GIB}])
    kept = [load_of(wave) for wave in both.waves if any(vm.name == "e" for vm in wave.vms)]
    assert not kept[0].get("silver"), "its VM may have a swap file, nobody knows"
    assert (
        load_of(next(wave for wave in planned().waves if any(vm.name == "e" for vm in wave.vms)))["silver"]
        == 10 * GIB
    )


def test_the_sum_runs_over_waves_and_names_the_first_without_room() -> None:
    loads = [("W01", {"gold": 4}), ("W02", {"silver": 1}), ("W03", {"gold": 3}), ("W04", {"gold": 1})]
    target = there(Datastore("g", "gold", free_bytes=6), Datastore("s", "silver", free_bytes=1))
    gold, silver = fill(loads, target)
    assert gold == Filled("gold", 6, (("W01", 4), ("W03", 7), ("W04", 8)))
    assert (gold.full, silver.full) == ("W03", "")
    assert full_words(gold).startswith("gold at the target is full from W03 on: 7 B land there")
    assert full_words(silver) == ""


def test_what_is_free_is_unknown_rather_than_enough() -> None:
    for target in (
        None,
        there(),
        there(Datastore("g", "gold")),
        there(Datastore("g", "gold", free_bytes=1), Datastore("h", "gold", free_bytes=1)),
        there(Datastore("g", "gold", free_bytes=1, accessible=False)),
        there(Datastore("g", "gold", free_bytes=1, maintenance=True)),
    ):
        (one,) = fill([("W01", {"gold": 5})], target)
        assert (one.free_bytes, one.full, one.size_bytes) == (None, "", 5)


def test_a_map_that_the_plan_does_not_know_yet_is_counted_the_same() -> None:
    made = planned()
    assert list(loads_now(made.waves, source(), MAPS)) == [load_of(wave) for wave in made.waves]
    (bare, *_) = loads_now(planned(datastores={}).waves, source(), {"one": "x\x1b"})
    assert bare.keys() <= {"x\x1b"}


def with_target(*stores: Datastore) -> Plan:
    return make_plan(
        project="test",
        inventory=source(),
        inventory_fingerprint="x",
        settings=settings(caps={"vms": 2}, datastores={**MAPS, "one": "go\x1bld"}),
        created_at="2026-10-01T08:00:00+00:00",
        target=there(*stores),
    )


def test_the_plan_says_which_datastore_is_full_from_which_wave_on() -> None:
    made = with_target(store("go\x1bld", 15), store("gold", 40), store("silver", 100))
    (note,) = (said for said in made.notes if "is full from" in said)
    second = [wave.name for wave in made.waves if load_of(wave).get("go\x1bld")][1]
    assert f"at the target is full from {second} on" in note
    assert note.endswith("15.0 GiB are free; map some of it to another one")
    assert "\x1b" not in note
    assert not any("is full from" in said for said in with_target(store("go\x1bld", 900)).notes)


def test_many_full_datastores_are_counted() -> None:
    loads = there(*(store(f"d{at}", 1) for at in range(9)))
    inventory = estate(*(vm(f"v{at}", disk(path=f"[s{at}] v/v.vmdk")) for at in range(9)))
    made = plan(inventory, datastores={f"s{at}": f"d{at}" for at in range(9)})
    assert (
        filling_notes(made.waves, inventory, loads)[-1] == "3 more datastores of the target will be full too"
    )
    assert filling_notes(made.waves, inventory, None) == ()


def test_what_is_known_in_part_lands_at_least() -> None:
    def of(*disks: Disk, **more: object) -> Inventory:
        known = vm("a", disk(path="[one] a/a.vmdk"), memory_bytes=GIB)
        odd = {"vmx_path": "[one] b/b.vmx", "memory_bytes": GIB, **more}
        return estate(known, replace(vm("b", *disks), disks=disks, **odd))  # type: ignore[arg-type]

    full = disk(path="[one] b/b.vmdk")
    for inventory, words in (
        (of(full), "22.0 GiB land"),
        (of(gaps=("disks",)), "at least 12.0 GiB land"),
        (of(replace(full, size_bytes=0)), "at least 12.0 GiB land"),
        (of(full, memory_bytes=0), "at least 21.0 GiB land"),
    ):
        made = plan(inventory, datastores=(maps := {"one": "gold"}))
        (note,) = filling_notes(made.waves, inventory, there(store("gold", 1)))
        assert f": {words} there by then" in note
        (load,) = loads_now(made.waves, inventory, maps)
        assert f"{show_size(load['gold'])} land" == words, "by a map that the plan may not know"
        load = load_of_all(inventory, settings(datastores=maps), own_volume)
        assert f"{show_size(load['gold'])} land" == words, "before anything is planned"
    (gold,) = fill([("W01", {"gold": size_of(2, sized=False)}), ("W02", {"gold": 3})], None)
    assert [show_size(size) for _, size in gold.after] == ["at least 2 B", "at least 5 B"]
