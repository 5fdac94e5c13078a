"""Remapping: the person's word, the rule, and LUNs that fit and are used once."""

from __future__ import annotations

from typing import Any

import pytest

from planner.errors import BadInput, Blocked
from planner.model import Backing, BusSharing, Snapshot, Volume
from planner.remap import VMDK_LIMIT, decide, decide_all, decide_each, lun_requests
from planner.remapping import sectors
from planner.units import GIB
from planner.volumes import volumes
from tests.planner.sketch import disk, estate, plan, rdm, settings, vm


def virtual(lun: str, size_gib: int = 10, key: str = "2001") -> Any:
    return rdm(lun, key, backing=Backing.RDM_VIRTUAL, size_bytes=size_gib * GIB)


def one(*disks: Any, name: str = "db") -> Volume:
    return volumes(estate(vm(name, *disks)))[0]


def lun(name: str, size_bytes: int) -> dict[str, Any]:
    return {"name": name, "size_bytes": size_bytes}


def test_rules_without_a_word() -> None:
    assert decide(one(disk()), settings()).target is Backing.VMDK
    physical = decide(one(rdm("naa.1")), settings())
    assert (physical.target, physical.lun) == (Backing.VMDK, "")
    assert "policy" in physical.rule
    assert decide(one(virtual("naa.1")), settings()).target is Backing.VMDK
    kept = decide(one(virtual("naa.1")), settings(luns=[lun("t", 10 * GIB)]))
    assert (kept.target, kept.lun) == (Backing.RDM_VIRTUAL, "t")
    assert "20971520 sectors hold 20971520" in kept.rule


def test_shared_bus_needs_clustered_vmdks_and_the_rule_says_so() -> None:
    assert "clustered VMDKs" in decide(one(rdm("n", bus_sharing=BusSharing.PHYSICAL)), settings()).rule


def test_what_is_larger_than_a_vmdk_stays_an_rdm_or_blocks() -> None:
    huge = one(rdm("naa.1", size_bytes=VMDK_LIMIT + 1))
    with pytest.raises(Blocked) as caught:
        decide(huge, settings(luns=[lun("small", GIB)]))
    assert "needs a LUN" in caught.value.message
    assert caught.value.hint
    kept = decide(huge, settings(luns=[lun("big", VMDK_LIMIT + 512)]))
    assert (kept.target, kept.lun) == (Backing.RDM_PHYSICAL, "big")
    with pytest.raises(BadInput, match="62 TiB"):
        decide(huge, settings(remaps=[{"disk": "db/2001", "to": "vmdk"}]))
    with pytest.raises(Blocked):
        decide(one(rdm("naa.1")), settings(policies={"physical_rdm": "keep"}))


def test_size_is_counted_in_whole_sectors() -> None:
    odd = one(virtual("naa.1"), name="odd")
    odd = Volume(odd.id, odd.backing, 10 * GIB + 1, odd.attachments)
    assert sectors(odd) == 20971521
    assert decide(odd, settings(luns=[lun("t", 10 * GIB + 511)])).target is Backing.VMDK
    assert decide(odd, settings(luns=[lun("t", 10 * GIB + 512)])).target is Backing.RDM_VIRTUAL


@pytest.mark.parametrize(
    "said", ["db/Hard disk 2000", "db/2000", "id-db/Hard disk 2000", "id-db/2000"], ids=str
)
def test_a_word_names_vm_and_disk_by_name_or_id(said: str) -> None:
    found = decide(
        one(disk()),
        settings(remaps=[{"disk": said, "to": "rdm-physical", "lun": "t"}], luns=[lun("t", 10 * GIB)]),
    )
    assert (found.target, found.lun) == (Backing.RDM_PHYSICAL, "t")
    assert "a person's word" in found.rule


def test_a_name_with_a_slash_is_matched_whole() -> None:
    inventory = estate(vm("a/b", disk("c/d")), vm("a", disk("x")))
    found = decide_all(
        volumes(inventory),
        settings(remaps=[{"disk": "a/b/c/d", "to": "rdm-virtual"}], luns=[lun("t", 10 * GIB)]),
    )
    assert found["id-a/b/c/d"].lun == "t"
    assert found["id-a/x"].target is Backing.VMDK


