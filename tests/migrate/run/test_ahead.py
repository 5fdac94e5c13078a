"""A pass over a physical RDM while it is written to: it fails nobody, and the last pass trusts none of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrate.replication.passes import Mode
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.history import Status
from migrate.run.runbook import COMMIT, GO, Runbook
from migrate.run.step_phases import FINAL, SEED, phase_of
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Copied, Moving, Wanted
from planner.errors import NoSpace
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import World

AHEAD, LAST = "g0/d1/ahead", "g0/d1/final"
RDM = "id-db/2001"


class Noted(ModelledTransfers):
    """Transfers that keep what was asked of the RDM; ``fails`` has those while its VM runs fail."""

    def __init__(self, world: World, fails: bool = False) -> None:
        super().__init__(world.clock, 1e9, 1e9)
        self.asked: list[Wanted] = []
        self.fails = fails

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        if wanted.volume == RDM:
            self.asked.append(wanted)
            if self.fails and AHEAD in wanted.pass_id:
                raise NoSpace("full", "free space")
        return super().copy(wanted, report)


def moved(fails: bool) -> tuple[World, list[Wanted]]:
    world = World(small_wave(), compose(small_wave()))
    world.transfers = transfers = Noted(world, fails)
    assert world.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert world.broken() == []
    return world, transfers.asked


@pytest.mark.parametrize("fails", [False, True])
def test_the_last_pass_compares_all_of_it_whatever_came_ahead(fails: bool) -> None:
    world, (ahead, last) = moved(fails)
    assert (ahead.mode, last.mode) == (Mode.SEED, Mode.COMPARE)
    assert (last.base, last.extents, last.snapshot) == ("", None, None)
    assert ahead.pass_id != last.pass_id, "one name is one content"
    history = world.reload()
    assert history.status[AHEAD] is (Status.SKIPPED if fails else Status.DONE)
    assert "stood" in history.results[LAST]
    assert "stood" not in history.results.get(AHEAD, {}), "nobody looked whether its VM stood still"


def test_without_one_the_last_pass_is_the_first_copy() -> None:
    """Control: runs of an older release have no such step."""
    book = compose(small_wave())
    drop = book.step(AHEAD).needs
    steps = [
        step._replace(needs=drop) if AHEAD in step.needs else step for step in book.steps if step.id != AHEAD
    ]
    older = Runbook(book.wave, book.fingerprint, tuple(steps))
    world = World(small_wave(), older)
    world.transfers = transfers = Noted(world)
    assert world.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert [one.mode for one in transfers.asked] == [Mode.SEED]


def test_its_time_is_of_the_first_copy() -> None:
    book = compose(small_wave())
    assert [phase_of(book.step(one)) for one in (AHEAD, LAST)] == [SEED, FINAL]
