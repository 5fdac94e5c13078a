"""Drafts: a desk that took edits over one by one is the desk laid out anew from the same edits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from planner.errors import BadInput, Blocked
from planner.groups import move_groups
from planner.model import Inventory
from planner.waves.desk import Desk
from planner.waves.draft import Draft, laid_anew
from planner.waves.verdict import Verdict
from tests.planner.sketch import estate, settings, vm
from tests.planner.waves.laid import SATURDAYS, desk, made
from tests.planner.waves.test_desk import estates

WAVES = [f"W0{at}" for at in range(1, 7)]
ASKED: tuple[dict[str, Any], ...] = (
    {"caps": {"vms": 3, "groups_per_owner": 2}, "windows": SATURDAYS},
    {"caps": {"vms": 4}, "windows": SATURDAYS, "waves": {"pilot_vms": 1}},
    {"caps": {"vms": 5}, "waves": {"whole_applications": False}, "windows": SATURDAYS[:2]},
    {"caps": {"cutovers": 3}, "windows": SATURDAYS, "pins": [{"what": "v1", "wave": "W02"}]},
    {"caps": {"vms": 4}, "windows": SATURDAYS, "apart": [{"a": "v0", "b": "v2"}]},
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


def drawn(laid: Desk, data: st.DataObject, names: list[str]) -> Verdict | None:
    act = data.draw(st.sampled_from(["move"] * 5 + ["many"] * 3 + ["merge", "lock", "unlock", "split"]))
    what = data.draw(st.sampled_from(names))
    wave = data.draw(st.sampled_from(WAVES))
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
            return laid.split(data.draw(st.sampled_from(["red", "blue"])), [what])
        return laid.lock(wave) if act == "lock" else laid.unlock(wave)
    except BadInput:
        return None


@given(estates(), st.sampled_from(ASKED), st.data())
@budget(max_examples=30, deadline=None)
def test_a_desk_that_took_edits_over_is_the_one_laid_out_anew(
    inventory: Inventory, asked: dict[str, Any], data: st.DataObject
) -> None:
    try:
        draft = drafted(inventory, asked)
    except (BadInput, Blocked):  # settings and ties that contradict each other
        return
    names = [vm.id for vm in inventory.vms]
    past = [seen(draft.desk)]
    for _ in range(6):
        verdict = drawn(draft.desk, data, names)
        if verdict is None or verdict.refused:
            continue
        before = draft.desk
        try:
            step = draft.take(verdict)
        except BadInput:  # an earlier lock or merge holds against it
            assert draft.desk is before
            continue
        anew = laid_anew(before.ask, draft._groups, draft.edits, verdict.standing)
        past.append(seen(step.desk))
        event(f"{verdict.edit.act}: {'taken over' if step.desk.by_vm is before.by_vm else 'laid out anew'}")
        assert past[-1] == seen(anew)
    for state in reversed(past[:-1]):
        draft.undo()
        assert seen(draft.desk) == state
    with pytest.raises(BadInput, match="no edit to take back"):
        draft.undo()
    for state in past[1:]:
        draft.redo()
        assert seen(draft.desk) == state


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


def test_many_groups_are_judged_as_they_stand_together() -> None:
    """Each alone would break the order of the two."""
    from planner.model import Tie
    from tests.planner.sketch import needs

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
    anew = laid_anew(draft.first.ask, draft._groups, draft.edits, verdict.standing)
    assert seen(step.desk) == seen(anew)
    assert ((["a", "b"], 4)) in seen(step.desk)["items"]
