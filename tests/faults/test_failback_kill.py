"""A committed wave comes home, and kill -9 on the way: every byte the target wrote is at the source.

The wave was moved and committed, its VMs run at the target and have written there. Whatever dies, in the
end they run at the source under their old names, or, rolled back, at the target as before.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

import pytest

from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from tests.faults.conftest import Stage
from tests.faults.endstate import everywhere
from tests.faults.homeward import HOMEWARD, go, home, runs_at, written_at
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import alone, every, every_one, in_few, not_died_at, points_of, slice_of


def way_home(lab: Lab, points: Collection[str] = ()) -> list[str]:
    """Bring the wave home with a death at each of the points; return what is wrong."""
    written = written_at(lab, "dc2")
    died = set().union(*(go(lab, purpose, points) for purpose in HOMEWARD))
    return not_died_at(points, died) + home(lab, written)


def test_what_the_target_wrote_comes_home(stage: Stage, abroad: Path) -> None:
    with Lab.copy(abroad, stage.scratch / "home", "dc2") as lab:
        go(lab, Purpose.REVERSE)
        assert lab.drive(Purpose.REVERSE).gate == "go", "one more round"
        assert way_home(lab) == []
        assert "g0/d0/delta/2 after act" in points_of(lab)
        kinds = {point.split(" ")[0].split("/")[-1] for point in points_of(lab)}
        assert {"unfence", "fence", "start", "stop", "go", "commit"} <= kinds
        assert not kinds & {"create", "build"}, "disks and VMs are there already"
        ended = lab.drive(Purpose.FAILBACK)
        assert (ended.error, ended.message) == ("blocked", f"{WAVE} came back already; see 'wherry status'")


def _way_home_points(stage: Stage, abroad: Path) -> list[str]:
    with Lab.copy(abroad, stage.scratch / "points", "dc2") as lab:
        for purpose in HOMEWARD:
            go(lab, purpose)
        return points_of(lab)


_ACTS = ("after intent", "after act")


def test_it_dies_in_what_is_another_thing_on_the_way_home(
    stage: Stage, abroad: Path, rng: random.Random
) -> None:
    points = _way_home_points(stage, abroad)
    kinds = dict.fromkeys(("unfence", "fence", "start", "stop", "final"), _ACTS)
    kinds |= dict.fromkeys(("journal", "fold", "promote"), _ACTS[1:])
    near = [point for point in points if point.endswith(kinds.get(point.split(" ")[0].split("/")[-1], "?"))]
    chosen = slice_of(near, rng)
    print(f"{len(chosen)} of {len(points)} boundaries on the way home")
    assert len(chosen) == sum(map(len, kinds.values()))
    assert every_one(in_few(chosen), abroad, stage.scratch, way_home, "dc2") == {}


@pytest.mark.soak
def test_it_dies_at_every_boundary_on_the_way_home(stage: Stage, abroad: Path) -> None:
    points = _way_home_points(stage, abroad)
    assert every_one(alone(points), abroad, stage.scratch, way_home, "dc2") == {}


def taken_back(lab: Lab, point: str) -> list[str]:
    """Go home, die at ``point`` of it or of the way back from there, and be at the target again."""
    written = written_at(lab, "dc2")
    go(lab, Purpose.REVERSE)
    died = lab.drive(Purpose.FAILBACK, kill_at(point)).killed
    died += bool(go(lab, Purpose.ROLLBACK, [point]))
    wrong = [] if died == 1 else [f"it died {died} times at {point!r}"]
    wrong += [*everywhere(lab, RunKind.FAILBACK), *runs_at(lab, "dc2", "dc1")]
    with lab.site("dc2") as target:
        wrong += [
            f"{vm} lost records" for vm, seen in written.items() if target.guest(vm).last_written < seen
        ]
    return wrong


# forward: nothing is unfenced yet, one is, one runs at home; back: around what is taken back
_BACK = (
    "g0/v1/stop after act",
    "g0/v0/unfence after intent",
    "g0/v0/start after act",
    "g0/v0/start after undo",
    "g0/v1/unfence after undo intent",
    "g0/v1/stop after undo",
)


def test_a_failback_is_taken_back_before_its_commit(stage: Stage, abroad: Path) -> None:
    assert every(_BACK, abroad, stage.scratch, taken_back, "dc2") == {}
