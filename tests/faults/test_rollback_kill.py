"""kill -9 of a rollback or an abort, and going back instead of on after a death anywhere.

Whatever was done, the sources end as they were: running, whole, under their own names; and what the
target wrote meanwhile is kept.
"""

from __future__ import annotations

import random

import pytest

from migrate.run.execute import Purpose
from tests.faults.conftest import Stage
from tests.faults.endstate import aborted, committed, rolled_back, world
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import (
    FORWARD,
    GOAL,
    Astray,
    alone,
    every,
    every_one,
    finish,
    in_few,
    kill_and_finish,
    not_died_at,
    points_of,
    slice_of,
)


def _source_end(stage: Stage, lab: Lab) -> list[str]:
    """Return what of the sources' disks is not what an undisturbed run left there."""
    ended, wanted = world(lab)["dc1"]["volumes"], stage.end["dc1"]["volumes"]
    return [
        f"{volume} is not what it was at the source" for volume in wanted if ended[volume] != wanted[volume]
    ]


def _cut_over(lab: Lab) -> None:
    finish(lab, Purpose.REPLICATE)
    finish(lab, Purpose.CUTOVER)


def _half_seeded(lab: Lab) -> None:
    """Leave a run as a death between two seeds leaves it: a snapshot is there, a replica is half done."""
    assert lab.drive(Purpose.REPLICATE, kill_at("g0/d2/seed after intent")).killed


def _way_back_points(stage: Stage, purpose: Purpose) -> list[str]:
    """Return the boundaries of an undisturbed way back."""
    with Lab.copy(stage.template, stage.scratch / "way-back") as lab:
        (_cut_over if purpose is Purpose.ROLLBACK else _half_seeded)(lab)
        before = set(points_of(lab))
        finish(lab, purpose)
        assert _judge(stage, lab, purpose) == []
        return [point for point in points_of(lab) if point not in before]


def _judge(stage: Stage, lab: Lab, purpose: Purpose) -> list[str]:
    wrong = rolled_back(lab) if purpose is Purpose.ROLLBACK else aborted(lab)
    return wrong + _source_end(stage, lab)


def _killed_on_the_way_back(stage: Stage, purpose: Purpose, rng: random.Random | None) -> None:
    def run(lab: Lab, points: tuple[str, ...]) -> list[str]:
        (_cut_over if purpose is Purpose.ROLLBACK else _half_seeded)(lab)
        died = kill_and_finish(lab, purpose, points)
        return _judge(stage, lab, purpose) + not_died_at(points, died)

    points = _way_back_points(stage, purpose)
    chosen = slice_of(points, rng) if rng else points
    print(f"{len(chosen)} of {len(points)} boundaries of {purpose.value}")
    ways = in_few(chosen) if rng else alone(chosen)
    assert every_one(ways, stage.template, stage.scratch, run) == {}


def _cutover_points(stage: Stage) -> list[str]:
    """Return the boundaries of a cutover from its first intent (before it nothing can be rolled back)."""
    begin, end = (stage.points.index(p) for p in ("g0/quiesce after intent", "commit before approval"))
    return list(stage.points[begin:end])


def _back_instead_of_on(stage: Stage, points: list[str]) -> None:
    def run(lab: Lab, point: str) -> list[str]:
        finish(lab, Purpose.REPLICATE)
        died = lab.drive(Purpose.CUTOVER, kill_at(point)).killed
        finish(lab, Purpose.ROLLBACK)
        return _judge(stage, lab, Purpose.ROLLBACK) + ([] if died else [f"it did not die at {point!r}"])

    assert every(points, stage.template, stage.scratch, run) == {}


def test_rollback_dies_at_boundaries_of_every_kind(stage: Stage, rng: random.Random) -> None:
    _killed_on_the_way_back(stage, Purpose.ROLLBACK, rng)


@pytest.mark.soak
def test_rollback_dies_at_every_boundary(stage: Stage) -> None:
    _killed_on_the_way_back(stage, Purpose.ROLLBACK, None)


def test_abort_dies_at_boundaries_of_every_kind(stage: Stage, rng: random.Random) -> None:
    _killed_on_the_way_back(stage, Purpose.ABORT, rng)


@pytest.mark.soak
def test_abort_dies_at_every_boundary(stage: Stage) -> None:
    _killed_on_the_way_back(stage, Purpose.ABORT, None)


def test_rollback_after_a_death_in_the_cutover(stage: Stage, rng: random.Random) -> None:
    steps = slice_of(_cutover_points(stage), rng)
    steps = rng.sample(steps, len(steps) // 2)
    _back_instead_of_on(stage, [point for point in steps if point.endswith(("after intent", "after act"))])


@pytest.mark.soak
def test_rollback_after_a_death_anywhere_in_the_cutover(stage: Stage) -> None:
    _back_instead_of_on(stage, _cutover_points(stage))


def _random_deaths_back(stage: Stage, rounds: int, rng: random.Random) -> None:
    seeds = {f"round {number}": rng.randrange(2**32) for number in range(rounds)}

    def run(lab: Lab, name: str) -> list[str]:
        chance = random.Random(seeds[name])
        _cut_over(lab)
        deaths = 0
        while lab.standing() != GOAL[Purpose.ROLLBACK]:
            limit_s = 0.08 * (1 + deaths / 10)  # a busy machine gets somewhere as well
            deaths += lab.drive(Purpose.ROLLBACK, kill_after_s=chance.uniform(0.0, limit_s)).killed
            if deaths > 100:
                raise Astray(f"the rollback is still at {lab.standing()}")
        return _judge(stage, lab, Purpose.ROLLBACK)

    assert every(list(seeds), stage.template, stage.scratch, run) == {}


@pytest.mark.soak
def test_rollback_killed_at_random_times(stage: Stage, rng: random.Random) -> None:
    _random_deaths_back(stage, 2, rng)


@pytest.mark.soak
def test_rollback_killed_at_random_times_many_times(stage: Stage, rng: random.Random) -> None:
    _random_deaths_back(stage, 60, rng)


def test_a_rolled_back_wave_can_be_moved_again(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "again") as lab:
        _cut_over(lab)
        finish(lab, Purpose.ROLLBACK)
        assert rolled_back(lab) == []
        (lab.root / "witness.jsonl").unlink()
        for name in ("dc1", "dc2"):
            (lab.folder(name) / "state" / "ops.log").write_bytes(b"")
        lab.drive(Purpose.REPLICATE)
        for purpose in FORWARD[1:]:
            finish(lab, purpose)
        assert committed(lab) == []
