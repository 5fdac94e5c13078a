"""What of the conduct concerns a wave: filters, addresses, and which approvals it leaves valid."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from planner.conduct import Conduct, GateRule, Gates
from planner.conduct_planned import PlannedConduct, PlannedEnding
from planner.errors import BadInput
from planner.model import VM, Inventory, Nic, Power
from planner.plan import Plan
from planner.store.settings import read_toml, validate
from tests.planner.sketch import disk, estate, plan, rdm, vm

TCP = {"name": "ssh", "kind": "tcp", "port": 22}
DRAIN = {"name": "drain", "place": "before-cutover", "argv": ["/bin/true", "{vm}"]}


def three() -> Inventory:
    known = VM(
        "id-a",
        "app-[red]\u202e1",
        power=Power.ON,
        nics=(Nic("n", "prod", addresses=("", "10.0.0.7", "10.0.0.8")),),
    )
    return estate(known, VM("id-b", "app-2", power=Power.OFF), vm("db-1"))


def planned(**conduct: Any) -> Plan:
    return plan(three(), conduct=conduct)


def only(found: Plan) -> PlannedConduct:
    (wave,) = found.waves
    return wave.conduct


def test_nothing_said_leaves_fingerprints_as_they_were() -> None:
    (wave,) = planned(ending={"reverse": False, "folder": ""}).waves
    assert wave.conduct == PlannedConduct()
    body = wave.model_dump(mode="json")
    assert body["conduct"] != {}
    older = type(wave).model_validate({name: value for name, value in body.items() if name != "conduct"})
    assert older.fingerprint == wave.fingerprint


def test_a_plan_of_before_is_not_protected_the_other_way_and_a_new_one_is() -> None:
    """What was approved without reverse protection keeps its approval and gets none."""
    (wave,) = plan(three()).waves
    assert wave.conduct.ending.reverse
    body = wave.model_dump(mode="json")
    del body["conduct"]["ending"]["reverse"]
    older = type(wave).model_validate(body)
    assert not older.conduct.ending.reverse
    assert older.fingerprint != wave.fingerprint, "who approved of that did not approve of this"
    (off,) = planned(ending={"reverse": False}).waves
    assert (off.conduct.ending.reverse, off.fingerprint) == (False, older.fingerprint)


@pytest.mark.parametrize(
    "conduct",
    [
        {"probes": [TCP]},
        {"hooks": [DRAIN]},
        {"gates": {"go": {"persons": 2}}},
        {"ending": {"act": "rollback"}},
        {"test_networks": {"prod": "quarantine"}},
    ],
    ids=lambda conduct: next(iter(conduct)),
)
def test_whatever_is_said_is_signed(conduct: dict[str, Any]) -> None:
    before, after = plan(three()), planned(**conduct)
    assert after.settings != before.settings
    assert after.fingerprint != before.fingerprint
    assert after.waves[0].fingerprint != before.waves[0].fingerprint
    assert Plan.model_validate_json(after.model_dump_json(by_alias=True)) == after


def test_what_is_said_as_it_is_by_default_changes_nothing() -> None:
    assert planned(gates={"go": {"persons": 1}}).fingerprint == plan(three()).fingerprint


def test_filters_become_the_vms_they_find() -> None:
    found = only(
        planned(
            probes=[TCP, {**TCP, "name": "app", "vms": "app"}, {**TCP, "name": "none", "vms": "mail"}],
            hooks=[DRAIN, {**DRAIN, "name": "each", "vms": "app"}, {**DRAIN, "name": "no", "vms": "mail"}],
        )
    )
    assert [(probe.name, probe.vms) for probe in found.probes] == [
        ("ssh", ("id-a", "id-db-1")),
        ("app", ("id-a",)),  # the other one is off and stays off
    ]
    assert [(hook.name, set(hook.vms)) for hook in found.hooks] == [
        ("drain", set()),
        ("each", {"id-a", "id-b"}),
    ]
    assert [probe.name for probe in found.probes_of("id-db-1")] == ["ssh"]


def test_addresses_are_what_the_settings_say_else_the_first_that_is_known() -> None:
    assert only(planned(probes=[TCP])).addresses == {"id-a": "10.0.0.7"}
    said = only(planned(probes=[TCP], addresses={"db-1": "db.example.com", "app-[red]\u202e1": "10.9.9.9"}))
    assert said.addresses == {"id-a": "10.9.9.9", "id-db-1": "db.example.com"}


def test_the_plan_says_what_concerns_nobody_and_which_address_is_missing() -> None:
    found = planned(
        probes=[TCP, {**TCP, "name": "mail\u202e", "vms": "mail"}, {"name": "up", "kind": "power"}],
        hooks=[{**DRAIN, "vms": "db"}, {**DRAIN, "name": "each", "vms": "app", "argv": ["/x", "{address}"]}],
    )
    said = [note for note in found.notes if note.startswith(("probe ", "hook "))]
    assert said == [
        "probe mail<U+202E> concerns no VM of any wave: see its filter",
        "probe ssh needs an address of 1 VM of which nobody knows one (db-1): it will fail there; "
        "say it in conduct.addresses",
        "hook each needs an address of 1 VM of which nobody knows one (app-2): it will fail there; "
        "say it in conduct.addresses",
    ]


def test_only_networks_that_the_wave_plugs_into_are_there() -> None:
    found = planned(test_networks={"prod": "quarantine", "other": "x"})
    assert only(found).test_networks == {"prod": "quarantine"}
    moved = plan(
        three(), networks={"prod": "prod-2"}, conduct={"test_networks": {"prod-2": "q", "prod": "x"}}
    )
    assert only(moved).test_networks == {"prod-2": "q"}


def test_a_plan_of_before_leaves_fenced_sources_where_they_are() -> None:
    (wave,) = plan(three()).waves
    body = wave.model_dump(mode="json")
    assert body["conduct"]["ending"].pop("folder") == "wherry-moved"
    older = type(wave).model_validate(body)
    assert older.conduct.ending.folder == ""
    assert older.fingerprint != wave.fingerprint, "who approved of that did not approve of a move"


@pytest.mark.parametrize("folder", ["/DC1/vm/old", "/"])
def test_the_folder_of_fenced_sources_is_below_each_datacenter(folder: str) -> None:
    with pytest.raises(ValueError, match="begins with a slash"):
        planned(ending={"folder": folder})


def test_gates_and_ending_stand_in_every_wave() -> None:
    found = only(planned(gates={"commit": {"ticket": "CHG"}}, ending={"keep_days": 3}))
    assert found.gates == Gates(commit=GateRule(ticket="CHG"))
    assert found.ending == PlannedEnding(keep_days=3, folder="wherry-moved", reverse=True)


@pytest.mark.parametrize("what", ["probes", "hooks"])
def test_a_filter_that_cannot_be_read_is_refused_by_name(what: str) -> None:
    rule = {"probes": TCP, "hooks": DRAIN}[what]
    with pytest.raises(BadInput, match=f"site.toml has a wrong filter at {what[:-1]} ") as caught:
        validate({"conduct": {what: [{**rule, "vms": "(os~win"}]}}, "site.toml")
    assert str(rule["name"]) in caught.value.message
    assert "not closed" in caught.value.message


@pytest.mark.parametrize(
    ("conduct", "why"),
    [
        ({"probes": [{**TCP, "port": 0}]}, "needs port"),
        ({"probes": [TCP, TCP]}, "two probes are called 'ssh'"),
        ({"probes": [{"name": "w", "kind": "http", "url": "ftp://x"}]}, "neither http"),
        ({"probes": [{**TCP, "trust": "expiry-only"}]}, "trusts nobody"),
        ({"hooks": [{**DRAIN, "says": "wait"}]}, "not both"),
        ({"hooks": [{**DRAIN, "argv": [""]}]}, "names no program"),
        ({"hooks": [{**DRAIN, "place": "somewhere"}]}, "before-cutover"),
        ({"gates": {"go": {"persons": 3}}}, "less than or equal to 2"),
    ],
)
def test_what_cannot_be_is_refused(conduct: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Conduct.model_validate(conduct)


def test_the_example_of_the_guide_is_read() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "conduct.md").read_text("utf-8")
    settings = read_toml(text.split("```toml\n")[1].split("```")[0], "docs/conduct.md")
    assert len(settings.conduct.probes) > 3
    assert len({hook.place for hook in settings.conduct.hooks}) > 3


def test_a_physical_rdm_at_the_target_is_said_not_to_be_protected_after_the_commit() -> None:
    raw = estate(vm("db", disk(), rdm("naa.1")), vm("app"))
    more: dict[str, Any] = {
        "policies": {"physical_rdm": "keep"},
        "luns": [{"name": "naa.t", "size_bytes": 20 << 30}],
    }
    found = plan(raw, **more)
    (said,) = (note for note in found.notes if "cannot be protected" in note)
    (held,) = (wave.name for wave in found.waves if any(one.id == "id-db" for one in wave.vms))
    assert said.startswith(f"1 physical RDM at the target ({held}) cannot be protected at the source")
    off = plan(raw, conduct={"ending": {"reverse": False}}, **more)
    assert not [note for note in off.notes if "cannot be protected" in note]


def test_nor_are_disks_of_vms_that_share_some_where_vms_are_frozen_one_by_one() -> None:
    both = disk(path="[ds] shared/1.vmdk", multi_writer=True)
    pair = estate(vm("a", both), vm("b", both))
    sites = {"there": {"url": "vcenter://me@vc", "role": "target"}}
    found = plan(pair, sites=sites)
    (said,) = (note for note in found.notes if "cannot be protected" in note)
    assert said.startswith("1 disk without snapshots at the target")
    assert not [note for note in plan(pair).notes if "cannot be protected" in note]
