"""The plan document: fingerprints that cover what they say, and tampering that is noticed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound, PlanTampered
from planner.model import Tie
from planner.plan import Plan, canonical
from planner.plan_file import dump_plan, load_plan
from tests.planner.sketch import disk, estate, needs, plan, rdm, vm


def two_waves() -> Plan:
    inventory = estate(vm("db", rdm("naa.1")), vm("app"), ties=(needs("app", "db", Tie.ORDER),))
    return plan(inventory, windows=[{"start": "2026-10-03T22:00:00"}])


def test_a_plan_file_comes_back_as_it_was(tmp_path: Path) -> None:
    before = two_waves()
    path = tmp_path / "plan.json"
    path.write_text(dump_plan(before), "utf-8")
    after = load_plan(path)
    assert after == before
    assert after.fingerprint == before.fingerprint


def test_a_plan_from_before_there_were_score_cards_keeps_its_fingerprints() -> None:
    """An approval names these: what a later wherry adds to the document must not void it."""
    old = load_plan(Path(__file__).with_name("plan_before_score_cards.json"))
    assert old.fingerprint == "e03bfce495dfc39506c2a3524a4f69f3c18df35333342e313c30a75038772638"
    (wave,) = old.waves
    assert wave.fingerprint == "a4f9a36140f67b58d7020c1d5a65d2af2f147911b6da9b6da6dd92250af85551"


def test_what_a_wave_is_expected_to_take_is_no_part_of_what_is_approved() -> None:
    (wave, _) = two_waves().waves
    assert wave.takes
    assert wave.load
    bare = wave.model_copy(update={"takes": (), "load": (), "overrun": 0.5})
    assert bare.fingerprint == wave.fingerprint


@pytest.mark.parametrize("key", ["created_at", "notes", "unplanned", "score", "inventory", "waves"])
def test_any_change_to_a_plan_file_is_noticed(tmp_path: Path, key: str) -> None:
    body = json.loads(dump_plan(two_waves()))
    if key == "score":
        body[key]["waves"] += 1
    elif isinstance(body[key], list):
        body[key] = body[key][:-1] if body[key] else [{"vm": "x", "name": "x", "why": "x"}]
    else:
        body[key] += "0"
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(body), "utf-8")
    with pytest.raises(PlanTampered):
        load_plan(path)


def test_a_missing_fingerprint_is_tampering_too(tmp_path: Path) -> None:
    body = json.loads(dump_plan(two_waves()))
    del body["fingerprint"]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(body), "utf-8")
    with pytest.raises(PlanTampered):
        load_plan(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": "other/1"}', "[" * 100_000, "\ud800"])
def test_what_is_no_plan_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadInput) as caught:
        load_plan(path)
    assert caught.value.hint
    with pytest.raises(BadInput):
        load_plan(tmp_path / "missing.json")


@pytest.mark.parametrize(
    "change",
    [
        {"window": None},
        {"boot": ()},
        {"disks": ()},
        {"vms": ()},
        {"groups": ()},
        {"name": "W09"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_what_a_wave_does_changes_its_fingerprint(change: dict[str, object]) -> None:
    wave = two_waves().waves[0]
    assert wave.model_copy(update=change).fingerprint != wave.fingerprint


def test_deep_changes_void_an_approval() -> None:
    wave = two_waves().waves[0]
    disk_ = wave.disks[0].model_copy(update={"target_lun": "naa.other"})
    policies = wave.policies.model_copy(update={"commit_window_h": 1.0})
    vm_ = wave.vms[0].model_copy(update={"powered_on": not wave.vms[0].powered_on})
    for change in ({"disks": (disk_,)}, {"policies": policies}, {"vms": (vm_,)}):
        assert wave.model_copy(update=change).fingerprint != wave.fingerprint


def test_words_about_a_wave_leave_its_approval_valid() -> None:
    wave = two_waves().waves[0]
    estimate = wave.estimate.model_copy(update={"seed_h": wave.estimate.seed_h.model_copy(update={"p50": 9})})
    rule = wave.disks[0].model_copy(update={"rule": "other words"})
    for change in ({"title": "t"}, {"why": "w"}, {"estimate": estimate}, {"disks": (rule,)}):
        assert wave.model_copy(update=change).fingerprint == wave.fingerprint


def test_another_wave_changing_leaves_this_one_valid() -> None:
    inventory = estate(
        vm("db", rdm("naa.1")), vm("app", disk(size_bytes=1)), ties=(needs("app", "db", Tie.ORDER),)
    )
    changed = plan(inventory, windows=[{"start": "2026-10-03T22:00:00"}])
    before = two_waves()
    assert changed.fingerprint != before.fingerprint
    assert changed.wave("W01").fingerprint == before.wave("W01").fingerprint
    assert changed.wave("W02").fingerprint != before.wave("W02").fingerprint


def test_waves_are_found_in_any_case_and_unknown_ones_named() -> None:
    assert two_waves().wave("w02").name == "W02"
    with pytest.raises(NotFound) as caught:
        two_waves().wave("W07")
    assert "W01, W02" in caught.value.hint


@pytest.mark.parametrize("waves", [0, 2])
def test_a_plan_is_written_and_fingerprinted_wave_by_wave_as_it_would_be_whole(waves: int) -> None:
    found = two_waves().model_copy(update={"waves": two_waves().waves[:waves]})
    body = found.model_dump(mode="json", by_alias=True)
    said = body | {
        "wave_fingerprints": {wave.name: wave.fingerprint for wave in found.waves},
        "fingerprint": found.fingerprint,
    }
    assert dump_plan(found) == json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    first = ("waves", "waves_bound", "hard_violations", "order_violations")
    unsaid = {
        "plan": [(body, ("seed", "effort", "after", "by_hand", "method"))],
        "score": [(body["score"], tuple(key for key in body["score"] if key not in first))],
        "waves": [(wave, ("tasks", "rules", "takes", "load", "overrun")) for wave in body["waves"]],
        "vms": [
            (vm, ("datastore", "folder", "pool", "policy")) for wave in body["waves"] for vm in wave["vms"]
        ],
        "disks": [
            (disk, ("datastore", "policy", "proof", "mind", "way_back", "send_why", "send_who"))
            for wave in body["waves"]
            for disk in wave["disks"]
        ],
    }
    for part, keys in (item for items in unsaid.values() for item in items):
        for key in keys:
            if part[key] in (None, "", [], 0):
                del part[key]
    for row in (row for wave in body["waves"] for row in wave["disks"]):
        assert row.pop("send") == "always"
        assert [held.pop("independent") for held in row["attachments"]] == [False]
    for row in body["waves"]:
        assert row["conduct"]["probes"] == []  # nobody said anything of it
        row["conduct"] = {
            "ending": {"folder": "wherry-moved", "reverse": True}
        }  # which is more than an older plan says
        later = (("cycle_min", 15.0), ("rpo_min", 60.0), ("history_h", 24.0), ("journal_limit", "100%"))
        for word, usual in (*later, ("journal_warning", "")):
            assert row["policies"].pop(word) == usual
    assert found.fingerprint == hashlib.sha256(canonical(body)).hexdigest()


def test_a_changed_copy_has_a_fingerprint_of_its_own() -> None:
    before = two_waves()
    first, given = before.fingerprint, before.waves[0].fingerprint
    after = before.model_copy(update={"notes": ("another",)})
    assert after.fingerprint == two_waves().model_copy(update={"notes": ("another",)}).fingerprint != first
    other = before.waves[0].model_copy(update={"boot": ()})
    assert other.fingerprint != given
    assert before.waves[0].model_copy(update={"title": "another"}).fingerprint == given
    assert "fingerprint" not in before.model_dump()
    assert before == two_waves()
