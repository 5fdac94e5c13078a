"""Neighbours: what a snapshot's dependencies say of each VM, whichever end it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.model import VM, Dependency, Inventory, Tie
from planner.store import inventories, neighbours
from planner.store.neighbours import Neighbour
from planner.store.project import Project

ENDS = [f"vm-{number}" for number in range(4)] + ["elsewhere", "\u202e[bold]\x00"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path) as project:
        yield project


def stored(project: Project, ties: list[tuple[str, str, int | None]]) -> int:
    return inventories.save(
        project,
        Inventory(
            "test",
            "2026-10-01T00:00:00Z",
            tuple(VM(key, key) for key in ENDS[:4]),
            dependencies=tuple(Dependency(a, b, Tie.SOFT, "flow", port=port) for a, b, port in ties),
        ),
    ).id


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(ENDS), st.sampled_from(ENDS), st.sampled_from([None, 0, 443, 65535])),
        max_size=12,
    )
)
def test_each_vm_finds_the_ties_it_is_an_end_of(
    project: Project, ties: list[tuple[str, str, int | None]]
) -> None:
    number = stored(project, ties)
    neighbours.build(project, number)
    found = neighbours.load(project, number)
    assert found is not None
    for position, vm in enumerate(ENDS[:4]):

        def end(key: str, port: int | None, needs: bool) -> Neighbour:
            known = ENDS.index(key) if key in ENDS[:4] else None
            return Neighbour(needs, known, "" if known is not None else key, port)

        needed = [end(b, port, True) for a, b, port in ties if a == vm]
        needing = [end(a, port, False) for a, b, port in ties if b == vm]
        seen = list(found.of(position))
        assert seen[: len(needed)] == needed
        assert Counter(seen[len(needed) :]) == Counter(needing)


def test_they_are_not_there_before_they_are_built_and_are_those_of_their_snapshot(project: Project) -> None:
    first = stored(project, [("vm-0", "vm-1", 1)])
    assert neighbours.load(project, first) is None
    neighbours.build(project, first)
    second = stored(project, [])
    assert neighbours.load(project, second) is None
    neighbours.build(project, second)
    found = neighbours.load(project, second)
    assert found is not None
    assert list(found.of(0)) == []
    assert neighbours.load(project, first) is None  # a cache of the newest
