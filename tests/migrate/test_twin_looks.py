"""The twin looks at no more than it has to, and finds what a look at everything finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields

import pytest

from migrate.rehearsal import model_of
from migrate.rehearsals.faults import matrix
from migrate.rehearsals.striking import Strike
from migrate.run.compose import compose
from migrate.run.runbook import COMMIT, GO
from migrate.steps.kinds import KINDS
from migrate.twin import Course, Twin
from planner.plan import Wave
from planner.settings import Link
from tests.migrate.estate import many_wave, pair_wave, small_wave

_CELLS = 60


class Looked(Course):
    """A run in which every look at what is unsettled is compared with one at all of it."""

    def _unsettled(self) -> list[str]:
        found = super()._unsettled()
        assert found == [one for one in self.ctx.history.unsettled if one not in self.in_flight]
        return found


def course(wave: Wave, strike: Strike | None = None, turns_at: str = "") -> Course:
    twin = Twin(compose(wave), model_of(wave, Link()), KINDS, 1, strike=strike, turns_at=turns_at)
    return twin.course()


def looked(made: Course) -> Course:
    return Looked(*(getattr(made, one.name) for one in fields(made)))


def struck() -> Iterator[Strike]:
    counted, rng = Strike(), random.Random(7)
    course(pair_wave(), counted).run()
    for cell in rng.sample(matrix(counted.calls), k=_CELLS):
        yield Strike(cell, rng.randint(1, counted.calls[cell.where, cell.call]))


@pytest.mark.parametrize("turns_at", ["", GO, COMMIT])
@pytest.mark.parametrize("wave", [small_wave(cycles=2), many_wave(6)], ids=["small", "many"])
def test_what_is_unsettled_is_what_a_look_at_all_finds(wave: Wave, turns_at: str) -> None:
    assert looked(course(wave, turns_at=turns_at)).run() == course(wave, turns_at=turns_at).run()


def test_it_is_so_whatever_fails_or_dies_meanwhile() -> None:
    endings = {(said.outcome, said.decided > 0) for strike in struck()
               for said in (looked(course(pair_wave(), strike)).run(),)}  # fmt: skip
    assert len(endings) > 2, "not all of them went the same way"


def test_steps_of_a_disk_and_namesakes_are_those_of_a_look_at_all() -> None:
    book = compose(many_wave(6))
    for step in book.steps:
        disk = "/".join(step.id.split("/")[:2])
        assert [one.id for one in book.steps if "/".join(one.id.split("/")[:2]) == disk] == book.of_disks[
            disk
        ]
        if "name" in step.params:
            same = {one.id for one in book.steps
                    if one.kind == step.kind and one.params["name"] == step.params["name"]}  # fmt: skip
            assert same == book.namesakes[step.kind, step.params["name"]]
