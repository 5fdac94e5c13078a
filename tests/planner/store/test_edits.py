"""Edits in the store: kept with their plans, taken back in order, never half."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.edits import Act, Edit, ends_of
from planner.errors import BadInput, NotFound
from planner.plan import Plan
from planner.store import edits, plans
from planner.store.project import Project
from tests.planner.sketch import estate, plan, vm

TWO = estate(vm("a"), vm("b"))
FIRST = plan(TWO)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as project:
        plans.save(project, FIRST, "mia")
        yield project


def edit(project: Project, act: Act = Act.MOVE, *names: str, wave: str = "W02") -> Edit:
    vms = [item for item in TWO.vms if item.name in (names or ("a",))]
    (made,) = edits.numbered(project, [Edit(act=act, what="a", vms=ends_of(vms), wave=wave)], "mia")
    return made


def planned(number: int) -> Plan:
    return plan(TWO, caps={"vms": number})


def add(project: Project, made: Edit, number: int = 40) -> int:
    return edits.add(project, [made], plans.latest(project), planned(number)).version


def test_an_edit_comes_back_as_it_was_with_its_plans(project: Project) -> None:
    made = edit(project)
    assert add(project, made) == 2
    assert edits.in_force(project) == (made,)
    (kept,) = edits.every(project)
    assert (kept.before, kept.after, kept.taken_back) == (1, 2, None)
    assert plans.latest(project).version == 2


def test_the_plan_before_comes_back_unless_it_was_planned_since(project: Project) -> None:
    add(project, edit(project))
    back = edits.take_back(project, edits.to_undo(project), "tom")
    assert back is not None
    assert (back.version, back.plan.fingerprint) == (3, FIRST.fingerprint)
    assert plans.latest(project).plan == FIRST
    assert edits.in_force(project) == ()
    assert edits.every(project)[0].taken_back is not None
    with pytest.raises(NotFound, match="no edit to take back"):
        edits.to_undo(project)
    add(project, edit(project), 41)
    plans.save(project, planned(3), "mia")
    assert edits.take_back(project, edits.to_undo(project), "tom") is None
    assert plans.latest(project).plan == planned(3)


def test_edits_are_taken_back_in_order_where_they_build_on_each_other(project: Project) -> None:
    add(project, edit(project), 40)
    add(project, edit(project, Act.MOVE, "b"), 41)
    assert edits.to_undo(project, 1).edit.number == 1
    add(project, edit(project, Act.MOVE, "a", wave="W03"), 42)
    with pytest.raises(BadInput, match=r"edit 3 .* builds on edit 1"):
        edits.to_undo(project, 1)
    assert edits.to_undo(project).edit.number == 3
    with pytest.raises(NotFound, match="edit 9 does not exist"):
        edits.to_undo(project, 9)


def test_an_edit_of_a_plan_that_is_not_the_newest_is_not_stored(project: Project) -> None:
    made, stale = edit(project), plans.latest(project)
    plans.save(project, planned(3), "tom")
    with pytest.raises(BadInput, match="changed by somebody else"):
        edits.add(project, [made], stale, planned(4))
    assert edits.every(project) == ()
    assert plans.latest(project).version == 2
