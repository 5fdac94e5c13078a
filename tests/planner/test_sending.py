"""Disks that travel once or never: who may decide it, what cannot be left out, what it saves and says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from planner.errors import BadInput
from planner.estimate import estimate_wave, seed_bytes
from planner.model import Backing, Disk, Sending, Volume
from planner.plan import Plan, Wave
from planner.plan_file import dump_plan, load_plan
from planner.sending import as_decided, notes, suggestion
from planner.settings import Link, Policies
from planner.units import GIB
from planner.volumes import volumes
from tests.planner.sketch import disk, estate, plan, rdm, settings, vm


def slot(unit: int, **more: Any) -> Disk:
    return disk(f"{2000 + unit}", **{"bus": 0, "unit": unit, **more})


def send(name: str = "db/2001", how: str = "never", **more: Any) -> dict[str, Any]:
    return {"disk": name, "send": how, "why": "page file only", "who": "ada", **more}


def two_disks(*said: dict[str, Any], **more: Any) -> Plan:
    return plan(estate(vm("db", slot(0), slot(1))), sends=list(said), **more)


def wave_of(*said: dict[str, Any], **more: Any) -> Wave:
    (wave,) = two_disks(*said, **more).waves
    return wave


@pytest.mark.parametrize("how", ["once", "never"])
@pytest.mark.parametrize("said", ["db/Hard disk 2001", "id-db/2001"])
def test_a_decision_stands_in_the_plan_with_who_and_why(how: str, said: str) -> None:
    first, second = wave_of(send(said, how)).disks
    assert (first.send, first.send_why, first.left_out) == (Sending.ALWAYS, "", False)
    assert (second.send, second.send_why, second.send_who) == (Sending(how), "page file only", "ada")
    assert second.size_bytes == 10 * GIB, "it exists at the target in its full size"
    assert "left out by decision, by ada: page file only" in second.mind
    assert any("in the guest" in note for note in second.mind) is (how == "never")


def test_what_nobody_signed_is_said_to_be_unknown() -> None:
    _, second = wave_of(send(who="")).disks
    assert "by a person whose name is not known" in second.mind[0]


REFUSED: dict[str, tuple[tuple[Disk, ...], dict[str, Any], str]] = {
    "boot": ((slot(0), slot(1)), {"name": "db/2000"}, "boots from its first disk"),
    "only": ((slot(1),), {}, "the only disk of its VM"),
    "unknown slot": ((slot(0), disk("2001")), {}, "its slot is unknown"),
    "same slot": ((slot(0), disk("2001", bus=0, unit=0)), {}, "boots from its first disk"),
    "converted": ((slot(0), rdm("naa.1", bus=0, unit=1)), {}, "a raw device"),
    "virtual": ((slot(0), rdm("naa.1", bus=0, unit=1, backing=Backing.RDM_VIRTUAL)), {}, "a raw device"),
}


@pytest.mark.parametrize("how", ["once", "never"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_left_out_is_refused_with_a_hint(case: str, how: str) -> None:
    disks, more, words = REFUSED[case]
    with pytest.raises(BadInput, match=words) as caught:
        plan(estate(vm("db", *disks)), sends=[send(more.get("name", "db/2001"), how)])
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_a_vmdk_that_becomes_a_raw_device_or_is_shared_is_refused() -> None:
    with pytest.raises(BadInput, match="becomes one"):
        two_disks(
            send(),
            remaps=[{"disk": "db/2001", "to": "rdm-virtual", "lun": "t"}],
            luns=[{"name": "t", "size_bytes": 10 * GIB}],
        )
    shared = slot(1, path="[ds] db/quorum.vmdk")
    with pytest.raises(BadInput, match="several VMs use it"):
        plan(estate(vm("db", slot(0), shared), vm("db2", slot(0), shared)), sends=[send()])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([send("db/9")], "the sending decision of db/9 matches no disk"),
        ([send(), send("id-db/2001", "once")], "has two sending decisions"),
    ],
)
def test_a_decision_on_no_disk_or_a_second_one_is_refused(said: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        two_disks(*said)


def test_a_decision_needs_a_reason_and_always_is_none() -> None:
    for wrong in (send(why=""), send(how="always"), {"disk": "db/2001", "send": "never"}):
        with pytest.raises(ValidationError):
            settings(sends=[wrong])


def test_an_older_reader_must_refuse_a_plan_that_leaves_disks_out(tmp_path: Path) -> None:
    assert two_disks().schema_ == "wherry.plan/1"
    found = two_disks(send())
    assert found.schema_ == "wherry.plan/2"
    file = tmp_path / "plan.json"
    file.write_text(dump_plan(found), "utf-8")
    assert load_plan(file).fingerprint == found.fingerprint
    body = found.model_dump(mode="json", by_alias=True) | {"schema": "wherry.plan/1"}
    with pytest.raises(ValidationError, match=r"the schema must be wherry\.plan/2"):
        Plan.model_validate(body)


def test_a_decision_needs_a_new_approval_another_reason_does_not() -> None:
    assert len({wave_of(*said).fingerprint for said in ([], [send()], [send(how="once")])}) == 3
    assert wave_of(send(why="other")).fingerprint == wave_of(send()).fingerprint
    assert two_disks(send(why="other")).fingerprint != two_disks(send()).fingerprint


def test_settings_without_decisions_keep_their_fingerprint() -> None:
    assert settings(sends=[]).fingerprint == settings().fingerprint
    assert settings(sends=[send()]).fingerprint != settings().fingerprint


def decided(how: str | None, *disks: Disk, **more: Any) -> tuple[Volume, ...]:
    found = volumes(estate(vm("db", *disks, **more)))
    return as_decided(found, settings(sends=[send(how=how)] if how else []))


def test_never_costs_nothing_on_the_line_and_once_only_its_seed() -> None:
    disks = (slot(0, used_bytes=4 * GIB), slot(1, used_bytes=2 * GIB))
    always, once, never = (decided(how, *disks) for how in (None, "once", "never"))
    assert [seed_bytes(found) for found in (always, once, never)] == [6 * GIB, 6 * GIB, 4 * GIB]
    link, policies = Link(), Policies()
    took = [estimate_wave(found, link, policies, 1) for found in (always, once, never)]
    assert took[0].seed_h == took[1].seed_h
    assert took[1].seed_h.p50 == pytest.approx(took[2].seed_h.p50 * 1.5, rel=0.01)
    assert took[0].churn_bytes_day > took[1].churn_bytes_day == took[2].churn_bytes_day
    assert took[0].downtime_min.p50 > took[1].downtime_min.p50 >= took[2].downtime_min.p50
    measured = [
        estimate_wave(decided(how, *disks, churn_bytes_day=3 * GIB), link, policies, 1).churn_bytes_day
        for how in (None, "never")
    ]
    assert measured == pytest.approx([3 * GIB, 2 * GIB])


@given(
    used=st.lists(st.integers(0, 10 * GIB), min_size=2, max_size=6),
    out=st.dictionaries(st.integers(1, 5), st.sampled_from(["once", "never"])),
)
def test_leaving_disks_out_never_makes_a_wave_longer(used: list[int], out: dict[int, str]) -> None:
    inventory = estate(vm("db", *(slot(unit, used_bytes=size) for unit, size in enumerate(used))))
    said = [send(f"db/{2000 + unit}", how) for unit, how in out.items() if unit < len(used)]
    whole = volumes(inventory)
    less = as_decided(whole, settings(sends=said))
    assert sum(volume.left_out is not None for volume in less) == len(said)
    assert [volume.size_bytes for volume in less] == [volume.size_bytes for volume in whole]
    before, after = (estimate_wave(found, Link(), Policies(), 1) for found in (whole, less))
    assert seed_bytes(less) == sum(
        size for unit, size in enumerate(used) if unit == 0 or out.get(unit) != "never"
    )
    assert after.seed_h.p95 <= before.seed_h.p95
    assert after.downtime_min.p95 <= before.downtime_min.p95
    assert after.churn_bytes_day <= before.churn_bytes_day


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"path": "[ds] db/db_swap.vmdk"}, "its file name says swap"),
        ({"path": "[ds] db/pagefile-000002.vmdk"}, "its file name says pagefile"),
        ({"path": "[ds-tempdb-02] db/db_1.vmdk"}, "its datastore says tempdb"),
        ({"label": "Scratch1"}, "its label says scratch"),
        ({"path": "[templates] db/db_1.vmdk"}, ""),
        ({"path": "[ds] swap-mgr/swap-mgr_1.vmdk"}, ""),
        ({"path": "[ds] attempt/contemporary.vmdk"}, ""),
        ({}, ""),
    ],
)
def test_a_name_suggests_and_nothing_more(more: dict[str, Any], found: str) -> None:
    inventory = estate(vm("db", slot(0), slot(1, **more)))
    assert suggestion(volumes(inventory)[1]) == found
    (wave,) = plan(inventory).waves
    assert not any(item.left_out for item in wave.disks), "a suggestion is never applied by itself"


def test_what_the_guest_needs_is_said_for_its_kind_and_hostile_text_is_shown() -> None:
    def said(why: str, how: str = "never") -> str:
        found = decided(None, slot(0), slot(1))
        marked = as_decided(found, settings(sends=[send(how=how, why=why)]))
        return " ".join(notes(marked[1]))

    assert "mkswap" in said("swap space")
    assert "tempdb" in said("tempdb of SQL")
    assert "file system" in said("build area")
    assert "as old as the seed" in said("swap", "once")
    assert "\x1b" not in said("\x1b[31mswap\u202e")
    assert "\u202e" not in said("\x1b[31mswap\u202e")
