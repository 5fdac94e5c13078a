"""A committed wave comes home, and kill -9 on the way: every byte the target wrote is at the source.

The wave was moved and committed, its VMs run at the target and have written there. Whatever dies, in the
end they run at the source under their old names, or, rolled back, at the target as before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from planner.model import Power
from tests.faults.conftest import Stage
from tests.faults.endstate import NAMES, everywhere
from tests.faults.killlab import IDLE, RUNNING, SITES, WAVE
from tests.faults.labrun import Ended, Lab, kill_at
from tests.faults.scenario import FORWARD, Astray, every, finish, points_of, slice_of
from tests.faults.witness import read_witness

HOMEWARD = (Purpose.REVERSE, Purpose.FAILBACK, Purpose.COMMIT)
GOAL = {
    Purpose.REVERSE: ("go", ""),
    Purpose.FAILBACK: ("commit", ""),
    Purpose.COMMIT: ("", "committed"),
    Purpose.ROLLBACK: ("", "rolled back"),
}


@pytest.fixture(scope="module")
def abroad(stage: Stage) -> Path:
    """Return a template whose wave is committed: its VMs ran at the target and wrote there."""
    template = stage.scratch / "abroad"
    lab = Lab.copy(stage.template, template)
    for purpose in FORWARD:
        finish(lab, purpose)
    lab.kill_all()
    _forget_the_way_out(lab)
    return template


def _forget_the_way_out(lab: Lab) -> None:
    (lab.root / "witness.jsonl").unlink()
    for name in SITES:
        (lab.folder(name) / "state" / "ops.log").write_bytes(b"")


def go(lab: Lab, purpose: Purpose, point: str = "") -> bool:
    """Drive a verb that dies at ``point`` if it gets there, then to where it goes; return whether it died."""
    died = lab.drive(purpose, kill_at(point)).killed if point else False
    if lab.standing(RunKind.FAILBACK) != GOAL[purpose]:
        ended: Ended = lab.drive(purpose)
        if lab.standing(RunKind.FAILBACK) != GOAL[purpose]:
            raise Astray(f"{purpose.value} is at {lab.standing(RunKind.FAILBACK)} after {ended}")
    return died


def runs_at(lab: Lab, here: str, there: str) -> Iterator[str]:
    """Yield what is wrong when the wave runs ``here`` and its fenced copies are ``there``."""
    with lab.site(here) as site, lab.site(there) as other:
        for vm, name in NAMES.items():
            state, fenced = site.observe(vm), other.observe(vm)
            wanted = Power.OFF if vm == IDLE else Power.ON
            if (state.name, state.power, state.connected, state.note) != (name, wanted, True, ""):
                yield f"{vm} is not itself at {here}: {state}"
            if (fenced.name[:-8], fenced.power, fenced.connected) != (f"{name}-moved-", Power.OFF, False):
                yield f"{vm} is not fenced at {there}: {fenced}"
            if not fenced.note.startswith(f"wherry: moved away by {WAVE}"):
                yield f"{vm} has no note at {there}: {fenced.note!r}"
        for vm in RUNNING:
            health, guest = site.probe(vm), site.guest(vm)
            if not health.ok or guest.missing or guest.corrupt:
                yield f"{vm} is not well at {here}: {health.detail}, {guest}"


def written_at(lab: Lab, site: str) -> dict[str, int]:
    """Return the highest record that each VM has acknowledged at a site."""
    with lab.site(site) as here:
        return {vm: here.guest(vm).last_acknowledged for vm in RUNNING}


def home(lab: Lab, written: dict[str, int]) -> list[str]:
    """Return what is wrong after a failback: ``written`` was acknowledged at the target before it."""
    problems = [
        *everywhere(lab, RunKind.FAILBACK),
        *stopped_equal_at_the_end(lab),
        *runs_at(lab, "dc1", "dc2"),
    ]
    with lab.site("dc1") as source:
        for vm, record in written.items():
            if source.guest(vm).last_written < record:
                problems.append(f"{vm} lost what it had written at the target")
    return problems


def stopped_equal_at_the_end(lab: Lab) -> Iterator[str]:
    """Yield differences of the copies when all had stopped."""
    notes = [note["stopped"] for note in read_witness(lab.root) if "stopped" in note]
    if not notes:
        yield "nobody saw the finished copies"
    for note in notes:
        for volume, digest in note["source"].items():
            if note["target"][volume] != digest:
                yield f"{volume} differed between the sites before its VM started at home"


def way_home(lab: Lab, point: str = "") -> list[str]:
    """Bring the wave home with one death; return what is wrong."""
    written = written_at(lab, "dc2")
    died = sum(go(lab, purpose, point) for purpose in HOMEWARD)
    wrong = [] if died == bool(point) else [f"it died {died} times at {point!r}"]
    return wrong + home(lab, written)


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
    kinds = ("unfence", "fence", "start", "stop", "final")
    near = [
        point for point in points if point.endswith(_ACTS) and point.split(" ")[0].split("/")[-1] in kinds
    ]
    chosen = slice_of(near, rng)
    print(f"{len(chosen)} of {len(points)} boundaries on the way home")
    assert len(chosen) == len(kinds) * len(_ACTS)
    assert every(chosen, abroad, stage.scratch, way_home, "dc2") == {}


@pytest.mark.soak
def test_it_dies_at_every_boundary_on_the_way_home(stage: Stage, abroad: Path) -> None:
    assert every(_way_home_points(stage, abroad), abroad, stage.scratch, way_home, "dc2") == {}


def taken_back(lab: Lab, point: str) -> list[str]:
    """Go home, die at ``point`` of it or of the way back from there, and be at the target again."""
    written = written_at(lab, "dc2")
    go(lab, Purpose.REVERSE)
    died = lab.drive(Purpose.FAILBACK, kill_at(point)).killed
    died += go(lab, Purpose.ROLLBACK, point)
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
