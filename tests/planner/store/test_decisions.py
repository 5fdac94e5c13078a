"""Decisions on ties in a project: remembered, taken back, and still there after a new discovery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.discovery import take_in
from planner.errors import NotFound
from planner.model import Decision, Inventory, Ruling
from planner.store import decisions, inventories
from planner.store.project import Project
from tests.planner.sketch import estate, needs, vm


def _estate() -> Inventory:
    return estate(
        vm("a", instance_uuid="u-a"), vm("b", instance_uuid="u-b"), ties=(needs("a", "b", port=80),)
    )


def _again() -> Inventory:
    """The same machines from a source that gives other ids."""
    return replace(
        _estate(),
        vms=tuple(replace(one, id=f"new-{one.name}") for one in _estate().vms),
        dependencies=(replace(_estate().dependencies[0], source="new-a", target="new-b"),),
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "move")
    take_in(made, _estate())
    return made


def test_a_decision_makes_a_snapshot_and_survives_a_new_discovery(project: Project) -> None:
    stored = decisions.decide(project, Ruling.REFUSE, _estate().vms, who="mia", why="old")
    assert stored is not None
    assert len(inventories.latest(project).inventory.refused) == 1
    assert inventories.latest_bare(project).inventory.refused == ()
    found = take_in(project, _again()).inventory
    assert [(item.source, item.target) for item in found.refused] == [("new-a", "new-b")]
    assert found.decisions == (
        Decision(Ruling.REFUSE, "new-a", "new-b", None, "old", "mia", found.decisions[0].at),
    )
    assert inventories.latest(project).inventory == found  # as it was stored


def test_what_is_taken_back_is_open_again_and_older_words_do_not_come_back(project: Project) -> None:
    vms = _estate().vms
    decisions.decide(project, Ruling.REFUSE, vms, who="mia")
    decisions.decide(project, Ruling.ACCEPT, vms[::-1], who="mia")
    (counts,) = inventories.latest(project).inventory.decisions
    decisions.forget(project, counts, "mia")
    found = inventories.latest(project).inventory
    assert (found.decisions, found.refused, len(found.dependencies)) == ((), (), 1)
    assert len(project.rows("SELECT * FROM decision")) == 2
    with pytest.raises(NotFound):
        decisions.forget(project, counts, "mia")


def test_a_decision_before_any_discovery_waits(tmp_path: Path) -> None:
    made = Project.create(tmp_path / "move")
    assert decisions.decide(made, Ruling.HUB, _estate().vms[:1], who="mia") is None
    assert [item.ruling for item in take_in(made, _estate()).inventory.decisions] == [Ruling.HUB]
