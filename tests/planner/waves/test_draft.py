"""Drafts: a desk that took edits over one by one is the desk laid out anew from the same edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from planner.errors import BadInput, Blocked
from planner.fingerprint import inventory_fingerprint
from planner.ground import ground_of
from planner.groups import move_groups
from planner.model import Inventory, Nic, Tie
from planner.planning import ask_for, make_plan
from planner.waves import draft as module
from planner.waves.desk import Desk
from planner.waves.draft import Draft, laid_anew
from planner.waves.group_rows import group_rows
from planner.waves.pins import wave_name
from planner.waves.verdict import Verdict
from tests.planner.sketch import estate, needs, settings, vm
from tests.planner.waves.laid import SATURDAYS, desk, made, places
from tests.planner.waves.test_desk import estates

WAVES = [f"W0{at}" for at in range(1, 7)]
ASKED: tuple[dict[str, Any], ...] = (
    {"caps": {"vms": 3, "groups_per_owner": 2}, "windows": SATURDAYS},
    {"caps": {"vms": 4}, "windows": SATURDAYS, "waves": {"pilot_vms": 1}},
    {"caps": {"vms": 5}, "waves": {"whole_applications": False}, "windows": SATURDAYS[:2]},
    {"caps": {"cutovers": 3}, "windows": SATURDAYS, "pins": [{"what": "v1", "wave": "W02"}]},
    {"caps": {"vms": 4}, "windows": SATURDAYS, "apart": [{"a": "v0", "b": "v2"}]},
    {"caps": {"vms": 9}, "windows": SATURDAYS},
    {"caps": {"vms": 9}, "windows": SATURDAYS, "waves": {"whole_networks": ["blue-net"]}},
)


def drafted(inventory: Inventory, asked: dict[str, Any]) -> Draft:
    found = made(inventory, **asked)
    return Draft(desk(inventory, found, **asked), move_groups(inventory, settings(**asked)), (), 1)


def seen(laid: Desk) -> dict[str, Any]:
    """Everything a person can learn from a desk: places, figures, rules broken, and what every move does."""
    everything: dict[str, Any] = {"held": [], "figures": [], "items": []}
    for track, was in zip(laid.tracks, laid.was, strict=True):
        everything["held"] += sorted((one.kind, one.text) for one in was.held)
        everything["figures"] += [pytest.approx(figure, abs=1e-9) for figure in was.traffic]
        everything["items"] += sorted(
            (sorted(group.name for group in found), slot)
            for found, slot in zip(track.built.members, track.assignment, strict=True)
        )
    for group in laid.ask.everyone:
        everything[group.name] = (group.vms, laid.slot(group))
        for wave in WAVES:
            try:
                said = laid.move(group.vms[0], wave)
            except BadInput as error:
                everything[group.name, wave] = error.message
                continue
            delta = said.delta
            shares = (delta.cut_share, delta.stretch_gb, delta.peak_share)
            everything[group.name, wave] = (
                sorted(said.refused),
                said.told,
                delta.waves,
                [pytest.approx(share, abs=1e-9) for share in shares],
            )
    everything["hand"] = laid.ask.hand
    everything["standing"] = dict(laid.ask.standing or {})
    return everything


@st.composite
def with_services(draw: st.DrawFn) -> Inventory:
    """An estate some VMs of which are shared services, or share a network."""
    found = draw(estates())
    roles = st.sampled_from([{}] * 6 + [{"tier": "directory"}, {"nics": (Nic("nic", "blue-net"),)}])
    return replace(found, vms=tuple(replace(vm, **draw(roles)) for vm in found.vms))


def drawn(laid: Desk, data: st.DataObject, names: list[str]) -> Verdict | None:
    acts = ["move"] * 4 + ["many"] * 3 + ["merge"] * 2 + ["lock", "unlock", "split", "split"]
    act = data.draw(st.sampled_from(acts))
    what = data.draw(st.sampled_from(names))
    taken = sorted({wave_name(laid.slot(group)) for group in laid.ask.everyone})
    wave = data.draw(st.sampled_from(taken if act in ("lock", "unlock") else WAVES))
    try:
        if act == "move":
            return laid.move(what, wave)
        if act == "many":
            chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
            by = data.draw(st.sampled_from([-1, 1, 2]))
            groups = {group.name: group for name in chosen for group in laid.named(name)}
            return laid.shift([(group, laid.slot(group) + by) for group in groups.values()])
        if act == "merge":
            return laid.merge(what, data.draw(st.sampled_from(names)))
        if act == "split":
            whole = data.draw(st.sampled_from(["red", "blue", what]))
            return laid.split(whole, data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)))
        return laid.lock(wave) if act == "lock" else laid.unlock(wave)
    except BadInput:
        return None


def checked(draft: Draft, verdict: Verdict) -> dict[str, Any]:
    """Take an act, hold the desk against the one laid out anew, and return what is seen on it."""
    before = draft.desk
    step = draft.take(verdict)
    anew = laid_anew(before, draft._groups, draft.edits, verdict.standing)
    found = seen(step.desk)
    assert found == seen(anew)
    return found


ANEW: list[Desk] = []  # desks that drafts had to lay out anew


@pytest.fixture(autouse=True, scope="module")
def noted() -> Iterator[None]:
    def noting(*asked: Any) -> Desk:
        ANEW.append(laid_anew(*asked))
        return ANEW[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "laid_anew", noting)
        yield


def taken_over(after: Desk) -> bool:
    return not any(after is one for one in ANEW)


@given(with_services(), st.sampled_from(ASKED), st.data())
@budget(max_examples=40, deadline=None)
def test_a_desk_that_took_edits_over_is_the_one_laid_out_anew(
    inventory: Inventory, asked: dict[str, Any], data: st.DataObject
) -> None:
    try:
        draft = drafted(inventory, asked)
    except (BadInput, Blocked):  # settings and ties that contradict each other
        return
    names = [vm.id for vm in inventory.vms]
    past, at = [seen(draft.desk)], 0
    for _ in range(8):
        way = data.draw(st.sampled_from(["act"] * 6 + ["undo", "redo"]))
        if way == "act":
            verdict = drawn(draft.desk, data, names)
            if verdict is None or verdict.refused:
                continue
            before = draft.desk
            try:
                found = checked(draft, verdict)
            except BadInput:  # an earlier lock or merge holds against it
                assert draft.desk is before
                continue
            how = "taken over" if taken_over(draft.desk) else "laid out anew"
            event(f"{verdict.edit.act}: {how}")
            past, at = [*past[: at + 1], found], at + 1
        else:
            to = at - 1 if way == "undo" else at + 1
            if 0 <= to < len(past):
                draft.undo() if way == "undo" else draft.redo()
                at = to
                assert seen(draft.desk) == past[at]
            else:
                with pytest.raises(BadInput, match="there is no edit to"):
                    draft.undo() if way == "undo" else draft.redo()


def test_a_new_edit_ends_what_could_be_done_again() -> None:
    inventory = estate(vm("a"), vm("b"), vm("c"))
    draft = drafted(inventory, {"caps": {"vms": 2}, "windows": SATURDAYS})
    draft.take(draft.desk.move("a", "W04"))
    draft.undo()
    draft.take(draft.desk.move("b", "W05"))
    assert draft.undone == ()
    assert [edit.number for edit in draft.edits] == [1]
    with pytest.raises(BadInput, match="no edit to do again"):
        draft.redo()


LOCKED: dict[str, Any] = {"caps": {"vms": 2}, "windows": SATURDAYS}


def test_a_lock_is_taken_over_with_what_it_shuts_and_lifted_again() -> None:
    draft = drafted(estate(*(vm(name) for name in "abcd")), LOCKED)
    before = seen(draft.desk)
    first = draft.desk
    checked(draft, first.lock("W01"))
    by_slot = {draft.desk.slot(group): group.name for group in draft.desk.ask.everyone}
    assert set(by_slot) == {0, 1}
    assert "is locked by hand" in "".join(draft.desk.move(by_slot[1], "W01").refused)
    assert "is held in W01" in "".join(draft.desk.move(by_slot[0], "W03").refused)
    checked(draft, draft.desk.lock("W02"))
    checked(draft, draft.desk.unlock("W01"))
    assert not draft.desk.move(by_slot[0], "W03").refused
    checked(draft, draft.desk.unlock("W02"))
    assert taken_over(draft.desk)
    draft.undo()
    assert "is held in W02" in "".join(draft.desk.move(by_slot[1], "W03").refused)
    draft.redo()
    assert seen(draft.desk)["held"] == before["held"]
    assert not draft.desk.move(by_slot[1], "W03").refused


def test_what_a_freeze_keeps_out_stays_out_when_a_lock_is_lifted() -> None:
    freeze = {"start": "2026-10-09T00:00", "end": "2026-10-12T00:00", "only": ["c"], "why": "fair"}
    draft = drafted(estate(*(vm(name) for name in "abc")), {**LOCKED, "freezes": [freeze]})
    checked(draft, draft.desk.move("a", "W02"))
    checked(draft, draft.desk.lock("W02"))
    checked(draft, draft.desk.unlock("W02"))
    assert draft.desk.move("c", "W02").refused == (
        "W02 of 2026-10-10 22:00 UTC overlaps a freeze for c (fair)",
    )
    assert not draft.desk.move("b", "W02").refused


def test_parts_of_an_application_are_split_off_in_place() -> None:
    inventory = estate(*(vm(name, application="red") for name in "abcd"), vm("e"))
    draft = drafted(inventory, {"caps": {"vms": 5}, "windows": SATURDAYS})
    first = draft.desk
    checked(draft, first.split("red", ["a", "b"]))
    assert ((["a", "b"], 0)) in seen(draft.desk)["items"]
    checked(draft, draft.desk.split("red", ["c"]))
    assert taken_over(draft.desk)
    checked(draft, draft.desk.split("red", ["b", "c"]))  # out of two parts into one
    assert ((["b", "c"], 0)) in seen(draft.desk)["items"]
    checked(draft, draft.desk.move("red", "W03"))
    draft.undo()
    draft.undo()
    assert ((["a", "b"], 0)) in seen(draft.desk)["items"]


def test_groups_are_merged_in_place_within_a_family_and_across() -> None:
    names = [vm(name, application="red", owner="ann") for name in "abc"]
    ties = (needs("a", "e", Tie.SOFT, traffic_bytes=10**9), needs("b", "e", Tie.SOFT, traffic_bytes=10**8))
    inventory = estate(*names, vm("d", application="blue"), vm("e", application="blue"), vm("f"), ties=ties)
    draft = drafted(inventory, {"caps": {"vms": 6}, "windows": SATURDAYS})
    first = draft.desk
    checked(draft, first.merge("a", "b"))
    assert ((["a", "c"], 0)) in seen(draft.desk)["items"]
    told = {row.name: row.said for row in group_rows(draft.desk, 0)}
    assert told["a"].startswith("edit 1 (merge b into a"), "a merged group is what a person made of it"
    assert not told["c"]
    checked(draft, draft.desk.merge("c", "e"))
    assert ((["c"], 0)) in seen(draft.desk)["items"]
    checked(draft, draft.desk.move("f", "W02"))
    checked(draft, draft.desk.merge("f", "d"))
    assert taken_over(draft.desk)
    assert draft.desk.group_of("id-d") == draft.desk.named("f")[0]
    checked(draft, draft.desk.split("f", ["d"]))  # the merge falls apart, and "d" stays where it is
    assert draft.desk.slot(draft.desk.named("d")[0]) == 1


def test_groups_of_two_families_are_merged_in_place_with_what_comes_before_and_after_them() -> None:
    """The only test of red gone, its production waits for its development; ties of both stay."""
    stages = ("dev", "test", "prod")
    red = [vm(f"red-{stage}", application="red", environment=stage) for stage in stages]
    blue = [vm(f"blue-{stage}", application="blue", environment=stage) for stage in stages]
    more = vm("blue-more", application="blue", environment="test")
    ties = (
        needs("blue-test", "x", Tie.ORDER),
        needs("y", "blue-test", Tie.ORDER),
        needs("red-test", "x", Tie.SOFT, traffic_bytes=10**9),
        needs("blue-more", "red-test", Tie.SOFT, traffic_bytes=10**8),
    )
    inventory = estate(*red, *blue, more, vm("x"), vm("y"), ties=ties)
    draft = drafted(inventory, {"caps": {"vms": 9}, "windows": SATURDAYS})
    first = draft.desk
    checked(draft, first.merge("red-test", "blue-test"))
    assert taken_over(draft.desk)
    problem, members = draft.desk.tracks[0].built.problem, draft.desk.tracks[0].built.members
    said = {(members[tie.before][0].name, members[tie.after][0].name): tie.why for tie in problem.order}
    assert said["red-dev", "red-prod"] == "dev of red moves before prod"
    assert said["red-test", "y"] == "y needs red-test first"
    assert said["x", "red-test"] == "red-test needs x first"
    assert said["blue-dev", "blue-more"] == "dev of blue moves before test"
    checked(draft, draft.desk.merge("x", "blue-dev"))
    checked(draft, draft.desk.lock("W01"))
    assert taken_over(draft.desk)


def test_a_merge_that_changes_who_shares_an_item_is_laid_out_anew() -> None:
    """Once b is of no environment, a and c of the application have a wave of their own to share."""
    inventory = estate(
        vm("a", application="red", environment="dev"),
        vm("b", application="red", environment="prod"),
        vm("c", application="red"),
        vm("d", application="red", environment="dev"),
    )
    draft = drafted(inventory, {"caps": {"vms": 2}, "windows": SATURDAYS})
    for verdict in (
        lambda: draft.desk.merge("c", "a"),
        lambda: draft.desk.merge("c", "d"),
        lambda: draft.desk.move("c", "W04"),
    ):
        judged = verdict()
        if not judged.refused:
            checked(draft, judged)
    assert draft.steps


def test_a_circle_of_order_ties_comes_undone_when_its_item_is_parted() -> None:
    ties = (needs("a", "x", Tie.ORDER), needs("x", "b", Tie.ORDER))
    inventory = estate(vm("a", application="red"), vm("b", application="red"), vm("x"), ties=ties)
    net = replace(inventory, vms=tuple(replace(one, nics=(Nic("nic", one.name),)) for one in inventory.vms))
    draft = drafted(net, {"caps": {"vms": 3}, "windows": SATURDAYS})
    for what, wave in (("a", "W04"), ("x", "W03"), ("b", "W02"), ("a", "W05")):
        if not (verdict := draft.desk.move(what, wave)).refused:
            checked(draft, verdict)
    assert len(draft.steps) >= 2


def test_a_network_that_moves_whole_is_moved_locked_and_not_split() -> None:
    on = {"nics": (Nic("nic", "blue-net"),)}
    inventory = estate(vm("a", **on), vm("b", **on), vm("c"), vm("d"))
    draft = drafted(inventory, {**LOCKED, "waves": {"whole_networks": ["blue-net"]}})
    with pytest.raises(BadInput, match="moves whole"):
        draft.desk.move("a", "W04")
    both = [(group, 3) for name in "ab" for group in draft.desk.named(name)]
    checked(draft, draft.desk.shift(both))
    checked(draft, draft.desk.lock("W04"))
    checked(draft, draft.desk.merge("a", "b"))
    assert ((["a"], 3)) in seen(draft.desk)["items"]


def test_services_come_behind_whoever_is_last_then() -> None:
    inventory = estate(vm("a"), vm("b"), vm("dc", tier="directory"), vm("dns", tier="directory"))
    draft = drafted(inventory, {"caps": {"vms": 1}, "windows": SATURDAYS})
    checked(draft, draft.desk.lock("W01"))
    checked(draft, draft.desk.lock(wave_name(draft.desk.slot(draft.desk.named("dc")[0]))))
    assert draft.desk.move("dc", "W05").refused
    draft.undo()
    for what, wave in (("dns", "W05"), ("dc", "W06"), ("b", "W03"), ("dns", "W04")):
        try:
            verdict = draft.desk.move(what, wave)
        except BadInput:
            continue
        if not verdict.refused:
            checked(draft, verdict)
    assert len(draft.steps) >= 3


def test_a_plan_saved_on_the_ground_it_was_laid_out_on_is_the_plan_made_whole() -> None:
    names = [vm(name, application="red", owner="ann") for name in "abc"]
    inventory = estate(*names, vm("d"), vm("e"), vm("t", template=True))
    asked: dict[str, Any] = {"caps": {"vms": 3}, "windows": SATURDAYS}
    ground = ground_of(inventory, settings(**asked))
    first = made(inventory, **asked)
    inputs: dict[str, Any] = {
        "inventory": inventory,
        "settings": settings(**asked),
        "last": first,
    }
    draft = Draft(Desk(ask_for(**inputs, ground=ground, standing=places(first))), ground.groups, (), 1)
    for act in (
        lambda desk: desk.move("a", "W04"),
        lambda desk: desk.merge("d", "e"),
        lambda desk: desk.lock("W04"),
    ):
        draft.take(act(draft.desk))
    assert ground.weights
    then = {
        **inputs,
        "project": "test",
        "inventory_fingerprint": inventory_fingerprint(inventory),
        "created_at": "2026-10-02T08:00:00+00:00",
        "edits": draft.edits,
        "standing": draft.desk.ask.standing,
    }
    whole, quick = make_plan(**then), make_plan(**then, ground=ground)
    assert quick.model_dump_json() == whole.model_dump_json()
    assert quick.fingerprint == whole.fingerprint != first.fingerprint


def test_many_groups_are_judged_as_they_stand_together() -> None:
    """Each alone would break the order of the two."""
    inventory = estate(vm("a"), vm("b"), ties=(needs("b", "a", Tie.ORDER),))
    laid = drafted(inventory, {"windows": SATURDAYS}).desk
    (a,), (b,) = laid.named("a"), laid.named("b")
    assert laid.shift([(a, laid.slot(a) + 1)]).refused
    both = laid.shift([(group, laid.slot(group) + 1) for group in (a, b)])
    assert not both.refused
    assert [edit.did for edit in both.edits] == ["move a to W02", "move b to W03"]
    with pytest.raises(BadInput, match="a is in the first wave"):
        laid.shift([(a, -1)])


def test_groups_of_an_application_that_meet_again_are_one_item_again() -> None:
    inventory = estate(vm("a", application="red"), vm("b", application="red"), vm("c"))
    draft = drafted(inventory, {"caps": {"vms": 2}, "windows": SATURDAYS})
    draft.take(draft.desk.move("a", "W04"))
    draft.take(draft.desk.move("b", "W04"))
    (a,), (b,) = draft.desk.named("a"), draft.desk.named("b")
    verdict = draft.desk.shift([(a, 4), (b, 4)])
    step = draft.take(verdict)
    anew = laid_anew(draft.first, draft._groups, draft.edits, verdict.standing)
    assert seen(step.desk) == seen(anew)
    assert ((["a", "b"], 4)) in seen(step.desk)["items"]