@pytest.mark.parametrize(
    ("remaps", "luns", "message"),
    [
        ([{"disk": "db/9", "to": "vmdk"}], [], "matches no disk"),
        ([{"disk": "db/2000", "to": "vmdk"}, {"disk": "id-db/2000", "to": "keep"}], [], "two remaps"),
        ([{"disk": "db/2000", "to": "vmdk", "lun": "t"}], [lun("t", GIB)], "for a VMDK"),
        ([{"disk": "db/2000", "to": "rdm-virtual", "lun": "t"}], [], "not in the settings"),
        ([{"disk": "db/2000", "to": "rdm-virtual", "lun": "t"}], [lun("t", GIB)], "sectors"),
        ([], [lun("t", GIB), lun("t", GIB)], "twice"),
        (
            [
                {"disk": "db/2000", "to": "rdm-virtual", "lun": "t"},
                {"disk": "app/2000", "to": "rdm-virtual", "lun": "t"},
            ],
            [lun("t", 10 * GIB)],
            "used by another disk",
        ),
    ],
)
def test_bad_words_are_refused_with_a_hint(remaps: Any, luns: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        decide_all(volumes(estate(vm("db"), vm("app"))), settings(remaps=remaps, luns=luns))
    assert caught.value.hint
    assert not caught.value.message.endswith(".")


def test_a_word_on_duplicate_names_is_ambiguous() -> None:
    inventory = estate(vm("twin", id="1"), vm("twin", id="2"))
    with pytest.raises(BadInput, match="matches 2 disks"):
        decide_all(volumes(inventory), settings(remaps=[{"disk": "twin/2000", "to": "vmdk"}]))


def test_luns_go_smallest_fitting_and_to_those_who_cannot_do_without_first() -> None:
    inventory = estate(
        vm("v20", virtual("a", 20)), vm("v10", virtual("b", 10)), vm("p10", rdm("c", size_bytes=10 * GIB))
    )
    free = [lun("l30", 30 * GIB), lun("l10", 10 * GIB), lun("l20", 20 * GIB)]
    for luns in (free, free[::-1]):
        found = decide_all(volumes(inventory), settings(policies={"physical_rdm": "keep"}, luns=luns))
        assert {key: value.lun for key, value in found.items()} == {
            "id-p10/2001": "l10",
            "id-v10/2001": "l20",
            "id-v20/2001": "l30",
        }
    tight = decide_all(volumes(inventory), settings(policies={"physical_rdm": "keep"}, luns=free[:1]))
    assert tight["id-p10/2001"].lun == "l30"
    assert tight["id-v10/2001"].target is Backing.VMDK


def test_a_named_lun_is_not_given_to_another_disk() -> None:
    inventory = estate(vm("a", virtual("x")), vm("b", virtual("y")))
    found = decide_all(
        volumes(inventory),
        settings(
            remaps=[{"disk": "b/2001", "to": "keep", "lun": "small"}],
            luns=[lun("small", 10 * GIB), lun("big", 11 * GIB)],
        ),
    )
    assert (found["id-a/2001"].lun, found["id-b/2001"].lun) == ("big", "small")


def clustered(*, size_gib: int = 10) -> Volume:
    nodes = [vm(name, disk(), rdm("naa.q", size_bytes=size_gib * GIB, bus_sharing=BusSharing.PHYSICAL))
             for name in ("n1", "n2")]  # fmt: skip
    return next(volume for volume in volumes(estate(*nodes)) if volume.shared)


def test_what_a_cluster_reserves_keeps_a_raw_device_while_a_lun_is_free() -> None:
    kept = decide(clustered(), settings(luns=[lun("t", 10 * GIB)]))
    assert (kept.target, kept.lun) == (Backing.RDM_PHYSICAL, "t")
    assert "reserve it with SCSI commands" in kept.rule
    assert any("perennially reserved" in said for said in kept.mind)
    without = decide(clustered(), settings())
    assert without.target is Backing.VMDK
    assert any("eager-zeroed" in said for said in without.mind)
    plain = decide(one(rdm("naa.1")), settings(luns=[lun("t", 10 * GIB)]))
    assert plain.target is Backing.VMDK


def test_a_cluster_gets_a_lun_before_a_virtual_raw_device_of_the_same_size() -> None:
    nodes = [vm(name, rdm("naa.q", bus_sharing=BusSharing.PHYSICAL)) for name in ("x1", "x2")]
    found = decide_all(
        volumes(estate(vm("a", virtual("naa.v")), *nodes)), settings(luns=[lun("t", 10 * GIB)])
    )
    assert found["id-x1/2001"].lun == "t"
    assert found["id-a/2001"].target is Backing.VMDK


def test_a_reserved_disk_and_a_huge_one_are_never_virtual_raw_devices() -> None:
    with pytest.raises(BadInput, match="reserved by nodes"):
        decide(clustered(), settings(remaps=[{"disk": "n1/2001", "to": "rdm-virtual"}]))
    with pytest.raises(BadInput, match="virtual RDM ends at 62 TiB"):
        decide(
            one(rdm("naa.1", size_bytes=VMDK_LIMIT + 512)),
            settings(remaps=[{"disk": "db/2001", "to": "rdm-virtual"}]),
        )


def test_a_lun_of_the_source_is_never_written() -> None:
    inventory = estate(vm("a", virtual("naa.A")), vm("b", virtual("naa.b")))
    with pytest.raises(BadInput, match="is listed as free") as caught:
        decide_all(volumes(inventory), settings(luns=[lun("NAA.a", 10 * GIB)]))
    assert "overwrite" in caught.value.hint


def test_proof_and_way_back_stand_in_sectors_for_each_of_the_four() -> None:
    stays = decide(one(disk()), settings())
    assert (stays.proof, stays.mind, stays.way_back) == ("", (), "")
    file = decide(one(rdm("naa.1")), settings())
    assert "20971520 sectors" in file.proof
    assert file.way_back.startswith("until commit LUN naa.1, still mapped and zoned, was not written")
    equal = decide(one(virtual("naa.1")), settings(luns=[lun("t", 10 * GIB)]))
    assert equal.proof == "LUN t has 20971520 sectors, the disk 20971520: no more and no less"
    assert not any("sectors more" in said for said in equal.mind)
    larger = decide(one(virtual("naa.1")), settings(luns=[lun("t", 10 * GIB + 512 * 7)]))
    assert larger.proof.endswith("7 more than the disk has")
    assert any("7 sectors more" in said and "GPT" in said for said in larger.mind)
    raw = decide(
        one(disk()),
        settings(remaps=[{"disk": "db/2000", "to": "rdm-physical"}], luns=[lun("t", 10 * GIB)]),
    )
    assert "the source VMDK was not written" in raw.way_back
    assert "first 20971520 sectors of LUN t" in raw.way_back


def test_snapshots_boot_disks_and_several_writers_are_to_be_minded() -> None:
    kept = Snapshot("before patch")
    volume = volumes(estate(vm("db", disk(multi_writer=True), snapshots=(kept,))))[0]
    raw = decide(
        volume, settings(remaps=[{"disk": "db/2000", "to": "rdm-physical"}], luns=[lun("t", 10 * GIB)])
    )
    assert any("1 snapshot of its VMs cannot be kept" in said for said in raw.mind)
    assert any("may boot from it" in said for said in raw.mind)
    assert any("eager-zeroed" in said for said in decide(volume, settings()).mind)
    second = one(disk("2000", bus=0, unit=0), disk("2001", bus=0, unit=1))
    assert decide(second, settings()).mind == ()
    data_disk = volumes(estate(vm("db", disk("2000", bus=0, unit=0), rdm("n", bus=0, unit=1))))[1]
    assert not any("boot" in said for said in decide(data_disk, settings()).mind)


def test_luns_are_asked_for_where_a_plan_is_blocked() -> None:
    huge = rdm("naa.1", size_bytes=VMDK_LIMIT + 1)
    inventory = estate(vm("db", huge), vm("v", virtual("naa.2")), vm("plain"))
    asked = lun_requests(volumes(inventory), settings(luns=[lun("t", 10 * GIB)]))
    assert [(item.volume.id, item.lun and item.lun.name, item.must) for item in asked] == [
        ("id-db/2001", None, True),
        ("id-v/2001", "t", False),
    ]


def test_words_on_a_disk_void_no_approval_and_old_plans_keep_their_fingerprint() -> None:
    made = plan(estate(vm("db", rdm("naa.1"))))
    wave = made.waves[0]
    (planned,) = wave.disks
    assert planned.proof
    assert planned.way_back
    bare = planned.model_copy(update={"proof": "", "mind": (), "way_back": ""})
    silent = wave.model_copy(update={"disks": (bare,)})
    assert silent.fingerprint == wave.fingerprint
    assert made.model_copy(update={"waves": (silent,)}).fingerprint != made.fingerprint
    body = silent.model_dump(mode="json")
    for word in ("proof", "mind", "way_back"):
        del body["disks"][0][word]
    assert type(wave).model_validate(body).fingerprint == wave.fingerprint


def test_a_disk_that_waits_for_a_lun_leaves_the_others_decided() -> None:
    every = volumes(estate(vm("a", rdm("naa.1")), vm("b", rdm("naa.2"))))
    first, second = (volume.id for volume in every)
    given = settings(remaps=[{"disk": "a/2001", "to": "keep"}])
    decided, waiting = decide_each(every, given)
    assert {key: one.target for key, one in decided.items()} == {second: Backing.VMDK}
    assert list(waiting) == [first]
    assert "a/Hard disk 2001 needs a LUN" in waiting[first].message
    with pytest.raises(Blocked, match="a/Hard disk 2001 needs a LUN"):
        decide_all(every, given)
